package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/resctl/resctl/metrics"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// census counts what is wanted and how it stands. A station is counted again
// when the journal has something of it, or when time alone changes the count,
// so that a look costs what has happened and not what there is.
type census struct {
	w *workplace

	news sync.Mutex // guards what the journal says, and is never held for long
	told map[string]bool
	// blocks: a proposal came, and station blocks may have changed.
	blocks, changed bool
	applied         map[string]time.Time

	mu       sync.Mutex // one looks at a time
	begun    bool
	declared map[string][]reservation.StationDeclaration // by identity
	stations map[string]reconcile.Tally
	windows  windows

	due chan struct{} // 1-buffered: windows are to be counted, and that takes long
}

// windows are counted by where they stand.
type windows struct {
	standings []state.Standing
	at        time.Time     // when they were counted
	took      time.Duration // to count them
}

const (
	// countAgain is how old the counts of windows may become while nothing is recorded.
	countAgain = time.Minute
	// countPause is how many times as long as it takes to count windows nothing
	// is counted: all rows are read for it.
	countPause = 20
	// countAside is how long it may take while somebody waits.
	countAside = 50 * time.Millisecond
)

func newCensus(w *workplace) *census {
	return &census{w: w, told: map[string]bool{}, applied: map[string]time.Time{}, stations: map[string]reconcile.Tally{}, due: make(chan struct{}, 1)}
}

// heard takes in a line of the journal.
func (c *census) heard(e reservation.Event) {
	c.news.Lock()
	defer c.news.Unlock()
	c.changed = true
	if e.StationID != "" {
		c.told[e.StationID] = true
	}
	if e.Kind == reservation.Proposed {
		c.blocks, c.applied[e.Workspace] = true, e.At
	}
}

// remember finds when each workspace was applied before this process began, and
// looks at every station once. It goes through the journal and all books, and so
// is nothing for those who look.
func (c *census) remember(ctx context.Context) {
	_, _ = c.look(ctx) // those who look hear what is wrong
	last, err := c.w.LastProposals(ctx)
	if err != nil && ctx.Err() == nil {
		c.w.log.Error("the last proposals could not be read for metrics", "error", err)
	}
	c.news.Lock()
	defer c.news.Unlock()
	for workspace, e := range last {
		if c.applied[workspace].Before(e.At) {
			c.applied[workspace] = e.At
		}
	}
}

// look is how things stand.
func (c *census) look(ctx context.Context) (metrics.State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.w.Now()
	err := errors.Join(c.begin(ctx), c.recount(ctx, now), c.count(ctx, now))
	return c.sum(now), err
}

// begin reads the station blocks, if they may have changed, and finds the
// stations at the first look.
func (c *census) begin(ctx context.Context) error {
	c.news.Lock()
	blocks := c.blocks || !c.begun
	c.blocks = false
	c.news.Unlock()
	if !blocks {
		return nil
	}
	if err := c.readBlocks(ctx); err != nil {
		c.news.Lock()
		c.blocks = true
		c.news.Unlock()
		return err
	}
	if c.begun {
		return nil
	}
	stations, err := c.w.Store.Stations(ctx)
	ids := make([]string, len(stations))
	for i := range stations {
		ids[i] = stations[i].ID
	}
	c.again(ids)
	c.begun = err == nil
	return err
}

func (c *census) readBlocks(ctx context.Context) error {
	all, err := c.w.Store.StationDeclarations(ctx, "")
	if err != nil {
		return err
	}
	before := c.declared
	c.declared = map[string][]reservation.StationDeclaration{}
	for _, d := range all {
		c.declared[d.ID] = append(c.declared[d.ID], d)
	}
	for id, t := range c.stations { // a serial number may have been accepted
		if len(before[id])+len(c.declared[id]) > 0 && t.Drift[reconcile.DriftReplaced] > 0 {
			c.again([]string{id})
		}
	}
	return nil
}

// again has stations counted at this look, or the next.
func (c *census) again(ids []string) {
	c.news.Lock()
	defer c.news.Unlock()
	for _, id := range ids {
		c.told[id] = true
	}
}

// recount counts the stations of which something was heard, and those that time
// has changed.
func (c *census) recount(ctx context.Context, now time.Time) error {
	c.news.Lock()
	told := c.told
	c.told = map[string]bool{}
	c.news.Unlock()
	for id, t := range c.stations {
		if !t.Until.IsZero() && !now.Before(t.Until) {
			told[id] = true
		}
	}
	for id := range told {
		book, err := c.w.Store.Book(ctx, id, now)
		if err != nil {
			c.again(slices.Collect(maps.Keys(told)))
			return err
		}
		c.stations[id] = c.w.Settings.Tally(book, c.declared[id], driftGrace, now)
	}
	return nil
}

// count counts windows by where they stand, if it is time to. Where that takes
// long it is left to run, and those who look have what was counted last.
func (c *census) count(ctx context.Context, now time.Time) error {
	c.news.Lock()
	changed := c.changed
	c.news.Unlock()
	age := now.Sub(c.windows.at)
	switch {
	case age < countPause*c.windows.took || !changed && age < countAgain:
		return nil
	case c.windows.took > countAside:
		select {
		case c.due <- struct{}{}:
		default: // it is due already
		}
		return nil
	}
	fresh, err := c.counted(ctx, now)
	if err == nil {
		c.windows = fresh
	}
	return err
}

// counted reads all windows. What is recorded meanwhile is counted the next time.
func (c *census) counted(ctx context.Context, now time.Time) (w windows, err error) {
	c.news.Lock()
	c.changed = false
	c.news.Unlock()
	began := time.Now()
	if w.standings, err = c.w.db.Standings(ctx, now, now.Add(-driftGrace)); err != nil {
		c.news.Lock()
		c.changed = true
		c.news.Unlock()
	}
	w.at, w.took = now, time.Since(began)
	return w, err
}

// run counts what takes long to count, until ctx ends.
func (c *census) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.due:
		}
		fresh, err := c.counted(ctx, c.w.Now())
		if err != nil {
			if ctx.Err() == nil {
				c.w.log.Error("windows could not be counted for metrics", "error", err)
			}
			continue
		}
		c.mu.Lock()
		c.windows = fresh
		c.mu.Unlock()
	}
}

// sum adds up what was counted.
func (c *census) sum(now time.Time) metrics.State {
	s := metrics.State{Occurrences: map[metrics.Standing]int{}, Pending: map[metrics.Lack]int{}, Overdue: map[string]int{},
		Drift: map[string]int{}, Applied: map[string]time.Time{}, Age: now.Sub(c.windows.at)}
	for _, k := range reconcile.DriftKinds() {
		s.Drift[string(k)] = 0
	}
	for _, x := range c.windows.standings {
		s.Occurrences[metrics.Standing{Workspace: x.Workspace, Phase: x.Phase}] += x.Count
		if x.Dropped {
			s.Drift[string(reconcile.DriftRemoved)] += x.Count
		}
	}
	for _, t := range c.stations {
		if t.Online {
			s.Connected++
		} else {
			s.Offline++
		}
		for k, n := range t.Waiting {
			s.Pending[metrics.Lack{Workspace: k.Workspace, Reason: k.Reason}] += n
		}
		for w, n := range t.Overdue {
			s.Overdue[w] += n
		}
		for k, n := range t.Drift {
			s.Drift[string(k)] += n
		}
	}
	s.Drift[string(reconcile.DriftProof)] = c.w.Conflicts(driftGrace)
	for id := range c.declared {
		if _, met := c.stations[id]; !met {
			s.Offline++
		}
	}
	c.news.Lock()
	defer c.news.Unlock()
	for w, at := range c.applied {
		s.Applied[w] = at
	}
	return s
}
