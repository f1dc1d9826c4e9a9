package api

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// guarded is a ledger as a caller over the network may see it: what is of other
// workspaces is not there, tokens of drivers are fingerprints, and neither
// passwords nor the key of fingerprints leave. It embeds nothing, so that what a
// Ledger learns is not shown by oversight.
type guarded struct {
	under  Ledger
	who    *caller
	secret []byte
}

var _ Ledger = (*guarded)(nil)

func guard(ctx context.Context, l Ledger, who *caller) (Ledger, error) {
	m, err := l.Meta(ctx)
	return &guarded{l, who, m.Secret}, err
}

// Plan gives the plan masked: the caller has what it declares itself.
func (g *guarded) Plan(ctx context.Context, want reconcile.Desired) (*reconcile.Plan, error) {
	p, err := g.under.Plan(ctx, want)
	return g.plan(p), err
}

// Edit gives the plan of an edit, masked.
func (g *guarded) Edit(ctx context.Context, workspace string, e reconcile.Edit) (*reconcile.Plan, error) {
	p, err := g.under.Edit(ctx, workspace, e)
	return g.plan(p), err
}

func (g *guarded) plan(p *reconcile.Plan) *reconcile.Plan {
	switch {
	case p == nil:
		return nil
	case g.who.whole:
		return p.Unlocked(g.secret)
	}
	return p.Masked(g.secret)
}

// Propose stores a plan, and gives its events masked.
func (g *guarded) Propose(ctx context.Context, p *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error) {
	events, err := g.under.Propose(ctx, p, o)
	for i := range events {
		events[i] = g.event(events[i])
	}
	return events, err
}

// Record appends orders about what is the caller's.
func (g *guarded) Record(ctx context.Context, orders ...reservation.Event) error {
	var stations map[string]bool
	for i := range orders {
		e := &orders[i]
		if e.StationID == "" {
			if err := g.who.within(e.Workspace); err != nil {
				return err
			}
			continue
		}
		if stations == nil {
			s, err := g.Read(ctx)
			if err != nil {
				return err
			}
			stations = stationsOf(s)
		}
		if !stations[e.StationID] {
			return badRequest("a station is none of the token's workspaces")
		}
	}
	return g.under.Record(ctx, orders...)
}

// Meta leaves out the key, and what is of other workspaces.
func (g *guarded) Meta(ctx context.Context) (reservation.Meta, error) {
	m, err := g.under.Meta(ctx)
	return g.meta(m), err
}

func (g *guarded) meta(m reservation.Meta) reservation.Meta {
	m.Secret = nil
	m.Serials, m.Frozen = maps.Clone(m.Serials), maps.Clone(m.Frozen)
	maps.DeleteFunc(m.Serials, func(w string, _ int64) bool { return !g.who.sees(w) })
	maps.DeleteFunc(m.Frozen, func(w string, _ reservation.Halt) bool {
		return w != reservation.AllWorkspaces && !g.who.sees(w)
	})
	return m
}

// Last is the journal's highest sequence.
func (g *guarded) Last(ctx context.Context) (int64, error) { return g.under.Last(ctx) }

// Began is the checkpoint after which the journal begins.
func (g *guarded) Began(ctx context.Context) (reservation.Checkpoint, error) {
	return g.under.Began(ctx)
}

// Read gives the state of the caller's workspaces, and of the stations that
// these declare or name.
func (g *guarded) Read(ctx context.Context) (*reconcile.State, error) {
	under, err := g.under.Read(ctx)
	if err != nil {
		return nil, err
	}
	s := &reconcile.State{Meta: g.meta(under.Meta)}
	for _, e := range under.Entries {
		if g.who.sees(e.Workspace) {
			if e.Hash != "" { // over a token, which it would let guess
				e.Hash = reservation.KeyedHash(g.secret, e.Hash)
			}
			s.Entries = append(s.Entries, e)
		}
	}
	for _, d := range under.Declarations {
		if g.who.sees(d.Workspace) {
			s.Declarations = append(s.Declarations, d.Masked())
		}
	}
	for _, d := range under.Tokens {
		if g.who.sees(d.Workspace) {
			s.Tokens = append(s.Tokens, g.token(d))
		}
	}
	mine := stationsOf(s)
	for _, x := range under.Stations {
		if !g.who.limited() || mine[x.ID] {
			s.Stations = append(s.Stations, g.station(x))
		}
	}
	for _, f := range under.Foreign {
		if !g.who.limited() || mine[f.StationID] {
			s.Foreign = append(s.Foreign, f)
		}
	}
	return s, nil
}

// stationsOf are those that a state declares, names or knows.
func stationsOf(s *reconcile.State) map[string]bool {
	ids := map[string]bool{}
	for i := range s.Entries {
		ids[s.Entries[i].StationID] = true
	}
	for i := range s.Declarations {
		ids[s.Declarations[i].ID] = true
	}
	for i := range s.Stations {
		ids[s.Stations[i].ID] = true
	}
	return ids
}

func (g *guarded) token(d reservation.TokenDeclaration) reservation.TokenDeclaration {
	if g.who.whole {
		return d
	}
	return d.Masked(g.secret)
}

func (g *guarded) station(x reservation.Station) reservation.Station {
	if g.who.whole {
		return x
	}
	return x.Masked(g.secret)
}

// event masks one; passwords are masked whoever asks.
func (g *guarded) event(e reservation.Event) reservation.Event {
	if !g.who.whole {
		return e.Masked(g.secret)
	}
	if e.Change != nil && e.Change.Setup != nil {
		c, setup := *e.Change, e.Change.Setup.Masked()
		c.Setup, e.Change = &setup, &c
	}
	return e
}

// Wanted gives what is wanted of a workspace that the caller sees.
func (g *guarded) Wanted(ctx context.Context, workspace string, at ...string) ([]reservation.Wanted, error) {
	if err := g.who.within(workspace); err != nil {
		return nil, err
	}
	all, err := g.under.Wanted(ctx, workspace, at...)
	for i := range all {
		if !g.who.whole {
			all[i] = all[i].Masked(g.secret)
		}
	}
	return all, err
}

// Occurrences gives all that is known of addresses.
func (g *guarded) Occurrences(ctx context.Context, workspace string, at ...string) ([]reservation.Placed, error) {
	if err := g.who.within(workspace); err != nil {
		return nil, err
	}
	all, err := g.under.Occurrences(ctx, workspace, at...)
	for i := range all {
		if !g.who.whole {
			o := all[i].Occurrence.Masked(g.secret)
			all[i].Occurrence = &o
		}
	}
	return all, err
}

// Unsettled lists what is due at a station.
func (g *guarded) Unsettled(ctx context.Context, station, workspace string) ([]reconcile.Outstanding, error) {
	if workspace != "" {
		if err := g.who.within(workspace); err != nil {
			return nil, err
		}
	}
	all, err := g.under.Unsettled(ctx, station, workspace)
	return slices.DeleteFunc(all, func(o reconcile.Outstanding) bool { return !g.who.sees(o.Workspace) }), err
}

// Drift is what a person should look at, of the caller's workspaces and their stations.
func (g *guarded) Drift(ctx context.Context, grace time.Duration) ([]reconcile.Drifted, error) {
	all, err := g.under.Drift(ctx, grace)
	if err != nil || !g.who.limited() {
		return all, err
	}
	s, err := g.Read(ctx)
	if err != nil {
		return nil, err
	}
	mine := stationsOf(s)
	return slices.DeleteFunc(all, func(d reconcile.Drifted) bool {
		part := slices.ContainsFunc(d.Members, func(m reconcile.Member) bool { return g.who.sees(m.Workspace) })
		return !part && !g.who.sees(d.Workspace) && !(d.Workspace == "" && mine[d.StationID])
	}), nil
}

// Watches are the directories of the caller's workspaces.
func (g *guarded) Watches(ctx context.Context) ([]Watch, error) {
	all, err := g.under.Watches(ctx)
	return slices.DeleteFunc(all, func(w Watch) bool { return !g.who.sees(w.Workspace) }), err
}

// Held makes the plan that is held, masked.
func (g *guarded) Held(ctx context.Context, workspace string) (*reconcile.Plan, error) {
	if err := g.who.within(workspace); err != nil {
		return nil, err
	}
	p, err := g.under.Held(ctx, workspace)
	return g.plan(p), err
}

// LastProposals are the latest proposals of the caller's workspaces.
func (g *guarded) LastProposals(ctx context.Context) (map[string]reservation.Event, error) {
	all, err := g.under.LastProposals(ctx)
	mine := map[string]reservation.Event{}
	for w, e := range all {
		if g.who.sees(w) {
			mine[w] = g.event(e)
		}
	}
	return mine, err
}

// Events gives those lines of the journal that the caller may see.
func (g *guarded) Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error] {
	return g.seen(ctx, g.under.Events(ctx, after))
}

// EventsUntil gives those stored lines that the caller may see.
func (g *guarded) EventsUntil(ctx context.Context, f Filter) iter.Seq2[reservation.Event, error] {
	return g.seen(ctx, g.under.EventsUntil(ctx, f))
}

// seen masks lines and leaves out what is of other workspaces: what a station
// said is of those that declare it or have something there.
func (g *guarded) seen(ctx context.Context, lines iter.Seq2[reservation.Event, error]) iter.Seq2[reservation.Event, error] {
	return func(yield func(reservation.Event, error) bool) {
		var mine map[string]bool
		if g.who.limited() {
			s, err := g.Read(ctx)
			if err != nil {
				yield(reservation.Event{}, err)
				return
			}
			mine = stationsOf(s)
		}
		for e, err := range lines {
			if err == nil && !g.mine(&e, mine) {
				continue
			}
			if !yield(g.event(e), err) {
				return
			}
		}
	}
}

// mine reports whether a caller may see a line. Stations of which something is
// declared become the caller's.
func (g *guarded) mine(e *reservation.Event, stations map[string]bool) bool {
	switch {
	case !g.who.limited():
		return true
	case e.Workspace != "" && e.Workspace != reservation.AllWorkspaces:
		if !g.who.sees(e.Workspace) {
			return false
		}
		if e.StationID != "" && e.Kind == reservation.Declared {
			stations[e.StationID] = true
		}
		return true
	case e.StationID != "":
		return stations[e.StationID]
	}
	return e.Workspace == reservation.AllWorkspaces || e.Kind == reservation.Restored
}
