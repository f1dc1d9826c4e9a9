package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
	"github.com/resctl/resctl/reconcile/fit"
	"github.com/resctl/resctl/reservation"
)

// BenchmarkFit is how long, in milliseconds, the proof of 100,000 windows at ten
// stations takes, most of which do not name their EVSE. The limit is the bare
// sorting of the windows' edges; of growth, the proof of 10,000.
func BenchmarkFit(b *testing.B) {
	const stations, evses = 10, 10
	many, few := crowd(100_000/stations, evses), crowd(10_000/stations, evses)
	b.Run("edges_100000", func(b *testing.B) {
		var ours, limit time.Duration
		for b.Loop() {
			ours += proven(b, many, stations, evses)
			limit += edgesSorted(many, stations)
		}
		report(b, 1000*ours.Seconds()/float64(b.N), 1000*limit.Seconds()/float64(b.N), ours.Seconds()/limit.Seconds(), 8)
	})
	b.Run("growth_100000", func(b *testing.B) {
		var ours, limit time.Duration
		for b.Loop() {
			ours += proven(b, many, stations, evses)
			limit += proven(b, few, stations, evses)
		}
		report(b, 1000*ours.Seconds()/float64(b.N), 1000*limit.Seconds()/float64(b.N), ours.Seconds()/limit.Seconds(), 12)
	})
}

// slot is one window of a station.
type slot struct {
	target reservation.Target
	window reservation.Window
}

var proofBegins = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// crowd takes every EVSE of a station at every instant of two weeks: every
// fourth window names its EVSE, of the others every third a connector type.
func crowd(n, evses int) []slot {
	list := make([]slot, n)
	step := fit14 / time.Duration(n/evses+1)
	for i := range list {
		start := proofBegins.Add(time.Duration(i/evses) * step)
		list[i].window = reservation.Window{Start: start, Expiry: start.Add(step)}
		switch k := i % evses; {
		case k%4 == 0:
			list[i].target.EVSE = k + 1
		case k%3 == 0:
			list[i].target.ConnectorType = "cType2"
		}
	}
	return list
}

const fit14 = 14 * 24 * time.Hour

func proven(tb testing.TB, list []slot, stations, evses int) time.Duration {
	tb.Helper()
	s := fit.Station{Typed: true}
	for i := range evses {
		s.EVSEs = append(s.EVSEs, reservation.EVSE{ID: i + 1, ConnectorTypes: []string{"cCCS2", "cType2"}[:1+i%2]})
	}
	claims := make([]fit.Claim, len(list))
	for i, x := range list {
		claims[i] = fit.Claim{Workspace: "w", Address: fmt.Sprintf("reservation.van[\"%06d\"]", i), Target: x.target, Mine: true,
			Windows: func(yield func(reservation.Window) bool) { yield(x.window) }}
	}
	began := time.Now()
	for range stations {
		p := fit.Prove(s, claims, fit.Options{From: proofBegins, Until: proofBegins.Add(fit14), Most: 100, Steps: 2_000_000})
		if len(p.Conflicts) > 0 {
			tb.Fatalf("%+v", p.Conflicts[0])
		}
	}
	return time.Since(began)
}

func edgesSorted(list []slot, stations int) (took time.Duration) {
	for range stations {
		edges := make([]limits.Edge, 0, 2*len(list))
		for _, x := range list {
			edges = append(edges, limits.Edge{At: x.window.Start.Unix(), Start: true}, limits.Edge{At: x.window.Expiry.Unix()})
		}
		began := time.Now()
		limits.SortEdges(edges)
		took += time.Since(began)
	}
	return took
}
