package day

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// depot is the product as serve wires it, and its stations.
type depot struct {
	t        *testing.T
	path     string
	settings reconcile.Settings
	db       *state.DB
	ledger   *reconcile.Ledger
	door     *pipes // nil: it is shut
	stop     func()
	stations []*sim.Client
	wires    *wires
	noon     time.Time                 // when the day begins
	log      *log                      // of the endpoint, all of it
	odd      map[string]map[string]int // by station, what the last looks saw, and how often in a row
	suspects map[string][]string       // what is wrong, by station

	mu sync.Mutex
}

// log is what was logged.
type log struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func stationID(i int) string { return fmt.Sprintf("DAY-%03d", i) }

// newDepot has n stations of two EVSEs each.
func newDepot(t *testing.T, n int, noon time.Time) *depot {
	t.Helper()
	d := &depot{t: t, path: filepath.Join(t.TempDir(), "resctl.db"), settings: reconcile.DefaultSettings(),
		wires: newWires(), noon: noon, log: &log{}, odd: map[string]map[string]int{}, suspects: map[string][]string{}}
	dialer := sim.NewDialer()
	dialer.Proxy, dialer.NetDialContext = nil, d.dial
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for i := range n {
		c := sim.Config{ID: stationID(i), Serial: "SN-" + stationID(i), Vendor: "resctl", Model: "Day", Quirks: quirks(i)}
		for evse := 1; evse <= 2; evse++ {
			c.EVSEs = append(c.EVSEs, sim.EVSE{ID: evse, Connectors: []v201.ConnectorType{"cCCS2"}})
		}
		client, err := sim.NewClient(sim.ClientConfig{Station: c, URL: "ws://pipe", Dialer: dialer, PingInterval: 1000 * time.Hour})
		must(t, err)
		client.SetDelay(time.Duration(20+i%50*60) * time.Millisecond)
		d.stations = append(d.stations, client)
		running.Go(func() { _ = client.Run(ctx) })
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	return d
}

// quirks make some stations deviate from the standard, each in its way.
func quirks(i int) sim.Quirks {
	switch i % 10 {
	case 1:
		return sim.Quirks{SameID: sim.SameIDOccupied}
	case 3:
		return sim.Quirks{StatusBeforeAnswer: true, UpdateBeforeStatus: true}
	case 5:
		return sim.Quirks{NoReservationIDInTransaction: true, QueueAll: true}
	case 7:
		return sim.Quirks{NotifyEventInsteadOfStatus: true, BootsAtEveryReconnect: true}
	case 9:
		return sim.Quirks{NeverReportsExpiry: true}
	}
	return sim.Quirks{}
}

// open starts the process; pings 0: none are sent.
func (d *depot) open(pings time.Duration) {
	d.t.Helper()
	ctx := context.Background()
	var err error
	d.db, err = state.Open(ctx, d.path, state.Options{FirstReservationID: 1 << 20})
	must(d.t, err)
	d.ledger = &reconcile.Ledger{Store: d.db, Settings: d.settings, Now: time.Now, Speaks: []string{"2.0.1"}}
	must(d.t, d.ledger.Recover(ctx))
	loops := d.loops()
	if pings == 0 {
		pings = -1
	}
	server, err := ocppclient.NewServer(ocppclient.Config{
		Observe: func(ctx context.Context, e reservation.Event) (reservation.Event, error) {
			stored, err := d.db.Append(ctx, e)
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
		Authorize:    func(context.Context, string, reservation.Token) (bool, *reservation.Token) { return true, nil },
		PingInterval: pings, MaxHandshakeRate: -1, Log: slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	must(d.t, err)
	d.run(server, loops)
}

func (d *depot) run(server *ocppclient.Server, loops *reconcile.Loops) {
	door := newPipes()
	d.mu.Lock()
	d.door = door
	d.mu.Unlock()
	running, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { loops.Run(running) })
	all.Go(func() { _ = server.Run(running, door) })
	forget := d.db.OnCommit(loops.Wake)
	d.stop = func() { cancel(); all.Wait(); forget(); must(d.t, d.db.Close()) }
}

func (d *depot) loops() *reconcile.Loops {
	stations := func(ctx context.Context) (ids []string, err error) {
		all, err := d.db.Stations(ctx)
		for i := range all {
			ids = append(ids, all[i].ID)
		}
		return ids, err
	}
	failed := func(id string, err error) { d.t.Errorf("the loop of %q: %v", id, err) }
	return reconcile.NewLoops(&reconcile.Controller{Journal: d.db, Settings: d.settings, Now: time.Now}, stations, failed)
}

// restart is the end of the process and the beginning of the next.
func (d *depot) restart(pings time.Duration) {
	d.t.Helper()
	d.stop()
	d.open(pings)
}

func (d *depot) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	door := d.door
	d.mu.Unlock()
	if door == nil {
		return nil, net.ErrClosed
	}
	return door.dial(ctx, d.wires)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pipes is a listener whose connections are made in memory and have no buffer.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	shut   func()
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.shut = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.shut(); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, w *wires) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- &tap{Conn: far, wires: w}:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
