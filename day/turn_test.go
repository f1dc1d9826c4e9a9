package day

import (
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// turn is what the lines of a station allow to be asked for one occurrence.
type turn struct {
	evse   int
	failed int       // refusals and silences in a row, with nothing new between
	at     time.Time // of the last one
	barred bool      // it was Rejected at first asking, and nothing has changed since
	drops  int       // how often the station dropped it
	healed time.Time // from when on it may be asked for after that
	last   int32     // the id that was asked for last
	tried  int       // how often
	held   bool      // Accepted under it, and nothing puts that in doubt
	used   bool      // its driver has charged
}

// turns are those of a station, by occurrence.
type turns struct {
	of                map[reservation.Key]*turn
	queued, connected time.Time
	booted            time.Time
	shown             map[int]bool // EVSEs that have shown a status since the boot
}

// patient: nobody is asked again too soon. A refusal, or no answer, is followed by
// a wait that doubles from five seconds up, unless something new was heard of
// the EVSE; a second drop is too. Nothing is asked within the quiet period after
// a connection, or a report that the station had queued; and after a boot not
// before the EVSE has shown a status, or half a minute.
func (d *depot) patient(station string, lines []reservation.Event) {
	all := turns{of: map[reservation.Key]*turn{}, shown: map[int]bool{}}
	for _, e := range lines {
		switch e.Kind {
		case reservation.Connected:
			all.connected = e.At
		case reservation.Booted:
			all.boot(e)
		case reservation.Status:
			all.status(e)
		case reservation.Transaction:
			all.queue(e)
			all.use(e)
		case reservation.Reported:
			all.queue(e)
			all.drop(e)
		case reservation.Answered:
			all.answer(e)
		case reservation.Requested:
			if e.Call.Kind == reservation.ReserveNow {
				for _, why := range all.request(e, d.settings.QuietPeriod, d.settings.QuietMax, d.settings.Patience) {
					d.wrong(station, "line %d: %s", e.Seq, why)
				}
			}
		}
	}
}

func (a *turns) queue(e reservation.Event) {
	if e.Queued {
		a.queued = e.At
	}
}

func (a *turns) boot(e reservation.Event) {
	if e.Boot.Assumed {
		return
	}
	a.booted = e.At
	clear(a.shown)
	for _, t := range a.of {
		t.failed, t.barred, t.healed, t.held = 0, false, time.Time{}, false
	}
}

func (a *turns) status(e reservation.Event) {
	a.queue(e)
	a.shown[e.Status.EVSE] = true
	for _, t := range a.of {
		if t.evse != e.Status.EVSE {
			continue
		}
		t.barred = false
		if e.Status.Status == reservation.Available {
			t.failed, t.held = 0, false
		}
	}
}

func (a *turns) byID(id int32) *turn {
	for _, t := range a.of {
		if id != 0 && t.last == id {
			return t
		}
	}
	return nil
}

func (a *turns) use(e reservation.Event) {
	if t := a.byID(e.ReservationID); t != nil {
		t.used = true
	}
}

func (a *turns) drop(e reservation.Event) {
	t := a.byID(e.ReservationID)
	if t == nil {
		return
	}
	t.held, t.failed = false, 0
	if t.drops++; t.drops > 1 {
		t.healed = e.At.Add(backoff(t.drops - 2))
	}
}

func backoff(n int) time.Duration {
	return min(reservation.BackoffMin<<min(n, 6), reservation.BackoffMax)
}

func (a *turns) answer(e reservation.Event) {
	t := a.byID(e.ReservationID)
	if t == nil || e.Call.Kind != reservation.ReserveNow {
		return
	}
	switch e.Answer.Outcome {
	case reservation.AnswerAccepted:
		t.failed, t.held = 0, true
	case reservation.AnswerOccupied, reservation.AnswerFaulted, reservation.AnswerUnavailable:
		t.failed, t.at = t.failed+1, e.At
	case reservation.AnswerRejected:
		t.barred = t.tried == 1
	case reservation.AnswerNone:
		if e.Address != "" { // else it is late
			t.failed, t.at = t.failed+1, e.At
		}
	}
}

func (a *turns) request(e reservation.Event, quiet, most, patience time.Duration) (wrong []string) {
	t := a.of[e.Key()]
	if t == nil {
		t = &turn{}
		a.of[e.Key()] = t
	}
	t.evse = e.Call.Content.EVSE
	say := func(ok bool, why string) {
		if !ok {
			wrong = append(wrong, why)
		}
	}
	say(t.failed == 0 || e.At.Sub(t.at) >= backoff(t.failed-1), "asks again "+e.At.Sub(t.at).String()+" after a refusal")
	say(!t.barred, "asks again for what was rejected, and nothing has changed")
	say(!e.At.Before(t.healed), "asks at once for what is dropped again and again")
	say(!t.held || t.last != e.ReservationID, "asks again for what is held, unchanged")
	say(!t.used, "asks for what its driver has used")
	say(e.At.Sub(a.connected) >= quiet, "asks just after a connection")
	say(e.At.Sub(a.queued) >= quiet || e.At.Sub(a.connected) >= most, "asks just after a report that was queued")
	say(a.shown[t.evse] || e.At.Sub(a.booted) >= patience, "asks just after a boot, and the EVSE has shown no status")
	if t.last != e.ReservationID {
		t.last, t.tried = e.ReservationID, 0
	}
	t.tried++
	return wrong
}

// refusals to reserve: nothing is held by what was asked.
var refusals = []reservation.Outcome{reservation.AnswerOccupied, reservation.AnswerRejected, reservation.AnswerFaulted, reservation.AnswerUnavailable}

// cancelled: an occurrence gets a new id only once its old one is known to be
// gone: refused at once, reported as ended, cancelled, or used.
func (d *depot) cancelled(station string, lines []reservation.Event) {
	last, gone, tried := map[reservation.Key]int32{}, map[int32]bool{}, map[int32]int{}
	for _, e := range lines {
		switch id := e.ReservationID; {
		case id == 0:
		case e.Kind == reservation.Reported, e.Kind == reservation.Transaction:
			gone[id] = true
		case e.Kind == reservation.Requested && e.Call.Kind == reservation.ReserveNow:
			if was := last[e.Key()]; was != 0 && was != id && !gone[was] {
				d.wrong(station, "line %d asks for %s under a new id while %d may be held", e.Seq, e.Address, was)
			}
			last[e.Key()] = id
			tried[id]++
			if _, before := gone[id]; !before {
				gone[id] = true // until it may have been taken
			}
		case e.Kind == reservation.Answered && e.Call.Kind == reservation.CancelReservation:
			gone[id] = gone[id] || e.Answer.Certain()
		case e.Kind == reservation.Answered && (e.Answer.Outcome == reservation.AnswerAccepted || e.Answer.Outcome == reservation.AnswerNone):
			gone[id] = false
		case e.Kind == reservation.Answered && e.Address == "" && tried[id] == 1 && slices.Contains(refusals, e.Answer.Outcome):
			gone[id] = true // late, and it was asked for once
		}
	}
}
