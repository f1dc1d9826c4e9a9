package day

import (
	"cmp"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// What is free is asked for: at once when its window opens, and after whatever
// went wrong within the longest back-off and two calls.
const (
	atOnce   = 3 * callTimeout
	byTurns  = reservation.BackoffMax*5/4 + 2*callTimeout
	settling = 2 * time.Minute // after a connection or a boot: its queue, its boot, its statuses
)

// shown is what a station has told of itself and of one EVSE.
type shown struct {
	evse     int
	online   int
	settled  time.Time
	statuses map[int]reservation.EVSEStatus // by connector
	charging map[string]bool
	barred   bool // what was asked last was Rejected, and nothing has changed since
	free     time.Time
}

// take has the station tell the next thing.
func (s *shown) take(e reservation.Event) {
	switch e.Kind {
	case reservation.Connected:
		s.online++
		s.settled = e.At.Add(settling)
	case reservation.Disconnected:
		s.online--
	case reservation.Booted:
		clear(s.statuses)
		clear(s.charging)
		s.barred, s.settled = false, e.At.Add(settling)
	case reservation.Status:
		if e.Status.EVSE == s.evse {
			s.statuses[e.Status.Connector], s.barred = e.Status.Status, false
		}
	case reservation.Transaction:
		if e.Transaction.Type == "Ended" {
			delete(s.charging, e.Transaction.ID)
		} else if e.Transaction.EVSE == s.evse {
			s.charging[e.Transaction.ID] = true
		}
	}
	available := len(s.statuses) > 0 && len(s.charging) == 0 && s.online > 0 && !s.barred
	for _, status := range s.statuses {
		available = available && status == reservation.Available
	}
	if !available {
		s.free = time.Time{}
	} else if s.free.IsZero() {
		s.free = e.At
	}
}

// idle is when an occurrence could have been asked for and, for too long, was
// not: its EVSE showed Available, and its station could be spoken to.
func idle(o *reservation.Occurrence, evse int, over time.Time, lines []reservation.Event, now time.Time) (from, to time.Time) {
	s := shown{evse: evse, statuses: map[int]reservation.EVSEStatus{}, charging: map[string]bool{}}
	asked, last := o.Due, o.Window.Expiry.Add(-10*time.Second)
	if !over.IsZero() && over.Before(last) {
		last = over
	}
	for _, e := range append(slices.Clone(lines), reservation.Event{At: now}) {
		begin := latest(s.free, s.settled, asked)
		limit := byTurns
		if begin.Equal(o.Due) {
			limit = atOnce
		}
		if end := earliest(e.At, last); !s.free.IsZero() && end.Sub(begin) > limit {
			return begin, end
		}
		s.take(e)
		switch mine := e.Key() == o.Key; {
		case e.Kind == reservation.Requested && mine:
			asked = latest(asked, e.At)
		case e.Kind == reservation.Answered && mine && e.Call.Kind == reservation.ReserveNow && e.Answer.Outcome == reservation.AnswerRejected:
			s.barred, s.free = true, time.Time{}
		}
	}
	return time.Time{}, time.Time{}
}

func latest(all ...time.Time) time.Time { return slices.MaxFunc(all, time.Time.Compare) }

func earliest(a, b time.Time) time.Time {
	if cmp.Compare(a.UnixNano(), b.UnixNano()) < 0 {
		return a
	}
	return b
}
