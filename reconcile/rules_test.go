package reconcile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reservation"
)

// offlineSince is how long a station has had no socket since a time.
func (d *depot) offlineSince(from time.Time) (sum time.Duration) {
	for _, w := range d.downs {
		if w.Start.Before(from) {
			w.Start = from
		}
		if w.Expiry.After(w.Start) {
			sum += w.Expiry.Sub(w.Start)
		}
	}
	return sum
}

// refuses is a station's whim, which its own rules do not know.
func (d *depot) refuses(c reservation.Call) (reservation.Answer, bool) {
	switch {
	case d.barred && (c.Kind == reservation.ReserveNow || c.Kind == reservation.CancelReservation):
		return reservation.Answer{Outcome: reservation.AnswerNotSupported}, true
	case d.rejects && c.Kind == reservation.ReserveNow:
		d.rejects = false
		return reservation.Answer{Outcome: reservation.AnswerRejected}, true
	}
	return reservation.Answer{}, false
}

// arrive delivers the requests that were under way for long.
func (w *world) arrive(d *depot) {
	kept := d.behind[:0]
	for _, l := range d.behind {
		switch {
		case l.at.After(w.now):
			kept = append(kept, l)
		case d.conn != 0 && !d.barred:
			w.logf("%s late request %d", d.id, l.id)
			answer := w.deliverLate(d, l)
			e := reservation.Event{At: w.now, Kind: reservation.Answered, StationID: d.id, Call: &l.c, Answer: &answer, ReservationID: l.id}
			// If the process dies on it, the only trace is lost: nobody can know.
			w.ghosts[l.id] = true
			w.guard(func() {
				_, _ = w.ctl.Journal.Append(context.Background(), e)
				delete(w.ghosts, l.id)
			})
			w.deliver(d)
		}
	}
	d.behind = kept
}

func (w *world) deliverLate(d *depot, l lateRequest) reservation.Answer {
	action, payload, err := v201.Encode(l.id, l.c)
	if err != nil {
		w.fail("late request: %v", err)
	}
	answer, after := d.handle(w.now, l.c, action, payload)
	d.post(after)
	for _, r := range d.m.Holds() {
		w.confirmed[r.ID] = true
	}
	if answer.Outcome == reservation.AnswerAccepted {
		w.confirmed[l.id] = true
		delete(w.used, l.id) // what was used is over; this is a new hold under its id
	}
	return answer
}

// before checks what an event must not be, given the book that it meets.
func (w *world) before(e reservation.Event) {
	w.beforeOver(e)
	if e.Kind == reservation.Decided {
		w.beforeEnd(e)
	}
	if e.Kind != reservation.Requested || e.Call.Kind != reservation.ReserveNow {
		return
	}
	b := w.mem.Whole(e.StationID)
	o := b.Find(e.Key())
	if o == nil || o.Phase != reservation.Unsure || o.Reason != reservation.BecauseBoot || !o.Held.Named() || o.MustCancel {
		return
	}
	shown := b.Station.EVSEStatus(o.Held.EVSE) == reservation.Reserved
	if shown && o.Held.Equal(*o.Want) && !untargeted(b) {
		w.fail("%s is asked for again, though its EVSE shows Reserved after the boot", o.Address)
	}
}

// beforeEnd: what is wanted for longer has not ended because its station cannot be
// asked to let go of what it held.
func (w *world) beforeEnd(e reservation.Event) {
	o := w.mem.Whole(e.StationID).Find(e.Key())
	if end := e.Decision.Phase; end != reservation.Ended && end != reservation.Missed && end != reservation.NoShow {
		return
	}
	if o != nil && o.Want != nil && o.Phase.Open() && o.Then == "" && o.Want.Expiry.After(w.now) {
		w.fail("%s is %s, and wanted until %s", o.Address, e.Decision.Phase, o.Want.Expiry)
	}
}

// byClock is what a station whose clock is known to be ahead rightly says to
// have expired: it was not prolonged since.
func byClock(b *reservation.Book, id int32, now time.Time) *reservation.Occurrence {
	o := b.ByID(id)
	if o == nil || o.ID != id || o.Want != nil && o.Want.Expiry.After(o.Expiry()) {
		return nil
	}
	if now.Before(o.Expiry().Add(-reservation.SkewAllowed - max(0, b.Station.ClockSkew))) {
		return nil
	}
	return o
}

// beforeOver: what a fast clock has ended is not asked for until ours agrees.
func (w *world) beforeOver(e reservation.Event) {
	i := slices.IndexFunc(w.depots, func(d *depot) bool { return d.id == e.StationID })
	if i < 0 {
		return
	}
	d := w.depots[i]
	switch {
	case e.Kind == reservation.Restored:
		clear(d.over)
	case e.Kind == reservation.Declared: // it may be wanted otherwise
		maps.DeleteFunc(d.over, func(k reservation.Key, _ time.Time) bool { return k.Address == e.Address })
	case e.Kind == reservation.Requested && e.Call.Kind == reservation.ReserveNow:
		if until, ok := d.over[e.Key()]; ok && !e.Call.Content.Expiry.After(until) {
			w.fail("%s is asked for again, though it has expired by the clock of %s", e.Address, d.id)
		}
	}
}

// untargeted reports whether the book may ever have had one, or a stray: they
// blur what a status says.
func untargeted(b *reservation.Book) bool {
	if len(b.Station.Strays) > 0 {
		return true
	}
	for _, o := range b.Occurrences {
		if o.Want == nil || !o.Want.Named() || o.ID != 0 && !o.Target().Named() {
			return true
		}
	}
	return false
}

// after checks what an event must have done.
func (w *world) after(e reservation.Event) {
	if e.Kind != reservation.Answered {
		return
	}
	b := w.mem.Whole(e.StationID)
	if e.Call.Kind == reservation.ProbeBoot && e.Answer.Outcome == reservation.AnswerRejected && !b.Station.BootAccepted {
		w.fail("%s will not boot for us, and still counts as not accepted", e.StationID)
	}
	o := b.ByID(e.ReservationID)
	if o == nil || e.Call.Kind != reservation.ReserveNow || o.ID != e.ReservationID {
		return
	}
	if o.Phase == reservation.Held && o.Activation.NoShowAfter != 0 {
		w.startTimer(o)
	}
	refused := e.Answer.Outcome == reservation.AnswerOccupied || e.Answer.Outcome == reservation.AnswerRejected
	if refused && o.Phase == reservation.Unsure && !o.MustCancel {
		w.fail("%s was refused under a known id, which is neither held nor to be cancelled", o.Address)
	}
	shown := o.Held != nil && o.Held.Named() && !untargeted(b) && b.Station.EVSEStatus(o.Held.EVSE) == reservation.Reserved
	if refused && shown && o.Phase != reservation.Held && o.Phase != reservation.Canceling {
		w.fail("%s is given up because its station refuses its own id, which it shows as Reserved", o.Address)
	}
}

func (w *world) startTimer(o *reservation.Occurrence) {
	if _, runs := w.timers[o.ID]; runs {
		return
	}
	from := o.Start
	if w.now.After(from) {
		from = w.now
	}
	w.timers[o.ID] = from
}

// checkNoShow: nobody is given up before he had all of his time, during which
// somebody could have seen him arrive.
func (w *world) checkNoShow(d *depot, id int32, c reservation.Call) {
	from, ok := w.timers[id]
	if !ok || c.Then != reservation.NoShow {
		return
	}
	had := w.now.Sub(from) - d.offlineSince(from)
	if had < 15*time.Minute-5*time.Second {
		w.fail("%d is given up as a no-show after %s", id, had)
	}
}

// checkMove: once the new station has it, the old one need not hold on.
func (w *world) checkMove(o *reservation.Occurrence) {
	if o.Want != nil || o.Move == nil || o.Move.Done {
		return
	}
	there := w.mem.Whole(o.Move.To).Find(reservation.Key{Workspace: o.Workspace, Address: o.Address, Start: o.Move.Start})
	if there != nil && there.Phase == reservation.Held && there.Want != nil {
		w.fail("%s is held at %s, and %s still waits for that", o.Address, o.Move.To, o.Move.From)
	}
}

// expire lets a station's clock run, and notes what it said to be over by a
// status alone.
func (w *world) expire(d *depot) {
	before := d.m.Holds()
	told := d.m.Advance(w.now)
	d.post(told)
	said, _ := json.Marshal(told)
	free := bytes.Contains(said, []byte(`"Available"`)) // and not Occupied, by a car that waits there
	for _, r := range before {
		over := free && !r.Expiry.After(w.now) && d.conn != 0 && w.crash == nil
		// A stranger has charged there since, and nobody could ask whether it was held
		// still: a status then says that it is over, and not whose it was.
		o := w.mem.Whole(d.id).ByID(r.ID)
		over = over && (o == nil || o.Reason != reservation.BecauseTaken)
		if d.quirks.NoUpdate && r.EVSE != 0 && over && d.quirks.ExpiryDelay == 0 {
			d.ended[r.ID] = w.now
		}
	}
}

// checkFree: a target at which somebody is known to charge is not asked for.
func (w *world) checkFree(d *depot, id int32, c *reservation.Content) {
	token, busy := d.charges[c.EVSE]
	k := w.keys[id]
	raced := w.raced // he came after it was decided to ask
	w.raced = false
	if busy && !raced && w.allTold() && !w.now.Before(k.Start) {
		w.fail("ReserveNow %d for %s, at an EVSE at which %s is known to charge", id, k.Address, token)
	}
}

// pause orders that nothing is asked of a station, for a while or until it is
// resumed.
func (w *world) pause(d *depot, n int) {
	h := reservation.Halt{By: "operator"}
	if n%2 == 0 {
		h.Until = w.now.Truncate(time.Millisecond).Add(time.Duration(1+n%30) * time.Minute)
	}
	w.order(d, reservation.Paused, &h)
	d.paused = &h
}

func (w *world) resume(d *depot) {
	w.order(d, reservation.Resumed, nil)
	d.paused = nil
}

// order records what an operator orders, from a process of his own: a crash is
// not his.
func (w *world) order(d *depot, kind reservation.Kind, h *reservation.Halt) {
	e := reservation.Event{At: w.now, Kind: kind, StationID: d.id, Halt: h}
	w.meet(e)
	if _, err := w.mem.Append(context.Background(), e); err != nil {
		w.fail("%s: %v", kind, err)
	}
	w.logf("%s %s", d.id, kind)
}

// restore puts the state of a moment ago in the place of the one there is. What the
// stations did in between, and what they told, nobody knows any more.
func (w *world) restore(o op) {
	saved := w.mem.Clone()
	for i := range 1 + o.c%3 {
		d, e := w.depots[(o.a+i)%len(w.depots)], 1+(o.b+i)%evses
		switch n := o.b + o.c + i; n % 4 {
		case 0, 1:
			w.removeOne(d, n)
		case 2:
			w.charge(d, e, "STRANGER")
		case 3:
			w.happen("end", d, e, n)
		}
		w.deliver(d)
	}
	w.mem.Restore(saved)
	w.logf("RESTORE")
	for _, d := range w.depots {
		d.restored = true
	}
	w.restart()
	for _, d := range w.depots {
		clear(d.charges)
		e := reservation.Event{At: w.now, Kind: reservation.Restored, StationID: d.id}
		w.meet(e)
		if _, err := w.mem.Append(context.Background(), e); err != nil {
			w.fail("restored: %v", err)
		}
	}
}

// hurries reports whether the station was called thirty times in seven seconds:
// nothing that is due at one station takes as many.
func (d *depot) hurries(now time.Time) bool {
	d.called = append(d.called, now)
	if len(d.called) > 30 {
		d.called = d.called[1:]
	}
	return len(d.called) == 30 && now.Sub(d.called[0]) < 7*time.Second
}
