package main

import (
	"context"
	"errors"
	"iter"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// remote is the ledger of the process that serves the stations.
type remote struct{ *api.Client }

var _ ledger = remote{}

// EventsUntil gives the stored lines of the journal that a filter selects.
func (r remote) EventsUntil(ctx context.Context, f state.Filter) iter.Seq2[reservation.Event, error] {
	return r.Client.EventsUntil(ctx, api.Filter(f))
}

// by is who the journal has for what somebody does through a ledger: the server
// knows better than USER, where there is one.
func (c *cli) by(l ledger) string {
	if r, ok := l.(remote); ok && r.Info.By != "" {
		return r.Info.By
	}
	return c.getenv("USER")
}

// served is a workplace as the API has it, with the directories that are kept applied.
type served struct {
	*workplace
	watched *watches
}

var _ api.Ledger = served{}

// EventsUntil gives the stored lines of the journal that a filter selects.
func (s served) EventsUntil(ctx context.Context, f api.Filter) iter.Seq2[reservation.Event, error] {
	return s.workplace.EventsUntil(ctx, state.Filter(f))
}

// Watches are the directories that are kept applied.
func (s served) Watches(context.Context) ([]api.Watch, error) { return s.watched.list(), nil }

// Held makes the plan that is held for a workspace.
func (s served) Held(ctx context.Context, workspace string) (*reconcile.Plan, error) {
	return s.watched.of(workspace).heldPlan(ctx)
}

// Propose stores a plan. Of a workspace that follows a directory that is the plan
// which is held, or nothing.
func (s served) Propose(ctx context.Context, p *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error) {
	propose := s.workplace.Propose
	if w := s.watched.of(p.Workspace); w != nil {
		propose = w.carryOut
	}
	events, err := propose(ctx, p, o)
	s.monitor.proposed(err)
	return events, err
}

// Erase erases a token; why it cannot travels with its code.
func (s served) Erase(ctx context.Context, what api.Erasing) (api.Erased, error) {
	done, err := s.workplace.Erase(ctx, what)
	return done, documentProblem(err)
}

// Watches are none where no process serves the stations.
func (w *workplace) Watches(context.Context) ([]api.Watch, error) { return nil, nil }

// Held is none there.
func (w *workplace) Held(context.Context, string) (*reconcile.Plan, error) { return nil, nil }

// Record appends what somebody orders. Without the lock it needs a moment's
// access of its own: who speaks to the stations meanwhile finds it there.
func (w *workplace) Record(ctx context.Context, orders ...reservation.Event) (err error) {
	db := w.db
	if w.lock == nil {
		if db, err = state.Open(ctx, w.path, state.Options{}); err != nil {
			return stateProblem(w.path, err)
		}
		defer func() { err = errors.Join(err, db.Close()) }()
	}
	_, err = db.Append(context.WithoutCancel(ctx), orders...)
	return err
}

// live finds the process that serves: the server that is named, or the one
// beside the state; nil: there is none.
func (c *cli) live(ctx context.Context) (ledger, error) {
	if where := c.server(); where.url != "" {
		return c.dial(ctx, where)
	}
	client, err := api.Dial(ctx, api.SocketOf(c.statePath()))
	switch {
	case err != nil:
		return nil, problemf(codeState, "The process that serves the stations does not answer", "%s.\nIf it is another user's, work as that user; if it hangs, end it: what is stored stays stored.", harmless(err.Error()))
	case client == nil:
		return nil, nil
	}
	return remote{client}, nil
}

// look gives the ledger of a command that only looks.
func (c *cli) look(ctx context.Context) (ledger, error) {
	if l, err := c.live(ctx); l != nil || err != nil {
		return l, err
	}
	return lookAt(ctx, c.statePath())
}

// change gives the ledger of a command that changes what is stored. A state
// that is not there is made, unless it must be.
func (c *cli) change(ctx context.Context, stored bool) (ledger, error) {
	if l, err := c.live(ctx); l != nil || err != nil {
		return l, err
	}
	if stored {
		return c.takeOverStored(ctx)
	}
	return takeOver(ctx, c.statePath(), reconcile.DefaultSettings(), c.logger())
}
