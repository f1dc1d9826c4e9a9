package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// story is one reservation's life.
type story struct {
	FormatVersion string                `json:"format_version"`
	Address       string                `json:"address"`
	Workspace     string                `json:"workspace"`
	StationID     string                `json:"station_id"`
	EVSE          int                   `json:"evse_id,omitempty"`
	ConnectorType string                `json:"connector_type,omitempty"`
	Token         string                `json:"token,omitempty"`    // a fingerprint
	Declared      string                `json:"declared,omitempty"` // file:line
	Wanted        bool                  `json:"wanted"`
	Applied       *applied              `json:"applied,omitempty"`
	Schedule      *reservation.Schedule `json:"schedule,omitempty"`
	Window        reservation.Window    `json:"window"`
	Phase         reservation.Phase     `json:"phase,omitempty"`
	Reason        reservation.Reason    `json:"reason,omitempty"`
	Info          string                `json:"info,omitempty"`
	Since         time.Time             `json:"since,omitzero"`
	ReservationID int32                 `json:"reservation_id,omitempty"`
	Past          []int32               `json:"past_ids,omitempty"`
	Until         time.Time             `json:"tried_again_at,omitzero"`
	Next          string                `json:"next"`
	JournalBegins time.Time             `json:"journal_begins,omitzero"` // what was recorded before is cut
	Events        []reservation.Event   `json:"events"`

	place      place
	occurrence *reservation.Occurrence // that it is about; nil: there never was one
	waiting    *reconcile.Outstanding  // nil: nothing is due
	online     bool                    // its station
	several    bool                    // stations have part in it
	following  time.Time               // the start of the window after it, of a schedule
	byWhom     map[int64]*applied      // of declared events
}

// applied is who stored a declaration.
type applied struct {
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Serial   int64     `json:"serial"`
}

// story tells all that is known of an address.
func (r *reading) story(ctx context.Context, workspace, given string, c clock) (*story, error) {
	n, err := r.find(ctx, workspace, given)
	if err != nil {
		return nil, err
	}
	s := &story{FormatVersion: formatVersion, Address: n.address, Workspace: n.workspace, place: r.place, Events: []reservation.Event{}, byWhom: map[int64]*applied{}}
	s.place.workspace = n.workspace
	placed, err := r.Occurrences(ctx, n.workspace, n.address)
	if err != nil {
		return nil, err
	}
	if err := s.declared(ctx, r); err != nil {
		return nil, err
	}
	s.stands(placed, c)
	for i := range r.state.Stations {
		if x := &r.state.Stations[i]; x.ID == s.StationID {
			s.online = x.Online()
		}
	}
	due, err := r.Unsettled(ctx, s.StationID, n.workspace)
	if err != nil {
		return nil, err
	}
	for i := range due {
		if x := &due[i]; x.Address == n.address && s.occurrence != nil && x.Window.Start.Equal(s.occurrence.Start) {
			s.waiting, s.Reason, s.Until = x, x.Reason, x.Until
		}
	}
	s.Next = nextStep(s, c)
	return s, s.collect(ctx, r, placed, c.now)
}

// declared is what is wanted, if it still is.
func (s *story) declared(ctx context.Context, r *reading) error {
	all, err := r.Wanted(ctx, s.Workspace, s.Address)
	if err != nil || len(all) == 0 {
		return err
	}
	w := all[0]
	s.Wanted, s.StationID, s.Declared, s.Window = true, w.StationID, w.Source, w.Window
	s.EVSE, s.ConnectorType, s.Token, s.Schedule = w.EVSE, w.ConnectorType, w.IDToken.Fingerprint(r.secret()), w.When.Schedule
	return nil
}

// stands takes the occurrence that it is about: that of the wanted window or,
// where nothing is wanted any more, the one that changed last.
func (s *story) stands(placed []reservation.Placed, c clock) {
	if s.Schedule != nil {
		s.recurs(placed, c.now)
	}
	for _, p := range placed {
		switch o := p.Occurrence; {
		case s.Wanted && (p.StationID != s.StationID || !o.Start.Equal(s.Window.Start)):
		case !s.Wanted && s.occurrence != nil && o.Since.Before(s.occurrence.Since):
		default:
			s.occurrence, s.StationID = o, p.StationID
		}
	}
	o := s.occurrence
	if o == nil {
		return
	}
	s.Phase, s.Reason, s.Info, s.Since, s.ReservationID, s.Past = o.PhaseAt(c.now), o.Reason, harmless(o.Info), o.Since, o.ID, o.Past
	if o.Phase == reservation.Scheduled && s.Phase == reservation.Pending {
		s.Since = o.Due
	}
	if !s.Wanted {
		s.Window, s.EVSE, s.ConnectorType = o.Window, o.Target().EVSE, o.Target().ConnectorType
	}
}

// recurs takes, of a schedule, the window that is open now, or else the one that
// an entry shows, and what follows it.
func (s *story) recurs(placed []reservation.Placed, now time.Time) {
	var best *reservation.Occurrence
	open := func(o *reservation.Occurrence) bool { return !now.Before(o.Start) && now.Before(o.Window.Expiry) }
	for _, p := range placed {
		o := p.Occurrence
		switch {
		case p.StationID != s.StationID || o.Phase == reservation.Canceled:
		case best == nil || open(o) && !open(best):
			best = o
		case open(best) == open(o) && reservation.Foremost(o.Phase, o.Start, best.Phase, best.Start):
			best = o
		}
	}
	if best == nil {
		return
	}
	s.Window = best.Window
	s.following = reservation.When{Schedule: s.Schedule}.After(best.Start, now).Start
}

// collect gathers the lines of the journal that explain it, in order.
func (s *story) collect(ctx context.Context, r *reading, placed []reservation.Placed, now time.Time) error {
	for e, err := range r.EventsUntil(ctx, state.Filter{Workspace: s.Workspace, Address: s.Address}) {
		if err != nil {
			return err
		}
		if err := s.take(ctx, r, e); err != nil {
			return err
		}
	}
	var stations []string
	for _, p := range placed {
		if !slices.Contains(stations, p.StationID) {
			stations = append(stations, p.StationID)
		}
	}
	s.several = len(stations) > 1
	about := witness{ids: map[int32]bool{}, until: now}
	for _, p := range placed {
		about.add(p.Occurrence)
	}
	for _, id := range stations {
		for e, err := range r.EventsUntil(ctx, state.Filter{Station: id, Since: about.since()}) {
			if err != nil {
				return err
			}
			if e.Address == "" && about.explains(e) {
				s.Events = append(s.Events, e.Masked(r.secret()))
			}
		}
	}
	slices.SortStableFunc(s.Events, func(a, b reservation.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(s.Events) > 0 && s.Events[0].Kind == reservation.Declared && s.Events[0].Change.Before == nil {
		return nil // from its beginning
	}
	began, err := r.Began(ctx)
	s.JournalBegins = began.At
	return err
}

// take adds a line of its own. Of a declaration it is told who stored it, and
// of one that is gone where it was.
func (s *story) take(ctx context.Context, r *reading, e reservation.Event) error {
	if e.Kind == reservation.Declared && e.Change != nil {
		by, err := r.proposal(ctx, e)
		if err != nil {
			return err
		}
		s.Applied, s.byWhom[e.Seq] = by, by
		if b := e.Change.Before; b != nil && !s.Wanted {
			s.Declared = b.Source
		}
	}
	s.Events = append(s.Events, e.Masked(r.secret()))
	return nil
}

// proposal finds who stored a declaration: it is closed by a line of its own.
func (r *reading) proposal(ctx context.Context, declared reservation.Event) (*applied, error) {
	for e, err := range r.EventsUntil(ctx, state.Filter{Workspace: declared.Workspace, After: declared.Seq}) {
		if err != nil {
			return nil, err
		}
		if p := e.Proposal; e.Kind == reservation.Proposed && p != nil {
			return &applied{e.At, harmless(p.By), harmless(p.Revision), p.Serial}, nil
		}
	}
	return nil, nil
}

// witness knows which lines about a station have to do with a reservation:
// those about its ids and, from the time it was due until it ended, those about
// its EVSE and the link to its station.
type witness struct {
	ids   map[int32]bool
	lives []reservation.Window
	evses []int // one for each life; 0: any
	until time.Time
}

func (w *witness) add(o *reservation.Occurrence) {
	for _, id := range append(slices.Clone(o.Past), o.ID) {
		w.ids[id] = id != 0
	}
	life := reservation.Window{Start: o.Due, Expiry: w.until}
	if !o.Active() {
		life.Expiry = o.Since.Add(time.Second)
	}
	evse := o.Target().EVSE
	if o.Want == nil && o.Held != nil {
		evse = o.Held.EVSE
	}
	w.lives, w.evses = append(w.lives, life), append(w.evses, evse)
}

// since is when the first of it began.
func (w *witness) since() (at time.Time) {
	for _, l := range w.lives {
		if at.IsZero() || l.Start.Before(at) {
			at = l.Start
		}
	}
	return at
}

func (w *witness) explains(e reservation.Event) bool {
	if w.ids[e.ReservationID] && (e.Kind == reservation.Reported || e.Kind == reservation.Transaction) {
		return true
	}
	for i, life := range w.lives {
		if e.At.Before(life.Start) || e.At.After(life.Expiry) {
			continue
		}
		switch e.Kind {
		case reservation.Connected, reservation.Disconnected, reservation.Booted, reservation.Paused, reservation.Resumed, reservation.Restored:
			return true
		case reservation.Status:
			return e.Status != nil && w.evses[i] != 0 && e.Status.EVSE == w.evses[i]
		case reservation.Transaction:
			return e.Transaction != nil && e.Transaction.EVSE == w.evses[i] && e.Transaction.Type != "Updated"
		}
	}
	return false
}
