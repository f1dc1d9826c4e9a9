// Package reconcile decides. Diff compares what is wanted of a station with
// what is believed of it; Fit says whether what is wanted can be had at all;
// the Ledger plans and takes proposals; the Controller is the loop beside a
// station's socket. Decisions are pure: the time is an argument, and effects
// are behind two small interfaces, Journal and Station.
package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Settings are the waits of a loop.
type Settings struct {
	// QuietPeriod must pass after a connection without a report from before
	// it; it stands for the station's queue being empty. QuietMax bounds it.
	QuietPeriod time.Duration
	QuietMax    time.Duration
	// Patience is how long a boot or a first status is waited for before it
	// is asked for, and again before it is done without.
	Patience time.Duration
}

// DefaultSettings are those of a depot of real stations.
func DefaultSettings() Settings {
	return Settings{QuietPeriod: 10 * time.Second, QuietMax: 60 * time.Second, Patience: 30 * time.Second}
}

// Action is one thing to do about a station. Exactly one of Call, Decision and
// AssumeBoot is set.
type Action struct {
	Key           reservation.Key
	ReservationID int32                 // of the id to ask or cancel; 0: a new one
	Call          *reservation.Call     // ask the station
	Decision      *reservation.Decision // record what time settled
	AssumeBoot    bool                  // it counts as accepted from now on
	due           time.Time
}

// Waiting is an occurrence that is due and not held, and why.
type Waiting struct {
	Occurrence *reservation.Occurrence
	Reason     reservation.Reason
	Until      time.Time // when it is tried again at the latest; zero: upon new evidence
}

// Work is what a book calls for at a moment.
type Work struct {
	Actions []Action
	Waiting []Waiting
	// WakeAt is when the work changes by the passing of time alone; zero:
	// never. Until then it is constant.
	WakeAt time.Time
}

// Diff compares what is wanted with what is believed. What time has settled
// comes first, then what frees an EVSE, then what takes one.
func (s Settings) Diff(b *reservation.Book, now time.Time) Work {
	d := &differ{s: s, b: b, st: &b.Station, now: now}
	d.wake(b.NextDue)
	for _, o := range b.Occurrences {
		d.visit(o)
	}
	d.strays()
	d.speak()
	d.sort()
	return d.work
}

// differ is one comparison on its way. Every look at the clock goes through
// reached, so that WakeAt cannot miss one.
type differ struct {
	s          Settings
	b          *reservation.Book
	st         *reservation.Station
	now        time.Time
	work       Work
	calls      []Action
	successors map[int]bool // EVSEs that an occurrence which is due waits for; nil: not looked for yet
	believed   map[int]bool // EVSEs at which an id of ours may be; nil: not looked for yet
}

// reached reports whether t has come; if not, the work changes then.
func (d *differ) reached(t time.Time) bool {
	if !d.now.Before(t) {
		return true
	}
	d.wake(t)
	return false
}

func (d *differ) wake(t time.Time) {
	if !t.IsZero() && t.After(d.now) && (d.work.WakeAt.IsZero() || t.Before(d.work.WakeAt)) {
		d.work.WakeAt = t
	}
}

func (d *differ) decide(o *reservation.Occurrence, dec reservation.Decision) {
	d.work.Actions = append(d.work.Actions, Action{Key: o.Key, ReservationID: o.ID, Decision: &dec})
}

func (d *differ) wait(o *reservation.Occurrence, why reservation.Reason, until time.Time) {
	d.work.Waiting = append(d.work.Waiting, Waiting{o, why, until})
}

// cancel asks for an id to be let go, with back-off once it was asked for.
func (d *differ) cancel(o *reservation.Occurrence, then reservation.Phase, why reservation.Reason) {
	if o.MustCancel && !o.RetryAt.IsZero() && !d.reached(o.RetryAt) {
		if o.Phase.Open() {
			d.wait(o, o.Reason, o.RetryAt)
		}
		return
	}
	d.calls = append(d.calls, Action{Key: o.Key, ReservationID: o.ID,
		Call: &reservation.Call{Kind: reservation.CancelReservation, Then: then, Reason: string(why)}})
}

// minRemaining is how much of a window must be left to ask for it: an expiry
// that is over when it arrives is held for ever by some stations.
const minRemaining = 10 * time.Second

func (d *differ) reserve(o *reservation.Occurrence) {
	if d.reached(o.Want.Expiry.Add(-minRemaining)) {
		return
	}
	d.calls = append(d.calls, Action{Key: o.Key, ReservationID: o.ID, due: o.Due,
		Call: &reservation.Call{Kind: reservation.ReserveNow, Content: o.Want}})
}

// awaited reports whether an occurrence that is due waits for an EVSE.
func (d *differ) awaited(evse int) bool {
	if d.successors == nil {
		d.successors = map[int]bool{}
		for _, o := range d.b.Occurrences {
			if o.ID == 0 && o.Phase.Open() && o.Want != nil && o.Want.Named() && !d.now.Before(o.Start) {
				d.successors[o.Want.EVSE] = true
			}
		}
	}
	return d.successors[evse]
}

func (d *differ) visit(o *reservation.Occurrence) {
	switch {
	case o.ID == 0 && !o.Phase.Open():
	case o.ID == 0:
		d.visitFree(o)
	case o.MustCancel || !o.Phase.Open():
		d.visitLeftover(o, o.Then)
	case o.Want == nil && o.Move != nil && !o.Move.Done && o.Phase == reservation.Held && !d.reached(o.Move.HoldUntil):
		d.visitEnd(o)
	case o.Want == nil:
		d.cancel(o, "", reservation.BecauseUnwanted)
	case o.Phase == reservation.Held:
		d.visitHeld(o)
	default:
		d.visitDoubt(o)
	}
}

// visitFree is for what the station does not have.
func (d *differ) visitFree(o *reservation.Occurrence) {
	if o.Want == nil {
		d.decide(o, reservation.Decision{Phase: reservation.Canceled, Reason: reservation.BecauseUnwanted})
		return
	}
	if d.reached(o.Want.Expiry) {
		d.decide(o, reservation.Decision{Phase: d.over(o), Reason: o.Reason})
		return
	}
	if !d.reached(o.Due) {
		return
	}
	if by, open := d.ownTransaction(o); open {
		if o.Lifecycle.OnUsed != reservation.HoldAgain && d.reached(o.Start) {
			d.decide(o, reservation.Decision{Phase: reservation.Fulfilled, Reason: by})
			return
		}
		d.wait(o, reservation.BecauseOccupied, time.Time{})
		return
	}
	if why, until := d.hindrance(o); why != "" {
		d.wait(o, why, until)
		return
	}
	d.reserve(o)
}

// over is how a window ends of which nothing is at the station.
func (d *differ) over(o *reservation.Occurrence) reservation.Phase {
	switch {
	case o.Want == nil:
		return reservation.Canceled
	case o.EverHeld:
		return reservation.Ended
	}
	return reservation.Missed
}

// hindrance is why an occurrence that is due is not asked for now.
func (d *differ) hindrance(o *reservation.Occurrence) (reservation.Reason, time.Time) {
	switch {
	case d.st.Support == reservation.SupportNo:
		return reservation.BecauseUnsupported, time.Time{}
	case d.foreignTransaction(o):
		return reservation.BecauseTaken, time.Time{}
	case d.blocked(o):
		return reservation.BecauseBefore, time.Time{}
	case o.NoRetry:
		return o.Reason, time.Time{}
	case !o.RetryAt.IsZero() && !d.reached(o.RetryAt):
		return o.Reason, o.RetryAt
	}
	return "", time.Time{}
}

// blocked reports whether another one of ours is believed on the target EVSE of
// one that is nowhere yet.
func (d *differ) blocked(o *reservation.Occurrence) bool {
	if !o.Want.Named() {
		return false
	}
	if d.believed == nil {
		d.believed = map[int]bool{}
		for _, x := range d.b.Occurrences {
			if x.ID != 0 {
				d.believed[x.Target().EVSE] = true
			}
		}
	}
	return d.believed[o.Want.EVSE]
}

// visitEnd ends what is held when its time is over. A minute is given to the
// station to say how it ended, unless the next one waits for the EVSE.
func (d *differ) visitEnd(o *reservation.Occurrence) (ended bool) {
	end := o.Expiry()
	if o.Want != nil && o.Want.Expiry.After(end) {
		return false // prolonged, and the station does not know
	}
	if !(d.reached(end) && d.awaited(o.Target().EVSE)) && !d.reached(end.Add(reservation.SkewAllowed)) {
		return false
	}
	shows := d.st.EVSEStatus(o.Target().EVSE) == reservation.Reserved
	switch {
	case d.st.Online() && (shows || !o.Target().Named()):
		d.cancel(o, reservation.Ended, reservation.BecauseOverdue)
	case d.st.Online():
		d.decide(o, reservation.Decision{Phase: reservation.Ended, DropID: true})
	default: // what it still shows is seen when it comes back
		d.decide(o, reservation.Decision{Phase: reservation.Ended})
	}
	return true
}

// visitLeftover cancels an id that is no longer wanted, until that is answered
// or has been pointless for a while. What ended unheard while its station was
// offline is cancelled only if the EVSE still shows it.
func (d *differ) visitLeftover(o *reservation.Occurrence, then reservation.Phase) {
	status := reservation.EVSEStatus("")
	if o.Target().Named() {
		status = d.st.EVSEStatus(o.Target().EVSE)
	}
	unheard := o.Phase == reservation.Ended && !o.MustCancel && o.Target().Named()
	limit := o.Expiry().Add(reservation.GiveUp)
	if status == reservation.Reserved || unheard && !d.st.Online() {
		limit = o.Expiry().Add(24 * time.Hour)
	}
	confirmed := unheard && d.st.Online() && status != "" && status != reservation.Reserved
	if confirmed || d.reached(limit) {
		dec := reservation.Decision{DropID: true}
		if o.Phase.Open() {
			dec.Phase = cmp.Or(then, d.over(o))
		}
		d.decide(o, dec)
		return
	}
	if unheard && (!d.st.Online() || status == "") {
		return
	}
	d.cancel(o, then, o.Reason)
}

// visitHeld is for what the station is believed to hold.
func (d *differ) visitHeld(o *reservation.Occurrence) {
	if d.visitEnd(o) {
		return
	}
	switch {
	case d.reached(o.Expiry()) && !o.Want.Expiry.After(o.Expiry()):
		// The minute of visitEnd is running.
	case d.reached(o.Expiry()), d.reached(o.Want.Expiry), o.Held.Target != o.Want.Target:
		d.cancel(o, "", reservation.BecauseChanged)
	case !o.Held.Equal(*o.Want):
		d.update(o)
	case !o.NoShowAt.IsZero() && d.st.Online() && d.reached(o.NoShowAt) && !d.inUse(o):
		d.cancel(o, reservation.NoShow, reservation.BecauseNoShow)
	}
}

// update asks for new content under the id that is held (H01.FR.02), or
// anew where the station is known to refuse that.
func (d *differ) update(o *reservation.Occurrence) {
	switch {
	case o.UpdateRefused != nil && o.UpdateRefused.Equal(*o.Want):
		d.wait(o, reservation.BecauseUpdate, time.Time{})
	case d.st.RefusesRepeat:
		d.cancel(o, "", reservation.BecauseChanged)
	default:
		d.reserve(o)
	}
}

// visitDoubt is for an id of which it is not known whether the station has it.
func (d *differ) visitDoubt(o *reservation.Occurrence) {
	asked := o.Asked
	if asked == nil {
		asked = o.Held
	}
	switch {
	case d.reached(o.Want.Expiry):
		d.visitLeftover(o, d.over(o))
	case d.reached(o.Expiry()), !asked.Equal(*o.Want):
		d.cancel(o, "", reservation.BecauseChanged)
	case d.vanished(o):
		d.cancel(o, d.afterLoss(o), reservation.BecauseRemoved)
	case !o.RetryAt.IsZero() && !d.reached(o.RetryAt):
		d.wait(o, o.Reason, o.RetryAt)
	case d.foreignTransaction(o):
		d.wait(o, reservation.BecauseTaken, time.Time{})
	case d.inUse(o):
		d.wait(o, o.Reason, time.Time{})
	case d.unseen(o):
		d.wait(o, o.Reason, time.Time{})
	case d.st.RefusesRepeat:
		d.cancel(o, "", reservation.BecauseRepeat)
	default:
		d.reserve(o)
	}
}

// vanished reports whether the time is up for an explanation of an EVSE that
// is no longer Reserved.
func (d *differ) vanished(o *reservation.Occurrence) bool {
	why := o.Reason == reservation.BecauseVanished || o.Reason == reservation.BecauseFault
	return why && d.reached(o.RetryAt) && !d.inUse(o) && !d.foreignTransaction(o)
}

func (d *differ) afterLoss(o *reservation.Occurrence) reservation.Phase {
	if o.Lifecycle.OnRemoved == reservation.Report {
		return reservation.Dropped
	}
	return ""
}

// unseen reports whether a named target's status after a boot is still to come.
func (d *differ) unseen(o *reservation.Occurrence) bool {
	if o.Reason != reservation.BecauseBoot || !o.Target().Named() || d.st.EVSEStatus(o.Target().EVSE) != "" {
		return false
	}
	return !d.reached(d.st.BootAt.Add(2 * d.s.Patience))
}

// inUse reports whether a car is at the target: what it means is not known yet.
func (d *differ) inUse(o *reservation.Occurrence) bool {
	return o.Target().Named() && d.st.EVSEStatus(o.Target().EVSE) == reservation.Occupied
}

// foreignTransaction reports whether somebody else charges at the target.
func (d *differ) foreignTransaction(o *reservation.Occurrence) bool {
	return o.Target().Named() && slices.ContainsFunc(d.st.Transactions, func(t reservation.OpenTransaction) bool {
		return t.EVSE == o.Target().EVSE && o.User(t.IDToken, t.GroupIDToken) == ""
	})
}

// ownTransaction is one of its own driver's at its target that has not ended.
func (d *differ) ownTransaction(o *reservation.Occurrence) (by reservation.Reason, open bool) {
	for _, t := range d.st.Transactions {
		if by := o.User(t.IDToken, t.GroupIDToken); by != "" && o.Target().Aims(t.EVSE) {
			return by, true
		}
	}
	return "", false
}

// strays cancels ids that were accepted after they were given up.
func (d *differ) strays() {
	for _, x := range d.st.Strays {
		if !d.reached(x.Expiry.Add(reservation.GiveUp)) && (x.RetryAt.IsZero() || d.reached(x.RetryAt)) {
			d.calls = append(d.calls, Action{ReservationID: x.ID, Call: &reservation.Call{Kind: reservation.CancelReservation}})
		}
	}
}

func (d *differ) sort() {
	slices.SortStableFunc(d.calls, func(x, y Action) int {
		rank := func(a Action) int {
			if a.Call.Kind == reservation.ReserveNow {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(rank(x), rank(y)), x.due.Compare(y.due))
	})
	d.work.Actions = append(d.work.Actions, d.calls...)
}
