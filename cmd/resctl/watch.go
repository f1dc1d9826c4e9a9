package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// noticeEvery is how often this process looks whether another one, such as that
// of an operator who pauses a station, has written to the state. Nothing is asked
// against an order all the same: a request is held against what is stored.
const noticeEvery = time.Second

// trimEvery is after how much silence, or up to twice that, a station costs no
// memory but for its socket and its place among the loops.
const trimEvery = 5 * time.Minute

// watchOthers wakes the loops of the stations when another process writes, and
// lets go of the memory of those that are silent.
func (w *workplace) watchOthers(ctx context.Context) {
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	look := time.NewTicker(noticeEvery)
	defer look.Stop()
	var displaced error
	for {
		select {
		case <-ctx.Done():
			return
		case <-trim.C:
			w.logFailed(ctx, "memory could not be given back", w.db.Trim(ctx))
		case <-look.C:
			w.logFailed(ctx, "what others have written could not be read", w.db.Notice(ctx))
			if before := displaced; before == nil {
				displaced = w.displaced()
				w.logFailed(ctx, "the state cannot be found", displaced)
			} else if displaced = w.displaced(); displaced == nil {
				w.log.Info("the state is in its place again", "path", w.path)
			}
		}
	}
}

// displaced says that the state's path no longer names the file that is open.
// This process goes on with it: a new one would begin with nothing.
func (w *workplace) displaced() error {
	if now, err := os.Stat(w.path); err != nil || !os.SameFile(now, w.opened) {
		return fmt.Errorf("%s has been moved, deleted or replaced: move it back while this process runs, or what is recorded now is lost when it ends", w.path)
	}
	return nil
}

func (w *workplace) logFailed(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		w.log.Error(what, "error", err)
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
