package ocppclient

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Cause is why somebody was not let in.
type Cause string

// The causes of refusals. There are no others: they may be labels.
const (
	RefusedStopping    Cause = "stopping"
	RefusedFull        Cause = "too many connections"
	RefusedAddress     Cause = "too many from one address"
	RefusedNoWebSocket Cause = "no websocket"
	RefusedOrigin      Cause = "foreign origin"
	RefusedPath        Cause = "no identity"
	RefusedLink        Cause = "no tls or certificate"
	RefusedUnknown     Cause = "unknown station"
	RefusedCredentials Cause = "wrong credentials"
	RefusedOften       Cause = "too often"
	RefusedProtocol    Cause = "no common protocol"
	RefusedLookup      Cause = "lookup failed"
	RefusedHandshake   Cause = "handshake failed"
)

// Causes lists them all.
func Causes() []Cause {
	return []Cause{RefusedStopping, RefusedFull, RefusedAddress, RefusedNoWebSocket, RefusedOrigin, RefusedPath, RefusedLink,
		RefusedUnknown, RefusedCredentials, RefusedOften, RefusedProtocol, RefusedLookup, RefusedHandshake}
}

// guesses reports whether one who was refused may be trying names or passwords.
func (c Cause) guesses() bool { return c == RefusedUnknown || c == RefusedCredentials }

const (
	// logRefusals of each cause are logged in a span of logSpan; the others are
	// counted, so that a flood of strangers does not fill a disk.
	logRefusals = 20
	logSpan     = time.Minute
	// maxDelayed are held back at a time; others hear at once that they were
	// refused, and a flood costs no memory.
	maxDelayed = 1024
)

// refusals count who is not let in, and log some of them.
type refusals struct {
	log     *slog.Logger
	byCause map[Cause]*refused // never changed after it was made
	delayed atomic.Int64
}

// refused are those of one cause.
type refused struct {
	total atomic.Int64

	mu         sync.Mutex
	span       time.Time // when the present span began
	logged     int       // in it
	suppressed int       // in it
}

func newRefusals(log *slog.Logger) *refusals {
	r := &refusals{log: log, byCause: map[Cause]*refused{}}
	for _, c := range Causes() {
		r.byCause[c] = &refused{}
	}
	return r
}

// add counts one and logs it, if its cause was not logged too often lately.
func (r *refusals) add(cause Cause, text string, about ...any) {
	of := r.byCause[cause]
	of.total.Add(1)
	if r.mayLog(cause, of) {
		r.log.Warn(text, append([]any{"cause", cause}, about...)...)
	}
}

func (r *refusals) mayLog(cause Cause, of *refused) bool {
	of.mu.Lock()
	defer of.mu.Unlock()
	if at := time.Now(); at.Sub(of.span) >= logSpan {
		of.span, of.logged = at, 0
	}
	if of.logged < logRefusals {
		of.logged++
		return true
	}
	if of.suppressed++; of.suppressed == 1 {
		time.AfterFunc(logSpan-time.Since(of.span), func() { r.tell(cause, of) })
	}
	return false
}

// tell says at the end of a span how many were not logged.
func (r *refusals) tell(cause Cause, of *refused) {
	of.mu.Lock()
	n := of.suppressed
	of.suppressed = 0
	of.mu.Unlock()
	r.log.Warn("further stations were refused", "cause", cause, "suppressed", n)
}

// total is how many were refused, of all causes.
func (r *refusals) total() (n int64) {
	for _, of := range r.byCause {
		n += of.total.Load()
	}
	return n
}

func (r *refusals) counts() map[Cause]int64 {
	counts := make(map[Cause]int64, len(r.byCause))
	for c, of := range r.byCause {
		counts[c] = of.total.Load()
	}
	return counts
}

// holdBack keeps one who may be guessing waiting for its answer.
func (s *Server) holdBack(r *http.Request) {
	defer s.refusals.delayed.Add(-1)
	if s.refusals.delayed.Add(1) > maxDelayed || s.cfg.RefusalDelay <= 0 {
		return
	}
	timer := time.NewTimer(s.cfg.RefusalDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.working.Done():
	}
}
