package main

import (
	"context"
	"time"
)

// retention is how long the journal is kept.
const retention = 90 * 24 * time.Hour

// retain cuts what is older off the journal. It can wait: the next one goes on.
func (w *workplace) retain(ctx context.Context, now time.Time) {
	if err := w.db.Retain(ctx, retention, now); err != nil {
		w.log.Error("the journal could not be cut; the next apply tries again", "error", err)
	}
}
