package bench

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
)

const reservations = 10_000

// BenchmarkApply is reservations per second over real sockets, everything
// journaled, from the proposal to the last report that an EVSE is Reserved. The
// limit is the time of the bare round trips, with the same reports, plus that
// of the same rows in bare transactions of the same sizes.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1000, 100} {
		b.Run(fmt.Sprintf("%d_stations", n), func(b *testing.B) {
			evses := reservations / n
			before, groups := rehearse(b, n, evses)
			var ours, trips, commits time.Duration
			for b.Loop() {
				ours += oursOnce(b, n, evses)
				trips += tripsOnce(b, n, evses)
				commits += commitsOnce(b, before, groups)
			}
			limit := trips + commits
			per := func(d time.Duration) float64 { return float64(b.N*reservations) / d.Seconds() }
			report(b, per(ours), per(limit), limit.Seconds()/ours.Seconds(), 0.5)
			b.ReportMetric(per(trips), "trips/s")
			b.ReportMetric(per(commits), "commits/s")
			b.ReportMetric(float64(len(groups)), "groups")
		})
	}
}

// rehearse applies once and takes down what was written, and what was before.
func rehearse(tb testing.TB, n, evses int) (before string, groups [][]limits.Row) {
	tb.Helper()
	var d *depot
	r := record(func() { d = newDepot(tb, n, evses) })
	p := plan(tb, d.ledger, desired(n, evses))
	before = duplicate(tb, d.path)
	r.forget()
	d.apply(tb, p)
	return before, r.take(tb)
}

func oursOnce(b *testing.B, n, evses int) (took time.Duration) {
	b.Helper()
	inside(b, func(tb testing.TB) {
		d := newDepot(tb, n, evses)
		took = d.apply(tb, plan(tb, d.ledger, desired(n, evses)))
	})
	return took
}

func tripsOnce(b *testing.B, n, evses int) (took time.Duration) {
	b.Helper()
	inside(b, func(tb testing.TB) {
		e, err := limits.Listen()
		if err != nil {
			tb.Fatal(err)
		}
		defer e.Close()
		stations(tb, e.URL(), n, evses)
		sockets, err := e.Boot(n, evses)
		if err == nil {
			took, err = limits.RoundTrips(sockets, evses)
		}
		if err != nil {
			tb.Fatal(err)
		}
		for _, c := range sockets {
			_ = c.Close()
		}
	})
	return took
}

func commitsOnce(tb testing.TB, before string, groups [][]limits.Row) time.Duration {
	tb.Helper()
	took, err := limits.Replay(tb.Context(), duplicate(tb, before), groups)
	if err != nil {
		tb.Fatal(err)
	}
	return took
}

// TestTheLimitWritesTheSame shows that the rows of the limit are the product's.
func TestTheLimitWritesTheSame(t *testing.T) {
	const n, evses = 3, 4
	var d *depot
	r := record(func() { d = newDepot(t, n, evses) })
	before := duplicate(t, d.path)
	r.forget()
	d.apply(t, plan(t, d.ledger, desired(n, evses)))
	groups := r.take(t)
	ours := dump(t, d.path)
	if _, err := limits.Replay(t.Context(), before, groups); err != nil {
		t.Fatal(err)
	}
	if limit := dump(t, before); limit != ours {
		t.Errorf("ours:\n%s\nlimit:\n%s", ours, limit)
	}
}

// dump is all that a database holds, as text.
func dump(tb testing.TB, path string) string {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	var b strings.Builder
	for _, table := range []string{"meta", "workspace", "wanted", "station", "occurrence", "ids", "journal"} {
		rows, err := db.QueryContext(tb.Context(), "SELECT * FROM "+table+" ORDER BY 1, 2")
		if err != nil {
			tb.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				tb.Fatal(err)
			}
			fmt.Fprintln(&b, table, values)
		}
		if err := rows.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return b.String()
}
