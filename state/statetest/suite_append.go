package statetest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/resctl/resctl/reservation"
)

func appendStamps(b *bench) {
	w := Want("w", "reservation.a", "S", 1, b.now)
	b.update("w", Declare(nil, w))
	first := b.append(Connect("S"))[0]
	second := b.append(Connect("S"))[0]
	if second.Connection <= first.Connection || second.Seq <= first.Seq {
		b.Fatalf("connections %d, %d; sequences %d, %d", first.Connection, second.Connection, first.Seq, second.Seq)
	}
	r := b.append(Request(w, second.Connection, 0))[0]
	if r.ReservationID != FirstReservationID || !r.At.Equal(b.now) {
		b.Fatalf("id %d at %v", r.ReservationID, r.At)
	}
	again := b.append(Request(w, second.Connection, r.ReservationID))[0]
	if again.ReservationID != r.ReservationID {
		b.Fatalf("an id of before became %d", again.ReservationID)
	}
	if now, err := b.s.Append(b.Context(), Connect("T")); err != nil || now[0].At.IsZero() || now[0].At != now[0].At.UTC().Truncate(time.Millisecond) {
		b.Fatalf("stamped %v, %v", now, err)
	}
	if n := b.last(); n != again.Seq+1 {
		b.Fatalf("last is %d after %d", n, again.Seq)
	}
}

func appendWhole(b *bench) {
	w := Want("w", "reservation.a", "S", 1, b.now)
	b.update("w", Declare(nil, w))
	connection := b.connect("S")
	before, last := b.book("S"), b.last()
	_, err := b.s.Append(b.Context(), b.timed([]reservation.Event{
		Report("S", 1, reservation.Available), Request(w, connection, 0), Request(w, connection-1, 0)})...)
	if !errors.Is(err, reservation.ErrOldConnection) {
		b.Fatalf("error %v", err)
	}
	if b.last() != last {
		b.Fatal("half of it is in the journal")
	}
	b.same("book", b.book("S"), before)
	if r := b.append(Request(w, connection, 0))[0]; r.Seq != last+1 {
		b.Fatalf("sequence %d after %d", r.Seq, last)
	}
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if _, err := b.s.Append(ctx, Connect("S")); !errors.Is(err, context.Canceled) {
		b.Fatalf("error %v", err)
	}
}

func appendQuiet(b *bench) {
	b.connect("S")
	if e := b.append(Report("S", 1, reservation.Available))[0]; e.Seq == 0 {
		b.Fatal("a change has no line")
	}
	before, last := b.book("S"), b.last()
	for range 3 {
		if e := b.append(Report("S", 1, reservation.Available))[0]; e.Seq != 0 {
			b.Fatal("no change has a line")
		}
	}
	if n := b.book("S").Serial; b.last() != last || n != before.Serial {
		b.Fatalf("last %d, serial %d", b.last(), n)
	}
	both := b.append(Report("S", 1, reservation.Available), Report("S", 1, reservation.Occupied))
	if both[0].Seq != 0 || both[1].Seq != last+1 {
		b.Fatalf("sequences %d, %d", both[0].Seq, both[1].Seq)
	}
	b.append(Connect("S"), Report("S", 1, reservation.Occupied)) // the second is quiet, the first is not
	stations, err := b.s.Stations(b.Context())
	b.must(err)
	b.same("station", stations[0], b.book("S").Station)
	queued := Report("S", 1, reservation.Occupied)
	queued.Queued, queued.At = true, b.now.Add(time.Second)
	if e := b.append(queued)[0]; e.Seq != 0 {
		b.Fatal("no change has a line")
	}
	if at := b.book("S").Station.QueuedAt; !at.Equal(queued.At) {
		b.Fatalf("queued at %v: what is only in memory was lost", at)
	}
}

func idOfAnother(b *bench) {
	a, c := Want("w", "reservation.a", "S", 1, b.now), Want("w", "reservation.c", "T", 1, b.now)
	id := b.hold(a)
	b.update("w", Declare(nil, c))
	connection := b.connect("T")
	last := b.last()
	if _, err := b.s.Append(b.Context(), b.timed([]reservation.Event{Request(c, connection, id)})...); err == nil {
		b.Fatal("taken")
	}
	if b.last() != last {
		b.Fatal("it is in the journal")
	}
	if next := b.append(Request(c, connection, 0))[0].ReservationID; next == id {
		b.Fatal("the id was given again")
	}
}

// lateFacts: an answer, by key, and a report, by id alone, reach occurrences
// that are over.
func lateFacts(b *bench) {
	w := Want("w", "reservation.a", "S", 1, b.now)
	id := b.hold(w)
	b.now = w.Window.Expiry.Add(time.Minute)
	b.append(reservation.Event{Kind: reservation.Reported, StationID: "S", ReservationID: id, Update: reservation.Expired})
	if n := len(b.book("S").Occurrences); n != 0 {
		b.Fatalf("%d occurrences after the end", n)
	}
	b.phase(w, reservation.NoShow)
	b.append(reservation.Event{Kind: reservation.Transaction, StationID: "S", ReservationID: id,
		Transaction: &reservation.TransactionReport{ID: "T1", Type: "Started", EVSE: 1, Offline: true}})
	b.phase(w, reservation.Fulfilled)
	last := b.last()
	b.append(Answer(w, 1, id, reservation.AnswerAccepted))
	if b.last() != last+1 {
		b.Fatal("a late answer has no line")
	}
	b.phase(w, reservation.Fulfilled)
}

func (b *bench) phase(w *reservation.Wanted, want reservation.Phase) {
	b.Helper()
	all, err := b.s.Occurrences(b.Context(), w.Workspace, w.Address)
	b.must(err)
	for _, p := range all {
		if p.StationID == w.StationID && p.Start.Equal(w.Window.Start) {
			if p.Phase != want {
				b.Fatalf("%s is %s, not %s", w.Address, p.Phase, want)
			}
			return
		}
	}
	b.Fatalf("%s is unknown", w.Address)
}

func bookDue(b *bench) {
	soon, later := Want("w", "reservation.soon", "S", 1, b.now.Add(time.Hour)), Want("w", "reservation.later", "S", 1, b.now.Add(9*time.Hour))
	b.update("w", Declare(nil, Want("w", "reservation.now", "S", 1, b.now)), Declare(nil, soon), Declare(nil, later))
	expect := func(n int, next time.Time) {
		b.Helper()
		if book := b.book("S"); len(book.Occurrences) != n || !book.NextDue.Equal(next) {
			b.Fatalf("%d occurrences, next due %v; not %d, %v", len(book.Occurrences), book.NextDue, n, next)
		}
	}
	expect(1, soon.Window.Start)
	b.connect("S")
	expect(1, soon.Window.Start)
	ahead, err := b.s.Book(b.Context(), "S", soon.Window.Start)
	if b.must(err); len(ahead.Occurrences) != 2 || !ahead.NextDue.Equal(later.Window.Start) {
		b.Fatalf("%d occurrences ahead, next due %v", len(ahead.Occurrences), ahead.NextDue)
	}
	b.append(Report("S", 1, reservation.Occupied)) // before it is due: it must be there then all the same
	b.now = soon.Window.Start
	expect(2, later.Window.Start)
	b.now = later.Window.Start
	b.append(Report("S", 1, reservation.Available)) // an event finds what has come due, asked or not
	expect(3, time.Time{})
	b.now = later.Window.Start.Add(time.Hour)
	last := Want("w", "reservation.last", "S", 2, b.now.Add(time.Hour))
	b.update("w", Declare(nil, last))
	expect(3, last.Window.Start)
	b.now = last.Window.Start
	b.append(reservation.Event{Kind: reservation.Transaction, StationID: "S", // and it counts for what has
		Transaction: &reservation.TransactionReport{ID: "T1", Type: "Started", EVSE: 2, IDToken: &last.IDToken}})
	b.phase(last, reservation.Fulfilled)
	if book, err := b.s.Book(b.Context(), "nobody", b.now); err != nil || book.Serial != 0 || book.Station.ID != "nobody" {
		b.Fatalf("book of nobody: %+v, %v", book, err)
	}
}

func bookImmutable(b *bench) {
	w := Want("w", "reservation.a", "S", 1, b.now)
	b.update("w", Declare(nil, w))
	connection := b.connect("S")
	b.append(Report("S", 1, reservation.Available))
	kept := b.book("S")
	before, err := json.Marshal(kept)
	b.must(err)
	id := b.append(Request(w, connection, 0))[0].ReservationID
	b.append(Answer(w, connection, id, reservation.AnswerAccepted), Report("S", 1, reservation.Reserved))
	b.update("w", Declare(w, Want("w", "reservation.a", "S", 2, b.now)))
	after, err := json.Marshal(kept)
	b.must(err)
	if string(before) != string(after) {
		b.Fatalf("it was\n%s\nand is\n%s", before, after)
	}
	if now := b.book("S"); now.Serial <= kept.Serial {
		b.Fatalf("serial %d after %d", now.Serial, kept.Serial)
	}
}
