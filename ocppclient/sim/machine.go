package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
)

// Config is what a station is made of.
type Config struct {
	ID, Serial, Vendor, Model string
	EVSEs                     []EVSE
	// Groups is the local authorization list as far as reservations need it:
	// the group of a token (H03.FR.07). Tokens and groups compare without case.
	Groups map[string]string
	Quirks Quirks
}

// EVSE is a part of a station that charges one vehicle at a time.
type EVSE struct {
	ID         int
	Connectors []v201.ConnectorType // at least one; they count from 1
}

// Message is a call that the station wants to make. Messages are sent one at a
// time, in order. One with BeforeAnswer precedes the answer to the call that
// caused it; what else Handle returns follows it.
type Message struct {
	Action       string
	Payload      any
	BeforeAnswer bool
}

// Reservation is what a station holds.
type Reservation struct {
	ID            int32              `json:"id"`
	EVSE          int                `json:"evse,omitempty"` // 0: any
	ConnectorType v201.ConnectorType `json:"connectorType,omitempty"`
	IDToken       v201.IdToken       `json:"idToken"`
	GroupIDToken  *v201.IdToken      `json:"groupIdToken,omitempty"`
	Expiry        time.Time          `json:"expiry"`
	Forever       bool               `json:"forever,omitempty"` // PastExpiryHeldForever
}

// Machine is one station. It has no clock and no goroutine, and is not safe
// for concurrent use: the caller gives every method the time, which may not
// run backwards, and delivers the messages that come back.
type Machine struct {
	config    Config
	now       time.Time // the real time, not the station's
	connected bool
	retryBoot time.Time
	nextBeat  time.Time
	forced    map[string]forced // by action
	out       []Message
	state
}

// state is what survives the process; its JSON is the snapshot.
type state struct {
	Version      int           `json:"version"`
	Accepted     bool          `json:"accepted"` // by the CSMS, at the last boot
	EVSEs        []*evse       `json:"evses"`
	Reservations []Reservation `json:"reservations,omitempty"` // by id
	Queue        []queued      `json:"queue,omitempty"`
	Lapsed       []int32       `json:"lapsed,omitempty"` // expired ids, for CancelAfterExpiryAccepted
	Counter      int           `json:"counter,omitempty"`
	Interval     time.Duration `json:"interval,omitempty"` // see SetInterval
}

const snapshotVersion = 1

// evse is the state of one EVSE.
type evse struct {
	ID          int                    `json:"id"`
	Plugged     bool                   `json:"plugged,omitempty"`
	Spared      bool                   `json:"spared,omitempty"` // plugged in while reserved: stays Reserved (G03.FR.09)
	Faulted     bool                   `json:"faulted,omitempty"`
	Unavailable bool                   `json:"unavailable,omitempty"`
	Masked      bool                   `json:"masked,omitempty"` // AvailableAfterBootThoughHeld
	Use         *charging              `json:"use,omitempty"`
	Reported    []v201.ConnectorStatus `json:"reported"` // by connector; "": to be reported

	types []v201.ConnectorType
}

// charging is a running transaction.
type charging struct {
	ID    string       `json:"id"`
	Token v201.IdToken `json:"token"`
	Seq   int          `json:"seq"`
}

// queued is a message that waits for the link; one field is set.
type queued struct {
	Transaction *v201.TransactionEventRequest        `json:"transaction,omitempty"`
	Update      *v201.ReservationStatusUpdateRequest `json:"update,omitempty"`
}

// NewMachine makes a station that has never booted.
func NewMachine(c Config) *Machine {
	m := &Machine{config: c, state: state{Version: snapshotVersion}}
	m.adopt(nil)
	return m
}

// Snapshot is everything that the station would find in its memory after a
// restart, as JSON. Messages that are on their way are given to it, for they
// would have to be sent again; see Undelivered.
func (m *Machine) Snapshot(underway ...Message) ([]byte, error) {
	s := m.state
	if len(underway) > 0 {
		s.EVSEs = make([]*evse, len(m.EVSEs))
		for i, e := range m.EVSEs {
			is := *e
			is.Reported = slices.Clone(e.Reported)
			s.EVSEs[i] = &is
		}
		s.undelivered(underway, m.config.Quirks.QueueAll)
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("station %s: snapshot: %w", m.config.ID, err)
	}
	return b, nil
}

// Restore makes a station from its memory, with its link down. EVSEs that the
// configuration no longer has are dropped, with what was reserved on them.
func Restore(c Config, snapshot []byte) (*Machine, error) {
	m := &Machine{config: c}
	if err := json.Unmarshal(snapshot, &m.state); err != nil {
		return nil, fmt.Errorf("station %s: restore: %w", c.ID, err)
	}
	if m.Version != snapshotVersion {
		return nil, fmt.Errorf("station %s: restore: version %d is not %d", c.ID, m.Version, snapshotVersion)
	}
	m.adopt(m.EVSEs)
	m.Reservations = slices.DeleteFunc(m.Reservations, func(r Reservation) bool { return r.EVSE != 0 && m.evse(r.EVSE) == nil })
	return m, nil
}

// adopt brings the EVSEs that were in line with those that are configured.
func (m *Machine) adopt(were []*evse) {
	m.EVSEs = nil
	for _, e := range m.config.EVSEs {
		at := slices.IndexFunc(were, func(w *evse) bool { return w != nil && w.ID == e.ID && len(w.Reported) == len(e.Connectors) })
		is := &evse{ID: e.ID, Reported: make([]v201.ConnectorStatus, len(e.Connectors))}
		if at >= 0 {
			is = were[at]
		}
		is.types = e.Connectors
		m.EVSEs = append(m.EVSEs, is)
	}
}

// Holds is what the station truly holds, by id: what has not expired by its
// own clock at the time that it was last given.
func (m *Machine) Holds() []Reservation { return m.holdsAt(m.now) }

// holdsAt leaves the station as it is, and what is due to the next call.
func (m *Machine) holdsAt(now time.Time) []Reservation {
	var held []Reservation
	for _, r := range m.Reservations {
		if r.Forever || now.Add(m.config.Quirks.Skew).Before(r.Expiry) {
			held = append(held, r)
		}
	}
	return held
}

// NextTimer is when Advance has something to do; zero: never.
func (m *Machine) NextTimer() time.Time {
	next := m.retryBoot
	if next.IsZero() && m.online() {
		next = m.nextBeat
	}
	for _, r := range m.Reservations {
		at := r.Expiry.Add(m.config.Quirks.ExpiryDelay - m.config.Quirks.Skew)
		if !r.Forever && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// clock is the time as the station has it.
func (m *Machine) clock() time.Time { return m.now.Add(m.config.Quirks.Skew) }

func (s *state) evse(id int) *evse {
	for _, e := range s.EVSEs {
		if e.ID == id {
			return e
		}
	}
	return nil
}

func (m *Machine) find(id int32) (Reservation, bool) {
	at := slices.IndexFunc(m.Reservations, func(r Reservation) bool { return r.ID == id })
	if at < 0 {
		return Reservation{}, false
	}
	return m.Reservations[at], true
}

func (m *Machine) put(r Reservation) {
	m.drop(r.ID)
	m.Reservations = append(m.Reservations, r)
	slices.SortFunc(m.Reservations, func(a, b Reservation) int { return int(a.ID) - int(b.ID) })
}

func (m *Machine) drop(id int32) {
	m.Reservations = slices.DeleteFunc(m.Reservations, func(r Reservation) bool { return r.ID == id })
}

// admits reports whether a token may use a reservation: it is the token that
// was named (H03.FR.01 to 03) or belongs to the group (H03.FR.04 to 06).
func (m *Machine) admits(r Reservation, t v201.IdToken) bool {
	switch {
	case t.IDToken == "":
		return false
	case strings.EqualFold(r.IDToken.IDToken, t.IDToken):
		return true
	case r.GroupIDToken == nil:
		return false
	}
	for token, group := range m.config.Groups {
		if strings.EqualFold(token, t.IDToken) && strings.EqualFold(group, r.GroupIDToken.IDToken) {
			return true
		}
	}
	return false
}
