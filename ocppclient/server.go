package ocppclient

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// errStopping says that the server takes no further connections.
var errStopping = errors.New("ocpp endpoint: stopping")

// Server is an endpoint to which stations connect. It is an http.Handler, so
// it can be mounted on any server, and it can run one by itself.
type Server struct {
	cfg      Config
	dialects []*dialect
	upgrader websocket.Upgrader
	buffers  sync.Pool // *bytes.Buffer: messages being read
	counts   counters
	refusals *refusals

	idPrefix string // of message ids; differs from process to process
	lastID   atomic.Int64

	// base outlives every session, so that what a station said is recorded
	// although everything is about to end; abort ends even that.
	base  context.Context
	abort context.CancelFunc
	// working ends when the server stops: sessions then come to their end.
	working context.Context
	stop    context.CancelFunc

	mu       sync.Mutex
	stopping bool
	stations map[string]*station
	rounds   rounds         // every session
	alive    sync.WaitGroup // the goroutines of all sessions
}

// NewServer checks the configuration and returns a server that is ready.
func NewServer(cfg Config) (*Server, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:      cfg,
		refusals: newRefusals(cfg.Log),
		dialects: dialects(),
		idPrefix: newIDPrefix(),
		stations: map[string]*station{},
	}
	s.buffers.New = newBuffer
	s.base, s.abort = context.WithCancel(context.Background())
	s.working, s.stop = context.WithCancel(s.base)
	// Most sockets are silent most of the time: what they keep is small, and
	// what they write with is shared.
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout:  cfg.HandshakeTimeout,
		ReadBufferSize:    512,
		WriteBufferSize:   1024,
		WriteBufferPool:   &sync.Pool{},
		EnableCompression: true, // see offers
	}
	return s, nil
}

// newIDPrefix makes message ids differ from those of an earlier process, whose
// answers may still come.
func newIDPrefix() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return "rc-" + hex.EncodeToString(b[:]) + "-"
}

// messageID returns an id that no other message of this process has. With its
// prefix of 16 characters it has at most 35.
func (s *Server) messageID() string {
	return s.idPrefix + strconv.FormatInt(s.lastID.Add(1), 10)
}

// Run accepts stations until ctx ends, and then stops the server: sessions end
// with a close frame once no call is open. It returns nil then, and an error if
// accepting failed. TLS is put around the listener where the
// security profile has it; the listener is closed.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	srv := s.httpServer()
	l = newGuard(l, s.cfg, s.refusals)
	if s.cfg.Security.TLS != nil {
		l = tls.NewListener(l, s.cfg.Security.TLS)
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("ocpp endpoint: accept on %s: %w", l.Addr(), err)
	case <-ctx.Done():
		_ = srv.Close() // handshakes only: open sockets are no longer its
		<-failed
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	return errors.Join(err, s.Shutdown(wait))
}

func (s *Server) httpServer() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.cfg.HandshakeTimeout,
		ReadTimeout:       s.cfg.HandshakeTimeout, // of what comes where no body belongs
		WriteTimeout:      s.cfg.WriteTimeout + max(s.cfg.RefusalDelay, 0),
		IdleTimeout:       s.cfg.HandshakeTimeout,
		MaxHeaderBytes:    16 << 10,
		Protocols:         protocols,
		ConnState:         s.limitHandshakes(),
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
}

// limitHandshakes closes TCP connections that come while as many others have
// not yet become a socket: they cost memory before anybody has said a name.
func (s *Server) limitHandshakes() func(net.Conn, http.ConnState) {
	var pending atomic.Int64
	return func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if pending.Add(1) > int64(s.cfg.MaxConnections) {
				_ = c.Close()
			}
		case http.StateHijacked, http.StateClosed:
			pending.Add(-1)
		}
	}
}

// Shutdown ends every session and waits for them. Those that are not done when
// ctx ends are cut off. Run does it by itself; it is for servers that are
// mounted elsewhere.
func (s *Server) Shutdown(ctx context.Context) error {
	s.farewell()
	done := make(chan struct{})
	go func() { s.alive.Wait(); close(done) }()
	select {
	case <-done:
		s.abort()
		return nil
	case <-ctx.Done():
	}
	left := s.cut()
	s.abort()
	select {
	case <-done:
	case <-time.After(closeWait): // somebody does not come back from Observe, Joined or Left
	}
	return fmt.Errorf("ocpp endpoint: %d sessions were cut off: %w", left, ctx.Err())
}

// farewell begins the end of every session.
func (s *Server) farewell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	s.stop()
	for x := range s.rounds.all() {
		if x.station != nil { // else it sees by itself that the server stops
			s.alive.Go(x.farewell)
		}
	}
}

// cut closes every socket without ceremony.
func (s *Server) cut() (left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.rounds.all() {
		_ = x.conn.Close()
		left++
	}
	return left
}

// reserve takes one of the places for connections, if one is left.
func (s *Server) reserve() bool {
	if s.counts.open.Add(1) > int64(s.cfg.MaxConnections) {
		s.counts.open.Add(-1)
		return false
	}
	return true
}

// start gives a session its goroutine, and the first one those who ping.
func (s *Server) start(x *Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errStopping
	}
	if s.cfg.PingInterval > 0 && !s.rounds.begun {
		s.rounds.begun = true
		s.alive.Go(s.goRounds)
	}
	s.rounds.add(x)
	s.alive.Go(x.run)
	return nil
}

// join gives a session that has come its station.
func (s *Server) join(x *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stations[x.id]
	if st == nil {
		st = &station{}
		s.stations[x.id] = st
	}
	st.sockets++
	x.station = st
}

// leave forgets a session, and its station with the last one.
func (s *Server) leave(x *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rounds.remove(x)
	s.counts.open.Add(-1)
	if x.station == nil {
		return
	}
	if x.station.sockets--; x.station.sockets == 0 {
		s.forget(x.id, x.station)
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
