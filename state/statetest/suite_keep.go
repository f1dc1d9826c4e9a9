package statetest

import (
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// renames: what is known of an address goes on under another, and a report of an
// id of before finds it there.
func renames(b *bench) {
	old := Want("w", "reservation.old", "S", 1, b.now)
	id := b.hold(old)
	connection := b.book("S").Station.Connection
	b.append(reservation.Event{Kind: reservation.Reported, StationID: "S", ReservationID: id, Update: reservation.Removed})
	next := b.append(Request(old, connection, 0))[0].ReservationID
	b.append(Answer(old, connection, next, reservation.AnswerAccepted))
	renamed := *old
	renamed.Address = "reservation.new"
	e := Declare(old, &renamed)
	b.update("w", e)
	b.wanted("w", "reservation.new")
	all, err := b.s.Entries(b.Context(), "w")
	b.must(err)
	if len(all) != 1 || all[0].Address != "reservation.new" || all[0].ID != next || all[0].Phase != reservation.Held {
		b.Fatalf("entries: %+v", all)
	}
	// The first id is a past one: only the table of ids leads to it.
	b.append(reservation.Event{Kind: reservation.Transaction, StationID: "S", ReservationID: id,
		Transaction: &reservation.TransactionReport{ID: "tx", Type: "Started", EVSE: 1, IDToken: &old.IDToken}})
	if all, err = b.s.Entries(b.Context(), "w"); err != nil || len(all) != 1 || all[0].Phase != reservation.Fulfilled {
		b.Fatalf("after its use: %+v, %v", all, err)
	}
}

// recurs: an entry shows the window of a schedule that is open or comes next,
// whatever was the window when it was stored.
func recurs(b *bench) {
	day := 24 * time.Hour
	w := Want("w", "reservation.night", "S", 1, b.now)
	w.When = reservation.When{Schedule: &reservation.Schedule{TimeZone: "UTC", RRule: "FREQ=DAILY",
		StartTime: b.now.Format(time.TimeOnly), EndTime: b.now.Add(8 * time.Hour).Format(time.TimeOnly)}}
	w.Window = reservation.Window{Start: b.now, Expiry: b.now.Add(8 * time.Hour)}
	w.Next = reservation.Window{Start: b.now.Add(day), Expiry: b.now.Add(day + 8*time.Hour)}
	shows := func(phase reservation.Phase, window reservation.Window) {
		b.Helper()
		all, err := b.s.Entries(b.Context(), "w")
		b.must(err)
		if len(all) != 1 || !all[0].Recurs || all[0].Phase != phase || fmt.Sprint(all[0].Window) != fmt.Sprint(window) {
			b.Fatalf("entries %+v, not %s %v", all, phase, window)
		}
	}
	decide := func(at reservation.Window, d reservation.Decision) {
		b.append(reservation.Event{Kind: reservation.Decided, StationID: "S", Workspace: "w", Address: w.Address, Start: at.Start, Decision: &d})
	}
	b.update("w", Declare(nil, w))
	shows(reservation.Scheduled, w.Window)
	decide(w.Window, reservation.Decision{Next: &w.Next})
	shows(reservation.Scheduled, w.Window)
	decide(w.Window, reservation.Decision{Phase: reservation.Missed})
	shows(reservation.Scheduled, w.Next)
	edited := *w // what is over stays so, and what follows it is wanted anew
	edited.Activation.LeadTime = reservation.Duration(time.Hour)
	b.update("w", Declare(w, &edited))
	shows(reservation.Scheduled, w.Next)
	book, err := b.s.Book(b.Context(), "S", w.Next.Start)
	b.must(err)
	o := book.Find(reservation.Key{Workspace: "w", Address: w.Address, Start: w.Next.Start})
	if o == nil || o.Recurs == nil || !o.Due.Equal(w.Next.Start.Add(-time.Hour)) {
		b.Fatalf("the next one: %+v", o)
	}
	decide(w.Next, reservation.Decision{Next: &reservation.Window{}})
	decide(w.Next, reservation.Decision{Phase: reservation.Missed})
	shows(reservation.Missed, w.Next)
}
