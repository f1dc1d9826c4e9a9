package scenarios

import (
	"context"
	"fmt"
	"iter"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

const station = "CP-1"

// morning is when virtual worlds begin; frames in them may name times.
var morning = time.Date(2030, 6, 1, 8, 0, 0, 0, time.UTC)

// world is the endpoint, the state and the loop, and one reservation of EVSE 1
// for an hour. Beyond a second, time passes in virtual worlds only.
type world struct {
	*reconcile.Ledger
	t         *testing.T
	path      string
	db        *state.DB
	listen    func() net.Listener
	dialer    websocket.Dialer
	url       string
	stop      func() // the endpoint and the state
	isVirtual bool

	van reservation.Declaration
	// authorize says who may charge, and in which group a token is.
	authorize func(reservation.Token) (bool, *reservation.Token)
}

// begin makes a world of TCP, with waits of milliseconds.
func begin(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, reconcile.Settings{QuietPeriod: time.Millisecond, QuietMax: time.Second, Patience: 2 * time.Second})
	w.listen = func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		w.url = "ws://" + l.Addr().String() + "/ocpp/"
		return l
	}
	w.start()
	return w
}

// virtual makes a world in virtual time, with the product's own waits. Its
// sockets are pipes.
func virtual(t *testing.T, story func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(morning))
		w := newWorld(t, reconcile.DefaultSettings())
		w.isVirtual, w.url = true, "ws://pipe/ocpp/"
		w.listen = func() net.Listener {
			p := newPipes()
			w.dialer.NetDialContext = p.dial
			return p
		}
		w.start()
		story(w)
	})
}

func newWorld(t *testing.T, settings reconcile.Settings) *world {
	t.Helper()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "resctl.db"),
		Ledger:    &reconcile.Ledger{Settings: settings, Now: time.Now, Speaks: []string{"2.0.1"}},
		authorize: func(reservation.Token) (bool, *reservation.Token) { return true, nil }}
	start := time.Now().UTC().Truncate(time.Second)
	w.van = reservation.Declaration{Workspace: "depot", Address: "reservation.van", StationID: station,
		Target: reservation.Target{EVSE: 1}, IDToken: reservation.Token{IDToken: "VAN-12", Type: "ISO14443"},
		When: reservation.When{Start: start, Expiry: start.Add(time.Hour)}}
	t.Cleanup(func() { w.stop() })
	return w
}

// start opens the state, and lets stations connect.
func (w *world) start() {
	w.t.Helper()
	db, err := state.Open(context.Background(), w.path, state.Options{FirstReservationID: 4096})
	must(w.t, err)
	w.db, w.Store = db, db
	must(w.t, w.Recover(context.Background()))
	loops := w.loops()
	server, err := ocppclient.NewServer(w.endpoint(loops))
	must(w.t, err)
	l := w.listen()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { loops.Run(ctx) })
	running.Go(func() { _ = server.Run(ctx, l) })
	forget := db.OnCommit(loops.Wake)
	w.stop = func() { cancel(); running.Wait(); forget(); _ = db.Close() }
}

// loops are those of all stations, as serve has them.
func (w *world) loops() *reconcile.Loops {
	stations := func(ctx context.Context) (ids []string, err error) {
		all, err := w.Store.Stations(ctx)
		for i := range all {
			ids = append(ids, all[i].ID)
		}
		return ids, err
	}
	failed := func(id string, err error) { w.t.Errorf("the loop of %q: %v", id, err) }
	return reconcile.NewLoops(&reconcile.Controller{Journal: w.db, Settings: w.Settings, Now: w.Now}, stations, failed)
}

// restart is the end of the process and the beginning of the next.
func (w *world) restart() {
	w.t.Helper()
	w.stop()
	w.start()
}

// endpoint is all wiring of the endpoint with the rest.
func (w *world) endpoint(loops *reconcile.Loops) ocppclient.Config {
	db := w.db
	return ocppclient.Config{
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
		Authorize: func(_ context.Context, _ string, t reservation.Token) (bool, *reservation.Token) {
			return w.authorize(t)
		},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plan compares what is to be declared with what is stored.
func (w *world) plan(all ...reservation.Declaration) *reconcile.Plan {
	w.t.Helper()
	p, err := w.Plan(w.t.Context(), reconcile.Desired{Workspace: "depot", Reservations: all})
	must(w.t, err)
	return p
}

// apply stores that these are wanted and no others, as an operator would.
func (w *world) apply(all ...reservation.Declaration) *reconcile.Plan {
	w.t.Helper()
	p := w.plan(all...)
	if p.Errors() > 0 {
		w.t.Fatalf("refused: %+v", p.Findings)
	}
	_, err := w.Propose(w.t.Context(), p, reconcile.ProposeOptions{})
	must(w.t, err)
	return p
}

// pass lets virtual time pass, and everything happen that is due by then.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	if !w.isVirtual {
		w.t.Fatal("time passes in virtual worlds only")
	}
	time.Sleep(d)
	synctest.Wait()
}

// now is the latest occurrence of the reservation.
func (w *world) now() reservation.Occurrence {
	w.t.Helper()
	found, err := w.db.Occurrences(w.t.Context(), "depot", w.van.Address)
	must(w.t, err)
	if len(found) == 0 {
		return reservation.Occurrence{}
	}
	return *found[len(found)-1].Occurrence
}

// is waits until the reservation is in a phase, for a reason if one is given.
// In virtual time it is, or will not be.
func (w *world) is(p reservation.Phase, why reservation.Reason) {
	w.t.Helper()
	changed, stop := w.db.Wake(station)
	defer stop()
	late := time.After(5 * time.Second)
	if w.isVirtual {
		synctest.Wait()
	}
	for {
		o := w.now()
		if o.Phase == p && (why == "" || o.Reason == why) {
			return
		}
		if w.isVirtual {
			w.t.Fatalf("it is not %s (%s): %+v", p, why, o)
		}
		select {
		case <-changed:
		case <-late:
			w.t.Fatalf("it is not %s (%s): %+v", p, why, o)
		}
	}
}

// answers are the station's answers in the journal, one a line.
func (w *world) answers() string {
	w.t.Helper()
	var b strings.Builder
	for e, err := range w.db.EventsUntil(w.t.Context(), state.Filter{}) {
		must(w.t, err)
		if e.Kind == reservation.Answered {
			fmt.Fprintln(&b, e.ReservationID, e.Call.Kind, e.Answer.Outcome)
		}
	}
	return b.String()
}

// entered counts how often the reservation came into a phase, over the journal.
func (w *world) entered(p reservation.Phase) (n int) {
	w.t.Helper()
	book, last := reservation.NewBook(station), reservation.Phase("")
	for e, err := range w.db.EventsUntil(w.t.Context(), state.Filter{Station: station}) {
		must(w.t, err)
		_, err := book.Apply(e)
		must(w.t, err)
		for _, o := range book.Occurrences {
			if o.Address == w.van.Address && o.Phase != last {
				if last = o.Phase; last == p {
					n++
				}
			}
		}
	}
	return n
}

// permutations are all orders of a list, in which steps may be twice.
func permutations(all ...string) iter.Seq[[]string] {
	return func(yield func([]string) bool) { permute(nil, all, yield) }
}

func permute(done, rest []string, yield func([]string) bool) bool {
	if len(rest) == 0 {
		return yield(slices.Clone(done))
	}
	for i := range rest {
		if slices.Contains(rest[:i], rest[i]) {
			continue
		}
		left := slices.Delete(slices.Clone(rest), i, i+1)
		if !permute(append(done, rest[i]), left, yield) {
			return false
		}
	}
	return true
}

// isAt looks at the reservation as it stands in one station's book.
func (w *world) isAt(id string, p reservation.Phase) {
	w.t.Helper()
	found, err := w.db.Occurrences(w.t.Context(), w.van.Workspace, w.van.Address)
	must(w.t, err)
	i := slices.IndexFunc(found, func(x reservation.Placed) bool { return x.StationID == id })
	if i < 0 || found[i].Occurrence.Phase != p {
		w.t.Fatalf("it is not %s at %s: %+v", p, id, found)
	}
}

// drift is what a person should look at.
func (w *world) drift() []reconcile.Drifted {
	w.t.Helper()
	all, err := w.Drift(w.t.Context(), 0)
	must(w.t, err)
	return all
}

// pipes is a listener whose connections are made in memory and have no buffer.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
