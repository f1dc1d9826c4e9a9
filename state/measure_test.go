package state

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// TestMeasure: what is stored and what the disk refuses is measured, and what
// changes nothing is not.
func TestMeasure(t *testing.T) {
	db := mustOpen(t, Options{})
	type measured struct {
		waited time.Duration
		err    error
	}
	var all []measured
	db.Measure(func(waited time.Duration, err error) { all = append(all, measured{waited, err}) })
	report := statetest.Report("S", 1, reservation.Available)
	appended := func(want error) {
		t.Helper()
		if _, err := db.Append(t.Context(), report); !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
	appended(nil)
	appended(nil) // the same once more
	full := errors.New("full")
	db.w.failing = func() error { return full }
	if err := db.Writable(t.Context()); !errors.Is(err, full) {
		t.Errorf("writable: %v", err)
	}
	report = statetest.Report("S", 1, reservation.Occupied)
	appended(full)
	if err := db.Close(); err != nil { // its writer has ended
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].waited <= 0 || all[0].err != nil || !errors.Is(all[1].err, full) || db.Queued() != 0 {
		t.Errorf("%+v, %d queued", all, db.Queued())
	}
}

func TestWritable(t *testing.T) {
	db := mustOpen(t, Options{})
	before, err := db.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Writable(t.Context()); err != nil {
		t.Error(err)
	}
	if last, err := db.Last(t.Context()); last != 0 || err != nil || before.Lineage == "" {
		t.Error("something was written", last, err)
	}
}

// TestStandings: what is due counts as pending, though nobody has looked at it.
func TestStandings(t *testing.T) {
	db := mustOpen(t, Options{})
	declare(t, db, "w", "S", 3)
	declare(t, db, "x", "T", 1)
	now := time.Now()
	of := func(now time.Time) []Standing {
		t.Helper()
		all, err := db.Standings(t.Context(), now, now)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	want := []Standing{{"w", reservation.Pending, false, 1}, {"w", reservation.Scheduled, false, 2}, {"x", reservation.Pending, false, 1}}
	if got := of(now); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	want = []Standing{{"w", reservation.Pending, false, 3}, {"x", reservation.Pending, false, 1}}
	if got := of(now.Add(5 * time.Hour)); !slices.Equal(got, want) {
		t.Errorf("later %+v", got)
	}
}

// BenchmarkStandings counts 100,000 occurrences, most of which have ended or are ahead.
func BenchmarkStandings(b *testing.B) {
	db := mustOpen(b, Options{})
	for _, s := range []string{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"} {
		declare(b, db, "w"+s, s, 10_000)
	}
	for b.Loop() {
		if all, err := db.Standings(b.Context(), time.Now(), time.Now()); err != nil || len(all) != 20 {
			b.Fatal(len(all), err)
		}
	}
}
