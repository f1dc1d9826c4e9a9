package reservation

import (
	"slices"
	"time"
)

// occurrence is the one that the event is about: by its id, for a window start
// that was edited since has given it another key, else by its key.
func (f *folding) occurrence() *Occurrence {
	if o := f.b.ByID(f.e.ReservationID); o != nil {
		return o
	}
	return f.b.Find(f.e.Key())
}

// asked is the occurrence that a request is for: the one whose live id it
// names, or the one without an id that it names by key.
func (f *folding) asked() *Occurrence {
	if o := f.b.ByID(f.e.ReservationID); o != nil && o.ID == f.e.ReservationID {
		return o
	}
	return f.b.Find(f.e.Key())
}

// refuse looks at a request of ours before it is taken.
func (f *folding) refuse() error {
	switch {
	case f.e.Kind != Requested:
		return nil
	case f.e.Connection != f.b.Station.Connection:
		return ErrOldConnection
	case f.b.Station.Paused.Stands(f.e.At), f.outdated():
		return ErrOutdated
	}
	return nil
}

// outdated reports whether a request was decided upon before the book came to
// where it is now.
func (f *folding) outdated() bool {
	id, c := f.e.ReservationID, f.e.Call
	o := f.asked()
	switch c.Kind {
	case ReserveNow:
		return o == nil || o.ID != 0 && o.ID != id || !o.Phase.Open() || o.MustCancel ||
			o.Want == nil || !o.Want.Equal(*c.Content)
	case CancelReservation:
		stray := slices.ContainsFunc(f.b.Station.Strays, func(s Stray) bool { return s.ID == id })
		return !stray && (o == nil || o.ID != id || o.Phase == Forgotten)
	}
	return false
}

// requested: from now on the id may be at the station, whatever happens to us.
func (f *folding) requested() {
	o, c := f.asked(), f.e.Call
	if o == nil || c.Kind != ReserveNow && c.Kind != CancelReservation {
		return
	}
	n := f.edit(o)
	n.Info = ""
	if c.Kind == CancelReservation {
		n.MustCancel = true
		if !n.Phase.Open() {
			return // an end that came between stands
		}
		if c.Then != "" {
			n.Then = c.Then
		}
		n.enter(Canceling, Reason(c.Reason), f.e.At)
		return
	}
	n.ID, n.Asked = f.e.ReservationID, c.Content
	if n.Tries++; n.Tries == 1 {
		n.AskedAt = f.e.At
	}
	n.enter(Unsure, BecauseAsked, f.e.At)
}

// probed remembers that a status or a boot was asked for, so that it is asked
// for once.
func (f *folding) probed() {
	switch f.e.Call.Kind {
	case ProbeBoot:
		f.station().BootProbedAt = f.e.At
	case ProbeStatus:
		f.station().ProbedAt = f.e.At
	}
}

// answeredOn is the occurrence whose live id an answer of that kind names.
func (f *folding) answeredOn(kind CallKind, outcomes ...Outcome) *Occurrence {
	o := f.occurrence()
	if f.e.Call.Kind != kind || !slices.Contains(outcomes, f.e.Answer.Outcome) {
		return nil
	}
	if o == nil || o.ID == 0 || o.ID != f.e.ReservationID {
		return nil
	}
	return o
}

// accepted is the only answer that replaces what is believed. Coming late, it
// may find the occurrence on another way; then the doubt stands, but it is
// known what is held.
func (f *folding) accepted() {
	o := f.answeredOn(ReserveNow, AnswerAccepted)
	if o == nil {
		return
	}
	n := f.edit(o)
	n.Held, n.UpdateRefused, n.EverHeld = f.e.Call.Content, nil, true
	if f.b.Station.Support != SupportYes {
		f.station().Support = SupportYes
	}
	taken := n.Phase == Pending && n.Reason == BecauseTaken // by a stranger, since it was asked for
	if n.Phase != Unsure && n.Phase != Pending || n.MustCancel || taken {
		return
	}
	f.hold(n)
	n.Info = f.e.Answer.Info
	n.fresh()
	n.Seen = ""
	if n.Held.Named() && f.b.Station.EVSEStatus(n.Held.EVSE) == Reserved {
		n.Seen = Reserved // the status came before the answer
	}
}

// hold enters Held, which has a reason only where the content is of before. The
// old station of a move may then let go.
func (f *folding) hold(n *Occurrence) {
	why := Reason("")
	if n.UpdateRefused != nil {
		why = BecauseUpdate
	}
	n.enter(Held, why, f.e.At)
	f.armNoShow(n)
	if n.Move.awaited(f.e.StationID) {
		f.release(n)
		n.Move = n.Move.done()
	}
}

func (f *folding) armNoShow(n *Occurrence) {
	if n.Activation.NoShowAfter == 0 || !n.NoShowAt.IsZero() {
		return
	}
	from := n.Start
	if f.e.At.After(from) {
		from = f.e.At
	}
	n.NoShowAt = from.Add(time.Duration(n.Activation.NoShowAfter))
}

var refusals = []Outcome{AnswerOccupied, AnswerRejected, AnswerFaulted, AnswerUnavailable,
	AnswerNotSupported, AnswerRefused, AnswerSecurity, AnswerNotSent}

// first reports whether the answer is to the first request under the id, so
// that a refusal means that the station does not have it.
func (o *Occurrence) first() bool { return o.Tries == 1 && o.Held == nil }

// refusedFirst: the station does not have the id. When it is asked again
// depends on what it said.
func (f *folding) refusedFirst() {
	o := f.answeredOn(ReserveNow, refusals...)
	if o == nil || !o.first() {
		return
	}
	n := f.edit(o)
	outcome := f.e.Answer.Outcome
	n.gone(pendingReason[outcome], f.e.At)
	n.Info = f.e.Answer.Info
	f.consequence(n, outcome)
}

var pendingReason = map[Outcome]Reason{
	AnswerOccupied: BecauseOccupied, AnswerFaulted: BecauseFaulted, AnswerUnavailable: BecauseUnavailable,
	AnswerRejected: BecauseRejected, AnswerRefused: BecauseRefused, AnswerNotSupported: BecauseUnsupported,
	AnswerSecurity: BecauseBooting, AnswerNotSent: BecauseOffline,
}

// consequence is what a refusal means for the next attempt and for the station.
func (f *folding) consequence(n *Occurrence, outcome Outcome) {
	switch outcome {
	case AnswerOccupied, AnswerFaulted, AnswerUnavailable:
		n.later(f.e.At)
	case AnswerRejected, AnswerRefused:
		n.NoRetry = true
	case AnswerNotSupported:
		f.station().Support = SupportNo
	case AnswerSecurity:
		s := f.station()
		s.BootAccepted, s.BootProbedAt = false, time.Time{}
		n.later(f.e.At)
	}
}

// blurred reports whether a Reserved at the station may be due to another one of
// ours: a stray, or one that names no EVSE, for with enough of them every free
// EVSE shows Reserved (H01.FR.20).
func (f *folding) blurred() bool {
	return len(f.b.Station.Strays) > 0 || slices.ContainsFunc(f.b.Occurrences, func(o *Occurrence) bool { return o.ID != 0 && !o.Target().Named() })
}

var statusRefusals = []Outcome{AnswerOccupied, AnswerRejected, AnswerFaulted, AnswerUnavailable}

// showsReserved reports whether the target is Reserved, and nothing but the
// occurrence explains that. Where it was never confirmed, the EVSE must have
// become Reserved after it was asked for, and no untargeted reservation of
// ours may be the cause (H01.FR.20).
func (f *folding) showsReserved(o *Occurrence) bool {
	t := o.Target()
	if !t.Named() || f.b.Station.EVSEStatus(t.EVSE) != Reserved {
		return false
	}
	if o.Held != nil { // seen since it was confirmed, and no boot came between
		return o.Seen == Reserved || !f.blurred()
	}
	if o.AskedAt.IsZero() { // what it holds may be something else than was asked
		return false
	}
	before := func(c Connector) bool { return c.EVSE == t.EVSE && c.Since.Before(o.AskedAt) }
	return !f.blurred() && !slices.ContainsFunc(f.b.Station.Connectors, before)
}

// refusedReserved: some stations refuse their own id while they hold it. What
// they hold is then the content of before.
func (f *folding) refusedReserved() {
	o := f.answeredOn(ReserveNow, statusRefusals...)
	if o == nil || o.first() || !f.showsReserved(o) {
		return
	}
	if !f.b.Station.RefusesRepeat {
		f.station().RefusesRepeat = true
	}
	n := f.edit(o)
	n.EverHeld = true
	if n.Held == nil {
		n.Held = n.Asked
	}
	if !n.Held.Equal(*n.Asked) {
		n.UpdateRefused = n.Asked
	}
	n.Info, n.Seen = f.e.Answer.Info, Reserved
	n.fresh()
	if n.MustCancel || !n.Phase.Open() {
		return
	}
	f.hold(n)
}

// refusedAgain: a refusal of an id that may be known there says nothing about
// it. It is cancelled, which is answered for certain, and asked anew.
func (f *folding) refusedAgain() {
	o := f.answeredOn(ReserveNow, refusals...)
	if o == nil || o.first() || o.Phase == Held || o.Phase == Forgotten {
		return
	}
	n := f.edit(o)
	n.Info = f.e.Answer.Info
	f.consequence(n, f.e.Answer.Outcome)
	n.NoRetry = false
	if f.e.Answer.Outcome == AnswerNotSent {
		n.Reason = BecauseNoAnswer // as it was before: in doubt
		return
	}
	n.RetryAt = time.Time{}
	n.MustCancel = true
	if n.Phase == Unsure {
		n.enter(Unsure, BecauseRepeat, f.e.At)
	}
}

// noAnswer: the station may have it, or not.
func (f *folding) noAnswer() {
	o := f.answeredOn(ReserveNow, AnswerNone)
	if o == nil || o.Phase != Unsure {
		return
	}
	n := f.edit(o)
	n.enter(Unsure, BecauseNoAnswer, f.e.At)
	n.Info = f.e.Answer.Info
	n.later(f.e.At)
}

// cancelAnswered: Accepted and Rejected both say that the station has it no
// longer (H02.FR.01 and FR.02).
func (f *folding) cancelAnswered() {
	if f.e.Call.Kind != CancelReservation || !f.e.Answer.Certain() {
		return
	}
	f.forgetStray()
	o := f.answeredOn(CancelReservation, AnswerAccepted, AnswerRejected)
	if o == nil {
		return
	}
	n := f.edit(o)
	n.gone(o.Reason, f.e.At)
	n.RetryAt = time.Time{}
	if o.Reason == BecauseRepeat && n.Attempts > 0 || n.Reason == BecauseOccupied || n.Reason == BecauseTaken {
		n.later(f.e.At)
	}
}

func (f *folding) forgetStray() {
	mine := func(s Stray) bool { return s.ID == f.e.ReservationID }
	if slices.ContainsFunc(f.b.Station.Strays, mine) {
		s := f.station()
		s.Strays = slices.DeleteFunc(slices.Clone(s.Strays), mine)
	}
}

// cancelUnanswered: it is asked until it is answered.
func (f *folding) cancelUnanswered() {
	if f.e.Call.Kind != CancelReservation {
		return
	}
	o := f.answeredOn(CancelReservation, AnswerNone, AnswerNotSent, AnswerSecurity, AnswerOccupied,
		AnswerFaulted, AnswerUnavailable, AnswerNotSupported, AnswerRefused)
	if o == nil {
		f.delayStray()
		return
	}
	n := f.edit(o)
	n.Info = f.e.Answer.Info
	n.later(f.e.At)
}

// stray: the answer overtook a cancel, on another socket. Nobody wants the id
// any more, and the station has it.
func (f *folding) stray() {
	if f.e.Call.Kind != ReserveNow || f.e.Answer.Outcome != AnswerAccepted || f.e.ReservationID == 0 {
		return
	}
	if o := f.occurrence(); o != nil && o.ID == f.e.ReservationID {
		return
	}
	s := f.station()
	s.Strays = append(slices.Clone(s.Strays), Stray{ID: f.e.ReservationID, Expiry: f.e.Call.Content.Expiry})
}

func (f *folding) delayStray() {
	for i, stray := range f.b.Station.Strays {
		if stray.ID == f.e.ReservationID {
			s := f.station()
			s.Strays = slices.Clone(s.Strays)
			s.Strays[i].RetryAt = f.e.At.Add(time.Minute)
		}
	}
}

// probeAnswered: a station that will not boot for us has booted for somebody;
// it holds Accepted (F06.FR.17), or it cannot be asked.
func (f *folding) probeAnswered() {
	switch f.e.Answer.Outcome {
	case AnswerRejected, AnswerNotSupported, AnswerRefused:
		if f.e.Call.Kind == ProbeBoot && !f.b.Station.BootAccepted {
			f.station().BootAccepted = true
		}
	}
}

// decided carries out what the passing of time settled.
func (f *folding) decided() {
	o, d := f.occurrence(), f.e.Decision
	if o == nil {
		return
	}
	n := f.edit(o)
	if d.DropID {
		n.drop()
		n.Then = ""
	}
	if d.Phase == Fulfilled && o.Phase.Open() {
		f.use(n, d.Reason)
		return
	}
	if d.Phase != "" && o.Phase.Open() {
		n.enter(d.Phase, d.Reason, f.e.At)
	}
}
