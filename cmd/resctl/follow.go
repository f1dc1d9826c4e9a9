package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

const (
	// lookEvery is how long events gather before their stations are looked at.
	lookEvery = 20 * time.Millisecond
	// reviewEvery is how often all that is pending is looked at, whatever was
	// heard: the journal may be read before the books that follow from it.
	reviewEvery = 500 * time.Millisecond
	// reviewAllEvery is how many of these pass, through a serve, before stations are
	// looked at of which nothing was heard: there may be a thousand.
	reviewAllEvery = 20
	// restAtMost bounds the pause after looking at many.
	restAtMost = 500 * time.Millisecond
	// tellEvery is how often a waiting apply gives a sign of life.
	tellEvery = 10 * time.Second
	// drawEvery is how often it does so on a terminal.
	drawEvery = 200 * time.Millisecond
	// arrived is how long after it connected a simulated station has said all.
	arrived = 100 * time.Millisecond
)

// follower watches the journal until everything that is due has settled.
type follower struct {
	ledger    ledger
	view      view
	workspace string

	pending  map[string][]reconcile.Outstanding // by station, where there are any
	stations map[string]bool                    // all that something of the workspace is at
	total    int                                // how many were due at the beginning
	dirty    map[string]bool                    // stations of which something was heard
	recent   map[string]bool                    // those that are looked at again at the next review
	reviews  int
	arriving map[string]time.Time // simulated stations; when they count as there
	met      bool                 // a station came in
	seen     int64                // sequence
	rested   time.Time            // before that nothing is looked at
}

// begin looks at how things stand. Simulated stations are expected to arrive.
func (f *follower) begin(ctx context.Context, simulated bool) error {
	state, err := f.ledger.Read(ctx)
	if err != nil {
		return err
	}
	f.pending, f.stations, f.dirty, f.recent = map[string][]reconcile.Outstanding{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	f.arriving = map[string]time.Time{}
	for i := range state.Entries {
		e := &state.Entries[i]
		if simulated {
			f.arriving[e.StationID] = time.Time{}
		}
		if e.Workspace == f.workspace && (e.Phase.Open() || e.ID != 0) {
			f.stations[e.StationID] = true
		}
	}
	for i := range state.Declarations {
		if simulated {
			f.arriving[state.Declarations[i].ID] = time.Time{}
		}
	}
	if err := f.look(ctx, f.stations); err != nil {
		return err
	}
	for _, list := range f.pending {
		f.total += len(list)
	}
	return nil
}

// look asks what stations still have to bring about: a serve all at once.
func (f *follower) look(ctx context.Context, stations map[string]bool) error {
	if len(stations) == 0 {
		return nil
	}
	var all []reconcile.Outstanding
	ids := slices.Collect(maps.Keys(stations))
	if r, ok := f.ledger.(remote); ok {
		var err error
		if all, err = r.UnsettledAt(ctx, f.workspace, ids...); err != nil {
			return err
		}
		ids = nil
	}
	for _, id := range ids {
		list, err := f.ledger.Unsettled(ctx, id, f.workspace)
		if err != nil {
			return err
		}
		all = append(all, list...)
	}
	for id := range stations {
		delete(f.pending, id)
	}
	for _, o := range all {
		f.pending[o.StationID] = append(f.pending[o.StationID], o)
	}
	return nil
}

// review has looked at again what was heard of lately, and now and then all that
// is pending.
func (f *follower) review() {
	_, far := f.ledger.(remote)
	if f.reviews++; !far || f.reviews%reviewAllEvery == 0 {
		for id := range f.pending {
			f.dirty[id] = true
		}
	}
	maps.Copy(f.dirty, f.recent)
	clear(f.recent)
}

// follow shows what happens until all has settled, the time is over, ctx ends,
// or the endpoint fails.
func (f *follower) follow(ctx context.Context, after int64, wait time.Duration, failed <-chan error) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	events, broken := f.pump(watching, after)
	end := time.Now().Add(wait)
	over := time.After(wait)
	look, review, tell := time.NewTicker(lookEvery), time.NewTicker(reviewEvery), time.NewTicker(tellInterval(f.view))
	for _, t := range []*time.Ticker{look, review, tell} {
		defer t.Stop()
	}
	for {
		var err error
		select {
		case e := <-events:
			f.heard(e)
			continue
		case <-look.C:
			done := false
			if done, err = f.lookAgain(ctx); err == nil && !done {
				continue
			}
			f.drain(events)
		case <-review.C:
			f.review()
			continue
		case <-tell.C:
			f.view.Progress(f.progress(time.Until(end)))
			continue
		case err = <-failed:
		case err = <-broken:
		case <-over:
		case <-ctx.Done():
		}
		return unlessInterrupted(ctx, err)
	}
}

// unlessInterrupted drops the errors that are only echoes of an interruption.
func unlessInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func tellInterval(v view) time.Duration {
	if t, ok := v.(*textView); ok && t.live {
		return drawEvery
	}
	return tellEvery
}

// pump reads the journal for the loop.
func (f *follower) pump(ctx context.Context, after int64) (<-chan reservation.Event, <-chan error) {
	events, broken := make(chan reservation.Event, 64), make(chan error, 1)
	go func() {
		for e, err := range f.ledger.Events(ctx, after) {
			if err != nil {
				broken <- err
				return
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return events, broken
}

// heard shows an event and remembers whom it was about.
func (f *follower) heard(e reservation.Event) {
	f.seen = e.Seq
	f.met = f.met || e.Kind == reservation.Connected
	if e.Workspace == "" || e.Workspace == f.workspace {
		f.view.Event(e)
	}
	if e.StationID == "" {
		return
	}
	f.dirty[e.StationID], f.recent[e.StationID] = true, true
	if at, expected := f.arriving[e.StationID]; expected && at.IsZero() && e.Kind == reservation.Connected {
		f.arriving[e.StationID] = time.Now().Add(arrived)
	}
}

// lookAgain looks at the stations that were heard of; that may not slow down
// what it looks at. Done: all has settled, and every simulated station has had
// its say.
func (f *follower) lookAgain(ctx context.Context) (done bool, err error) {
	began := time.Now()
	if began.Before(f.rested) {
		return false, nil
	}
	if err := f.look(ctx, f.dirty); err != nil {
		return false, err
	}
	clear(f.dirty)
	took := time.Since(began)
	f.rested = began.Add(took + min(5*took, restAtMost))
	if len(f.pending) > 0 {
		return false, nil
	}
	for id, at := range f.arriving {
		if at.IsZero() || began.Before(at) {
			return false, nil
		}
		delete(f.arriving, id)
	}
	return true, nil
}

// tell shows what was stored by now, where all has settled before anybody watched:
// a serve may be that quick.
func (f *follower) tell(ctx context.Context, after int64) error {
	last, err := f.ledger.Last(ctx)
	if err != nil {
		return err
	}
	for e, err := range f.ledger.EventsUntil(ctx, state.Filter{After: after, Until: last}) {
		if err != nil {
			return err
		}
		f.heard(e)
	}
	return nil
}

// drain shows what was stored before everything had settled.
func (f *follower) drain(events <-chan reservation.Event) {
	last, err := f.ledger.Last(context.Background())
	if err != nil {
		return
	}
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for f.seen < last {
		select {
		case e := <-events:
			f.heard(e)
		case <-patience.C:
			return
		}
	}
}

func (f *follower) progress(left time.Duration) progress {
	p := progress{of: f.total, left: left, waiting: f.unsettled()}
	p.of = max(p.of, len(p.waiting))
	p.settled = p.of - len(p.waiting)
	return p
}

// unsettled is what is pending, in the order of its addresses.
func (f *follower) unsettled() []reconcile.Outstanding {
	var all []reconcile.Outstanding
	for _, list := range f.pending {
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b reconcile.Outstanding) int { return config.CompareAddresses(a.Address, b.Address) })
	return all
}

// left is what has not settled after all has come to its end. That no station
// is connected any more is no reason: the one before is told.
func (f *follower) left(ctx context.Context) ([]reconcile.Outstanding, error) {
	type key struct{ station, address string }
	before := map[key]reconcile.Outstanding{}
	for _, o := range f.unsettled() {
		before[key{o.StationID, o.Address}] = o
	}
	if err := f.look(ctx, f.stations); err != nil {
		return nil, err
	}
	all := f.unsettled()
	for i := range all {
		if o, ok := before[key{all[i].StationID, all[i].Address}]; ok && all[i].Reason == reservation.BecauseOffline {
			all[i].Reason, all[i].Until = o.Reason, o.Until
		}
	}
	return all, nil
}
