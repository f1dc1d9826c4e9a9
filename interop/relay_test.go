package interop

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// relay stands between a station and resctl. To the station it is one address,
// behind which one apply after the other may listen; it writes down every
// frame, and can cut the line.
type relay struct {
	t       *testing.T
	server  *httptest.Server
	mu      sync.Mutex
	address string // of resctl; "": it is not there
	lines   []*websocket.Conn
	frames  []frame
	began   int // lines that came about
}

// frame is one that went by.
type frame struct {
	FromStation bool
	Data        []byte
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	r := &relay{t: t}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.cut()
		r.server.Close()
		checkFrames(t, r.recorded())
		if t.Failed() {
			for _, f := range r.recorded() {
				t.Logf("from station %v: %s", f.FromStation, f.Data)
			}
		}
	})
	return r
}

func (r *relay) url() string { return "ws" + strings.TrimPrefix(r.server.URL, "http") }

// to lets the line lead to a running apply; nil: to nowhere.
func (r *relay) to(a *applying) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address = ""
	if a != nil {
		r.address = a.address
	}
}

// cut ends all lines, without a word to either side.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.lines {
		_ = c.NetConn().Close()
	}
	r.lines = nil
}

func (r *relay) recorded() []frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]frame(nil), r.frames...)
}

func (r *relay) connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.began
}

// calls counts resctl's calls of an action.
func (r *relay) calls(action string) (n int) {
	for _, f := range r.recorded() {
		if got, _, _ := parse(f.Data); !f.FromStation && got == action {
			n++
		}
	}
	return n
}

// parse takes a frame apart: the action of a call, its id and its payload; of a
// result no action; of an error nothing.
func parse(data []byte) (action, id string, payload json.RawMessage) {
	var parts []json.RawMessage
	if json.Unmarshal(data, &parts) != nil || len(parts) < 3 {
		return "", "", nil
	}
	_ = json.Unmarshal(parts[1], &id)
	switch string(parts[0]) {
	case "2":
		_ = json.Unmarshal(parts[2], &action)
		return action, id, parts[3]
	case "3":
		return "", id, parts[2]
	}
	return "", id, nil
}

func (r *relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	address := r.address
	r.mu.Unlock()
	if address == "" {
		http.Error(w, "nobody is there", http.StatusServiceUnavailable)
		return
	}
	dialer := websocket.Dialer{Subprotocols: websocket.Subprotocols(q)}
	head := http.Header{}
	if auth := q.Header.Get("Authorization"); auth != "" {
		head.Set("Authorization", auth)
	}
	up, resp, err := dialer.DialContext(q.Context(), "ws://"+address+q.URL.EscapedPath(), head)
	if err != nil {
		status, text := http.StatusBadGateway, err.Error()
		if resp != nil {
			body, _ := io.ReadAll(resp.Body)
			status, text = resp.StatusCode, string(body)
		}
		http.Error(w, text, status)
		return
	}
	upgrader := websocket.Upgrader{Subprotocols: []string{up.Subprotocol()}}
	down, err := upgrader.Upgrade(w, q, nil)
	if err != nil {
		_ = up.Close()
		return
	}
	r.mu.Lock()
	r.lines = append(r.lines, up, down)
	r.began++
	r.mu.Unlock()
	go r.pump(down, up, true)
	r.pump(up, down, false)
}

// pump carries frames one way, until either side ends.
func (r *relay) pump(from, to *websocket.Conn, station bool) {
	defer to.Close()
	defer from.Close()
	for {
		kind, data, err := from.ReadMessage()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.frames = append(r.frames, frame{station, data})
		r.mu.Unlock()
		if to.WriteMessage(kind, data) != nil {
			return
		}
	}
}
