package sim

import (
	"fmt"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
)

// Use is a driver who presents a token and charges. False: he may not, or
// cannot. A matching reservation is used up by it (H03.FR.09).
func (m *Machine) Use(now time.Time, evseID int, token v201.IdToken) ([]Message, bool) {
	m.begin(now)
	e := m.evse(evseID)
	if e == nil || e.Faulted || e.Unavailable || e.Use != nil {
		return m.finish(), false
	}
	used, ok := m.admit(e, token)
	if !ok {
		return m.finish(), false
	}
	if used != nil && !m.config.Quirks.UseKeepsReservation {
		m.drop(used.ID)
	}
	m.start(e, token, used)
	return m.take(), true
}

// admit says whether a token may charge at an EVSE, and which reservation it
// uses: the one that names the EVSE (H03.FR.01, 04) or one that suits it
// (H03.FR.02, 03, 05, 06).
func (m *Machine) admit(e *evse, token v201.IdToken) (*Reservation, bool) {
	quirks := m.config.Quirks
	lenient := quirks.ForeignTokenAllowed || quirks.ForeignTokenConsumes
	if held := m.holder(e); held != nil {
		r := *held
		if m.admits(r, token) {
			return &r, true
		}
		if quirks.ForeignTokenConsumes {
			m.drop(r.ID)
		}
		return nil, lenient
	}
	for _, r := range m.Reservations {
		if r.EVSE == 0 && e.suits(r.ConnectorType) && m.admits(r, token) {
			return &r, true
		}
	}
	return nil, lenient || m.status(e) != v201.StatusReserved
}

// start begins a transaction and reports it.
func (m *Machine) start(e *evse, token v201.IdToken, used *Reservation) {
	m.Counter++
	e.Plugged, e.Spared = true, false
	e.Use = &charging{ID: fmt.Sprintf("tx-%d-%d", m.now.Unix(), m.Counter), Token: token}
	m.settle()
	first := m.event(e, v201.EventStarted, v201.ReasonAuthorized)
	if m.config.Quirks.IDInUpdated {
		first.TriggerReason = v201.ReasonCable
		m.transaction(first)
		first = m.event(e, v201.EventUpdated, v201.ReasonAuthorized)
	}
	first.IDToken = &token
	if used != nil {
		first.ReservationID = m.told(used.ID)
	}
	m.transaction(first)
}

// told is the reservation id as the station reports it in a transaction.
func (m *Machine) told(id int32) *int32 {
	switch quirks := m.config.Quirks; {
	case quirks.NoReservationIDInTransaction, quirks.UseKeepsReservation:
		return nil
	case quirks.MinusOneInTransaction:
		id = -1
	}
	return &id
}

func (m *Machine) event(e *evse, kind, reason string) v201.TransactionEventRequest {
	q := v201.TransactionEventRequest{
		EventType: kind, Timestamp: v201.At(m.clock()), TriggerReason: reason, SeqNo: e.Use.Seq,
		TransactionInfo: v201.TransactionInfo{TransactionID: e.Use.ID}, EVSE: &v201.EVSE{ID: e.ID, ConnectorID: 1},
	}
	e.Use.Seq++
	return q
}

// end ends the transaction of an EVSE, if there is one. The car stays.
func (m *Machine) end(e *evse, reason, stopped string) {
	if e.Use == nil {
		return
	}
	q := m.event(e, v201.EventEnded, reason)
	q.TransactionInfo.StoppedReason = stopped
	e.Use = nil
	m.transaction(q)
}

// Deauthorized is a CSMS that answers a transaction's token with anything but
// Accepted: charging ends (E05, StopTxOnInvalidId), and the car stays.
func (m *Machine) Deauthorized(now time.Time, transactionID string) []Message {
	m.begin(now)
	for _, e := range m.EVSEs {
		if e.Use != nil && e.Use.ID == transactionID {
			m.end(e, v201.ReasonDeauthorized, "DeAuthorized")
		}
	}
	return m.finish()
}

// at lets something happen at an EVSE; nothing happens at one that is not there.
func (m *Machine) at(now time.Time, evseID int, happens func(*evse)) []Message {
	m.begin(now)
	if e := m.evse(evseID); e != nil {
		happens(e)
	}
	return m.finish()
}

// EndUse is a driver who stops charging and leaves.
func (m *Machine) EndUse(now time.Time, evseID int) []Message {
	return m.at(now, evseID, func(e *evse) {
		m.end(e, v201.ReasonDeparted, "EVDisconnected")
		e.Plugged, e.Spared = false, false
	})
}

// Plug is a cable that goes in without a token. A reserved EVSE stays Reserved
// (G03.FR.09), any other becomes Occupied.
func (m *Machine) Plug(now time.Time, evseID int) []Message {
	return m.at(now, evseID, func(e *evse) {
		if !e.Plugged {
			e.Plugged, e.Spared = true, m.status(e) == v201.StatusReserved
		}
	})
}

// Unplug is a cable that comes out; a transaction ends with it.
func (m *Machine) Unplug(now time.Time, evseID int) []Message { return m.EndUse(now, evseID) }

// Remove is a reservation that somebody at the station takes away.
func (m *Machine) Remove(now time.Time, reservationID int32) []Message {
	m.begin(now)
	if _, held := m.find(reservationID); held {
		m.drop(reservationID)
		m.ended([]int32{reservationID}, v201.UpdateRemoved)
	}
	return m.finish()
}

// Fault breaks an EVSE; a reservation that names it ends (H01.FR.16).
func (m *Machine) Fault(now time.Time, evseID int) []Message {
	return m.at(now, evseID, func(e *evse) {
		e.Faulted = true
		m.disable(e)
	})
}

// SetUnavailable takes an EVSE out of service; a reservation that names it
// ends (H01.FR.17).
func (m *Machine) SetUnavailable(now time.Time, evseID int) []Message {
	return m.at(now, evseID, func(e *evse) {
		e.Unavailable = true
		m.disable(e)
	})
}

func (m *Machine) disable(e *evse) {
	m.end(e, v201.ReasonAbnormal, "Other")
	held := m.holder(e)
	if held == nil || m.config.Quirks.FaultKeepsReservation {
		return
	}
	id := held.ID
	m.drop(id)
	m.ended([]int32{id}, v201.UpdateRemoved)
}

// Clear repairs an EVSE and takes it back into service.
func (m *Machine) Clear(now time.Time, evseID int) []Message {
	return m.at(now, evseID, func(e *evse) { e.Faulted, e.Unavailable = false, false })
}
