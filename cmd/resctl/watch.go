package main

import (
	"context"
	"time"
)

// noticeEvery is how often this process looks whether another one, such as that
// of an operator who pauses a station, has written to the state. Nothing is asked
// against an order all the same: a request is held against what is stored.
const noticeEvery = time.Second

// watchOthers wakes the loops of the stations when another process writes.
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

// settleOffline records what time has settled at stations that are offline.
func (w *workplace) settleOffline(ctx context.Context) error {
	stations, err := w.Store.Stations(ctx)
	if err != nil {
		return err
	}
	c := w.controller()
	for i := range stations {
		if stations[i].Online() {
			continue
		}
		if _, _, err := c.Settle(ctx, stations[i].ID); err != nil {
			return err
		}
	}
	return nil
}
