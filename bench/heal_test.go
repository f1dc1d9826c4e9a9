package bench

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
	"github.com/resctl/resctl/reservation"
)

// BenchmarkHeal is the time, in microseconds, from the second of two reports,
// that a reservation was removed and that its EVSE is Available, to the new
// ReserveNow at the station, against one round trip with the same two commits. It
// is a station's first heal each time; after that there is back-off.
func BenchmarkHeal(b *testing.B) {
	const n = 200
	before, heals := healings(b, n)
	took := map[int][]float64{}
	for b.Loop() {
		ours, bare := heal(b, n), bareHeal(b, n, before, heals)
		for _, percent := range []int{50, 99} {
			took[percent] = append(took[percent], micros(at(ours, percent)), micros(at(bare, percent)))
		}
	}
	for _, row := range []struct {
		name    string
		percent int
		wanted  float64
	}{{"p50", 50, 1.5}, {"p99", 99, 3}} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
			}
			var ours, bare float64
			for i := 0; i < len(took[row.percent]); i += 2 {
				ours, bare = ours+took[row.percent][i], bare+took[row.percent][i+1]
			}
			rounds := float64(len(took[row.percent]) / 2)
			report(b, ours/rounds, bare/rounds, ours/bare, row.wanted)
		})
	}
}

func micros(d time.Duration) float64 { return 1e6 * d.Seconds() }

// heal has n stations, one after the other, drop what they hold.
func heal(tb testing.TB, n int) (took []time.Duration) {
	tb.Helper()
	inside(tb, func(tb testing.TB) { took = holding(tb, n).heals() })
	return took
}

// holding has n stations hold EVSE 1.
func holding(tb testing.TB, n int) *yard {
	tb.Helper()
	y := newYard(tb, n, settings())
	y.reserved.until(n)
	y.wants(0, n, reservation.When{HoldFor: reservation.Duration(8 * time.Hour)})
	<-y.reserved.done
	return y
}

func (y *yard) heals() (took []time.Duration) {
	y.tb.Helper()
	var all []limits.Heard
	y.fleet.ask("heal", &all)
	for _, h := range all {
		if h.Action != "ReserveNow" {
			y.tb.Fatalf("station %d was sent %s", h.Station, h.Action)
		}
		took = append(took, h.Took)
	}
	return took
}

// healings are the rows of n heals: what comes before the report, the report,
// and the request.
func healings(tb testing.TB, n int) (before string, heals [][3][]limits.Row) {
	tb.Helper()
	inside(tb, func(scoped testing.TB) {
		var y *yard
		r := record(func() { y = holding(scoped, n) })
		before = duplicate(tb, y.path)
		r.forget()
		y.heals()
		var last []limits.Row
		var earlier []limits.Row
		for _, group := range r.take(tb) {
			if holds(group, reservation.Requested) {
				heals = append(heals, [3][]limits.Row{earlier, last, group})
				earlier, last = nil, nil
				continue
			}
			earlier, last = append(earlier, last...), group
		}
	})
	if len(heals) != n {
		tb.Fatalf("%d requests for %d heals", len(heals), n)
	}
	return before, heals
}

// bareHeal is the same without anything of ours.
func bareHeal(tb testing.TB, n int, before string, heals [][3][]limits.Row) (took []time.Duration) {
	tb.Helper()
	inside(tb, func(tb testing.TB) {
		var groups [][]limits.Row
		for _, h := range heals {
			groups = append(groups, h[:]...)
		}
		db, err := limits.Open(context.Background(), duplicate(tb, before), groups)
		if err != nil {
			tb.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		d := limits.Healing(db, heals)
		go func() { _ = d.Serve(l) }()
		tb.Cleanup(func() { _ = l.Close(); d.Close(); _ = db.Close() })
		fleet := startChild(tb, role{Fleet: "ws://" + l.Addr().String(), N: n, EVSEs: 1})
		var booted bool
		fleet.ask("boot", &booted)
		took = (&yard{tb: tb, fleet: fleet}).heals()
	})
	return took
}
