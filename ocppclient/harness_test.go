package ocppclient

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

// recorder is what stands behind Observe: it numbers connections and keeps
// what it is given.
type recorder struct {
	mu          sync.Mutex
	events      []reservation.Event
	connections int64
	journal     bool // everything changes something, and is numbered
	changed     chan struct{}
	fail        func(reservation.Event) error
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{})} }

func (r *recorder) observe(_ context.Context, ev reservation.Event) (reservation.Event, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		if err := r.fail(ev); err != nil {
			return ev, err
		}
	}
	if ev.Kind == reservation.Connected {
		r.connections++
		ev.Connection = r.connections
	}
	r.events = append(r.events, ev)
	close(r.changed)
	r.changed = make(chan struct{})
	if r.journal {
		ev.Seq = int64(len(r.events))
	}
	return ev, nil
}

// wait returns the n-th event of a kind.
func (r *recorder) wait(t *testing.T, kind reservation.Kind, n int) reservation.Event {
	t.Helper()
	late := time.NewTimer(time.Hour)
	if !inBubble(t) {
		late.Reset(5 * time.Second)
	}
	defer late.Stop()
	for {
		found, changed := r.of(kind)
		if len(found) >= n {
			return found[n-1]
		}
		select {
		case <-changed:
		case <-late.C:
			t.Fatalf("event %d of kind %s never came; there are %v", n, kind, found)
		}
	}
}

func (r *recorder) of(kind reservation.Kind) ([]reservation.Event, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []reservation.Event
	for _, ev := range r.events {
		if ev.Kind == kind {
			found = append(found, ev)
		}
	}
	return found, r.changed
}

func (r *recorder) failOn(kind reservation.Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = func(ev reservation.Event) error {
		if ev.Kind == kind {
			return errors.New("disk full")
		}
		return nil
	}
}

// inBubble reports whether time is virtual, which it is in tests named so.
func inBubble(t *testing.T) bool { return strings.Contains(t.Name(), "Virtual") }

// endpoint is a server under test and what is needed to reach it.
type endpoint struct {
	*Server
	*recorder
	listener net.Listener
	sessions chan *Session
	stop     func() error // ends Run and returns what it returned
}

// start runs a server with the standard behaviour, changed by edit.
func start(t *testing.T, l net.Listener, edit func(*Config)) *endpoint {
	t.Helper()
	e := &endpoint{recorder: newRecorder(), listener: l, sessions: make(chan *Session, 16)}
	cfg := Config{
		Observe:      e.observe,
		Admit:        func(context.Context, string) (Admission, error) { return Admission{Known: true}, nil },
		Joined:       func(s *Session) { e.sessions <- s },
		PingInterval: -1, RefusalDelay: -1,
	}
	if edit != nil {
		edit(&cfg)
	}
	var err error
	if e.Server, err = NewServer(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx, l) }()
	e.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { _ = e.stop() })
	return e
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// pipes is a listener whose connections are made in memory and have no buffer.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

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

// dialer returns a WebSocket client that reaches the endpoint.
func (e *endpoint) dialer() *websocket.Dialer {
	d := &websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}}
	if p, ok := e.listener.(*pipes); ok {
		d.NetDialContext = p.dial
	}
	return d
}

func (e *endpoint) url(path string) string {
	if _, ok := e.listener.(*pipes); ok {
		return "ws://pipe" + path
	}
	return "ws://" + e.listener.Addr().String() + path
}

// far is the far end: a station that says what the test tells it to.
type far struct {
	t *testing.T
	*websocket.Conn
}

// connect dials as a station and returns both ends.
func (e *endpoint) connect(t *testing.T, identity string) (*far, *Session) {
	t.Helper()
	f := e.dial(t, identity)
	return f, <-e.sessions
}

func (e *endpoint) dial(t *testing.T, identity string) *far {
	t.Helper()
	conn, _, err := e.dialer().Dial(e.url("/ocpp/"+identity), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &far{t, conn}
}

func (f *far) send(frame string) {
	f.t.Helper()
	if err := f.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *far) read() string {
	f.t.Helper()
	if !inBubble(f.t) {
		_ = f.SetReadDeadline(time.Now().Add(5 * time.Second))
	}
	_, data, err := f.ReadMessage()
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

// want reads one frame and compares it.
func (f *far) want(frame string) {
	f.t.Helper()
	if got := f.read(); got != frame {
		f.t.Fatalf("got  %s\nwant %s", got, frame)
	}
}

// wantClose reads until the socket ends, which must be with that code.
func (f *far) wantClose(code int) {
	f.t.Helper()
	if !inBubble(f.t) {
		_ = f.SetReadDeadline(time.Now().Add(5 * time.Second))
	}
	for {
		if _, _, err := f.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, code) {
				f.t.Fatalf("got %v, want close code %d", err, code)
			}
			return
		}
	}
}

// calls reads a request and returns its message id.
func (f *far) calls(action string) string {
	f.t.Helper()
	got := f.read()
	parts := strings.SplitN(got, `"`, 5)
	if len(parts) < 5 || parts[0] != "[2," || parts[3] != action {
		f.t.Fatalf("got %s, want a %s", got, action)
	}
	return parts[1]
}

// reserveNow is a call that can be encoded.
func reserveNow() reservation.Call {
	return reservation.Call{Kind: reservation.ReserveNow, Content: &reservation.Content{
		Target:  reservation.Target{EVSE: 1},
		IDToken: reservation.Token{IDToken: "VAN-12", Type: "Central"},
		Expiry:  time.Date(2036, 11, 23, 6, 0, 0, 0, time.UTC),
	}}
}

// ask calls in the background.
func ask(ctx context.Context, s *Session, id int32, c reservation.Call) <-chan reservation.Answer {
	answer := make(chan reservation.Answer, 1)
	go func() { answer <- s.Call(ctx, id, c) }()
	return answer
}

func wantOutcome(t *testing.T, got reservation.Answer, want reservation.Outcome) {
	t.Helper()
	if got.Outcome != want {
		t.Fatalf("got %+v, want %s", got, want)
	}
}

func basic(user string, password []byte) http.Header {
	up := slices.Concat([]byte(user+":"), password)
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString(up)}}
}
