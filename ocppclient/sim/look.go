package sim

import (
	"maps"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
)

// EVSEState is how an EVSE is, whatever the station says of it.
type EVSEState struct {
	ID             int
	Status         v201.ConnectorStatus
	Reported       v201.ConnectorStatus // of its first connector; "": to be reported
	ConnectorTypes []v201.ConnectorType
	Plugged        bool
	TransactionID  string        // "": nobody charges
	Token          *v201.IdToken // of who charges
}

// State is how a station is.
type State struct {
	Accepted     bool // by the CSMS, at the last boot
	EVSEs        []EVSEState
	Reservations []Reservation // what it truly holds, by id
	Queued       int           // messages that wait for the link
	Quirks       Quirks
}

// Look is how the station is at that time. It changes nothing, and what is due
// is left to the next call.
func (m *Machine) Look(now time.Time) State {
	s := State{Accepted: m.Accepted, Reservations: m.holdsAt(now), Queued: len(m.Queue), Quirks: m.config.Quirks}
	for _, e := range m.EVSEs {
		is := EVSEState{ID: e.ID, Status: m.status(e), ConnectorTypes: e.types, Plugged: e.Plugged}
		if len(e.Reported) > 0 {
			is.Reported = e.Reported[0]
		}
		if e.Use != nil {
			token := e.Use.Token
			is.TransactionID, is.Token = e.Use.ID, &token
		}
		s.EVSEs = append(s.EVSEs, is)
	}
	return s
}

// Seat is the EVSE at which a reservation can be used now; 0: none. One that
// names its EVSE is used there.
func (m *Machine) Seat(reservationID int32) int {
	r, held := m.find(reservationID)
	if !held {
		return 0
	}
	for _, e := range m.targets(r) {
		if !e.Faulted && !e.Unavailable && e.Use == nil && (r.EVSE != 0 || m.holder(e) == nil) {
			return e.ID
		}
	}
	return 0
}

// Lose is a reservation that the station drops without a
// ReservationStatusUpdate. Only the status of its EVSE shows it.
func (m *Machine) Lose(now time.Time, reservationID int32) []Message {
	m.begin(now)
	m.drop(reservationID)
	return m.finish()
}

// Expire is a reservation that the station takes for expired, at whatever time.
func (m *Machine) Expire(now time.Time, reservationID int32) []Message {
	m.begin(now)
	if _, held := m.find(reservationID); held {
		m.drop(reservationID)
		m.over([]int32{reservationID})
	}
	return m.take()
}

// SetSkew sets the station's clock: so much ahead of the real one. What is over
// by it expires.
func (m *Machine) SetSkew(now time.Time, skew time.Duration) []Message {
	m.config.Quirks.Skew = skew
	m.begin(now)
	return m.take()
}

// Join puts a token into a group of the station's local authorization list.
func (m *Machine) Join(token, group string) {
	groups := maps.Clone(m.config.Groups) // other stations share it
	if groups == nil {
		groups = map[string]string{}
	}
	groups[token] = group
	m.config.Groups = groups
}
