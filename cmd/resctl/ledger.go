package main

import (
	"context"
	"iter"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// ledger is all that commands know of stations and storage. reconcile.Ledger
// has these methods over a file; a server's client will have them as well.
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
	Occurrences(ctx context.Context, workspace, address string) ([]reservation.Placed, error)
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
}
