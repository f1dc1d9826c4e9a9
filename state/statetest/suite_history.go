package statetest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/resctl/resctl/reservation"
)

// steps is how long a random history is.
const steps = 400

// live runs a history on a model and on the store under test, and compares what
// each step returned.
func (b *bench) live(seed uint64) *Memory {
	model := NewMemory()
	h := newHistory(seed, model, b.now)
	for i := range steps {
		a := h.next()
		b.now = h.now
		if len(a.events) == 0 {
			continue
		}
		if i%2 == 0 { // as a loop does before something is due
			b.readAhead(h.now)
		}
		events := b.timed(a.events)
		do := func(s Store) ([]reservation.Event, error) {
			if !a.update {
				return s.Append(b.Context(), events...)
			}
			meta, err := s.Meta(b.Context())
			b.must(err)
			return s.Update(b.Context(), reservation.Changeset{Workspace: "w", Serial: meta.Serials["w"], Events: events})
		}
		want, wantErr := do(model)
		got, err := do(b.s)
		if (err == nil) != (wantErr == nil) {
			b.Fatalf("seed %d step %d, %v: got %v, the model %v", seed, i, events, err, wantErr)
		}
		b.same(fmt.Sprintf("seed %d step %d", seed, i), got, want)
		h.note(want)
		if b.after != nil {
			b.after(i)
		}
		for s := range 3 {
			b.sameBook(fmt.Sprintf("seed %d step %d", seed, i), fmt.Sprint("S", s), model)
		}
	}
	return model
}

// readAhead has the store assemble books as they would be some time later.
func (b *bench) readAhead(now time.Time) {
	for s := range 3 {
		_, err := b.s.Book(b.Context(), fmt.Sprint("S", s), now.Add(3*time.Hour))
		b.must(err)
	}
}

// sameBook compares all of a book but its serial, which only has to grow, and
// NextDue, which may be early: what was due then may have been withdrawn. What
// is not due yet may be in it, where that was asked for before.
func (b *bench) sameBook(what, station string, model *Memory) {
	b.Helper()
	want, err := model.Book(b.Context(), station, b.now)
	b.must(err)
	got := b.book(station).Clone()
	got.Prune(b.now)
	none := []*reservation.Occurrence{}
	b.same(what+" book "+station, append(none, got.Occurrences...), append(none, want.Occurrences...))
	b.same(what+" station "+station, []any{got.Station, got.Station.QueuedAt}, []any{want.Station, want.Station.QueuedAt})
	if next := want.NextDue; !next.IsZero() && (got.NextDue.IsZero() || got.NextDue.After(next)) {
		b.Fatalf("%s: next due %v, not %v", what, got.NextDue, next)
	}
}

func asMemory(b *bench) {
	model := b.live(1)
	both := func(what string, read func(Store) (any, error)) {
		want, err := read(model)
		b.must(err)
		got, err := read(b.s)
		b.must(err)
		b.same(what, got, want)
	}
	both("last", func(s Store) (any, error) { return s.Last(b.Context()) })
	both("entries", func(s Store) (any, error) { return s.Entries(b.Context(), "") })
	both("wanted", func(s Store) (any, error) { return s.Wanted(b.Context(), "w") })
	both("over", func(s Store) (any, error) {
		all, err := s.Stations(b.Context())
		var ids []string
		for _, x := range all {
			ids = append(ids, x.ID)
		}
		if err != nil || len(ids) < 2 {
			return nil, fmt.Errorf("stations: %v, %w", ids, err)
		}
		return s.Over(b.Context(), ids[1:]...)
	})
	both("stations", func(s Store) (any, error) { return s.Stations(b.Context()) })
	for a := range 8 {
		address := fmt.Sprint("reservation.", a)
		both(address, func(s Store) (any, error) { return s.Occurrences(b.Context(), "w", address) })
	}
	both("several", func(s Store) (any, error) {
		return s.Occurrences(b.Context(), "w", "reservation.5", "reservation.nobody", "reservation.1", "reservation.2")
	})
	both("none", func(s Store) (any, error) { return s.Occurrences(b.Context(), "w") })
	i := 0
	for e, err := range b.s.Events(b.Context(), 0) {
		b.must(err)
		b.same("line", e, model.lines[i])
		if i++; i == len(model.lines) {
			break
		}
	}
}

// replays: whole books folded from the journal alone are the stored ones. The
// store folds into the part of a book that it loads; this shows that the part
// was always enough.
func replays(b *bench) {
	b.live(2)
	b.stored(b.replay(map[string]*reservation.Book{}, 0, b.last()))
}

// replaysFromCheckpoints: the books of a checkpoint, and what was recorded after
// it, give those of every later one, and those that are stored.
func replaysFromCheckpoints(b *bench) {
	rng := rand.New(rand.NewPCG(3, 3))
	b.after = func(int) {
		for rng.IntN(20) == 0 { // twice at one place as well
			b.must(b.s.Checkpoint(b.Context(), b.now))
		}
	}
	b.live(3)
	all, err := b.s.Checkpoints(b.Context())
	b.must(err)
	if len(all) < 10 || all[0].Seq != 0 || all[0].Rules != reservation.RulesVersion {
		b.Fatalf("checkpoints: %+v", all)
	}
	b.replaysFrom(all)
}

// replaysFrom replays from each checkpoint to the one after it, and from the first
// to the end: books that are the same at one become the same from there.
func (b *bench) replaysFrom(all []reservation.Checkpoint) {
	b.Helper()
	booksAt := func(c reservation.Checkpoint) map[string]*reservation.Book {
		books, err := b.s.BooksAt(b.Context(), c.Seq)
		b.must(err)
		return books
	}
	c, through := all[0], booksAt(all[0])
	for _, next := range all[1:] {
		what := fmt.Sprintf("from %d to %d", c.Seq, next.Seq)
		b.sameBooks(what, b.replay(booksAt(c), c.Seq, next.Seq), booksAt(next))
		through = b.replay(through, c.Seq, next.Seq)
		b.sameBooks(what+", from the first on", through, booksAt(next))
		c = next
	}
	b.stored(b.replay(booksAt(c), c.Seq, b.last()))
	b.stored(b.replay(through, c.Seq, b.last()))
}

// cuts: the journal of a random history is cut twice. What is left of it gives the
// books that are stored, from wherever it may begin.
func cuts(b *bench) {
	begin := b.now
	b.after = func(step int) {
		if step%37 == 0 {
			b.must(b.s.Checkpoint(b.Context(), b.now))
		}
	}
	b.live(4)
	before, err := b.s.Checkpoints(b.Context())
	b.must(err)
	last := b.last()
	for _, part := range []time.Duration{3, 2} {
		keep := b.now.Sub(begin) / part
		b.must(b.s.Retain(b.Context(), keep, b.now))
		var want reservation.Checkpoint
		for _, c := range before {
			if !c.At.After(b.now.Add(-keep)) {
				want = c
			}
		}
		began, err := b.s.Began(b.Context())
		b.must(err)
		if part == 2 { // more is not brought back
			want = began
		}
		if began != want || began.Seq == 0 {
			b.Fatalf("it begins at %+v, not %+v", began, want)
		}
		for e, err := range b.s.Events(b.Context(), 0) {
			b.must(err)
			if e.Seq != began.Seq+1 {
				b.Fatalf("line %d is the first after %d", e.Seq, began.Seq)
			}
			break
		}
		all, err := b.s.Checkpoints(b.Context())
		b.must(err)
		if all[0] != began {
			b.Fatalf("the first checkpoint is %+v, not %+v", all[0], began)
		}
		b.replaysFrom(all)
	}
	if b.last() != last {
		b.Fatalf("the last line is %d, was %d", b.last(), last)
	}
	if got := b.append(Connect("S0")); got[0].Seq != last+1 {
		b.Fatalf("it goes on with %d after %d", got[0].Seq, last)
	}
}

// sameBooks compares the stations, and all that was ever in their books.
func (b *bench) sameBooks(what string, got, want map[string]*reservation.Book) {
	b.Helper()
	for id, book := range got {
		if want[id] == nil {
			want[id] = reservation.NewBook(id)
		}
		b.same(what+" station "+id, book.Station, want[id].Station)
		none := []*reservation.Occurrence{}
		b.same(what+" book "+id, append(none, book.Occurrences...), append(none, want[id].Occurrences...))
	}
	if len(got) != len(want) {
		b.Fatalf("%s: %d books, not %d", what, len(got), len(want))
	}
}

// replay folds the lines after one, up to another, into books.
func (b *bench) replay(books map[string]*reservation.Book, after, last int64) map[string]*reservation.Book {
	if after == last {
		return books
	}
	for e, err := range b.s.Events(b.Context(), after) {
		b.must(err)
		if e.StationID != "" {
			if books[e.StationID] == nil {
				books[e.StationID] = reservation.NewBook(e.StationID)
			}
			_, err := books[e.StationID].Apply(e)
			b.must(err)
		}
		if e.Seq == last {
			break
		}
	}
	return books
}

// stored holds whole books against all that is stored.
func (b *bench) stored(books map[string]*reservation.Book) {
	b.Helper()
	stations, err := b.s.Stations(b.Context())
	b.must(err)
	for _, s := range stations {
		b.same("station "+s.ID, books[s.ID].Station, s)
	}
	for a := range 8 {
		all, err := b.s.Occurrences(b.Context(), "w", fmt.Sprint("reservation.", a))
		b.must(err)
		for _, p := range all {
			b.same(p.Address+" at "+p.StationID, books[p.StationID].Find(p.Key), p.Occurrence)
		}
	}
	for id, book := range books {
		for _, o := range book.Occurrences {
			all, err := b.s.Occurrences(b.Context(), o.Workspace, o.Address)
			b.must(err)
			found := false
			for _, p := range all {
				found = found || p.StationID == id && p.Start.Equal(o.Start)
			}
			if !found {
				b.Fatalf("%s at %s is not stored", o.Address, id)
			}
		}
	}
}
