package reconcile

import (
	"context"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// DriftKind says what a person should look at.
type DriftKind string

// The kinds of drift. Fulfilled, no_show and missed are ends, not drift.
const (
	DriftRefused  DriftKind = "refused"            // the station does not take it
	DriftRemoved  DriftKind = "removed"            // the station dropped it
	DriftOverdue  DriftKind = "overdue"            // its window is open, and it is not held
	DriftUnsure   DriftKind = "unsure"             // asking again has not settled whether it is held
	DriftUpdate   DriftKind = "update refused"     // the station holds what it was told before
	DriftForeign  DriftKind = "foreign in the way" // its EVSE is Reserved, and not by us
	DriftReplaced DriftKind = "station replaced"   // another serial number under its identity
	DriftClock    DriftKind = "clock off"          // by more than is put down to clocks
	DriftProof    DriftKind = "proof"              // what is stored no longer fits
)

// DriftKinds lists every kind, in the order above.
func DriftKinds() []DriftKind {
	return []DriftKind{DriftRefused, DriftRemoved, DriftOverdue, DriftUnsure, DriftUpdate, DriftForeign, DriftReplaced, DriftClock, DriftProof}
}

// Drifted is one thing that a person should look at. Address is empty where it
// is about a station.
type Drifted struct {
	Kind          DriftKind          `json:"kind"`
	StationID     string             `json:"station_id"`
	Workspace     string             `json:"workspace,omitempty"`
	Address       string             `json:"address,omitempty"`
	EVSE          int                `json:"evse_id,omitempty"`
	ConnectorType string             `json:"connector_type,omitempty"`
	ReservationID int32              `json:"reservation_id,omitempty"`
	Phase         reservation.Phase  `json:"phase,omitempty"`
	Reason        reservation.Reason `json:"reason,omitempty"`
	Info          string             `json:"info,omitempty"`
	Since         time.Time          `json:"since"`
	Until         time.Time          `json:"tried_again_at,omitzero"`
	Window        reservation.Window `json:"window,omitzero"`         // where the proof does not hold: from when, and until the first window ends
	Serial        string             `json:"serial_number,omitempty"` // of a station that was replaced
	ClockSkew     float64            `json:"clock_skew_s,omitempty"`  // seconds by which its clock is ahead
	Members       []Member           `json:"members,omitempty"`       // of the proof: which do not fit together
	EVSEs         []int              `json:"evse_ids,omitempty"`      // of the proof: for which they compete
	Times         int                `json:"times,omitempty"`         // of the proof: how often that shows up to the horizon
}

// Drift is what a person should look at, of all workspaces.
func (l *Ledger) Drift(ctx context.Context, grace time.Duration) ([]Drifted, error) {
	st, err := l.Read(ctx)
	if err != nil {
		return nil, err
	}
	now := l.Now()
	books := make([]*reservation.Book, len(st.Stations))
	for i := range st.Stations {
		if books[i], err = l.Store.Book(ctx, st.Stations[i].ID, now); err != nil {
			return nil, err
		}
	}
	if err := l.reprove(ctx, st, now); err != nil {
		return nil, err
	}
	all := append(l.Settings.Drift(st, books, grace, now), l.conflicts(grace, now)...)
	slices.SortStableFunc(all, driftOrder)
	return all, nil
}

// Drift judges what is believed, but for the proof, which Ledger.Drift adds. What is younger than grace is left out: most
// of it settles by itself. Sorted by station, address and kind.
func (s Settings) Drift(st *State, books []*reservation.Book, grace time.Duration, now time.Time) []Drifted {
	var all []Drifted
	for _, b := range books {
		all = append(all, s.driftOfBook(b, st.Foreign, now)...)
	}
	for i := range st.Entries {
		if e := &st.Entries[i]; e.Phase == reservation.Dropped && e.Wanted() && now.Before(e.Window.Expiry) {
			all = append(all, Drifted{Kind: DriftRemoved, StationID: e.StationID, Workspace: e.Workspace, Address: e.Address, EVSE: e.Target.EVSE,
				ConnectorType: e.Target.ConnectorType, Phase: e.Phase, Reason: e.Reason, Since: e.Since, Window: e.Window})
		}
	}
	for i := range st.Stations {
		all = append(all, driftOfStation(&st.Stations[i], st.Declarations)...)
	}
	all = slices.DeleteFunc(all, func(d Drifted) bool { return now.Sub(d.Since) < grace })
	slices.SortStableFunc(all, driftOrder)
	return all
}

func (s Settings) driftOfBook(b *reservation.Book, foreign []Foreign, now time.Time) (all []Drifted) {
	waiting := map[reservation.Key]Waiting{}
	for _, w := range s.Diff(b, now).Waiting {
		waiting[w.Occurrence.Key] = w
	}
	for _, o := range b.Occurrences {
		kind, since := drifted(o, b.Station.Online(), now)
		if kind == "" {
			continue
		}
		if inTheWay(foreign, b.Station.ID, o) {
			kind = DriftForeign
		}
		d := Drifted{Kind: kind, StationID: b.Station.ID, Workspace: o.Workspace, Address: o.Address, EVSE: o.Want.EVSE, ConnectorType: o.Want.ConnectorType,
			ReservationID: o.ID, Phase: o.PhaseAt(now), Reason: o.Reason, Info: o.Info, Since: since, Window: o.Window}
		if w, ok := waiting[o.Key]; ok {
			d.Until = w.Until
			if kind == DriftOverdue || kind == DriftForeign { // elsewhere the reason is what happened, not what is waited for
				d.Reason = w.Reason
			}
		}
		all = append(all, d)
	}
	return all
}

// inTheWay reports whether what is not held is kept out by what is foreign. A
// mistake in the request itself is not its doing.
func inTheWay(foreign []Foreign, station string, o *reservation.Occurrence) bool {
	return o.ID == 0 && o.Reason != reservation.BecauseRefused && o.Want.Named() &&
		slices.ContainsFunc(foreign, func(f Foreign) bool { return f.StationID == station && f.ReservationID == 0 && f.EVSE == o.Want.EVSE })
}

// drifted says what is the matter with one occurrence, and since when; "":
// nothing, or nothing yet. A refusal matters before the window opens as well.
func drifted(o *reservation.Occurrence, online bool, now time.Time) (kind DriftKind, since time.Time) {
	if o.Want == nil || !o.Phase.Open() || !now.Before(o.Want.Expiry) || now.Before(o.Due) {
		return "", since
	}
	switch {
	case o.Phase == reservation.Held && o.UpdateRefused != nil && o.UpdateRefused.Equal(*o.Want):
		return DriftUpdate, o.Since
	case o.Phase == reservation.Held:
		return "", since
	case o.Phase == reservation.Unsure && online:
		return DriftUnsure, o.Since
	case o.Reason == reservation.BecauseRejected, o.Reason == reservation.BecauseRefused:
		return DriftRefused, o.Since
	case o.Reason == reservation.BecauseRemoved:
		return DriftRemoved, o.Since
	case now.Before(o.Start):
		return "", since
	case o.Late.After(o.Start):
		return DriftOverdue, o.Late
	}
	return DriftOverdue, o.Start
}

// driftOfStation is about the station itself. A new serial number is accepted
// by declaring it. Since when a clock is off is not known: it was seen when the
// station was connected.
func driftOfStation(s *reservation.Station, declared []reservation.StationDeclaration) (all []Drifted) {
	accepted := slices.ContainsFunc(declared, func(d reservation.StationDeclaration) bool {
		return d.ID == s.ID && d.SerialNumber != "" && d.SerialNumber == s.Serial
	})
	if !s.ReplacedAt.IsZero() && !accepted {
		all = append(all, Drifted{Kind: DriftReplaced, StationID: s.ID, Serial: s.Serial, Since: s.ReplacedAt})
	}
	if s.ClockSkew.Abs() > reservation.SkewAllowed {
		all = append(all, Drifted{Kind: DriftClock, StationID: s.ID, ClockSkew: s.ClockSkew.Round(time.Second).Seconds(), Since: s.ConnectedAt})
	}
	return all
}
