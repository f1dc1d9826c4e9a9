package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resctl/resctl/web"
)

// depot answers as the API does, with documents of a small fleet.
type depot struct {
	*httptest.Server
	now time.Time

	mu        sync.Mutex
	documents map[string]any // by the last part of the path
	lines     []map[string]any
	listeners map[chan struct{}]bool
}

type object = map[string]any

const rightToken = "read-token-of-a-person"

// hostile is what a station may say.
const hostile = `<img src=x onerror="document.title='owned'">`

func newDepot(t *testing.T) *depot {
	t.Helper()
	d := &depot{now: time.Now(), listeners: map[chan struct{}]bool{}}
	d.documents = map[string]any{"state": d.state(), "drift": d.drift(), "timeline": d.timeline(), "why": d.why()}
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler())
	mux.HandleFunc("GET /v1/{name}", d.answer)
	mux.HandleFunc("GET /v1/events", d.follow)
	d.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		d.CloseClientConnections()
		d.Close()
	})
	return d
}

func (d *depot) in(hours float64) string {
	return d.now.Add(time.Duration(hours * float64(time.Hour))).UTC().Format(time.RFC3339)
}

func (d *depot) window(from, to float64) object {
	return object{"start": d.in(from), "expiry": d.in(to)}
}

func (d *depot) bar(name, phase string, from, to float64, parts ...object) object {
	if parts == nil {
		parts = []object{{"manner": "wanted", "start": d.in(from), "expiry": d.in(to)}}
	}
	return object{"address": "reservation." + name, "workspace": "depot-a", "phase": phase, "window": d.window(from, to), "parts": parts, "token": "#7f2a"}
}

func (d *depot) part(manner string, from, to float64) object {
	return object{"manner": manner, "start": d.in(from), "expiry": d.in(to)}
}

func (d *depot) timeline() object {
	van := func(n int) string { return fmt.Sprintf("van[%q]", fmt.Sprintf("%02d", n)) }
	other := d.bar(`van["19"]`, "pending", -0.7, 7, d.part("wanted", -0.7, -0.6), d.part("not as wanted", -0.6, 0), d.part("wanted", 0, 7))
	other["token"] = "#0c11"
	return object{"format_version": "1.0", "from": d.in(-2), "until": d.in(22), "now": d.in(0), "rows": []object{
		{"station_id": "DEPOT-A-01", "evse_id": 1, "windows": []object{
			d.bar(van(12), "reserved", -1, 7, d.part("held", -1, 7)),
			d.bar(van(12), "scheduled", 12, 20)}},
		{"station_id": "DEPOT-A-01", "evse_id": 2, "windows": []object{
			d.bar(van(7), "fulfilled", -1.8, 3, d.part("held", -1.8, -1), d.part("used", -1, 0)),
			d.bar(van(8), "scheduled", 4, 11)}},
		{"station_id": "DEPOT-A-02", "evse_id": 1, "windows": []object{other}},
		{"station_id": "DEPOT-A-02", "evse_id": 2, "windows": []object{}},
		{"station_id": "DEPOT-A-03", "windows": []object{
			d.bar(`pool["a"]`, "pending", -0.5, 8), d.bar(`pool["b"]`, "pending", -0.5, 8)}},
	}}
}

func (d *depot) state() object {
	entry := func(name, station, phase, reason string, from, to float64) object {
		return object{"address": "reservation." + name, "workspace": "depot-a", "station_id": station, "phase": phase, "reason": reason,
			"held": phase == "reserved", "wanted": true, "window": d.window(from, to), "since": d.in(from)}
	}
	return object{"format_version": "1.0", "lineage": "abc", "simulated": false, "workspaces": object{"depot-a": object{"serial": 7}},
		"reservations": []object{entry(`van["12"]`, "DEPOT-A-01", "reserved", "", -1, 7), entry(`van["19"]`, "DEPOT-A-02", "pending", "occupied", -0.7, 7),
			entry(`pool["a"]`, "DEPOT-A-03", "pending", "offline", -0.5, 8), entry(`pool["b"]`, "DEPOT-A-03", "pending", "offline", -0.5, 8)},
		"foreign": []object{}, "stations": []object{
			{"id": "DEPOT-A-01", "connected": true, "vendor": "Acme", "model": hostile},
			{"id": "DEPOT-A-02", "connected": true, "vendor": "Acme", "model": "One"},
			{"id": "DEPOT-A-03", "connected": false, "offline_at": d.in(-0.6)}}}
}

func (d *depot) drift() object {
	return object{"format_version": "1.0", "grace": "5m0s", "drift": []object{{"kind": "overdue", "station_id": "DEPOT-A-02", "workspace": "depot-a",
		"address": `reservation.van["19"]`, "evse_id": 1, "phase": "pending", "reason": "occupied", "since": d.in(-0.6), "window": d.window(-0.7, 7),
		"next": "tried again when it leaves"}}}
}

func (d *depot) why() object {
	return object{"format_version": "1.0", "address": `reservation.van["12"]`, "workspace": "depot-a", "station_id": "DEPOT-A-01", "evse_id": 1, "wanted": true,
		"phase": "reserved", "since": d.in(-1), "window": d.window(-1, 7), "token": "#7f2a", "declared": "fleet.hcl:41", "reservation_id": 1048577,
		"applied": object{"at": d.in(-30), "by": "ann", "revision": "4cbe69b", "serial": 7}, "next": "It is held until it is used, or until its end.",
		"schedule": object{"days": []string{"SU", "MO", "TU"}, "start_time": "22:00", "end_time": "06:00", "time_zone": "Europe/Amsterdam"},
		"events": []object{
			{"seq": 41, "at": d.in(-30), "kind": "declared", "station_id": "DEPOT-A-01", "change": object{"action": "+"}},
			{"seq": 51, "at": d.in(-1), "kind": "requested", "station_id": "DEPOT-A-01", "reservation_id": 1048577, "call": object{"kind": "ReserveNow"}},
			{"seq": 52, "at": d.in(-1), "kind": "answered", "station_id": "DEPOT-A-01", "reservation_id": 1048577, "call": object{"kind": "ReserveNow"}, "answer": object{"outcome": "accepted", "info": hostile}},
			{"seq": 53, "at": d.in(-0.9), "kind": "telepathy", "station_id": "DEPOT-A-01"}}}
}

func allowed(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+rightToken {
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write([]byte(`{"error":{"code":"RC801","message":"This token is not known."}}`))
	return false
}

func (d *depot) answer(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	x, ok := d.documents[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(x)
}

// happens writes a line of the journal, and what it changes.
func (d *depot) happens(e object, change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e["seq"], e["at"] = len(d.lines)+1, time.Now().UTC().Format(time.RFC3339Nano)
	d.lines = append(d.lines, object{"type": "event", "event": e})
	if change != nil {
		change()
	}
	for c := range d.listeners {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (d *depot) follow(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	news, next := make(chan struct{}, 1), 0
	_, _ = fmt.Sscan(r.Header.Get("Last-Event-ID"), &next)
	d.mu.Lock()
	d.listeners[news] = true
	d.mu.Unlock()
	for {
		var out strings.Builder
		out.WriteString(": sign of life\n\n")
		d.mu.Lock()
		for ; next < len(d.lines); next++ {
			b, _ := json.Marshal(d.lines[next])
			fmt.Fprintf(&out, "id: %d\ndata: %s\n\n", next+1, b)
		}
		d.mu.Unlock()
		if _, err := w.Write([]byte(out.String())); err != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}
