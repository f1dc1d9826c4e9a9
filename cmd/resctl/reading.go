package main

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// readingCommands are those that only look at what is stored.
func (c *cli) readingCommands() []*cobra.Command {
	return []*cobra.Command{c.eventsCommand(), c.stationsCommand(), c.whyCommand(), c.driftCommand(), c.timelineCommand(), c.stateCommand(), c.workspaceCommand()}
}

// EventsUntil gives the stored lines of the journal that a filter selects.
func (w *workplace) EventsUntil(ctx context.Context, f state.Filter) iter.Seq2[reservation.Event, error] {
	if w.db == nil {
		return func(func(reservation.Event, error) bool) {}
	}
	return w.db.EventsUntil(ctx, f)
}

// Began is the checkpoint after which the journal begins; zero: nothing is cut.
func (w *workplace) Began(ctx context.Context) (reservation.Checkpoint, error) {
	if w.db == nil {
		return reservation.Checkpoint{}, nil
	}
	return w.db.Began(ctx)
}

// LastProposals are the latest proposal of each workspace.
func (w *workplace) LastProposals(ctx context.Context) (map[string]reservation.Event, error) {
	if w.db == nil {
		return nil, nil
	}
	return w.db.LastProposals(ctx)
}

// Occurrences gives all that is known of addresses, at every station.
func (w *workplace) Occurrences(ctx context.Context, workspace string, addresses ...string) ([]reservation.Placed, error) {
	if w.db == nil {
		return nil, nil
	}
	return w.db.Occurrences(ctx, workspace, addresses...)
}

// Wanted gives what is wanted at the given addresses of a workspace.
func (w *workplace) Wanted(ctx context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error) {
	return w.Store.Wanted(ctx, workspace, addresses...)
}

// reading is what the commands that only look have in common: the ledger, all
// that is stored, and where that is.
type reading struct {
	ledger
	state *reconcile.State
	place place
	empty bool // there is no state yet
}

// read opens the state for a command that only looks. close gives it back.
func (c *cli) read(ctx context.Context) (_ *reading, closer func() error, err error) {
	w, err := c.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := w.Read(ctx)
	if err != nil {
		_ = w.Close()
		return nil, nil, err
	}
	return &reading{w, s, c.placeOf(w, s.Meta), s.Meta.Lineage == ""}, w.Close, nil
}

// placeOf is where a command works that only looks at what is stored.
func (c *cli) placeOf(l ledger, m reservation.Meta) place {
	p := place{state: c.placeName(), stations: viaServe(l)}
	if len(m.Serials) == 1 {
		for name := range m.Serials {
			p.workspace = name
		}
	}
	if simulated(m) {
		p.stations = simulatedStations
	}
	return p
}

// secret keys fingerprints.
func (r *reading) secret() []byte { return r.state.Meta.Secret }

// several reports whether addresses need their workspace beside them.
func (r *reading) several() bool { return len(r.state.Meta.Serials) > 1 }

// station refuses an identity that the state has not heard of.
func (r *reading) station(id string) error {
	var known []string
	for i := range r.state.Stations {
		known = append(known, r.state.Stations[i].ID)
	}
	for i := range r.state.Declarations {
		known = append(known, r.state.Declarations[i].ID)
	}
	if r.empty || slices.Contains(known, id) {
		return nil
	}
	return problemf(codeNoStation, "No such station", "The state knows no station %q.%s", id, meant(id, known, func(s string) string { return s }))
}

// meant proposes what is likest to what was written, if it is like it at all.
func meant(given string, known []string, plain func(string) string) string {
	best, nearest := "", max(2, len(given)/3)+1
	for _, k := range known {
		d := levenshtein.Distance(strings.ToLower(plain(given)), strings.ToLower(plain(k)), nil)
		if d < nearest || d == nearest && best != "" && config.CompareAddresses(k, best) < 0 {
			best, nearest = k, d
		}
	}
	if best == "" {
		return ""
	}
	return " Did you mean " + best + "?"
}
