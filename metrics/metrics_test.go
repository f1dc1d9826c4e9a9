package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// get asks a handler and gives status and body.
func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func wellHandler(m *Metrics) http.Handler {
	return m.Handler(func(context.Context) []string { return nil }, func(context.Context) error { return nil })
}

// wants says which lines are not among the metrics.
func wants(t *testing.T, m *Metrics, lines ...string) {
	t.Helper()
	status, text := get(t, wellHandler(m), "/metrics")
	for _, line := range lines {
		if status != http.StatusOK || !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("%d, no line %s in\n%s", status, line, text)
		}
	}
}

func TestNobodyLooks(t *testing.T) {
	var m *Metrics
	m.Called(reservation.ReserveNow, reservation.AnswerAccepted, time.Second)
	m.Reported(reservation.Status, Stored)
	m.Late(time.Second)
	m.Committed(time.Second, nil)
	m.Proposed(Stored)
	m.Recorded(reservation.Event{})
	h := http.NotFoundHandler()
	if status, _ := get(t, m.API(h), "/"); status != http.StatusNotFound {
		t.Error(status)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	var why []string
	var hangs error
	h := New(Build{}, quiet()).Handler(func(context.Context) []string { return why }, func(context.Context) error { return hangs })
	want := func(path string, status int, text string) {
		t.Helper()
		if s, b := get(t, h, path); s != status || b != text {
			t.Errorf("%s: %d %q", path, s, b)
		}
	}
	want("/health", 200, "alive\n")
	want("/ready", 200, "ready\n")
	why, hangs = []string{"one", "two"}, errors.New("hangs")
	want("/health", 503, "hangs\n")
	want("/ready", 503, "one\ntwo\n")
}

func TestWhatIsTold(t *testing.T) {
	m := New(Build{Version: "1.2"}, quiet())
	m.Called(reservation.ReserveNow, reservation.AnswerAccepted, time.Second)
	m.Called(reservation.ReserveNow, reservation.AnswerNotSent, time.Second)
	m.Committed(time.Millisecond, nil)
	m.Committed(time.Millisecond, errors.New("full"))
	m.Late(2 * time.Second)
	m.Reported(reservation.Booted, Failed)
	wants(t, m, `resctl_calls_total{action="ReserveNow",outcome="Accepted"} 1`, `resctl_calls_total{action="ReserveNow",outcome="NotSent"} 1`,
		`resctl_call_seconds_count{action="ReserveNow"} 1`, `resctl_commit_seconds_count 1`, `resctl_commit_failures_total 1`,
		`resctl_loop_lag_seconds_sum 2`, `resctl_reports_total{kind="booted",result="failed"} 1`)
}

// TestRoutes: what a route is called is a label, and what was asked for is not.
func TestRoutes(t *testing.T) {
	m := New(Build{}, quiet())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/why/{address}", func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() })
	h := m.API(mux)
	for i := range 3 {
		get(t, h, fmt.Sprint("/v1/why/", i))
	}
	get(t, h, "/other")
	wants(t, m, `resctl_api_requests_total{code="200",route="GET /v1/why/{address}"} 3`, `resctl_api_requests_total{code="404",route="none"} 1`)
}

// TestWindowLateness: the first Accepted of a window counts, if it could have
// come in time.
func TestWindowLateness(t *testing.T) {
	began := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	accepted := func(address string, start, at time.Time) reservation.Event {
		return reservation.Event{Kind: reservation.Answered, At: at, Workspace: "w", Address: address, Start: start,
			Call:   &reservation.Call{Kind: reservation.ReserveNow, Content: &reservation.Content{Expiry: start.Add(time.Hour)}},
			Answer: &reservation.Answer{Outcome: reservation.AnswerAccepted}}
	}
	declared := reservation.Event{Kind: reservation.Declared, At: began.Add(11 * time.Minute), Workspace: "w", Address: "late",
		Change: &reservation.Change{After: &reservation.Wanted{Window: reservation.Window{Start: began.Add(10 * time.Minute), Expiry: began.Add(time.Hour)}}}}
	m := New(Build{}, quiet())
	m.Recorded(reservation.Event{Kind: reservation.Connected, At: began})
	m.Recorded(accepted("before", began.Add(-time.Hour), began.Add(time.Second))) // another process's to open
	m.Recorded(declared)
	m.Recorded(accepted("late", began.Add(10*time.Minute), began.Add(12*time.Minute)))
	wants(t, m, "resctl_window_lateness_seconds_count 0")
	start := began.Add(20 * time.Minute)
	m.Recorded(accepted("van", start, start.Add(3*time.Second)))
	m.Recorded(accepted("van", start, start.Add(10*time.Minute))) // healed
	m.Recorded(accepted("early", start, start.Add(-time.Minute))) // its lead time
	refused := accepted("refused", start, start)
	refused.Answer.Outcome = reservation.AnswerOccupied
	m.Recorded(refused)
	wants(t, m, "resctl_window_lateness_seconds_count 2", "resctl_window_lateness_seconds_sum 3", `resctl_journal_lines_total{kind="answered"} 6`)
	for i := range 5000 { // what is over is forgotten
		at := start.Add(time.Duration(i) * time.Hour)
		m.Recorded(accepted("daily", at, at))
	}
	if n := len(m.windows.known); n > 1100 {
		t.Errorf("%d windows are remembered", n)
	}
}

// TestManyWorkspaces: they do not become as many series.
func TestManyWorkspaces(t *testing.T) {
	m := New(Build{}, quiet())
	s := State{Occurrences: map[Standing]int{}, Overdue: map[string]int{}, Applied: map[string]time.Time{}}
	for i := range 3 * maxWorkspaces {
		w := fmt.Sprintf("w%04d", i)
		s.Occurrences[Standing{w, reservation.Held}], s.Overdue[w], s.Applied[w] = 1, 2, time.Unix(1e9, 0)
	}
	m.Watch(Sources{State: func(context.Context) (State, error) { return s, nil }})
	wants(t, m, fmt.Sprintf(`resctl_occurrences{phase="reserved",workspace="(others)"} %d`, 2*maxWorkspaces),
		fmt.Sprintf(`resctl_overdue{workspace="(others)"} %d`, 4*maxWorkspaces), `resctl_overdue{workspace="w0000"} 2`)
	_, text := get(t, wellHandler(m), "/metrics")
	if n := strings.Count(text, "\nresctl_last_apply_timestamp_seconds{"); n != maxWorkspaces {
		t.Errorf("%d workspaces have a time", n)
	}
}

// TestUnreadable: what can be said is said.
func TestUnreadable(t *testing.T) {
	m := New(Build{}, quiet())
	m.Watch(Sources{State: func(context.Context) (State, error) { return State{}, errors.New("no disk") }, Queued: func() int { return 7 },
		Ready:    func(context.Context) []string { return []string{"no disk"} },
		Notified: func() Notified { return Notified{Waiting: 2, Sent: 3, Failed: 4, Dropped: 5} }})
	wants(t, m, "resctl_notifications_waiting 2", `resctl_notifications_total{result="sent"} 3`, `resctl_notifications_total{result="failed"} 4`, `resctl_notifications_total{result="dropped"} 5`)
	wants(t, m, "resctl_state_readable 0", "resctl_commit_queue 7", "resctl_ready 0")
	if _, text := get(t, wellHandler(m), "/metrics"); strings.Contains(text, "resctl_stations{") {
		t.Error("stations are counted although nothing is known of them")
	}
}
