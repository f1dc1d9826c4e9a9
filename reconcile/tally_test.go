package reconcile_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// TestTallyChangesWithTime: until the moment that it names a tally stays what it is.
func TestTallyChangesWithTime(t *testing.T) {
	start := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	b := reservation.NewBook("S")
	b.Put(&reservation.Occurrence{Key: reservation.Key{Workspace: "w", Address: "reservation.van", Start: start}, Due: start.Add(-time.Minute), Since: start.Add(-time.Hour),
		Window: reservation.Window{Start: start, Expiry: start.Add(time.Hour)}, Phase: reservation.Scheduled,
		Want: &reservation.Content{Target: reservation.Target{EVSE: 1}, Expiry: start.Add(time.Hour)}})
	type counted struct{ waiting, overdue, drift int }
	at := func(now time.Time) (counted, time.Time) {
		x := reconcile.DefaultSettings().Tally(b, nil, 5*time.Minute, now)
		return counted{x.Waiting[reconcile.Lack{Workspace: "w", Reason: reservation.BecauseOffline}], x.Overdue["w"], x.Drift[reconcile.DriftOverdue]}, x.Until
	}
	var seen []counted
	until := start.Add(-time.Hour)
	for until.Before(start.Add(59 * time.Minute)) {
		x, next := at(until)
		if next.IsZero() || !next.After(until) {
			t.Fatalf("at %v until %v", until, next)
		}
		for now := until; now.Before(next); now = now.Add(10 * time.Second) {
			if y, _ := at(now); y != x {
				t.Errorf("at %v %+v, at %v %+v", until, x, now, y)
			}
		}
		if len(seen) == 0 || seen[len(seen)-1] != x {
			seen = append(seen, x)
		}
		until = next
	}
	want := []counted{{}, {1, 0, 0}, {1, 1, 0}, {1, 1, 1}}
	if !slices.Equal(seen, want) {
		t.Errorf("%+v", seen)
	}
}

// TestTallyOfStations: what is to be seen of a station itself is counted.
func TestTallyOfStations(t *testing.T) {
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	b := reservation.NewBook("S")
	b.Station.Live, b.Station.Serial, b.Station.ReplacedAt = []int64{1}, "NEW", now.Add(-time.Hour)
	x := reconcile.DefaultSettings().Tally(b, nil, 0, now)
	if !x.Online || !maps.Equal(x.Drift, map[reconcile.DriftKind]int{reconcile.DriftReplaced: 1}) {
		t.Errorf("%+v", x)
	}
	accepted := []reservation.StationDeclaration{{ID: "S", SerialNumber: "NEW"}}
	if x := reconcile.DefaultSettings().Tally(b, accepted, 0, now); len(x.Drift) != 0 {
		t.Errorf("accepted: %+v", x)
	}
}

// sleepy has a book that calls for something at a moment, and is read late.
type sleepy struct {
	due time.Time
	end func()
}

func (s *sleepy) Book(_ context.Context, _ string, now time.Time) (*reservation.Book, error) {
	if now.After(s.due) {
		s.end()
	}
	b := reservation.NewBook("S")
	b.NextDue, b.Station.Connection = s.due, 1
	return b, nil
}

func (s *sleepy) Append(context.Context, ...reservation.Event) ([]reservation.Event, error) {
	return nil, nil
}

// TestLate: a loop says how late it looks at what was due.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, end := context.WithCancel(t.Context())
		slow := func() time.Time { // this machine is three seconds behind
			if now := time.Now(); now.After(began) {
				return now.Add(3 * time.Second)
			}
			return began
		}
		c := &reconcile.Controller{Journal: &sleepy{began.Add(time.Minute), end}, Settings: reconcile.DefaultSettings(), Now: slow}
		loops := reconcile.NewLoops(c, func(context.Context) ([]string, error) { return nil, nil }, func(string, error) {})
		var late []time.Duration
		loops.Late = func(by time.Duration) { late = append(late, by) }
		loops.Join("S", 1, nil)
		loops.Run(ctx)
		if len(late) != 1 || late[0] != 3*time.Second {
			t.Error(late)
		}
	})
}
