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

// watchOffline does so whenever it is due; stations come and go, so it looks
// now and then in any case.
func (w *workplace) watchOffline(ctx context.Context) {
	const atMost, atLeast = 30 * time.Second, time.Second
	for {
		next, err := w.settleOffline(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Error("what time settled could not be recorded", "error", err)
		}
		wait := atMost
		if !next.IsZero() {
			wait = min(wait, max(atLeast, next.Sub(w.Now())))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
