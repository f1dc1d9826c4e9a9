package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// stationList is what is known of the stations themselves.
type stationList struct {
	FormatVersion string         `json:"format_version"`
	Stations      []stationAbout `json:"stations"`
	place         place
	empty         bool
}

// stationAbout is one station: declared, named by a reservation, or both.
type stationAbout struct {
	jsonStation
	Declared     string              `json:"declared,omitempty"` // file:line of its block
	Reservations reservation.Support `json:"reservations"`       // yes, no, unknown
	BootAccepted bool                `json:"boot_accepted"`      // it may be spoken to
	BootAt       time.Time           `json:"boot_at,omitzero"`   // of the last boot
	ClockSkew    float64             `json:"clock_skew_s"`       // its clock less ours
	ReplacedAt   time.Time           `json:"replaced_at,omitzero"`
	EVSEs        []evseAbout         `json:"evses"`
	Transactions []transactionAbout  `json:"transactions"`
}

// evseAbout is one EVSE as its station last reported it.
type evseAbout struct {
	ID     int                    `json:"evse_id"`
	Status reservation.EVSEStatus `json:"status"`
	Since  time.Time              `json:"since"`
	// Foreign: it is Reserved, and nothing of ours explains that.
	Foreign bool `json:"foreign,omitempty"`
}

// transactionAbout is a transaction that has not ended.
type transactionAbout struct {
	ID            string    `json:"id"`
	EVSE          int       `json:"evse_id,omitempty"`
	Token         string    `json:"token,omitempty"` // a fingerprint
	ReservationID int32     `json:"reservation_id,omitempty"`
	Since         time.Time `json:"since"`
	// Foreign: nothing of ours has the reservation id.
	Foreign bool `json:"foreign,omitempty"`
}

func (c *cli) stationsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "stations", Short: "Shows who is connected, what they are, and how their EVSEs are", Args: noMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(asJSON)
			return c.stations(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func (c *cli) stations(ctx context.Context) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	c.view.About(r.stations(time.Now()))
	return nil
}

// stations are all that are declared or named, by identity.
func (r *reading) stations(now time.Time) *stationList {
	all := map[string]*stationAbout{}
	for i := range r.state.Stations {
		s := &r.state.Stations[i]
		a := aboutStation(s, r.secret(), now)
		all[s.ID] = &a
	}
	for i := range r.state.Declarations {
		d := &r.state.Declarations[i]
		if all[d.ID] == nil {
			a := aboutStation(&reservation.Station{ID: d.ID}, nil, now)
			all[d.ID] = &a
		}
		all[d.ID].Declared = d.Source
	}
	for _, f := range r.state.Foreign {
		if a := all[f.StationID]; a != nil {
			a.markForeign(f)
		}
	}
	list := &stationList{FormatVersion: formatVersion, Stations: []stationAbout{}, place: r.place, empty: r.empty}
	for _, a := range all {
		list.Stations = append(list.Stations, *a)
	}
	slices.SortFunc(list.Stations, func(a, b stationAbout) int { return config.CompareAddresses(a.ID, b.ID) })
	return list
}

// markForeign marks what is not ours.
func (a *stationAbout) markForeign(f reconcile.Foreign) {
	for i := range a.EVSEs {
		e := &a.EVSEs[i]
		e.Foreign = e.Foreign || f.ReservationID == 0 && e.ID == f.EVSE
	}
	for i := range a.Transactions {
		t := &a.Transactions[i]
		t.Foreign = t.Foreign || f.ReservationID != 0 && t.ReservationID == f.ReservationID
	}
}

// aboutStation shows nothing of a station's that could steer a terminal, and no token.
func aboutStation(s *reservation.Station, secret []byte, now time.Time) stationAbout {
	a := stationAbout{jsonStation: newJSONStation(s, now), Reservations: s.Support, BootAccepted: s.BootAccepted, BootAt: s.BootAt,
		ClockSkew: s.ClockSkew.Round(time.Second).Seconds(), ReplacedAt: s.ReplacedAt, EVSEs: []evseAbout{}, Transactions: []transactionAbout{}}
	if a.Reservations == reservation.SupportUnknown {
		a.Reservations = "unknown"
	}
	for _, x := range s.Connectors {
		n := len(a.EVSEs)
		if n == 0 || a.EVSEs[n-1].ID != x.EVSE {
			a.EVSEs = append(a.EVSEs, evseAbout{ID: x.EVSE, Status: s.EVSEStatus(x.EVSE)})
			n++
		}
		if e := &a.EVSEs[n-1]; x.Status == e.Status && x.Since.After(e.Since) {
			e.Since = x.Since
		}
	}
	for _, t := range s.Transactions {
		x := transactionAbout{ID: harmless(t.ID), EVSE: t.EVSE, ReservationID: t.ReservationID, Since: t.Since}
		if t.IDToken != nil {
			x.Token = t.IDToken.Fingerprint(secret)
		}
		a.Transactions = append(a.Transactions, x)
	}
	return a
}
