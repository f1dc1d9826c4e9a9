package day

import (
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// told is what the journal says of one occurrence, and of its station meanwhile.
type told struct {
	ids      []int32
	accepted time.Time // when the station first said so of one of its ids
	lost     time.Time // when it last said that it dropped one
	expired  bool      // it said Expired of one, at its end
	used     time.Time // its driver charged there during the window
	late     bool      // that was told without an id, and after it was over: then it is over
	over     time.Time // from when on nothing is asked for it
	decided  reservation.Phase
	reason   reservation.Reason
}

// explain gathers what the lines of its station say of an occurrence.
func explain(o *reservation.Occurrence, s spell, driver reservation.Token, lines []reservation.Event) (t told) {
	for _, e := range lines {
		mine := e.Key() == o.Key || e.ReservationID != 0 && slices.Contains(t.ids, e.ReservationID)
		switch {
		case e.Kind == reservation.Transaction:
			t.transaction(o, s, driver, e)
		case !mine:
		case e.Kind == reservation.Requested:
			t.ids = append(t.ids, e.ReservationID)
		case e.Kind == reservation.Answered:
			t.answered(e)
		case e.Kind == reservation.Reported && e.Update == reservation.Expired && !e.At.Before(o.Window.Expiry.Add(-reservation.SkewAllowed)):
			t.expired = true
			t.end(e.At)
		case e.Kind == reservation.Reported:
			t.lost = e.At
		case e.Kind == reservation.Decided && e.Decision.Phase != "":
			t.decided, t.reason = e.Decision.Phase, e.Decision.Reason
			if !t.decided.Open() {
				t.end(e.At)
			}
		}
	}
	return t
}

func (t *told) answered(e reservation.Event) {
	switch {
	case e.Call.Kind == reservation.ReserveNow && e.Answer.Outcome == reservation.AnswerAccepted && t.accepted.IsZero():
		t.accepted = e.At
	case e.Call.Kind == reservation.CancelReservation && e.Answer.Certain() && e.Call.Then != "":
		t.end(e.At)
	}
}

// end is the first one: what comes after it changes nothing, but for a use.
func (t *told) end(at time.Time) {
	if t.over.IsZero() {
		t.over = at
	}
}

// transaction is a use if it names an id of it or, within the window and at its
// EVSE, the token of its driver.
func (t *told) transaction(o *reservation.Occurrence, s spell, driver reservation.Token, e reservation.Event) {
	at := e.At
	if e.Queued && !e.Transaction.Timestamp.IsZero() {
		at = e.Transaction.Timestamp
	}
	within := !at.Before(o.Start) && at.Before(o.Window.Expiry) && e.Transaction.EVSE == s.evse
	mine := e.ReservationID != 0 && slices.Contains(t.ids, e.ReservationID)
	if t.used.IsZero() && (mine || within && e.Transaction.IDToken != nil && e.Transaction.IDToken.Same(driver)) {
		t.used, t.late = at, !mine && !t.over.IsZero() && e.At.After(t.over)
	}
}

// unexplained is why a phase cannot stand; "": it is justified.
func unexplained(o *reservation.Occurrence, s spell, t told, now time.Time) string {
	over := !now.Before(o.Window.Expiry)
	if used := !t.used.IsZero() && !t.late && (t.over.IsZero() || !t.used.After(t.over)); used && o.Phase != reservation.Fulfilled {
		return "its driver used it"
	}
	switch o.Phase {
	case reservation.Fulfilled:
		if t.used.IsZero() {
			return "no transaction used it"
		}
	case reservation.NoShow:
		return noShow(o, s, t)
	case reservation.Missed:
		if !t.accepted.IsZero() || !over || t.decided != reservation.Missed || t.reason == "" {
			return "it was held, or is not over, or nothing says why"
		}
	case reservation.Ended:
		if t.accepted.IsZero() || !over || t.expired && t.lost.IsZero() {
			return "it was never held, or is not over, or the station said how it ended"
		}
	case reservation.Scheduled:
		if !o.Due.After(now) {
			return "it is due"
		}
	case reservation.Held:
		if t.accepted.IsZero() || over {
			return "nobody said Accepted, or it is over"
		}
	case reservation.Pending:
		if over || o.Reason == "" {
			return "it is over, or nothing says why"
		}
	default:
		return "nobody wanted that"
	}
	return ""
}

// noShow: it was held to its end, or for as long as its driver was waited for.
func noShow(o *reservation.Occurrence, s spell, t told) string {
	if t.accepted.IsZero() {
		return "it was never held"
	}
	if t.over.IsZero() || !t.over.Before(o.Window.Expiry.Add(-reservation.SkewAllowed)) {
		return ""
	}
	from := o.Start
	if t.accepted.After(from) {
		from = t.accepted
	}
	if s.noShow == 0 || t.over.Before(from.Add(s.noShow)) {
		return "its driver was not waited for"
	}
	return ""
}
