package watch

import (
	"context"
	"time"
)

// Verdict is what became of a tree that was handed out.
type Verdict int

// The verdicts.
const (
	Done  Verdict = iota // not again until it changes
	Again                // once more after Interval, also if it has not changed
	Moved                // it changed while it was being read: look at once
)

// Watcher looks at one directory. All fields but Ignore, Nudge and Restless are needed.
type Watcher struct {
	Dir      string
	Interval time.Duration          // between looks at what is at rest
	Settle   time.Duration          // for so long it must have stayed as it is
	Ignore   func(path string) bool // absolute paths that do not count
	Nudge    <-chan struct{}        // asks for a look at once

	// Visit is given each tree that has come to rest, or the error that looks have
	// met for as long. It is never called twice at the same time.
	Visit func(context.Context, Tree, error) Verdict
	// Restless is told, once, that the directory has kept changing since a time.
	Restless func(since time.Time)
}

// Run looks until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	s := settling{interval: w.Interval, settle: w.Settle}
	for ctx.Err() == nil {
		t, err := Look(w.Dir, w.Ignore)
		step := s.look(time.Now(), sighted(t, err))
		if step.restless && w.Restless != nil {
			w.Restless(s.moving)
		}
		if step.visit {
			step.wait = s.judged(w.Visit(ctx, t, err))
		}
		select {
		case <-ctx.Done():
		case <-w.Nudge:
		case <-time.After(step.wait):
		}
	}
}

// sight is what a look gave, in a form that can be compared.
type sight struct {
	fingerprint Fingerprint
	failure     string
}

func sighted(t Tree, err error) sight {
	if err != nil {
		return sight{failure: err.Error()}
	}
	return sight{fingerprint: t.Fingerprint}
}

// restlessAfter is how many times longer than it should a directory may keep
// changing before somebody is told, and restlessAtLeast for how long.
const (
	restlessAfter   = 12
	restlessAtLeast = time.Minute
)

// settling decides, look by look, when a directory has come to rest.
type settling struct {
	interval, settle time.Duration

	last    *sight
	since   time.Time // the sight has been the same
	visited *sight    // the last one that was handed out
	again   bool      // and it is to be once more
	moving  time.Time // it has not come to rest since; zero: it has
	told    bool      // that it is restless
}

// step is what comes after a look.
type step struct {
	visit    bool
	restless bool
	wait     time.Duration
}

// look takes in what was seen.
func (s *settling) look(now time.Time, x sight) step {
	if s.last == nil || x != *s.last {
		s.last, s.since = &x, now
		if s.moving.IsZero() {
			s.moving = now
		}
	}
	rested := now.Sub(s.since)
	switch {
	case s.visited != nil && x == *s.visited:
		s.moving, s.told = time.Time{}, false
		return step{visit: s.again, wait: s.interval}
	case rested < s.settle:
		restless := !s.told && now.Sub(s.moving) >= max(restlessAtLeast, restlessAfter*s.settle)
		s.told = s.told || restless
		return step{restless: restless, wait: min(s.settle-rested, max(s.settle/5, time.Millisecond))}
	}
	return step{visit: true, wait: s.interval}
}

// judged takes in a verdict, and says when to look next.
func (s *settling) judged(v Verdict) time.Duration {
	if v == Moved {
		s.last, s.visited = nil, nil
		return min(s.interval, max(s.settle/5, 10*time.Millisecond))
	}
	s.visited, s.again, s.moving, s.told = s.last, v == Again, time.Time{}, false
	return s.interval
}
