// Package reconcile decides. Diff compares what is wanted of a station with
// what is believed of it; Fit says whether what is wanted can be had at all;
// the Ledger plans and takes proposals; the Controller steps a station's loop,
// and Loops runs those of all stations. Decisions are pure: the time is an
// argument, and effects are behind two small interfaces, Journal and Station.
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
		d.successors = make(map[int]bool, len(d.b.Occurrences))
		for _, o := range d.b.Occurrences {
			if o.ID == 0 && o.Phase.Open() && o.Want != nil && o.Want.Named() && d.reached(o.Due) {
				d.successors[o.Want.EVSE] = true
			}
		}
	}
	return d.successors[evse]
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
