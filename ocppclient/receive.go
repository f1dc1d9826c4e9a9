package ocppclient

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

// keepBuffer is the largest buffer that is kept for the next message.
const keepBuffer = 64 << 10

var (
	errTooLong = errors.New("message: longer than allowed")
	errBinary  = errors.New("message: binary")
)

func newBuffer() any { return new(bytes.Buffer) }

// read waits for a message and handles it, one after the other until the socket
// ends, so what a station says is recorded and answered in the order in which it
// was said. To handle one takes a deep stack, which a goroutine keeps: a fresh
// one waits for the next.
func (x *Session) read() {
	if err := x.next(); err != nil {
		x.disconnected(err)
		x.drain(err)
		x.end()
		return
	}
	x.server.alive.Go(x.read)
}

func (x *Session) next() error {
	x.heard()
	kind, r, err := x.conn.NextReader()
	if err != nil {
		return err
	}
	if kind != websocket.TextMessage {
		x.close(websocket.CloseUnsupportedData, "OCPP-J is text")
		return errBinary
	}
	x.within = true
	defer func() { x.within = false }()
	return x.readOne(r)
}

// readOne reads and handles a message. The buffer is taken only once there is
// something to read, so that a silent socket holds none.
func (x *Session) readOne(r io.Reader) error {
	buf := x.server.buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= keepBuffer {
			buf.Reset()
			x.server.buffers.Put(buf)
		}
	}()
	// The limit of the socket is on what is sent; this one is on what it unpacks to.
	n, err := buf.ReadFrom(io.LimitReader(r, x.server.cfg.MaxFrame+1))
	if err != nil {
		return err
	}
	if n > x.server.cfg.MaxFrame {
		x.close(websocket.CloseMessageTooBig, "")
		return errTooLong
	}
	x.handle(buf.Bytes())
	return nil
}

// handle does what a message asks for. Nothing of data may be kept.
func (x *Session) handle(data []byte) {
	x.server.counts.in.Add(1)
	f, bad := wire.Decode(data)
	switch {
	case bad != nil:
		x.spend(1 + len(data)/perBytes)
		x.malformed(f, bad)
	case f.Type == wire.TypeCall:
		x.spend(1 + len(data)/perBytes)
		x.reported(f)
	case f.Type == wire.TypeResult, f.Type == wire.TypeError:
		x.answered(f, nil)
	default:
		x.spend(1 + len(data)/perBytes)
		// Types 5 and 6 are of 2.1 and are never answered.
		x.log().Log(x.server.base, x.once("type"), "message ignored", "type", f.Type, "action", f.Action)
	}
}

// malformed answers what was, or may have been, a request. To answer a broken
// answer would only confuse; if it is one to our call, that call is over.
func (x *Session) malformed(f wire.Frame, bad *wire.Error) {
	x.server.counts.malformed.Add(1)
	x.log().Log(x.server.base, x.once("malformed"), "malformed message", "type", f.Type, "error", bad)
	switch f.Type {
	case wire.TypeResult, wire.TypeError:
		x.answered(f, bad)
	case wire.TypeResultError, wire.TypeSend:
	default:
		x.refuse(f.ID, bad)
	}
}

// reported records what a station tells, and only then acknowledges it: no
// station repeats what was acknowledged. After goodbye nothing can be, so
// nothing is taken: the station keeps it for its next connection.
func (x *Session) reported(f wire.Frame) {
	if x.isClosing() {
		return
	}
	reply, bad := x.dialect.receive(f.Action, f.Payload, x.env())
	if bad != nil {
		x.log().Log(x.server.base, x.once("refused"), "request refused", "action", f.Action, "error", bad)
		x.refuse(f.ID, bad)
		return
	}
	if x.foreign(reply.Facts) {
		x.log().Error("station disconnected: another serial number than in its certificate", "error", errForeignBoot)
		x.refuse(f.ID, &wire.Error{Code: wire.SecurityError, Description: errForeignBoot.Error()})
		x.close(websocket.ClosePolicyViolation, "serial number")
		return
	}
	for i, ev := range reply.Facts {
		x.spend(min(i, 1)) // the first is that of the message
		stored, err := x.observe(ev)
		if err != nil {
			x.log().Error("report could not be recorded", "action", f.Action, "error", err)
			x.refuse(f.ID, &wire.Error{Code: wire.InternalError, Description: "not recorded, try again later"})
			return
		}
		if stored {
			x.spend(perRecord)
		}
	}
	data, err := wire.Result(f.ID, reply.Response)
	if err != nil {
		x.log().Error("response could not be encoded", "action", f.Action, "error", err)
		x.refuse(f.ID, &wire.Error{Code: wire.InternalError})
		return
	}
	x.reply(data)
}

// foreign reports whether a station with a certificate boots as another one:
// such a connection has to be closed (B01.FR.12 of 2.0.1).
func (x *Session) foreign(facts []reservation.Event) bool {
	return x.serial != "" && slices.ContainsFunc(facts, func(ev reservation.Event) bool {
		return ev.Boot != nil && ev.Boot.Serial != x.serial
	})
}

// env is what a dialect needs to know to answer.
func (x *Session) env() v201.Env {
	return v201.Env{
		Now:         now(),
		ConnectedAt: x.connectedAt,
		Interval:    int(x.server.cfg.HeartbeatInterval.Seconds()),
		Boot:        "Accepted",
		Authorize: func(t reservation.Token) (bool, *reservation.Token) {
			if x.server.cfg.Authorize == nil {
				return false, nil
			}
			ok, group := x.server.cfg.Authorize(x.server.base, x.id, t)
			if !ok {
				x.spend(perRefusal)
			}
			return ok, group
		},
	}
}

// observe records one fact as this socket's. It reports whether that was
// written down: what changes nothing is not.
func (x *Session) observe(ev reservation.Event) (stored bool, err error) {
	if ev.At.IsZero() {
		ev.At = now()
	}
	ev.StationID, ev.Connection = x.id, x.connection
	ev, err = x.server.cfg.Observe(x.server.base, ev)
	return ev.Seq != 0, err
}

func (x *Session) refuse(id string, e *wire.Error) {
	data, err := wire.CallError(id, e)
	if err != nil {
		x.log().Error("refusal could not be encoded", "error", err)
		return
	}
	x.reply(data)
}

func (x *Session) reply(data []byte) {
	if err := x.write(data); err != nil && !errors.Is(err, errClosed) {
		x.log().Warn("response could not be written", "error", err)
	}
}

// answered hands an answer to whom waits for it. One that comes late is a fact
// like any other, since what it says of a reservation holds; a late answer to
// a probe says nothing.
func (x *Session) answered(f wire.Frame, bad *wire.Error) {
	a, late := x.station.match(f.ID)
	if a == nil {
		x.spend(1)
		x.server.counts.stray.Add(1)
		x.log().Log(x.server.base, x.once("stray"), "answer to nothing that was asked", "message", f.ID)
		return
	}
	answer := a.outcome(f, bad)
	if !late {
		a.answer <- answer
		return
	}
	x.server.counts.late.Add(1)
	x.log().Warn("late answer", "call", a.call.Kind, "reservation", a.reservationID, "outcome", answer.Outcome)
	if a.call.Kind != reservation.ReserveNow && a.call.Kind != reservation.CancelReservation {
		return
	}
	ev := reservation.Event{Kind: reservation.Answered, ReservationID: a.reservationID, Call: &a.call, Answer: &answer}
	if _, err := x.observe(ev); err != nil {
		x.log().Error("late answer could not be recorded", "error", err)
	}
}
