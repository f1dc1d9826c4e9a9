package statetest

import (
	"fmt"

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
		for s := range 3 {
			b.sameBook(fmt.Sprintf("seed %d step %d", seed, i), fmt.Sprint("S", s), model)
		}
	}
	return model
}

// sameBook compares all of a book but its serial, which only has to grow, and
// NextDue, which may be early: what was due then may have been withdrawn.
func (b *bench) sameBook(what, station string, model *Memory) {
	b.Helper()
	want, err := model.Book(b.Context(), station, b.now)
	b.must(err)
	got := b.book(station)
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
	both("stations", func(s Store) (any, error) { return s.Stations(b.Context()) })
	for a := range 8 {
		address := fmt.Sprint("reservation.", a)
		both(address, func(s Store) (any, error) { return s.Occurrences(b.Context(), "w", address) })
	}
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
	last := b.last()
	books := map[string]*reservation.Book{}
	for e, err := range b.s.Events(b.Context(), 0) {
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
