package main

import (
	"cmp"
	"context"
	"time"
)

// retention is how long the journal is kept, unless serve is told otherwise.
const retention = 90 * 24 * time.Hour

// retain cuts what is older off the journal. It can wait: the next one goes on.
func (w *workplace) retain(ctx context.Context, now time.Time) {
	if err := w.db.Retain(ctx, cmp.Or(w.retention, retention), now); err != nil && ctx.Err() == nil {
		w.log.Error("the journal could not be cut; it is tried again later", "error", err)
	}
}

// retainEvery is how often a process that goes on does so.
const retainEvery = 24 * time.Hour

// watchJournal does so until ctx ends.
func (w *workplace) watchJournal(ctx context.Context) {
	for ctx.Err() == nil {
		w.retain(ctx, w.Now())
		select {
		case <-ctx.Done():
		case <-time.After(retainEvery):
		}
	}
}
