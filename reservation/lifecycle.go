package reservation

import (
	"fmt"
	"slices"
	"time"
)

// RulesVersion is the version of the rules. Change it whenever a rule changes what
// a journal means: a state then keeps its books as they are, as a checkpoint, and
// what was recorded before is never folded with the new rules.
const RulesVersion = 4

// What the fold waits for, and what it puts down to clocks.
const (
	// ConnectionTimeOut is OCPP's EVConnectionTimeOut where it is not known:
	// a token was shown, and the cable may still be plugged in.
	ConnectionTimeOut = 180 * time.Second
	// FaultSettles is how long an EVSE must stay Available after a fault
	// before its reservation counts as dropped.
	FaultSettles = 10 * time.Second
	// SkewAllowed is the difference between clocks that needs no explanation.
	SkewAllowed = 60 * time.Second
	// GiveUp is how long after its expiry an id is still cancelled when nothing
	// is heard of it.
	GiveUp = 5 * time.Minute
	// BackoffMin and BackoffMax bound the time between two attempts.
	BackoffMin = 5 * time.Second
	BackoffMax = 5 * time.Minute
)

// Apply folds one event into the book with all rules. It changes b: call it on
// a Clone. The cascade are events for other stations' books that belong into
// the same transaction. It refuses only our own Requested: over a connection
// that is not the newest (ErrOldConnection), or from a book that has moved on
// since (ErrOutdated), which a pause is as well. A station's fact and an answer are taken however late
// they come.
func (b *Book) Apply(e Event) (cascade []Event, err error) { return DefaultFold().Apply(b, e) }

// ErrOldConnection says that a loop asked to speak through a socket that is not
// its station's newest.
var ErrOldConnection = fmt.Errorf("station: request: the connection is not the newest")

// ErrOutdated says that a loop asked for what its station's book no longer calls
// for: a report, an answer or a proposal came between.
var ErrOutdated = fmt.Errorf("station: request: its book has moved on")

// Rule is one named rule of the fold. Rules of one kind run in table order.
type Rule struct {
	Name  string
	Kinds []Kind
	apply func(*folding)
}

// Fold is a table of rules. The zero Fold has all of them.
type Fold struct{ rules []Rule }

// DefaultFold has all rules.
func DefaultFold() Fold { return Fold{} }

// Without returns the fold less the named rules. It exists for tests, which
// show that each rule is needed.
func Without(names ...string) Fold {
	return Fold{slices.DeleteFunc(Rules(), func(r Rule) bool { return slices.Contains(names, r.Name) })}
}

// Apply folds one event into the book; see Book.Apply.
func (f Fold) Apply(b *Book, e Event) ([]Event, error) {
	run := &folding{b: b, e: e}
	if err := run.refuse(); err != nil {
		return nil, err
	}
	rules := f.rules
	if rules == nil {
		rules = table
	}
	for i := range rules {
		if slices.Contains(rules[i].Kinds, e.Kind) {
			rules[i].apply(run)
		}
	}
	return run.cascade, nil
}

// Rules returns a copy of the table.
func Rules() []Rule { return slices.Clone(table) }

var table = []Rule{
	{"the newest connection is spoken to", []Kind{Connected}, (*folding).connect},
	{"no_show_after pauses while offline", []Kind{Connected}, (*folding).resumeNoShow},
	{"a connection's end is its own", []Kind{Disconnected}, (*folding).disconnect},

	{"another serial number ends all beliefs", []Kind{Booted}, (*folding).replaced},
	{"a boot is remembered", []Kind{Booted}, (*folding).boot},
	{"a boot puts reserved into doubt", []Kind{Booted}, (*folding).doubtAfterBoot},
	{"a boot gives what was refused a new chance", []Kind{Booted}, (*folding).chanceAfterBoot},

	{"statuses are remembered", []Kind{Status}, (*folding).status},
	{"a status gives its target a new chance", []Kind{Status}, (*folding).chanceAfterStatus},
	{"Reserved settles the doubt of a boot or a status", []Kind{Status}, (*folding).seenReserved},
	{"Available puts a reserved target into doubt", []Kind{Status}, (*folding).seenAvailable},
	{"Available at the expiry is the end", []Kind{Status}, (*folding).availableAtExpiry},

	{"transactions are remembered", []Kind{Transaction}, (*folding).transaction},
	{"a transaction with our id fulfils", []Kind{Transaction}, (*folding).usedByID},
	{"a transaction of our driver on the target fulfils", []Kind{Transaction}, (*folding).usedByToken},
	{"a foreign transaction takes the target", []Kind{Transaction}, (*folding).taken},

	{"Expired is a no-show", []Kind{Reported}, (*folding).expired},
	{"Expired too early is a removal", []Kind{Reported}, (*folding).expiredEarly},
	{"Removed is healed or reported", []Kind{Reported}, (*folding).removed},

	{"a renamed address takes its reservations along", []Kind{Declared, Renamed}, (*folding).renamed},
	{"what is declared is wanted", []Kind{Declared}, (*folding).declared},
	{"what is adopted may be held", []Kind{Declared}, (*folding).adopted},
	{"what is forgotten stays at the station", []Kind{Declared}, (*folding).forgotten},
	{"what is no longer declared is let go", []Kind{Declared}, (*folding).undeclared},

	{"a request is doubt until it is answered", []Kind{Requested}, (*folding).requested},
	{"a probe is remembered", []Kind{Requested}, (*folding).probed},
	{"Accepted replaces what is believed", []Kind{Answered}, (*folding).accepted},
	{"a refusal ends a first request", []Kind{Answered}, (*folding).refusedFirst},
	{"a refusal while Reserved shows means held", []Kind{Answered}, (*folding).refusedReserved},
	{"a refusal of a known id is settled by a cancel", []Kind{Answered}, (*folding).refusedAgain},
	{"no answer is doubt", []Kind{Answered}, (*folding).noAnswer},
	{"a cancel that is answered means gone", []Kind{Answered}, (*folding).cancelAnswered},
	{"a cancel without an answer is repeated", []Kind{Answered}, (*folding).cancelUnanswered},
	{"an id thought gone that is accepted late is cancelled", []Kind{Answered}, (*folding).stray},
	{"a boot that cannot be had is assumed", []Kind{Answered}, (*folding).probeAnswered},

	{"decisions are carried out", []Kind{Decided}, (*folding).decided},
	{"one window of a schedule follows the other", []Kind{Decided}, (*folding).recurred},
	{"a move lets go of the old station", []Kind{Released}, (*folding).released},
	{"a reservation used elsewhere is over", []Kind{Superseded}, (*folding).superseded},

	{"nothing is asked of a station that is paused", []Kind{Paused}, (*folding).pause},
	{"a station that is resumed is asked again", []Kind{Resumed}, (*folding).resume},

	{"a restore forgets what the station showed", []Kind{Restored}, (*folding).forget},
	{"a restore puts all beliefs into doubt", []Kind{Restored}, (*folding).doubtAfterRestore},
}

// folding is one event on its way into one book.
type folding struct {
	b       *Book
	e       Event
	cascade []Event
	moved   bool // a Status event changed a connector
}

// edit replaces an occurrence by a copy, which the caller may change.
func (f *folding) edit(o *Occurrence) *Occurrence {
	c := *o
	f.b.Put(&c)
	if f.b.changed == nil {
		f.b.changed = map[Key]bool{}
	}
	f.b.changed[c.Key] = true
	return &c
}

func (f *folding) station() *Station {
	f.b.stationChanged = true
	return &f.b.Station
}

// each visits the occurrences as they are now; visit may edit them.
func (f *folding) each(visit func(*Occurrence)) {
	for _, o := range slices.Clone(f.b.Occurrences) {
		visit(o)
	}
}

// enter puts an occurrence into a phase.
func (o *Occurrence) enter(p Phase, r Reason, at time.Time) {
	if o.Phase != p || o.Reason != r {
		o.Since = at
	}
	o.Phase, o.Reason = p, r
}

// drop forgets the id: the station is known not to hold it.
func (o *Occurrence) drop() {
	if o.ID != 0 {
		o.Past = append(slices.Clone(o.Past), o.ID)
	}
	o.ID, o.Tries, o.Asked, o.Held, o.AskedAt = 0, 0, nil, nil, time.Time{}
	o.Seen, o.UpdateRefused, o.MustCancel, o.NoShowAt = "", nil, false, time.Time{}
}

// gone drops the id and puts the occurrence where it then belongs.
func (o *Occurrence) gone(r Reason, at time.Time) {
	o.drop()
	then := o.Then
	o.Then = ""
	switch {
	case then != "":
		o.enter(then, r, at)
	case !o.Phase.Open(): // an end stays an end
	case o.Want == nil:
		o.enter(Canceled, r, at)
	default:
		o.enter(Pending, r, at)
	}
}

// fresh clears what held back the next attempt.
func (o *Occurrence) fresh() { o.Attempts, o.RetryAt, o.NoRetry = 0, time.Time{}, false }

// later puts the next attempt off, longer each time.
func (o *Occurrence) later(at time.Time) {
	o.RetryAt = at.Add(Backoff(o.Key, o.Attempts))
	o.Attempts++
}

// Backoff is the wait after the attempt-th failure (from 0): 5 s doubling to 5
// min, moved by up to a quarter by a hash of key and attempt, so that a fleet
// does not ask in step and a replay does the same.
func Backoff(k Key, attempt int) time.Duration {
	d := BackoffMax
	if attempt < 6 {
		d = BackoffMin << attempt
	}
	h := uint32(2166136261)
	for _, c := range []byte(k.Workspace + "\x00" + k.Address) {
		h = (h ^ uint32(c)) * 16777619
	}
	h = (h ^ uint32(attempt)) * 16777619
	return d + time.Duration(h%1024)*d/4096
}
