package metrics

import (
	"sync"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Recorded counts a line of the journal.
func (m *Metrics) Recorded(e reservation.Event) {
	if m == nil {
		return
	}
	m.journal.WithLabelValues(string(e.Kind)).Inc()
	if late, ok := m.windows.see(e); ok {
		m.lateness.Observe(late.Seconds())
	}
}

// windows remember whose first Accepted has been seen, until they are over.
type windows struct {
	mu    sync.Mutex
	began time.Time // the first line: what opened before was another's to open
	known map[reservation.Key]time.Time
	tidy  int // how many there are when those that are over go
}

// see says how late a window's first Accepted is. Windows that were declared
// after they had begun, or had begun before this process, are nobody's fault.
func (w *windows) see(e reservation.Event) (late time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began.IsZero() {
		w.began, w.known, w.tidy = e.At, map[reservation.Key]time.Time{}, 1024
	}
	switch {
	case e.Kind == reservation.Declared && e.Change != nil && e.Change.After != nil && e.Change.After.Window.Start.Before(e.At):
		window := e.Change.After.Window
		w.remember(reservation.Key{Workspace: e.Workspace, Address: e.Address, Start: window.Start}, window.Expiry, e.At)
		return 0, false
	case e.Kind != reservation.Answered || e.Start.IsZero() || e.Answer == nil || e.Answer.Outcome != reservation.AnswerAccepted,
		e.Call == nil || e.Call.Kind != reservation.ReserveNow || e.Call.Content == nil:
		return 0, false
	}
	if _, again := w.known[e.Key()]; again {
		return 0, false
	}
	w.remember(e.Key(), e.Call.Content.Expiry, e.At)
	return max(0, e.At.Sub(e.Start)), !e.Start.Before(w.began)
}

func (w *windows) remember(k reservation.Key, until, now time.Time) {
	if len(w.known) >= w.tidy {
		for k, until := range w.known {
			if until.Before(now) {
				delete(w.known, k)
			}
		}
		w.tidy = max(1024, 2*len(w.known))
	}
	w.known[k] = until
}
