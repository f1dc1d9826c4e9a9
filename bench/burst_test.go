package bench

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// yard is the product in this process, and stations in another that stay.
type yard struct {
	tb       testing.TB
	path     string
	address  string
	settings reconcile.Settings
	db       *state.DB
	ledger   *reconcile.Ledger
	stop     func()
	fleet    *child

	connected, reserved counter
}

// newYard has n stations connect and boot.
func newYard(tb testing.TB, n int, s reconcile.Settings) *yard {
	tb.Helper()
	y := &yard{tb: tb, path: filepath.Join(tb.TempDir(), "resctl.db"), address: freeAddress(tb), settings: s}
	y.connected.until(n)
	y.open()
	y.listen()
	tb.Cleanup(func() { y.close() })
	y.fleet = startChild(tb, role{Fleet: "ws://" + y.address, N: n, EVSEs: 1})
	var booted bool
	y.fleet.ask("boot", &booted)
	return y
}

// open opens the state, and settles what there was, as serve does.
func (y *yard) open() {
	y.tb.Helper()
	y.db = openState(y.tb, y.path)
	y.ledger = &reconcile.Ledger{Store: y.db, Settings: y.settings, Now: time.Now}
	err := y.ledger.Recover(context.Background())
	all, err2 := y.db.Stations(context.Background())
	c := &reconcile.Controller{Journal: y.db, Settings: y.settings, Now: time.Now}
	for i := range all {
		if err == nil && err2 == nil {
			_, _, err = c.Settle(context.Background(), all[i].ID)
		}
	}
	if err != nil || err2 != nil {
		y.tb.Fatal(err, err2)
	}
}

func (y *yard) listen() {
	y.tb.Helper()
	l, err := net.Listen("tcp", y.address)
	if err == nil {
		y.stop, err = serve(y.db, l, y.settings, func(c *ocppclient.Config) {
			observe := c.Observe
			c.Observe = func(ctx context.Context, e reservation.Event) (reservation.Event, error) {
				e, err := observe(ctx, e)
				if err == nil && e.Kind == reservation.Connected {
					y.connected.step()
				}
				if err == nil && e.Kind == reservation.Status && e.Status.Status == reservation.Reserved {
					y.reserved.step()
				}
				return e, err
			}
		})
	}
	if err != nil {
		y.tb.Fatal(err)
	}
}

func (y *yard) close() {
	y.stop()
	if err := y.db.Close(); err != nil {
		y.tb.Error(err)
	}
}

// wants stores a window for EVSE 1 of each station from the first on.
func (y *yard) wants(from, to int, when reservation.When) {
	y.tb.Helper()
	want := desired(to, 1)
	want.Reservations, want.Workspace = want.Reservations[from:], fmt.Sprintf("from_%d", from)
	for i := range want.Reservations {
		want.Reservations[i].When, want.Reservations[i].Workspace = when, want.Workspace
	}
	if _, err := y.ledger.Propose(y.tb.Context(), plan(y.tb, y.ledger, want), reconcile.ProposeOptions{By: "bench"}); err != nil {
		y.tb.Fatal(err)
	}
}

func (y *yard) heard() (all []limits.Heard) {
	y.tb.Helper()
	y.fleet.ask("heard", &all)
	return all
}

// BenchmarkWindows is how late, in milliseconds, the 99th of 100 ReserveNow is at
// its station when as many windows open at one moment as there are stations,
// against a bare burst and the rows of the requests, in as many commits as ours.
func BenchmarkWindows(b *testing.B) {
	n := max(1, *stationsFlag/10)
	before, groups := windows(b, n, true, nil)
	var ours, burst, commits time.Duration
	for b.Loop() {
		var late []time.Duration
		windows(b, n, false, &late)
		ours += at(late, 99)
		burst += at(bareBurst(b, n), 99)
		commits += commitsOnce(b, before, groups)
	}
	reportMillis(b, ours, burst+commits, 2)
	b.ReportMetric(millis(burst)/float64(b.N), "burst-ms")
	b.ReportMetric(millis(commits)/float64(b.N), "commits-ms")
	b.ReportMetric(float64(len(groups)), "groups")
}

// reportMillis reports what b.N rounds took together.
func reportMillis(b *testing.B, ours, limit time.Duration, wanted float64) {
	b.Helper()
	n := float64(b.N)
	report(b, millis(ours)/n, millis(limit)/n, ours.Seconds()/limit.Seconds(), wanted)
}

// windows lets n windows open at once. It gives how late each was, or, where it
// is recorded, the state of before and the rows of the requests.
func windows(tb testing.TB, n int, recorded bool, late *[]time.Duration) (before string, groups [][]limits.Row) {
	tb.Helper()
	inside(tb, func(scoped testing.TB) {
		var y *yard
		open := func() { y = newYard(scoped, n, settings()) }
		var r *recorder
		if recorded {
			r = record(open)
		} else {
			open()
		}
		lead := 3*time.Second + time.Duration(n)*time.Millisecond
		start := time.Now().Add(lead).UTC().Truncate(time.Second)
		y.reserved.until(n)
		y.wants(0, n, reservation.When{Start: start, Expiry: start.Add(time.Hour)})
		if recorded {
			before = duplicate(tb, y.path)
			r.forget()
		}
		if !time.Now().Before(start) {
			tb.Fatal("the windows opened before they were stored")
		}
		<-y.reserved.done
		if recorded {
			groups = requestsOf(r.take(tb))
			return
		}
		for _, h := range y.heard() {
			*late = append(*late, h.At.Sub(start))
		}
		if len(*late) != n {
			tb.Fatalf("%d calls for %d windows", len(*late), n)
		}
	})
	return before, groups
}

// upToLast are the groups up to the last one with a line of a kind.
func upToLast(groups [][]limits.Row, kind reservation.Kind) [][]limits.Row {
	for len(groups) > 0 && !holds(groups[len(groups)-1], kind) {
		groups = groups[:len(groups)-1]
	}
	return groups
}

// requestsOf are the rows of requests, without those of what else was committed
// with them: the first answers, which come before the last request has left.
func requestsOf(groups [][]limits.Row) (all [][]limits.Row) {
	for _, group := range groups {
		asked := map[string]bool{}
		for _, r := range group {
			if len(r.Args) == 8 && r.Args[2] == string(reservation.Requested) {
				asked[r.Args[3].(string)] = true
			}
		}
		group = slices.DeleteFunc(slices.Clone(group), func(r limits.Row) bool {
			return !slices.ContainsFunc(r.Args, func(a any) bool { id, _ := a.(string); return asked[id] })
		})
		if len(group) > 0 {
			all = append(all, group)
		}
	}
	return all
}

func holds(group []limits.Row, kind reservation.Kind) bool {
	return slices.ContainsFunc(group, func(r limits.Row) bool { return len(r.Args) == 8 && r.Args[2] == string(kind) })
}

// bareBurst is how long after the first word each of n stations is asked.
func bareBurst(tb testing.TB, n int) (late []time.Duration) {
	tb.Helper()
	inside(tb, func(tb testing.TB) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		var d limits.Depot
		go func() { _ = d.Serve(l) }()
		tb.Cleanup(func() { _ = l.Close(); d.Close() })
		fleet := startChild(tb, role{Fleet: "ws://" + l.Addr().String(), N: n, EVSEs: 1})
		var booted bool
		fleet.ask("boot", &booted)
		began := time.Now()
		d.Burst()
		var heard []limits.Heard
		for len(heard) < n {
			time.Sleep(50 * time.Millisecond)
			fleet.ask("heard", &heard)
		}
		for _, h := range heard {
			late = append(late, h.At.Sub(began))
		}
	})
	return late
}

// at is the value that so many of 100 do not exceed.
func at(times []time.Duration, percent int) time.Duration {
	slices.Sort(times)
	return times[min(len(times)-1, len(times)*percent/100)]
}

func millis(d time.Duration) float64 { return 1000 * d.Seconds() }

// BenchmarkReconnect is how long, in milliseconds, it takes until all stations
// are back after a restart, against bare accepts and the same rows. Half of them
// hold something, and the others are to: nobody is asked twice.
func BenchmarkReconnect(b *testing.B) {
	n := *stationsFlag
	before, groups := reconnect(b, n, true, nil)
	var ours, accepts, commits time.Duration
	for b.Loop() {
		var took time.Duration
		reconnect(b, n, false, &took)
		ours += took
		accepts += bareAccepts(b, n)
		commits += commitsOnce(b, before, groups)
	}
	reportMillis(b, ours, accepts+commits, 1.5)
	b.ReportMetric(millis(accepts)/float64(b.N), "accepts-ms")
	b.ReportMetric(millis(commits)/float64(b.N), "commits-ms")
	b.ReportMetric(float64(len(groups)), "groups")
}

func reconnect(tb testing.TB, n int, recorded bool, took *time.Duration) (before string, groups [][]limits.Row) {
	tb.Helper()
	inside(tb, func(scoped testing.TB) {
		s := reconcile.DefaultSettings() // nothing is asked before all are back
		s.QuietPeriod = time.Second + time.Duration(n)*time.Millisecond
		y := newYard(scoped, n, s)
		y.reserved.until(n / 2)
		y.wants(0, n/2, reservation.When{HoldFor: reservation.Duration(8 * time.Hour)})
		<-y.reserved.done
		y.close()
		var r *recorder
		if recorded {
			r = record(y.open)
		} else {
			y.open()
		}
		y.wants(n/2, n, reservation.When{HoldFor: reservation.Duration(8 * time.Hour)})
		y.reserved.until(n - n/2)
		if recorded {
			before = duplicate(tb, y.path)
			r.forget()
		}
		y.connected.until(n)
		began := time.Now()
		y.listen()
		<-y.connected.done
		if recorded {
			groups = upToLast(r.take(tb), reservation.Connected)
		} else {
			*took = time.Since(began)
		}
		<-y.reserved.done
		askedOnce(tb, y.heard(), n)
	})
	return before, groups
}

// askedOnce checks at the stations that each was asked for its one reservation.
func askedOnce(tb testing.TB, heard []limits.Heard, n int) {
	tb.Helper()
	stations, ids := map[int]int{}, map[int]bool{}
	for _, h := range heard {
		stations[h.Station]++
		if h.Action != "ReserveNow" || ids[h.ID] || stations[h.Station] > 1 {
			tb.Errorf("station %d was sent %s %d", h.Station, h.Action, h.ID)
		}
		ids[h.ID] = true
	}
	if len(stations) != n {
		tb.Errorf("%d of %d stations were asked", len(stations), n)
	}
}

// bareAccepts is how long it takes until n stations that were cut off are back.
func bareAccepts(tb testing.TB, n int) (took time.Duration) {
	tb.Helper()
	inside(tb, func(tb testing.TB) {
		address := freeAddress(tb)
		var back atomic.Int64
		all := make(chan struct{})
		open := func() (*limits.Depot, net.Listener) {
			l, err := net.Listen("tcp", address)
			if err != nil {
				tb.Fatal(err)
			}
			d := &limits.Depot{Came: func(int) {
				if back.Add(1) == int64(2*n) {
					close(all)
				}
			}}
			go func() { _ = d.Serve(l) }()
			return d, l
		}
		first, l := open()
		var booted bool
		startChild(tb, role{Fleet: "ws://" + address, N: n, EVSEs: 1}).ask("boot", &booted)
		_ = l.Close()
		first.Close()
		time.Sleep(time.Second)
		began := time.Now()
		second, l := open()
		<-all
		took = time.Since(began)
		_ = l.Close()
		second.Close()
	})
	return took
}
