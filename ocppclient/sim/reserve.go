package sim

import (
	"slices"
	"strings"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
)

// desk answers the calls of functional block H for a Machine.
type desk struct{ m *Machine }

var _ v201.StationHandler = desk{}

// ReserveNow answers by H01 and the quirks.
func (d desk) ReserveNow(q v201.ReserveNowRequest) (v201.ReserveNowResponse, error) {
	m := d.m
	if m.config.Quirks.ReservationsNotImplemented {
		return v201.ReserveNowResponse{}, &wire.Error{Code: wire.NotImplemented}
	}
	if m.config.Quirks.AuthorizeBeforeAnswer && m.online() {
		m.out = append(m.out, Message{Action: "Authorize", Payload: v201.AuthorizeRequest{IDToken: q.IDToken}, BeforeAnswer: true})
	}
	if !m.Accepted {
		return refuse(v201.ReserveRejected, "NotEnabled"), nil
	}
	r := Reservation{ID: q.ID, ConnectorType: q.ConnectorType, IDToken: q.IDToken, GroupIDToken: q.GroupIDToken, Expiry: q.ExpiryDateTime.Time}
	if q.EVSEID != nil {
		r.EVSE = *q.EVSEID
	}
	return m.reserve(r), nil
}

// CancelReservation answers by H02 and the quirks.
func (d desk) CancelReservation(q v201.CancelReservationRequest) (v201.CancelReservationResponse, error) {
	m := d.m
	if m.config.Quirks.ReservationsNotImplemented {
		return v201.CancelReservationResponse{}, &wire.Error{Code: wire.NotImplemented}
	}
	_, held := m.find(q.ReservationID)
	if !held && !slices.Contains(m.Lapsed, q.ReservationID) {
		return v201.NewCancelReservationResponse(v201.Rejected), nil // H02.FR.01
	}
	m.drop(q.ReservationID) // H02.FR.02
	m.Lapsed = slices.DeleteFunc(m.Lapsed, func(id int32) bool { return id == q.ReservationID })
	return v201.NewCancelReservationResponse(v201.Accepted), nil
}

func refuse(s v201.ReserveNowStatus, reason string) v201.ReserveNowResponse {
	return v201.ReserveNowResponse{Status: s, StatusInfo: &v201.StatusInfo{ReasonCode: reason}}
}

// reserve tells new ids from known ones (H01.FR.02, H01.FR.03).
func (m *Machine) reserve(r Reservation) v201.ReserveNowResponse {
	old, known := m.find(r.ID)
	if !known {
		return m.place(r)
	}
	switch m.config.Quirks.SameID {
	case SameIDOccupied:
		return v201.NewReserveNowResponse(v201.ReserveOccupied)
	case SameIDRejected:
		return v201.NewReserveNowResponse(v201.ReserveRejected)
	case SameIDAcceptWithoutEffect:
		return v201.NewReserveNowResponse(v201.ReserveAccepted)
	}
	m.drop(old.ID)
	response := m.place(r)
	if response.Status != v201.ReserveAccepted && !m.config.Quirks.DropsBeforeReplace {
		m.put(old)
	}
	return response
}

// place puts a reservation where it fits, or says why it does not.
func (m *Machine) place(r Reservation) v201.ReserveNowResponse {
	q := m.config.Quirks
	if !m.clock().Before(r.Expiry) {
		if q.PastExpiry == PastExpiryRejected {
			return refuse(v201.ReserveRejected, "InvalidValue")
		}
		r.Forever = q.PastExpiry == PastExpiryHeldForever
	}
	if r.EVSE == 0 && q.UntargetedOnEVSE1 {
		r.EVSE = 1
	}
	switch {
	case r.EVSE == 0 && q.RejectsUntargeted: // H01.FR.19
		return refuse(v201.ReserveRejected, "UnsupportedRequest")
	case r.EVSE != 0 && m.evse(r.EVSE) == nil:
		return refuse(v201.ReserveRejected, "UnknownEvse")
	case len(m.targets(r)) == 0:
		return refuse(v201.ReserveRejected, "UnknownConnectorType")
	case q.OnePerToken && slices.ContainsFunc(m.Reservations, func(o Reservation) bool {
		return strings.EqualFold(o.IDToken.IDToken, r.IDToken.IDToken)
	}):
		return v201.NewReserveNowResponse(v201.ReserveOccupied)
	}
	return m.accept(r)
}

// targets is where a reservation could be, whatever is there now.
func (m *Machine) targets(r Reservation) []*evse {
	var list []*evse
	for _, e := range m.EVSEs {
		if (r.EVSE == 0 || r.EVSE == e.ID) && e.suits(r.ConnectorType) {
			list = append(list, e)
		}
	}
	return list
}

// accept takes a reservation if one of its targets is Available (H01.FR.04,
// 06, 23). With a named EVSE that is reserved, quirks decide.
func (m *Machine) accept(r Reservation) v201.ReserveNowResponse {
	statuses := map[v201.ConnectorStatus]bool{}
	for _, e := range m.targets(r) {
		statuses[m.status(e)] = true
	}
	if !statuses[v201.StatusAvailable] {
		held := m.displaced(r)
		if held == nil || m.config.Quirks.OtherID == OtherIDOccupied {
			return v201.NewReserveNowResponse(refusal(statuses))
		}
		if m.config.Quirks.OtherID == OtherIDRejected {
			return v201.NewReserveNowResponse(v201.ReserveRejected)
		}
		m.drop(held.ID)
	}
	if e := m.evse(r.EVSE); e != nil {
		e.Masked = false
	}
	m.put(r)
	return v201.NewReserveNowResponse(v201.ReserveAccepted)
}

// displaced is the other reservation that alone keeps a named EVSE from r.
func (m *Machine) displaced(r Reservation) *Reservation {
	e := m.evse(r.EVSE)
	if e == nil || m.status(e) != v201.StatusReserved {
		return nil
	}
	return m.holder(e)
}

// refusal follows from what the targets are (H01.FR.11, 12, 14). The standard
// is silent on a mixture: a car that leaves is what comes first to an end.
func refusal(statuses map[v201.ConnectorStatus]bool) v201.ReserveNowStatus {
	switch {
	case statuses[v201.StatusReserved] || statuses[v201.StatusOccupied]:
		return v201.ReserveOccupied
	case statuses[v201.StatusFaulted]:
		return v201.ReserveFaulted
	}
	return v201.ReserveUnavailable
}
