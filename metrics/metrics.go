// Package metrics counts what a serving process does, for Prometheus. Others
// tell it, by calls that cost some nanoseconds, or are asked when somebody
// looks; none of them knows it. No label has a station, an address, a token or
// anything else of which there may be any number.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/resctl/resctl/reservation"
)

// Metrics are those of one process. A nil one takes whatever it is told, and
// forgets it.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger

	calls     *prometheus.CounterVec
	callTime  *prometheus.HistogramVec
	reports   *prometheus.CounterVec
	loopLag   prometheus.Histogram
	lateness  prometheus.Histogram
	commit    prometheus.Histogram
	unstored  prometheus.Counter
	journal   *prometheus.CounterVec
	proposals *prometheus.CounterVec
	requests  *prometheus.CounterVec

	windows windows
}

// Build says what runs.
type Build struct{ Version string }

// The bounds of the histograms, in seconds.
var (
	callBounds   = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	commitBounds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	lagBounds    = []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 30}
	lateBounds   = []float64{.1, .5, 1, 2, 5, 10, 30, 60, 300, 900, 3600}
)

// New returns metrics at zero, with those of Go and the process. What failed
// while somebody looked is logged.
func New(b Build, log *slog.Logger) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), log: log}
	counts := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	times := func(name, help string, bounds []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds})
		m.registry.MustRegister(h)
		return h
	}
	m.calls = counts("resctl_calls_total", "Calls to stations, by what came of them.", "action", "outcome")
	m.callTime = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "resctl_call_seconds", Buckets: callBounds,
		Help: "Time from a call to its answer."}, []string{"action"})
	m.reports = counts("resctl_reports_total", "Facts about stations, by what became of them.", "kind", "result")
	m.loopLag = times("resctl_loop_lag_seconds", "Time from when something was due at a connected station to when it was begun.", lagBounds)
	m.lateness = times("resctl_window_lateness_seconds", "Time from the start of a window to the first Accepted.", lateBounds)
	m.commit = times("resctl_commit_seconds", "Time from when something was to be recorded to when it was on disk.", commitBounds)
	m.unstored = prometheus.NewCounter(prometheus.CounterOpts{Name: "resctl_commit_failures_total", Help: "Things that could not be recorded."})
	m.journal = counts("resctl_journal_lines_total", "Lines of the journal.", "kind")
	m.proposals = counts("resctl_proposals_total", "Proposals that came through this process.", "result")
	m.requests = counts("resctl_api_requests_total", "Requests to the API.", "route", "code")
	m.registry.MustRegister(m.callTime, m.unstored, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "resctl_build_info", Help: "1, with what was built.",
			ConstLabels: prometheus.Labels{"version": b.Version, "goversion": runtime.Version()}}, func() float64 { return 1 }))
	m.zero()
	return m
}

// zero makes the counters that alerts are about be there before they count, so
// that their first increase is seen.
func (m *Metrics) zero() {
	for _, k := range []reservation.CallKind{reservation.ReserveNow, reservation.CancelReservation} {
		m.callTime.WithLabelValues(string(k))
		for _, o := range []reservation.Outcome{reservation.AnswerAccepted, reservation.AnswerRejected, reservation.AnswerNone, reservation.AnswerRefused} {
			m.calls.WithLabelValues(string(k), string(o))
		}
	}
	for _, k := range reservation.Kinds() {
		m.journal.WithLabelValues(string(k))
	}
	for _, r := range []string{Stored, Unchanged, Failed} {
		m.reports.WithLabelValues(string(reservation.Status), r)
	}
	for _, r := range []string{Stored, Stale, Frozen, Failed} {
		m.proposals.WithLabelValues(r)
	}
}

// What became of a report or a proposal.
const (
	Stored    = "stored"
	Unchanged = "unchanged" // it said what was known
	Failed    = "failed"
	Stale     = "stale"
	Frozen    = "frozen"
)

// Called counts a call that was made and what came of it.
func (m *Metrics) Called(k reservation.CallKind, o reservation.Outcome, took time.Duration) {
	if m == nil {
		return
	}
	m.calls.WithLabelValues(string(k), string(o)).Inc()
	if o != reservation.AnswerNotSent {
		m.callTime.WithLabelValues(string(k)).Observe(took.Seconds())
	}
}

// Reported counts a fact and what became of it.
func (m *Metrics) Reported(k reservation.Kind, result string) {
	if m != nil {
		m.reports.WithLabelValues(string(k), result).Inc()
	}
}

// Late counts how late something was begun.
func (m *Metrics) Late(by time.Duration) {
	if m != nil {
		m.loopLag.Observe(by.Seconds())
	}
}

// Committed counts what was recorded, or could not be.
func (m *Metrics) Committed(waited time.Duration, err error) {
	switch {
	case m == nil:
	case err != nil:
		m.unstored.Inc()
	default:
		m.commit.Observe(waited.Seconds())
	}
}

// Proposed counts a proposal and what became of it.
func (m *Metrics) Proposed(result string) {
	if m != nil {
		m.proposals.WithLabelValues(result).Inc()
	}
}

// API counts the requests to a router, which says of a request what route it
// took: no path is a label.
func (m *Metrics) API(router http.Handler) http.Handler {
	if m == nil {
		return router
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &seen{ResponseWriter: w, status: http.StatusOK}
		router.ServeHTTP(seen, r)
		route := r.Pattern
		if route == "" {
			route = "none"
		}
		m.requests.WithLabelValues(route, strconv.Itoa(seen.status)).Inc()
	})
}

// seen remembers the status of an answer.
type seen struct {
	http.ResponseWriter
	status int
	said   bool
}

// WriteHeader remembers what is said first.
func (s *seen) WriteHeader(status int) {
	if !s.said && status >= 200 {
		s.status, s.said = status, true
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Handler answers /metrics, /health and /ready. ready gives the reasons why
// not; alive is an error if the process hangs.
func (m *Metrics) Handler(ready func(context.Context) []string, alive func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		var why []string
		if err := alive(r.Context()); err != nil {
			why = []string{err.Error()}
		}
		answer(w, "alive", why)
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) { answer(w, "ready", ready(r.Context())) })
	return mux
}

// answer says a word, or why not.
func answer(w http.ResponseWriter, word string, why []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(why) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	} else {
		why = []string{word}
	}
	for _, line := range why {
		_, _ = w.Write([]byte(line + "\n"))
	}
}
