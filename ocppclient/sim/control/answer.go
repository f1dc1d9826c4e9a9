package control

import (
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
)

type errorAnswer struct {
	FormatVersion string     `json:"format_version"`
	Error         errorAbout `json:"error"`
}

type errorAbout struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// fleetAnswer counts.
type fleetAnswer struct {
	FormatVersion string `json:"format_version"`
	Stations      int    `json:"stations"`
	Connected     int    `json:"connected"`
}

type listAnswer struct {
	FormatVersion string         `json:"format_version"`
	Stations      []stationAbout `json:"stations"`
}

type stationAnswer struct {
	FormatVersion string       `json:"format_version"`
	Station       stationAbout `json:"station"`
}

// stationAbout is how a station is.
type stationAbout struct {
	ID           string             `json:"id"`
	Connected    bool               `json:"connected"`
	Failure      string             `json:"failure,omitempty"` // why it cannot connect
	Accepted     bool               `json:"accepted"`          // by the CSMS, at the last boot
	EVSEs        []evseAbout        `json:"evses"`
	Reservations []reservationAbout `json:"reservations"` // what it truly holds
	Queued       int                `json:"queued"`       // messages that wait for the link
	AnswerDelay  string             `json:"answer_delay,omitempty"`
	Quirks       []string           `json:"quirks"`
	Calls        map[string]int     `json:"calls"` // of the CSMS, by action
}

type evseAbout struct {
	EVSEID         int                  `json:"evse_id"`
	Status         v201.ConnectorStatus `json:"status"`             // what it is
	Reported       v201.ConnectorStatus `json:"reported,omitempty"` // what the CSMS was told last
	ConnectorTypes []v201.ConnectorType `json:"connector_types"`
	Plugged        bool                 `json:"plugged"`
	TransactionID  string               `json:"transaction_id,omitempty"`
}

type reservationAbout struct {
	ReservationID  int32              `json:"reservation_id"`
	EVSEID         int                `json:"evse_id,omitempty"` // 0: any
	ConnectorType  v201.ConnectorType `json:"connector_type,omitempty"`
	ExpiryDateTime time.Time          `json:"expiry_date_time"`
	IDToken        *token             `json:"id_token,omitempty"`
	GroupIDToken   *token             `json:"group_id_token,omitempty"`
	ForGroup       bool               `json:"for_group"` // every member of a group may use it
}

// token is an IdToken with the names that configurations have.
type token struct {
	IDToken string           `json:"id_token"`
	Type    v201.IdTokenType `json:"type"`
}

func (h handler) fleet() fleetAnswer {
	a := fleetAnswer{FormatVersion: FormatVersion, Stations: len(h.Stations)}
	for _, s := range h.Stations {
		if s.Connected() {
			a.Connected++
		}
	}
	return a
}

func (h handler) list() listAnswer {
	a := listAnswer{FormatVersion, make([]stationAbout, len(h.Stations))}
	for i, s := range h.Stations {
		a.Stations[i] = h.about(s)
	}
	return a
}

func (h handler) about(s *sim.Client) stationAbout {
	is := s.Look()
	a := stationAbout{ID: s.ID(), Connected: s.Connected(), Accepted: is.Accepted, EVSEs: []evseAbout{},
		Reservations: []reservationAbout{}, Queued: is.Queued, Quirks: is.Quirks.List(), Calls: s.Calls()}
	if err := s.Failure(); err != nil {
		a.Failure = err.Error()
	}
	if d := s.Delay(); d > 0 {
		a.AnswerDelay = d.String()
	}
	for _, e := range is.EVSEs {
		a.EVSEs = append(a.EVSEs, evseAbout{EVSEID: e.ID, Status: e.Status, Reported: e.Reported,
			ConnectorTypes: e.ConnectorTypes, Plugged: e.Plugged, TransactionID: e.TransactionID})
	}
	for _, r := range is.Reservations {
		about := reservationAbout{ReservationID: r.ID, EVSEID: r.EVSE, ConnectorType: r.ConnectorType,
			ExpiryDateTime: r.Expiry.UTC(), ForGroup: r.GroupIDToken != nil}
		if h.ShowTokens {
			about.IDToken, about.GroupIDToken = shown(&r.IDToken), shown(r.GroupIDToken)
		}
		a.Reservations = append(a.Reservations, about)
	}
	return a
}

func shown(t *v201.IdToken) *token {
	if t == nil {
		return nil
	}
	return &token{t.IDToken, t.Type}
}
