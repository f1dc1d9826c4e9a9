package reservation

import (
	"cmp"
	"slices"
	"time"
)

// Support says whether a station does reservations.
type Support string

// Unknown support is tried.
const (
	SupportUnknown Support = ""
	SupportYes     Support = "yes"
	SupportNo      Support = "no"
)

// Connector is the last status of one connector.
type Connector struct {
	EVSE      int        `json:"evse_id"`                // which EVSE
	Connector int        `json:"connector_id,omitempty"` // of the EVSE
	Status    EVSEStatus `json:"status"`                 // as it was last reported
	Since     time.Time  `json:"since"`                  // when it was reported
}

// OpenTransaction is a transaction that has not ended.
type OpenTransaction struct {
	ID            string    `json:"id"` // the station's
	EVSE          int       `json:"evse_id,omitempty"`
	IDToken       *Token    `json:"id_token,omitempty"`       // whose it is
	GroupIDToken  *Token    `json:"group_id_token,omitempty"` // the group that the token is in
	ReservationID int32     `json:"reservation_id,omitempty"` // that it used
	Since         time.Time `json:"since"`                    // when it began
	Counted       bool      `json:"counted,omitempty"`        // it has fulfilled an occurrence
	Refused       bool      `json:"refused,omitempty"`        // its token was not let charge
}

// Stray is an id that belongs to no occurrence any more and is to be cancelled.
type Stray struct {
	ID      int32     `json:"id"`                // of the reservation
	Expiry  time.Time `json:"expiry"`            // until when it may be there
	RetryAt time.Time `json:"retry_at,omitzero"` // nothing is asked before
}

// Station is what is believed of a station itself.
type Station struct {
	ID       string `json:"id"`                 // OCPP identity
	Protocol string `json:"protocol,omitempty"` // last spoken
	Vendor   string `json:"vendor,omitempty"`
	Model    string `json:"model,omitempty"`
	Serial   string `json:"serial,omitempty"` // the serial number
	Firmware string `json:"firmware,omitempty"`

	Connection  int64     `json:"connection,omitempty"`  // the newest socket's number
	Live        []int64   `json:"live,omitempty"`        // numbers of the sockets that have not ended
	ConnectedAt time.Time `json:"connected_at,omitzero"` // when the newest socket was accepted
	OfflineAt   time.Time `json:"offline_at,omitzero"`   // when the last socket ended

	BootAccepted bool      `json:"boot_accepted,omitempty"` // nothing is asked before
	BootAt       time.Time `json:"boot_at,omitzero"`        // when it booted last
	BootProbedAt time.Time `json:"boot_probed_at,omitzero"` // BootNotification was triggered
	ProbedAt     time.Time `json:"probed_at,omitzero"`      // StatusNotification was triggered

	Connectors   []Connector       `json:"connectors,omitempty"`   // their last statuses
	Transactions []OpenTransaction `json:"transactions,omitempty"` // that have not ended

	Support       Support       `json:"support,omitempty"`        // it does reservations; empty: not known yet
	RefusesRepeat bool          `json:"refuses_repeat,omitempty"` // its own ids, asked for again
	ClockSkew     time.Duration `json:"clock_skew,omitempty"`     // station's clock less ours, in nanoseconds
	ReplacedAt    time.Time     `json:"replaced_at,omitzero"`     // another serial number appeared
	StatusAt      time.Time     `json:"status_at,omitzero"`       // first status since the boot

	// Paused: nothing is asked of the station while it stands.
	Paused *Halt `json:"paused,omitempty"`

	// Strays are ids thought gone that the station accepted after all.
	Strays []Stray `json:"strays,omitempty"`

	// QueuedAt is when a report kept from before the connection last came. It
	// lives as long as the connection and is not stored.
	QueuedAt time.Time `json:"-"`
}

// Online reports whether a socket of the station is open.
func (s *Station) Online() bool { return len(s.Live) > 0 }

// Charging is the open transaction of a token that was let charge, or nil. That
// lasts until it ends, whatever becomes of the token meanwhile.
func (s *Station) Charging(t Token) *OpenTransaction {
	for i := range s.Transactions {
		if x := &s.Transactions[i]; x.IDToken != nil && !x.Refused && x.IDToken.Same(t) {
			return x
		}
	}
	return nil
}

// EVSEStatus is the status of an EVSE: a fault or a car on any of its
// connectors counts for all of it. "" where nothing was reported.
func (s *Station) EVSEStatus(evse int) EVSEStatus {
	var worst EVSEStatus
	// Connectors are sorted; a station may have hundreds.
	i, _ := slices.BinarySearchFunc(s.Connectors, evse, func(c Connector, evse int) int { return cmp.Compare(c.EVSE, evse) })
	for ; i < len(s.Connectors) && s.Connectors[i].EVSE == evse; i++ {
		if c := s.Connectors[i].Status; c.rank() > worst.rank() {
			worst = c
		}
	}
	return worst
}

// rank orders statuses by how much they say about the whole of an EVSE.
func (s EVSEStatus) rank() int {
	switch s {
	case Available:
		return 1
	case Reserved:
		return 2
	case Unavailable:
		return 3
	case Faulted:
		return 4
	case Occupied:
		return 5
	}
	return 0
}

// sortConnectors keeps connectors in the order of their numbers.
func sortConnectors(c []Connector) {
	slices.SortFunc(c, func(x, y Connector) int {
		return cmp.Or(cmp.Compare(x.EVSE, y.EVSE), cmp.Compare(x.Connector, y.Connector))
	})
}
