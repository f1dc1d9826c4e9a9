package main

import (
	"sync"
	"time"
)

// sparing lets some lines a minute into the log, for what thousands of stations
// meet at the same time: a disk that is full is filled no further.
type sparing struct {
	mu      sync.Mutex
	span    time.Time // when the present minute began
	said    int       // in it
	leftOut int       // since the last line
}

// sparingLines are let through in a minute.
const sparingLines = 20

// may reports whether a line may be written now, and how many were not since the last one.
func (s *sparing) may(now time.Time) (leftOut int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.span) >= time.Minute {
		s.span, s.said = now, 0
	}
	if s.said >= sparingLines {
		s.leftOut++
		return 0, false
	}
	s.said++
	leftOut, s.leftOut = s.leftOut, 0
	return leftOut, true
}
