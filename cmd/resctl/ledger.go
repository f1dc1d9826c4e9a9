package main

import (
	"context"
	"iter"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// ledger is all that commands know of stations and storage: a workplace, over a
// file, or a remote, through the process that serves the stations.
type ledger interface {
	Plan(ctx context.Context, want reconcile.Desired) (*reconcile.Plan, error)
	Propose(ctx context.Context, p *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error)
	Read(ctx context.Context) (*reconcile.State, error)
	Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error]
	Unsettled(ctx context.Context, station, workspace string) ([]reconcile.Outstanding, error)
	Drift(ctx context.Context, grace time.Duration) ([]reconcile.Drifted, error)
	// EventsUntil gives the stored lines of the journal that a filter selects, and ends.
	EventsUntil(ctx context.Context, f state.Filter) iter.Seq2[reservation.Event, error]
	// Occurrences gives all that is known of an address, at every station.
	Occurrences(ctx context.Context, workspace string, addresses ...string) ([]reservation.Placed, error)
	// Wanted gives what is wanted at the given addresses of a workspace.
	Wanted(ctx context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error)
	// Began is the checkpoint after which the journal begins.
	Began(ctx context.Context) (reservation.Checkpoint, error)
	// LastProposals are the latest proposal of each workspace.
	LastProposals(ctx context.Context) (map[string]reservation.Event, error)
	// Meta is what the state knows of itself.
	Meta(ctx context.Context) (reservation.Meta, error)
	// Last is the journal's highest sequence.
	Last(ctx context.Context) (int64, error)
	// Edit makes the plan of what state mv and state rm do.
	Edit(ctx context.Context, workspace string, e reconcile.Edit) (*reconcile.Plan, error)
	// Record appends what somebody orders.
	Record(ctx context.Context, orders ...reservation.Event) error
	// Watches are the directories that the process which serves the stations keeps applied.
	Watches(ctx context.Context) ([]api.Watch, error)
	// Held makes the plan that is held for one of them; nil: none is.
	Held(ctx context.Context, workspace string) (*reconcile.Plan, error)
	// Backup makes a copy of the state.
	Backup(ctx context.Context) (*api.Copy, error)
	// Erase removes a token from all that is stored.
	Erase(ctx context.Context, what api.Erasing) (api.Erased, error)
	// Close gives everything back.
	Close() error
}
