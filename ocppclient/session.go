package ocppclient

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

// closeWait is how long a station may take to answer a close frame.
const closeWait = 2 * time.Second

// errClosed says that a frame did not leave because the socket was closing.
var errClosed = errors.New("socket: closed")

// Session is one socket of a station.
type Session struct {
	server  *Server
	dialect *dialect
	id      string
	serial  string // of its certificate; "": it has none
	conn    *websocket.Conn

	station     *station // nil until it is recorded
	connection  int64
	connectedAt time.Time

	writing  chan struct{} // holds one element while somebody writes
	broken   bool          // guarded by writing: nothing can be written any more
	stranger bool          // let in although nothing declares it
	within   bool          // of its reader alone: a message is being read

	mu      sync.Mutex
	closing bool          // the deadline for reading stands
	ended   bool          // nothing is read any more
	gone    chan struct{} // closed when it has ended; nil: nobody has asked
	noted   []string      // what has been logged aloud once

	part, place int32 // in the server's rounds
}

func newSession(s *Server, d *dialect, id string) *Session {
	return &Session{server: s, dialect: d, id: id, writing: make(chan struct{}, 1)}
}

// StationID is the identity of the station, as it is declared.
func (x *Session) StationID() string { return x.id }

// Connection is the number that was given to this socket when it was recorded.
func (x *Session) Connection() int64 { return x.connection }

// Protocol is the subprotocol that was agreed on, such as ocpp2.0.1.
func (x *Session) Protocol() string { return x.dialect.protocol }

// Remote is the address from which the station came.
func (x *Session) Remote() string { return x.conn.RemoteAddr().String() }

// Stranger reports whether the station was let in although nothing declares it.
func (x *Session) Stranger() bool { return x.stranger }

// End closes the socket, for the station to come in again.
func (x *Session) End(why string) { x.close(websocket.CloseServiceRestart, why) }

// Done is closed when the socket has ended.
func (x *Session) Done() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gone == nil {
		x.gone = make(chan struct{})
		if x.ended {
			close(x.gone)
		}
	}
	return x.gone
}

// hasEnded closes Done. The deadline for reading stands from now on.
func (x *Session) hasEnded() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closing, x.ended = true, true
	if x.gone != nil {
		close(x.gone)
	}
}

func (x *Session) log() *slog.Logger {
	return x.server.cfg.Log.With("station", x.id, "connection", x.connection)
}

// attach gives the session its socket.
func (x *Session) attach(conn *websocket.Conn) {
	x.conn = conn
	conn.EnableWriteCompression(false)
	conn.SetReadLimit(x.server.cfg.MaxFrame)
	conn.SetPingHandler(func(data string) error {
		x.spend(1)
		x.heard()
		deadline := time.Now().Add(x.server.cfg.WriteTimeout)
		_ = conn.WriteControl(websocket.PongMessage, []byte(data), deadline)
		return nil
	})
	conn.SetPongHandler(func(string) error { x.heard(); return nil })
}

// run is the life of a socket, up to its first message.
func (x *Session) run() {
	if err := x.begin(); err != nil {
		x.log().Error("station connection could not be recorded", "error", err)
		x.close(websocket.CloseTryAgainLater, "try again later")
		x.hasEnded()
		x.end()
		return
	}
	x.server.alive.Go(x.read)
}

// end gives back what the socket took.
func (x *Session) end() {
	_ = x.conn.Close()
	x.server.leave(x)
}

// begin records the socket and says that it is there.
func (x *Session) begin() error {
	if err := x.connected(); err != nil {
		return err
	}
	x.log().Info("station connected", "remote", x.Remote(), "protocol", x.dialect.protocol)
	if x.server.cfg.Joined != nil {
		x.server.cfg.Joined(x)
	}
	if x.server.working.Err() != nil { // since before the others were told
		x.server.alive.Go(x.farewell)
	}
	return nil
}

// connected records the socket and takes its place beside the others.
func (x *Session) connected() error {
	x.connectedAt = now()
	ev, err := x.server.cfg.Observe(x.server.base, reservation.Event{
		At: x.connectedAt, Kind: reservation.Connected, StationID: x.id,
		Link: &reservation.Link{Protocol: x.dialect.protocol, Remote: x.Remote()},
	})
	if err != nil {
		return err
	}
	x.connection = ev.Connection
	x.server.join(x)
	if old := x.station.add(x); old != nil {
		old.log().Warn("station has a third socket: its oldest is closed")
		x.server.alive.Go(func() { old.close(websocket.ClosePolicyViolation, "two sockets are enough") })
	}
	return nil
}

// farewell closes the socket after the answer to a call that is still open.
func (x *Session) farewell() {
	x.settle(x.server.cfg.ShutdownTimeout / 2)
	x.close(websocket.CloseGoingAway, "stopping")
}

// settle waits until no call is open, for a while.
func (x *Session) settle(patience time.Duration) {
	t := time.NewTimer(patience)
	defer t.Stop()
	slot := x.station.place()
	select {
	case slot <- struct{}{}:
		<-slot
	case <-x.Done():
	case <-t.C:
	}
}

// disconnected records the end of the socket.
func (x *Session) disconnected(cause error) {
	x.hasEnded()
	x.station.remove(x) // what was asked ended with the socket
	if x.server.cfg.Left != nil {
		x.server.cfg.Left(x)
	}
	x.log().Info("station disconnected", "cause", cause)
	_, err := x.server.cfg.Observe(x.server.base, reservation.Event{
		At: now(), Kind: reservation.Disconnected, StationID: x.id, Connection: x.connection,
	})
	if err != nil {
		x.log().Error("end of connection could not be recorded", "error", err)
	}
}

// drain reads on for a moment after we have closed the socket upon something
// that was only read in part: else TCP would reset the connection, and the
// station might never see the close frame that says why.
func (x *Session) drain(cause error) {
	if cause != errBinary && cause != errTooLong && cause != websocket.ErrReadLimit {
		return
	}
	_ = x.conn.SetReadDeadline(time.Now().Add(closeWait))
	_, _ = io.Copy(io.Discard, x.conn.NetConn())
}

// heard moves the deadline by which the station has to be heard of again. A
// message has to be whole by then, whatever comes between its fragments.
func (x *Session) heard() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closing || x.within {
		return
	}
	var deadline time.Time
	if t := x.server.cfg.ReadTimeout; t > 0 {
		deadline = time.Now().Add(t)
	}
	_ = x.conn.SetReadDeadline(deadline)
}

// write sends one frame. It returns errClosed if the frame surely never left;
// after any other error that is not known, and the socket is closed.
func (x *Session) write(data []byte) error {
	x.writing <- struct{}{}
	defer func() { <-x.writing }()
	if x.broken {
		return errClosed
	}
	_ = x.conn.SetWriteDeadline(time.Now().Add(x.server.cfg.WriteTimeout))
	err := x.conn.WriteMessage(websocket.TextMessage, data)
	switch {
	case err == nil:
		x.server.counts.out.Add(1)
		return nil
	case errors.Is(err, websocket.ErrCloseSent):
		err = errClosed
	}
	x.broken = true
	_ = x.conn.Close()
	return err
}

// close says goodbye. The station may still say something until it answers;
// it is cut off if it takes too long.
func (x *Session) close(code int, text string) {
	x.mu.Lock()
	already := x.closing
	x.closing = true
	x.mu.Unlock()
	if already {
		return
	}
	deadline := time.Now().Add(closeWait)
	_ = x.conn.SetReadDeadline(deadline)
	if x.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), deadline) != nil {
		_ = x.conn.Close()
	}
}

// isClosing reports whether we have said goodbye.
func (x *Session) isClosing() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closing
}

// once reports whether something of this sort was not yet seen on this socket:
// what a faulty station does all day is logged aloud once.
func (x *Session) once(sort string) slog.Level {
	x.mu.Lock()
	defer x.mu.Unlock()
	if slices.Contains(x.noted, sort) {
		return slog.LevelDebug
	}
	x.noted = append(x.noted, sort)
	return slog.LevelWarn
}
