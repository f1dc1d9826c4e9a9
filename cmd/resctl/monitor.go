package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/metrics"
	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// monitor knows how a serving process is: for metrics, and for whether it is ready.
type monitor struct {
	w      *workplace
	census *census
	meters *metrics.Metrics // nil: nobody looks

	watches *watches      // nil: none
	moved   chan struct{} // 1-buffered: something may no longer fit

	endpoint  atomic.Pointer[ocppclient.Server]
	accepting atomic.Bool
	stopping  atomic.Bool
	unstored  atomic.Pointer[refusedWrite] // the last commit that failed; nil: none has

	mu       sync.Mutex
	probed   time.Time
	unusable error // what probing the disk said
}

// refusedWrite is something that could not be recorded.
type refusedWrite struct {
	err error
	at  time.Time
}

// failureCounts is how long a failure speaks against the disk, whatever else it
// took since: one that is nearly full takes small things and refuses others. What
// failed is tried again each second.
const failureCounts = 10 * time.Second

// probeEvery is how long it is believed that the disk takes writes.
const probeEvery = 5 * time.Second

// watchOver has a workplace measured; with meters, for others to look at.
func (w *workplace) watchOver(meters *metrics.Metrics) {
	m := &monitor{w: w, meters: meters, census: newCensus(w), moved: make(chan struct{}, 1)}
	w.monitor, w.meters = m, meters
	w.db.Measure(func(waited time.Duration, err error) {
		if err != nil {
			m.unstored.Store(&refusedWrite{err, time.Now()})
		}
		meters.Committed(waited, err)
	})
	if meters == nil {
		return
	}
	meters.Watch(metrics.Sources{State: m.census.look, Endpoint: m.traffic, Queued: w.db.Queued, Certificates: w.expiries, Ready: w.ready, Watches: m.followed, Notified: m.notified})
}

// recorded takes in a line of the journal.
func (m *monitor) recorded(e reservation.Event) {
	if m != nil {
		m.meters.Recorded(e)
		m.census.heard(e)
		if moves(e.Kind) {
			select {
			case m.moved <- struct{}{}:
			default: // it is known
			}
		}
	}
}

// serves says who lets stations in; nil: nobody any more.
func (m *monitor) serves(s *ocppclient.Server) {
	if m == nil {
		return
	}
	m.accepting.Store(s != nil)
	if s != nil {
		m.endpoint.Store(s)
		m.w.notify("READY=1", "STATUS=Stations connect to "+m.w.listener.Addr().String())
	}
}

// traffic is what the stations' endpoint counts.
func (m *monitor) traffic() metrics.Endpoint {
	s := m.endpoint.Load()
	if s == nil {
		return metrics.Endpoint{}
	}
	n, refused := s.Stats(), map[string]int64{}
	for cause, n := range s.Refusals() {
		refused[string(cause)] = n
	}
	return metrics.Endpoint{Open: n.Open, Accepted: n.Accepted, In: n.In, Out: n.Out,
		Malformed: n.Malformed, Late: n.Late, Unmatched: n.Stray, Slowed: n.Slowed, Refused: refused}
}

// measured is a station whose calls are measured, if anybody looks.
func (w *workplace) measured(s *ocppclient.Session) reconcile.Station {
	if w.meters == nil {
		return s
	}
	return measuredStation{s, w.meters}
}

type measuredStation struct {
	*ocppclient.Session
	meters *metrics.Metrics
}

// Call counts what came of it.
func (s measuredStation) Call(ctx context.Context, id int32, c reservation.Call) reservation.Answer {
	began := time.Now()
	answer := s.Session.Call(ctx, id, c)
	s.meters.Called(c.Kind, answer.Outcome, time.Since(began))
	return answer
}

// followed says how each watched directory stands, by workspace.
func (m *monitor) followed() map[string]string {
	states := map[string]string{}
	for _, x := range m.watches.list() {
		states[x.Workspace] = string(x.State)
	}
	return states
}

// notified counts what somebody else's program was told.
func (m *monitor) notified() metrics.Notified {
	if m.w.herald == nil {
		return metrics.Notified{}
	}
	return metrics.Notified(m.w.herald.Counts())
}

// expiries are when certificates end.
func (w *workplace) expiries() map[string]time.Time {
	ends := map[string]time.Time{}
	for whose, c := range w.allCredentials() {
		ends[whose] = c.Expiry()
	}
	return ends
}

// ready gives the reasons why this process cannot do its work now; none: it can.
// They name nothing that a stranger may not read.
func (w *workplace) ready(ctx context.Context) (why []string) {
	m := w.monitor
	switch {
	case m == nil:
		return []string{"nothing is served"}
	case m.stopping.Load():
		why = append(why, "stopping")
	case !m.accepting.Load():
		why = append(why, "stations cannot connect: their endpoint is not accepting")
	}
	if m.writable(ctx) != nil {
		why = append(why, "the state cannot be written: see the log, and the disk")
	}
	if w.displaced() != nil {
		why = append(why, "the state has been moved, deleted or replaced: see the log")
	}
	for _, x := range m.watches.list() {
		if r := notFollowed(&x); r != "" {
			why = append(why, r)
		}
	}
	return why
}

// writable tries the disk, but not for each who asks.
func (m *monitor) writable(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.unstored.Load(); f != nil && time.Since(f.at) < failureCounts {
		return f.err
	}
	if time.Since(m.probed) < probeEvery {
		return m.unusable
	}
	ctx, cancel := context.WithTimeout(ctx, probeEvery)
	defer cancel()
	before := m.unusable
	m.unusable = m.w.db.Writable(ctx)
	m.probed = time.Now()
	if m.unusable != nil && before == nil && !errors.Is(m.unusable, context.Canceled) {
		m.w.log.Error("the state cannot be written", "error", m.unusable)
	}
	return m.unusable
}

// alive says whether the heart of it, which is the writer of the journal, still
// beats. That it cannot write is no reason to begin anew.
func (w *workplace) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeEvery)
	defer cancel()
	if err := w.db.Notice(ctx); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the state has not answered for %s", probeEvery)
	}
	return nil
}

// proposed counts what became of a proposal.
func (m *monitor) proposed(err error) {
	if m == nil {
		return
	}
	var stale *reconcile.StaleError
	var frozen *reservation.FrozenError
	switch {
	case err == nil:
		m.meters.Proposed(metrics.Stored)
	case errors.As(err, &stale):
		m.meters.Proposed(metrics.Stale)
	case errors.As(err, &frozen):
		m.meters.Proposed(metrics.Frozen)
	default:
		m.meters.Proposed(metrics.Failed)
	}
}

// listenForMetrics takes the address of --metrics. "": there is none.
func listenForMetrics(address string, insecure bool) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	if err := checkMetrics(address, insecure); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, problemf(codeAddress, "Cannot listen on "+address, "%s.\nChoose another address, such as --metrics 127.0.0.1:9880.", reasonOf(err, address))
	}
	return l, nil
}

// checkMetrics refuses an address where others would read along.
func checkMetrics(address string, insecure bool) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return problemf(codeAddress, "Not an address: "+address, "Write host and port, such as --metrics 127.0.0.1:9880.")
	}
	if ocppclient.CheckExposure(address, false, insecure) != nil {
		return problemf(codeExposed, "Anyone could read the metrics", "Other machines reach %s, and metrics have no password: names of workspaces are in them.\nListen on 127.0.0.1, put a proxy in front, or say --insecure.", address)
	}
	return nil
}

// metersFor gives metrics, if there is somewhere to read them.
func metersFor(l net.Listener, log *slog.Logger) *metrics.Metrics {
	if l == nil {
		return nil
	}
	return metrics.New(metrics.Build{Version: version}, log)
}

// serveWatched serves, with those beside it who want to know how that goes.
func (w *workplace) serveWatched(ctx context.Context, look net.Listener, serve func(context.Context) error) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if look != nil {
		beside.Go(func() { w.answerMetrics(watching, look) })
		beside.Go(func() { w.monitor.census.remember(watching) })
		beside.Go(func() { w.monitor.census.run(watching) })
	}
	beside.Go(func() { w.keepAlive(watching) })
	beside.Go(func() { w.sayStopping(ctx, watching) })
	return serve(ctx)
}

// sayStopping tells everybody that serve was told to stop, once it was. It may have
// come to its end without.
func (w *workplace) sayStopping(told, ended context.Context) {
	select {
	case <-told.Done():
	case <-ended.Done():
	}
	if told.Err() == nil {
		return
	}
	w.monitor.stopping.Store(true)
	w.notify("STOPPING=1")
	w.log.Info("stopping: calls in flight are recorded first; a second signal ends at once", "pid", os.Getpid())
}

// answerMetrics answers until ctx ends. It goes on while stations are let go, so
// that it can be seen.
func (w *workplace) answerMetrics(ctx context.Context, l net.Listener) {
	server := &http.Server{Handler: w.meters.Handler(w.ready, w.alive), ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	end := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer end()
	w.log.Info("metrics", "address", l.Addr().String())
	if err := server.Serve(api.Bounded(l)); !errors.Is(err, http.ErrServerClosed) {
		w.log.Error("metrics are no longer answered", "error", err)
	}
}
