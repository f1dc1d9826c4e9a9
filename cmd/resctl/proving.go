package main

import (
	"context"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

const (
	// provePause is how long after something that may matter to a proof it is
	// proven again at the earliest: what comes together is proven together.
	provePause = time.Minute
	// proveShare is how many times as long as a proof takes nothing is proven.
	proveShare = 50
)

// moves reports whether a line of the journal may change what fits, or what is
// known of EVSEs.
func moves(k reservation.Kind) bool {
	return k == reservation.Proposed || k == reservation.Booted || k == reservation.Restored
}

// keepProven proves again that everything stored fits, as the horizon moves and
// as things change, until ctx ends. What does not is drift; nothing waits for it.
func (w *workplace) keepProven(ctx context.Context, moved <-chan struct{}) {
	known := 0
	for ctx.Err() == nil {
		began := time.Now()
		w.logFailed(ctx, "that everything fits could not be proven again", w.Prove(ctx))
		if n := w.Conflicts(0); n != known {
			known = n
			w.log.Warn("reservations that do not fit together: see resctl drift", "conflicts", n)
		}
		pause(ctx, max(provePause, proveShare*time.Since(began)), nil)
		pause(ctx, reconcile.ProveEvery, moved)
	}
}

// pause waits for a time, or until it is woken.
func pause(ctx context.Context, d time.Duration, woken <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-woken:
	}
}
