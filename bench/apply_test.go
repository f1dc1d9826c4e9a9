package bench

import (
	"database/sql"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
)

const reservations = 10_000

// BenchmarkApply is reservations per second of resctl apply over real sockets,
// everything journaled, from the first request to the last report that an EVSE
// is Reserved. The limit is the time of the bare round trips, with the same
// reports, plus that of the same rows in bare transactions of the sizes that
// ours had in a rehearsal.
func BenchmarkApply(b *testing.B) {
	binary := build(b)
	for _, n := range []int{1000, 100} {
		b.Run(fmt.Sprintf("%d_stations", n), func(b *testing.B) {
			evses := reservations / n
			before, groups := rehearse(b, n, evses)
			var ours, trips, commits time.Duration
			for b.Loop() {
				ours += oursOnce(b, binary, n, evses)
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

// rehearse applies once in this process and takes down what is written once
// the proposal is stored, and what was before.
func rehearse(tb testing.TB, n, evses int) (before string, groups [][]limits.Row) {
	tb.Helper()
	inside(tb, func(scoped testing.TB) {
		var d *depot
		r := record(func() { d = newDepot(scoped, n, evses) })
		p := plan(scoped, d.ledger, desired(n, evses))
		before = duplicate(tb, d.path)
		r.forget()
		d.apply(scoped, p)
		groups = r.take(tb)
	})
	if _, err := limits.Replay(tb.Context(), before, groups[:1]); err != nil { // the proposal
		tb.Fatal(err)
	}
	return before, groups[1:]
}

// oursOnce lets the binary apply, and reads in its journal how long it took.
func oursOnce(b *testing.B, binary string, n, evses int) (took time.Duration) {
	b.Helper()
	inside(b, func(tb testing.TB) {
		dir, address := tb.TempDir(), freeAddress(tb)
		write(tb, dir, "main.hcl", tableMain)
		write(tb, dir, "vans.csv", rows(n*evses, func(i int) string { return limits.StationID(i / evses) }, evses))
		stations(tb, "ws://"+address, n, evses)
		run(tb, exec.Command(binary, "apply", "-C", dir, "--listen", address, "--auto-approve", "--quiet-period", "5s"))
		took = span(tb, filepath.Join(dir, "resctl.db"), n*evses)
	})
	return took
}

// span is the time from the first request to the last line before the stations
// were let go.
func span(tb testing.TB, path string, n int) time.Duration {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	var from, to, answered int64
	err = db.QueryRowContext(tb.Context(), `SELECT min(at) FILTER (WHERE kind = 'requested'),
		max(at) FILTER (WHERE kind IN ('answered', 'status')), count(*) FILTER (WHERE kind = 'answered') FROM journal`).Scan(&from, &to, &answered)
	if err != nil || answered < int64(n) {
		tb.Fatalf("%d answers for %d: %v", answered, n, err)
	}
	return time.Duration(to-from) * time.Millisecond
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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
