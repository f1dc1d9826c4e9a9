package reconcile_test

import (
	"context"
	"slices"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// checkEnd holds the world against what must never happen, once faults have
// stopped and everybody has had time.
func (w *world) checkEnd() {
	for _, d := range w.depots {
		book := w.mem.Whole(d.id)
		w.checkHolds(d, book)
		w.checkDeclared(d, book)
		for _, o := range book.Occurrences {
			w.checkOccurrence(d, book, o)
		}
	}
	w.checkForeign()
	w.checkReplay()
}

// checkForeign: nothing that the stations show is called foreign, for there are no
// strangers.
func (w *world) checkForeign() {
	st, err := w.led.Read(context.Background())
	if err != nil {
		w.fail("reading: %v", err)
		return
	}
	for _, d := range w.depots {
		st.Foreign = append(st.Foreign, reconcile.ForeignAt(w.mem.Whole(d.id))...)
	}
	for _, f := range st.Foreign {
		if w.keptAt(f) {
			continue
		}
		w.fail("%s: EVSE %d, id %d since %s is called foreign", f.StationID, f.EVSE, f.ReservationID, f.Since)
	}
}

// keptAt reports whether the station keeps what was forgotten and then used: nothing
// of ours explains that any more.
func (w *world) keptAt(f reconcile.Foreign) bool {
	i := slices.IndexFunc(w.depots, func(d *depot) bool { return d.id == f.StationID })
	return slices.ContainsFunc(w.depots[i].m.Holds(), func(r sim.Reservation) bool {
		return w.left[r.ID] && r.EVSE == f.EVSE && w.depots[i].quirks.UseKeepsReservation
	})
}

// checkHolds: a station holds nothing that nobody wants.
func (w *world) checkHolds(d *depot, book *reservation.Book) {
	for _, r := range d.m.Holds() {
		i := slices.IndexFunc(book.Occurrences, func(o *reservation.Occurrence) bool { return o.ID == r.ID && o.Phase == reservation.Held })
		if _, ours := w.keys[r.ID]; !ours {
			w.fail("%s holds %d, which the journal does not know", d.id, r.ID)
		} else if i < 0 && r.Expiry.After(w.now) && !w.ghosts[r.ID] && !w.left[r.ID] {
			w.fail("%s holds %d for %s, which nobody wants", d.id, r.ID, w.keys[r.ID].Address)
		} else if i >= 0 {
			w.checkContent(d, r, book.Occurrences[i])
		}
	}
}

// checkContent: what is held is what is wanted, unless the station refused the
// new content, which shows.
func (w *world) checkContent(d *depot, r sim.Reservation, o *reservation.Occurrence) {
	if o.Want == nil || o.Reason == reservation.BecauseUpdate {
		return
	}
	if r.EVSE != o.Want.EVSE || r.IDToken.IDToken != o.Want.IDToken.IDToken || !r.Expiry.Equal(o.Want.Expiry) {
		w.fail("%s holds %d for %s with other content than is wanted", d.id, r.ID, o.Address)
	}
}

func (w *world) checkOccurrence(d *depot, book *reservation.Book, o *reservation.Occurrence) {
	holds := slices.ContainsFunc(d.m.Holds(), func(r sim.Reservation) bool { return r.ID == o.ID })
	near := o.Expiry().Before(w.now.Add(10 * time.Minute)) // the clocks may disagree on whether it is over
	switch {
	case o.Phase == reservation.Held && !holds && !near && !(d.lostNew && !o.Held.Named()):
		w.fail("%s is believed held under %d, but %s does not hold it", o.Address, o.ID, d.id)
	case o.Phase.Open() && o.Phase != reservation.Held && o.Want != nil && !o.Due.After(w.now) && !near:
		if !w.excused(d, book, o) {
			w.fail("%s is wanted at %s and not held: %s (%s)", o.Address, d.id, o.Phase, o.Reason)
		}
	case o.Want == nil && o.Phase.Open() && !near:
		w.fail("%s is wanted no longer and still %s (%s)", o.Address, o.Phase, o.Reason)
	}
	if n := len(o.Past); o.Phase == reservation.Ended && n > 0 && !w.left[o.Past[n-1]] && !d.restored && d.quirks.Skew == 0 {
		at, ended := d.ended[o.Past[n-1]]
		prolonged := o.Window.Expiry.After(at.Add(reservation.SkewAllowed)) // and not held again in time
		if ended && !prolonged {
			w.fail("%s was reported Expired under %d and is not a no-show", o.Address, o.Past[n-1])
		}
	}
	if w.usedFor[o.Key] && o.Phase.Open() && o.ID != 0 && !w.holdsAgain(o.Key) && o.Lifecycle.OnUsed != reservation.HoldAgain {
		w.fail("%s is %s at %s, and its driver has used it elsewhere", o.Address, o.Phase, d.id)
	}
	w.checkUse(o)
	w.checkWish(d, o)
}

// excused: more is wanted of the station than it has EVSEs. (An any-EVSE
// reservation takes one away from those that name theirs.)
func (w *world) excused(d *depot, book *reservation.Book, o *reservation.Occurrence) bool {
	if slices.ContainsFunc(d.m.Holds(), func(r sim.Reservation) bool { return w.left[r.ID] }) {
		return true // it keeps what was used, and nobody cancels it
	}
	named, any := map[int]bool{}, 0
	for _, x := range book.Occurrences {
		switch {
		case x.Phase == reservation.Forgotten && x.ID != 0:
			return true // it stands in the way
		case x.Want == nil || !x.Phase.Open() || x.Due.After(w.now):
		case x.Want.Named():
			named[x.Want.EVSE] = true
		default:
			any++
		}
	}
	return len(named)+any > evses
}

// checkUse: what its driver used is over, and stays so.
func (w *world) checkUse(o *reservation.Occurrence) {
	for _, id := range append(slices.Clone(o.Past), o.ID) {
		if w.used[id] && o.Phase != reservation.Fulfilled && o.Lifecycle.OnUsed != reservation.HoldAgain {
			if o.Want != nil || o.Phase.Open() {
				w.fail("%s was used under %d and is %s (%s)", o.Address, id, o.Phase, o.Reason)
			}
		}
	}
}

// checkWish: what is declared is wanted in the book, in the same words.
func (w *world) checkWish(d *depot, o *reservation.Occurrence) {
	decl, ok := w.declared[o.Address]
	if o.Phase.Open() && o.Want != nil && (!ok || decl.StationID != d.id || !decl.IDToken.Equal(o.Want.IDToken)) {
		w.fail("%s is wanted at %s, and that is not what is declared", o.Address, d.id)
	}
}

// checkReplay: the journal, folded from its beginning, gives the same books.
func (w *world) checkReplay() {
	books := map[string]*reservation.Book{}
	for _, e := range w.mem.Lines(0) {
		if e.StationID == "" {
			continue
		}
		b := books[e.StationID]
		if b == nil {
			b = reservation.NewBook(e.StationID)
			books[e.StationID] = b
		}
		if _, err := w.mem.Fold.Apply(b, e); err != nil {
			w.fail("replay: %v", err)
		}
	}
	for _, d := range w.depots {
		if b := books[d.id]; !sameBook(b, w.mem.Whole(d.id)) {
			w.fail("the journal of %s, replayed, gives another book", d.id)
		}
	}
}

// checkDeclared: what is declared at a station is in its book.
func (w *world) checkDeclared(d *depot, book *reservation.Book) {
	for _, a := range addresses {
		x, ok := w.declared[a]
		if ok && x.StationID == d.id && !slices.ContainsFunc(book.Occurrences, func(o *reservation.Occurrence) bool { return o.Address == a }) {
			w.fail("%s is declared at %s, whose book does not know it", a, d.id)
		}
		if next := x.When.Window(w.now); ok && x.StationID == d.id && x.When.Schedule != nil && book.Find(reservation.Key{Workspace: "w", Address: a, Start: next.Start}) == nil {
			w.fail("%s recurs at %s, and nothing is known of its window of %s", a, d.id, next.Start)
		}
	}
}
