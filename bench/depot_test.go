package bench

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// depot is the product as serve wires it, with stations in another process.
type depot struct {
	db                  *state.DB
	path                string
	ledger              *reconcile.Ledger
	available, reserved counter
}

// counter closes done at the n-th step.
type counter struct {
	left atomic.Int64
	done chan struct{}
}

func (c *counter) until(n int) { c.done = make(chan struct{}); c.left.Store(int64(n)) }

func (c *counter) step() {
	if c.left.Add(-1) == 0 {
		close(c.done)
	}
}

func settings() reconcile.Settings {
	s := reconcile.DefaultSettings()
	s.QuietPeriod = time.Millisecond
	return s
}

func openState(tb testing.TB, path string) *state.DB {
	tb.Helper()
	db, err := state.Open(tb.Context(), path, state.Options{FirstReservationID: 1 << 20})
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// newDepot starts an endpoint and has n stations connect and boot.
func newDepot(tb testing.TB, n, evses int) *depot {
	tb.Helper()
	d := &depot{path: filepath.Join(tb.TempDir(), "resctl.db")}
	d.db = openState(tb, d.path)
	d.ledger = &reconcile.Ledger{Store: d.db, Settings: settings(), Now: time.Now}
	d.available.until(n * evses)
	d.reserved.until(n * evses)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	stop, err := serve(d.db, l, settings(), func(c *ocppclient.Config) { c.Observe, c.PingInterval = d.observe, -1 })
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		stop()
		_ = d.db.Close()
	})
	stations(tb, "ws://"+l.Addr().String(), n, evses)
	<-d.available.done
	return d
}

// serve is the endpoint, the loops and the state, wired as resctl serve does,
// with a configuration that edit has changed.
func serve(db *state.DB, l net.Listener, s reconcile.Settings, edit func(*ocppclient.Config)) (stop func(), err error) {
	loops := reconcile.NewLoops(&reconcile.Controller{Journal: db, Settings: s, Now: time.Now},
		func(ctx context.Context) (ids []string, err error) {
			all, err := db.Stations(ctx)
			for i := range all {
				ids = append(ids, strings.Clone(all[i].ID))
			}
			return ids, err
		},
		func(station string, err error) { fmt.Fprintln(os.Stderr, station, err) })
	c := ocppclient.Config{
		Observe: func(ctx context.Context, e reservation.Event) (reservation.Event, error) {
			stored, err := db.Append(ctx, e)
			if err != nil {
				return e, err
			}
			return stored[0], nil
		},
		Joined: func(s *ocppclient.Session) { loops.Join(s.StationID(), s.Connection(), s) },
		Left:   func(s *ocppclient.Session) { loops.Leave(s.StationID(), s.Connection()) },
		Admit: func(context.Context, string) (ocppclient.Admission, error) {
			return ocppclient.Admission{Known: true}, nil
		},
	}
	edit(&c)
	server, err := ocppclient.NewServer(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { loops.Run(ctx) })
	running.Go(func() { _ = server.Run(ctx, l) })
	forget := db.OnCommit(loops.Wake)
	return func() { cancel(); running.Wait(); forget() }, nil
}

func (d *depot) observe(ctx context.Context, e reservation.Event) (reservation.Event, error) {
	stored, err := d.db.Append(ctx, e)
	if err != nil {
		return e, err
	}
	if e.Kind == reservation.Status && e.Status.Status == reservation.Available {
		d.available.step()
	}
	if e.Kind == reservation.Status && e.Status.Status == reservation.Reserved {
		d.reserved.step()
	}
	return stored[0], nil
}

// desired wants every EVSE of every station for eight hours.
func desired(n, evses int) reconcile.Desired {
	want := reconcile.Desired{Workspace: "default"}
	for i := range n {
		for evse := 1; evse <= evses; evse++ {
			id := i*evses + evse
			want.Reservations = append(want.Reservations, reservation.Declaration{
				Address: fmt.Sprintf("reservation.van[\"%06d\"]", id), Workspace: "default", StationID: limits.StationID(i),
				Target: reservation.Target{EVSE: evse}, IDToken: reservation.Token{IDToken: fmt.Sprintf("TOKEN%06d", id), Type: "ISO14443"},
				When: reservation.When{HoldFor: reservation.Duration(8 * time.Hour)}, Source: "main.hcl:9"})
		}
	}
	return want
}

func plan(tb testing.TB, l *reconcile.Ledger, want reconcile.Desired) *reconcile.Plan {
	tb.Helper()
	p, err := l.Plan(tb.Context(), want)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// apply stores a plan and returns how long it took until all of it was held,
// reported and journaled.
func (d *depot) apply(tb testing.TB, p *reconcile.Plan) time.Duration {
	tb.Helper()
	began := time.Now()
	if _, err := d.ledger.Propose(tb.Context(), p, reconcile.ProposeOptions{By: "bench"}); err != nil {
		tb.Fatal(err)
	}
	<-d.reserved.done
	return time.Since(began)
}

// duplicate copies a database as it is now.
func duplicate(tb testing.TB, path string) string {
	tb.Helper()
	to := filepath.Join(tb.TempDir(), "copy.db")
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err == nil {
		_, err = db.ExecContext(tb.Context(), "VACUUM INTO ?", to)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	return to
}
