package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// BenchmarkGrowth is what a station with many declared windows costs, against
// one with few, in one state and in alternation.
func BenchmarkGrowth(b *testing.B) {
	const few, many, rounds = 10, 10_000, 200
	db := openState(b, filepath.Join(b.TempDir(), "resctl.db"))
	b.Cleanup(func() { _ = db.Close() })
	declareWindows(b, db, "FEW", few)
	declareWindows(b, db, "MANY", many)
	b.Run("append", func(b *testing.B) {
		compare(b, rounds, func(station string, i int) {
			s := reservation.Available
			if i%2 == 0 {
				s = reservation.Occupied
			}
			mustAppend(b, db, reservation.Event{Kind: reservation.Status, StationID: station,
				Status: &reservation.StatusReport{EVSE: 9, Connector: 1, Status: s}})
		})
	})
	b.Run("step", func(b *testing.B) {
		ahead := map[string]time.Duration{}
		compare(b, rounds, func(station string, _ int) {
			// Nobody answers, so every step asks again, once back-off allows it.
			ahead[station] += 2 * reservation.BackoffMax
			c := reconcile.Controller{Journal: db, Settings: settings(), Now: func() time.Time { return time.Now().Add(ahead[station]) }}
			if more, _, err := c.Step(b.Context(), station, connectionOf(b, db, station), silent{}); err != nil || !more {
				b.Fatal(more, err)
			}
		})
	})
}

// compare runs both stations in alternation and reports the medians, in
// microseconds.
func compare(b *testing.B, rounds int, once func(station string, i int)) {
	b.Helper()
	took := map[string][]float64{}
	for b.Loop() {
		for i := range rounds {
			for _, station := range []string{"FEW", "MANY"} {
				began := time.Now()
				once(station, i)
				took[station] = append(took[station], float64(time.Since(began).Nanoseconds())/1000)
			}
		}
	}
	few, many := median(took["FEW"]), median(took["MANY"])
	report(b, many, few, many/few, 1.5)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// silent is a station that never answers.
type silent struct{}

func (silent) Call(context.Context, int32, reservation.Call) reservation.Answer {
	return reservation.Answer{Outcome: reservation.AnswerNone}
}

// declareWindows gives a station n windows far ahead, one that is open, and a
// connection through which it may be asked.
func declareWindows(tb testing.TB, db *state.DB, station string, n int) {
	tb.Helper()
	l := &reconcile.Ledger{Store: db, Settings: settings(), Now: time.Now}
	want := reconcile.Desired{Workspace: station}
	far := time.Now().Add(20 * 365 * 24 * time.Hour).UTC().Truncate(time.Second)
	for i := range n + 1 {
		d := reservation.Declaration{Address: fmt.Sprintf("reservation.van[\"%06d\"]", i), Workspace: station, StationID: station,
			Target: reservation.Target{EVSE: 1}, IDToken: reservation.Token{IDToken: fmt.Sprintf("TOKEN%06d", i), Type: "ISO14443"}}
		d.When.Start = far.Add(time.Duration(i) * time.Hour)
		d.When.Expiry = d.When.Start.Add(time.Hour)
		if i == n {
			d.When = reservation.When{HoldFor: reservation.Duration(10 * 365 * 24 * time.Hour)}
		}
		want.Reservations = append(want.Reservations, d)
	}
	if _, err := l.Propose(tb.Context(), plan(tb, l, want), reconcile.ProposeOptions{}); err != nil {
		tb.Fatal(err)
	}
	mustAppend(tb, db, reservation.Event{Kind: reservation.Connected, StationID: station})
	mustAppend(tb, db, reservation.Event{Kind: reservation.Booted, StationID: station, Boot: &reservation.Boot{Accepted: true}})
	mustAppend(tb, db, reservation.Event{Kind: reservation.Status, StationID: station,
		Status: &reservation.StatusReport{EVSE: 1, Connector: 1, Status: reservation.Available}})
}

func connectionOf(tb testing.TB, db *state.DB, station string) int64 {
	tb.Helper()
	book, err := db.Book(tb.Context(), station, time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	return book.Station.Connection
}

func mustAppend(tb testing.TB, db *state.DB, e reservation.Event) {
	tb.Helper()
	if _, err := db.Append(tb.Context(), e); err != nil {
		tb.Fatal(err)
	}
}
