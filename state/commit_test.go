package state

import (
	"slices"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// TestOnCommit: who is told of commits hears which stations they touched, and
// nothing of reports that change nothing.
func TestOnCommit(t *testing.T) {
	db := mustOpen(t, Options{})
	told := make(chan []string, 8)
	stop := db.OnCommit(func(stations ...string) { told <- stations })
	hears := func(want ...string) {
		t.Helper()
		got := <-told
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("told of %q, want %q", got, want)
		}
	}
	mustAppend := func(events ...reservation.Event) {
		t.Helper()
		if _, err := db.Append(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
	}
	mustAppend(statetest.Connect("S"), statetest.Connect("T"))
	hears("S", "T")
	mustAppend(statetest.Report("S", 1, reservation.Available))
	hears("S")
	mustAppend(statetest.Report("S", 1, reservation.Available)) // and nothing of this one
	want := statetest.Want("w", "reservation.a", "T", 1, time.Now())
	if _, err := db.Update(t.Context(), reservation.Changeset{Workspace: "w", Events: []reservation.Event{statetest.Declare(nil, want)}}); err != nil {
		t.Fatal(err)
	}
	hears("T")
	stop()
	mustAppend(statetest.Report("S", 1, reservation.Occupied))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if len(told) > 0 {
		t.Errorf("told of %q after its end", <-told)
	}
}
