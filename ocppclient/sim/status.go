package sim

import (
	"slices"

	"github.com/resctl/resctl/ocppclient/v201"
)

// status is what an EVSE is; all its connectors share it (H01.FR.23).
func (m *Machine) status(e *evse) v201.ConnectorStatus {
	switch {
	case e.Faulted:
		return v201.StatusFaulted
	case e.Unavailable:
		return v201.StatusUnavailable
	case e.Use != nil:
		return v201.StatusOccupied
	case m.holder(e) != nil || m.needed(e):
		return v201.StatusReserved
	case e.Plugged && !e.Spared:
		return v201.StatusOccupied
	}
	return v201.StatusAvailable
}

// shown is what an EVSE says it is.
func (m *Machine) shown(e *evse) v201.ConnectorStatus {
	s := m.status(e)
	if e.Masked && s == v201.StatusReserved {
		return v201.StatusAvailable
	}
	return s
}

// holder is the reservation that names the EVSE. There is at most one.
func (m *Machine) holder(e *evse) *Reservation {
	for i, r := range m.Reservations {
		if r.EVSE == e.ID {
			return &m.Reservations[i]
		}
	}
	return nil
}

// free reports whether an EVSE can seat a reservation that names none.
func (m *Machine) free(e *evse) bool {
	return !e.Faulted && !e.Unavailable && e.Use == nil && (!e.Plugged || e.Spared) && m.holder(e) == nil
}

// needed reports whether the reservations that name no EVSE cannot do without
// this one. Where all of them are of one kind that is the counting of
// H01.FR.20 and H01.FR.24: as many reservations as EVSEs that suit them.
func (m *Machine) needed(e *evse) bool {
	unnamed := slices.ContainsFunc(m.Reservations, func(r Reservation) bool { return r.EVSE == 0 })
	return unnamed && m.free(e) && m.seated(nil) > m.seated(e)
}

// seated is how many of the reservations that name no EVSE find one, each its
// own, without the EVSE given.
func (m *Machine) seated(without *evse) int {
	taken := map[*evse]*Reservation{}
	n := 0
	for i, r := range m.Reservations {
		if r.EVSE == 0 && m.seat(&m.Reservations[i], map[*evse]bool{without: true}, taken) {
			n++
		}
	}
	return n
}

// seat finds an EVSE for a reservation, moving those that sit if need be.
func (m *Machine) seat(r *Reservation, tried map[*evse]bool, taken map[*evse]*Reservation) bool {
	for _, e := range m.EVSEs {
		if tried[e] || !m.free(e) || !e.suits(r.ConnectorType) {
			continue
		}
		tried[e] = true
		if sits := taken[e]; sits == nil || m.seat(sits, tried, taken) {
			taken[e] = r
			return true
		}
	}
	return false
}

// suits reports whether the EVSE has the connector type; "" is any.
func (e *evse) suits(t v201.ConnectorType) bool { return t == "" || slices.Contains(e.types, t) }

// settle reports every status that is not as last reported, where there is
// somebody to report to.
func (m *Machine) settle() {
	for _, e := range m.EVSEs {
		s := m.status(e)
		if e.Spared && s == v201.StatusReserved {
			continue
		}
		e.Spared = false
		e.Masked = e.Masked && s == v201.StatusReserved
	}
	if !m.online() {
		return
	}
	for _, e := range m.EVSEs {
		for i, reported := range e.Reported {
			if reported != m.shown(e) {
				m.report(e, i+1)
			}
		}
	}
}

// report sends the status of one connector.
func (m *Machine) report(e *evse, connector int) {
	s := m.shown(e)
	e.Reported[connector-1] = s
	if !m.config.Quirks.NotifyEventInsteadOfStatus {
		m.send("StatusNotification", v201.NewStatusNotificationRequest(m.clock(), e.ID, connector, s))
		return
	}
	m.Counter++
	m.send("NotifyEvent", v201.NotifyEventRequest{
		GeneratedAt: v201.At(m.clock()),
		EventData: v201.EventList{{
			EventID: m.Counter, Timestamp: v201.At(m.clock()), Trigger: "Delta", ActualValue: string(s),
			EventNotificationType: "HardWiredNotification",
			Component:             v201.Component{Name: v201.ComponentConnector, EVSE: &v201.EVSE{ID: e.ID, ConnectorID: connector}},
			Variable:              v201.Variable{Name: v201.VariableAvailability},
		}},
	})
}
