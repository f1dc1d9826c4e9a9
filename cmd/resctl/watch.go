package main

import (
	"context"
	"time"
)

// noticeEvery is how often this process looks whether another one, such as that
// of an operator who pauses a station, has written to the state. Nothing is asked
// against an order all the same: a request is held against what is stored.
const noticeEvery = time.Second

// watchOthers wakes the loops beside the stations when another process writes.
func (w *workplace) watchOthers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(noticeEvery):
		}
		if err := w.db.Notice(ctx); err != nil && ctx.Err() == nil {
			w.log.Error("what others have written could not be read", "error", err)
		}
	}
}

// settleOffline records what time has settled at stations that no loop is
// beside, and says when there is more to do.
func (w *workplace) settleOffline(ctx context.Context) (next time.Time, err error) {
	stations, err := w.Store.Stations(ctx)
	if err != nil {
		return next, err
	}
	c := w.controller()
	for i := range stations {
		if stations[i].Online() {
			continue
		}
		if err := c.Settle(ctx, stations[i].ID); err != nil {
			return next, err
		}
		book, err := w.Store.Book(ctx, stations[i].ID, w.Now())
		if err != nil {
			return next, err
		}
		if at := w.Settings.Diff(book, w.Now()).WakeAt; !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, nil
}

// watchOffline does so whenever it is due: one timer stands for all stations
// that are offline. What is recorded may bring something earlier, so it looks
// again after that as well, soon enough and not for each line.
func (w *workplace) watchOffline(ctx context.Context) {
	const atLeast, gathers = time.Second, 30 * time.Second
	changed, stop := w.db.Wake("")
	defer stop()
	for ctx.Err() == nil {
		for len(changed) > 0 { // what came until now is looked at now
			<-changed
		}
		next, err := w.settleOffline(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Error("what time settled could not be recorded", "error", err)
			next = w.Now().Add(gathers)
		}
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(max(atLeast, next.Sub(w.Now())))
		}
		w.awaitChange(ctx, changed, due, gathers)
	}
}

// awaitChange returns when something is due, when a change has had time for
// others to follow, or when ctx ends.
func (w *workplace) awaitChange(ctx context.Context, changed <-chan struct{}, due <-chan time.Time, gathers time.Duration) {
	select {
	case <-ctx.Done():
		return
	case <-due:
		return
	case <-changed:
	}
	select {
	case <-ctx.Done():
	case <-due:
	case <-time.After(gathers):
	}
}
