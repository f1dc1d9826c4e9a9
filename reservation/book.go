package reservation

import (
	"slices"
	"strings"
	"time"
)

// Phase is where an occurrence stands in its life.
type Phase string

// The phases. Those up to Canceling are open, the others are ends.
const (
	Scheduled Phase = "scheduled" // not due yet
	Pending   Phase = "pending"   // due, not accepted
	Unsure    Phase = "unsure"    // asked, outcome unknown, or in doubt since
	Held      Phase = "reserved"  // the station said Accepted
	Canceling Phase = "canceling" // being cancelled

	Fulfilled Phase = "fulfilled" // its driver used it
	NoShow    Phase = "no_show"   // was held, its unused end confirmed
	Missed    Phase = "missed"    // was never held
	Ended     Phase = "ended"     // was held, use unknown
	Dropped   Phase = "removed"   // the station dropped it and on_removed says report
	Canceled  Phase = "canceled"
	Forgotten Phase = "forgotten" // left at the station on purpose, until it expires there
)

// Open reports whether the phase is not an end.
func (p Phase) Open() bool {
	switch p {
	case Scheduled, Pending, Unsure, Held, Canceling:
		return true
	}
	return false
}

// Phases lists all phases, open ones first.
func Phases() []Phase {
	return []Phase{Scheduled, Pending, Unsure, Held, Canceling,
		Fulfilled, NoShow, Missed, Ended, Dropped, Canceled, Forgotten}
}

// Reason says why an occurrence is in its phase.
type Reason string

// The reasons of pending and of unsure; an end may keep one to say how it came.
const (
	BecauseOffline     Reason = "offline"
	BecauseTaken       Reason = "taken"       // a foreign transaction is on the EVSE
	BecauseOccupied    Reason = "occupied"    // answered Occupied
	BecauseFaulted     Reason = "faulted"     // answered Faulted
	BecauseUnavailable Reason = "unavailable" // answered Unavailable
	BecauseRejected    Reason = "rejected"    // answered Rejected
	BecauseRefused     Reason = "refused"     // answered with a CALLERROR about the request itself
	BecauseRemoved     Reason = "removed"     // the station dropped it
	BecauseUnsupported Reason = "unsupported" // the station does no reservations
	BecauseBooting     Reason = "booting"     // not Accepted since its boot, or still draining its queue
	BecauseBefore      Reason = "waiting for the one before"
	BecausePaused      Reason = "paused" // somebody ordered that nothing is asked of the station

	BecauseAsked    Reason = "asked"          // the answer is outstanding
	BecauseNoAnswer Reason = "no answer"      // or lost, or a socket that closed
	BecauseBoot     Reason = "boot"           // the station started anew
	BecauseVanished Reason = "vanished"       // its EVSE became Available without a report
	BecauseFault    Reason = "after a fault"  // Available again after Faulted or Unavailable
	BecauseRestored Reason = "restored"       // the state is one of before
	BecauseRepeat   Reason = "repeat refused" // the station refused its own id
	BecauseUpdate   Reason = "update refused" // it holds the content of before
	BecauseHolder   Reason = "by its holder"  // fulfilled
	BecauseGroup    Reason = "by a group member"
	BecauseReplaced Reason = "station replaced"
	BecauseMoved    Reason = "moved"
	BecauseEarly    Reason = "expired early"
	BecauseChanged  Reason = "changed" // is cancelled to be asked anew
	BecauseUnwanted Reason = "no longer wanted"
	BecauseNoShow   Reason = "no show"      // no_show_after passed
	BecauseOverdue  Reason = "overdue"      // still there after its expiry
	BecauseRenamed  Reason = "renamed"      // it goes on under another address
	BecauseImported Reason = "imported"     // adopted: the station is said to hold the id
	BecauseWanted   Reason = "wanted again" // it was forgotten
)

// Key names an occurrence: its declaration and the start of its window.
type Key struct {
	Workspace string    `json:"workspace"`
	Address   string    `json:"address"`
	Start     time.Time `json:"start"` // of its window
}

// Compare orders keys by workspace, address, start.
func (k Key) Compare(o Key) int {
	if c := strings.Compare(k.Workspace, o.Workspace); c != 0 {
		return c
	}
	if c := strings.Compare(k.Address, o.Address); c != 0 {
		return c
	}
	return k.Start.Compare(o.Start)
}

// Wanted is a declaration as it was stored: its window is fixed from then on.
type Wanted struct {
	Declaration
	Window   Window    `json:"window"`
	StoredAt time.Time `json:"stored_at"` // when its window was fixed
	// Next is, of a schedule, the window after Window; zero: there is none.
	Next Window `json:"next,omitzero"`
}

// Content is what is wanted of the station.
func (w Wanted) Content() Content { return w.Declaration.Content(w.Window) }

// Occurrence is one window of a declaration and what is believed of it. It is
// immutable once it is in a Book; the fold replaces it.
type Occurrence struct {
	Key
	Window Window    `json:"window"`
	Due    time.Time `json:"due"` // when it is asked for: the start less the lead time

	// Want is what is wanted now; nil: nothing, and what is held is cancelled.
	Want       *Content   `json:"want,omitempty"`
	Activation Activation `json:"activation,omitzero"` // when it is asked for, and given up
	Lifecycle  Lifecycle  `json:"lifecycle,omitzero"`  // what becomes of it when it is dropped or used
	Move       *Move      `json:"move,omitempty"`      // this is the half that is left or entered

	Phase  Phase     `json:"phase"`
	Reason Reason    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`          // when it came into this phase
	Info   string    `json:"info,omitempty"` // what the station said beside its answer

	// ID is the one reservation id that may be at the station; 0: none is.
	ID    int32    `json:"id,omitempty"`
	Asked *Content `json:"asked,omitempty"` // the last content that left under ID
	Held  *Content `json:"held,omitempty"`  // the last content confirmed under ID
	Tries int      `json:"tries,omitempty"` // ReserveNow requests under ID
	Past  []int32  `json:"past,omitempty"`  // ids of before, for late reports
	// AskedAt is when ID was first asked for; zero: it was adopted, or comes from
	// a backup.
	AskedAt time.Time `json:"asked_at,omitzero"`

	// MustCancel: before anything else is asked, ID is cancelled.
	MustCancel bool  `json:"must_cancel,omitempty"`
	Then       Phase `json:"then,omitempty"` // the end to which that leads, if it is one

	Attempts int       `json:"attempts,omitempty"`  // refusals or silences in a row
	RetryAt  time.Time `json:"retry_at,omitzero"`   // nothing is asked before
	NoRetry  bool      `json:"no_retry,omitempty"`  // asked again only on new evidence
	Heals    int       `json:"heals,omitempty"`     // times that the station dropped it
	EverHeld bool      `json:"ever_held,omitempty"` // the station had confirmed it once
	Late     time.Time `json:"late,omitzero"`       // when it was declared, if its window had begun by then
	NoShowAt time.Time `json:"no_show_at,omitzero"` // let go then, if its driver has not come

	// Seen is the target's status since ID was accepted ("" : none yet).
	Seen EVSEStatus `json:"seen,omitempty"`
	// UpdateRefused is the content that the station refused under a held id.
	UpdateRefused *Content `json:"update_refused,omitempty"`

	// Recurs is the schedule, which only the latest occurrence of a declaration
	// has: once that is due, the next one is begun.
	Recurs *Schedule `json:"recurs,omitempty"`
}

// Active reports whether a loop still has something to do or to watch: the
// occurrence is open, an id of it may still be at the station, or the next one
// is to be begun.
func (o *Occurrence) Active() bool { return o.Phase.Open() || o.ID != 0 || o.Recurs != nil }

// Expiry is when the reservation ends: as last confirmed, asked, or wanted.
func (o *Occurrence) Expiry() time.Time {
	switch {
	case o.Held != nil:
		return o.Held.Expiry
	case o.Asked != nil:
		return o.Asked.Expiry
	case o.Want != nil:
		return o.Want.Expiry
	}
	return o.Window.Expiry
}

// Target is where ID is believed to be, or, where there is none, is wanted.
func (o *Occurrence) Target() Target {
	switch {
	case o.ID != 0 && o.Held != nil:
		return o.Held.Target
	case o.ID != 0 && o.Asked != nil:
		return o.Asked.Target
	case o.Want != nil:
		return o.Want.Target
	}
	return Target{}
}

// Book is what one station's loop needs to know: the station, and every
// occurrence that is open and due or whose id may still be there. What is not
// due yet is left in the store, but for what soon is; NextDue says when the
// first that was left will be.
type Book struct {
	Station     Station
	Occurrences []*Occurrence // sorted by key
	NextDue     time.Time     // zero: nothing further is scheduled
	Serial      int64         // grows with every change of the stored book

	changed        map[Key]bool
	stationChanged bool
}

// NewBook returns the empty book of a station.
func NewBook(id string) *Book { return &Book{Station: Station{ID: id}} }

// Clone returns a copy on which Apply may be called without changing b.
func (b *Book) Clone() *Book {
	c := *b
	c.Occurrences = slices.Clone(b.Occurrences)
	c.changed, c.stationChanged = nil, false
	return &c
}

func (b *Book) search(k Key) (int, bool) {
	return slices.BinarySearchFunc(b.Occurrences, k, func(o *Occurrence, k Key) int { return o.Key.Compare(k) })
}

// Find returns the occurrence with that key, or nil.
func (b *Book) Find(k Key) *Occurrence {
	if i, ok := b.search(k); ok {
		return b.Occurrences[i]
	}
	return nil
}

// ByID returns the occurrence that has or had the reservation id, or nil.
func (b *Book) ByID(id int32) *Occurrence {
	if id == 0 {
		return nil
	}
	for _, o := range b.Occurrences {
		if o.ID == id || slices.Contains(o.Past, id) {
			return o
		}
	}
	return nil
}

// Put takes an occurrence into the book as it is: the store does so when it
// loads rows. It does not count as a change.
func (b *Book) Put(o *Occurrence) {
	i, ok := b.search(o.Key)
	if ok {
		b.Occurrences[i] = o
		return
	}
	b.Occurrences = slices.Insert(b.Occurrences, i, o)
}

// Changes returns the occurrences that Apply has changed since Clone, sorted
// by key, and whether the station itself changed.
func (b *Book) Changes() (occurrences []*Occurrence, station bool) {
	for k := range b.changed {
		occurrences = append(occurrences, b.Find(k))
	}
	slices.SortFunc(occurrences, func(x, y *Occurrence) int { return x.Key.Compare(y.Key) })
	return occurrences, b.stationChanged
}

// Prune drops what a loop has no business with: the ended, and what is
// scheduled for later than now. NextDue is moved to the first of the latter.
func (b *Book) Prune(now time.Time) {
	b.Occurrences = slices.DeleteFunc(b.Occurrences, func(o *Occurrence) bool {
		if o.Phase == Scheduled && o.Due.After(now) {
			if b.NextDue.IsZero() || o.Due.Before(b.NextDue) {
				b.NextDue = o.Due
			}
			return true
		}
		return !o.Active()
	})
}

// PhaseAt is the phase as it is shown: what is scheduled is pending once due.
func (o *Occurrence) PhaseAt(now time.Time) Phase { return phaseAt(o.Phase, o.Due, now) }

func phaseAt(p Phase, due, now time.Time) Phase {
	if p == Scheduled && !due.After(now) {
		return Pending
	}
	return p
}

// Settled reports whether nothing is to be brought about: it is not due, is
// reserved as it is wanted, waits for the other half of a move, or has ended.
func (o *Occurrence) Settled(now time.Time) bool {
	switch {
	case o.Phase == Held && o.Want != nil:
		return o.Held.Equal(*o.Want)
	case o.Phase == Scheduled:
		return o.Due.After(now)
	case o.Phase == Ended: // its station is offline: nobody waits for that
		return !o.MustCancel
	case o.Phase == Forgotten, !o.Phase.Open() && o.ID == 0:
		return true
	}
	return !o.Active()
}
