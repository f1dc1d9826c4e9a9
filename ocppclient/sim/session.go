package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
)

const (
	writeWait = 10 * time.Second
	readLimit = 1 << 20
)

// item is what waits to be sent: a call, or an answer that calls precede.
type item struct {
	message Message
	answer  []byte // set: not a call
}

// session is one link. Its loop alone writes; a second goroutine reads.
type session struct {
	*Client
	conn     *websocket.Conn
	frames   chan []byte
	queue    []item
	late     []lateCall // calls that are answered later
	pending  *Message   // our call that has no answer yet
	id       string     // its message id
	deadline time.Time
	nextPing time.Time
	sent     int
	prefix   string
}

// errClosed: the other end, or the link, is gone.
var errClosed = errors.New("link lost")

// serve runs a link until it is lost.
func (c *Client) serve(ctx context.Context, conn *websocket.Conn) error {
	now := time.Now()
	s := &session{Client: c, conn: conn, frames: make(chan []byte), prefix: strconv.FormatInt(now.UnixMicro(), 36) + "-",
		nextPing: now.Add(c.config.PingInterval)}
	done := make(chan struct{})
	go s.read(done)
	select {
	case <-c.drop: // meant for an earlier link
	default:
	}
	err := errClosed
	if s.begin(now) {
		err = s.loop(ctx)
	}
	close(done)
	return errors.Join(err, s.end())
}

// begin takes the link up, unless there is to be none now.
func (s *session) begin(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.linked = !now.Before(s.away); s.linked {
		s.enqueue(s.m.Reconnected(now))
	}
	return s.linked
}

// end gives back to the station what did not get through, and closes the
// socket, unless the link was cut in a way that leaves it open.
func (s *session) end() error {
	s.mu.Lock()
	s.m.Disconnected(time.Now())
	s.m.Undelivered(s.underway())
	s.outbox, s.linked = nil, false
	keep := s.severed(s.conn)
	err := s.save(nil, false)
	s.mu.Unlock()
	if !keep {
		_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""), time.Now().Add(time.Second))
		_ = s.conn.Close()
	}
	return err
}

// underway is every call that has no answer, in order; s.mu is held.
func (s *session) underway() []Message {
	var all []Message
	if s.pending != nil {
		all = append(all, *s.pending)
	}
	for _, i := range s.queue {
		if i.answer == nil {
			all = append(all, i.message)
		}
	}
	return append(all, s.outbox...)
}

// read hands frames to the loop, and closes the channel with the link.
func (s *session) read(done <-chan struct{}) {
	defer close(s.frames)
	alive := func() error { return s.conn.SetReadDeadline(time.Now().Add(s.config.PingInterval*2 + writeWait)) }
	s.conn.SetReadLimit(readLimit)
	s.conn.SetPongHandler(func(string) error { return alive() })
	for {
		if alive() != nil {
			return
		}
		_, data, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		select {
		case s.frames <- data:
		case <-done:
			return
		}
	}
}

func (s *session) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := s.pump(); err != nil {
			return err
		}
		timer.Reset(time.Until(s.next()))
		var err error
		select {
		case data, ok := <-s.frames:
			if err = errClosed; ok {
				err = s.receive(data)
			}
		case <-s.wake:
		case <-timer.C:
			err = s.tick()
		case <-s.drop:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// pump sends as much as one outstanding call allows.
func (s *session) pump() error {
	s.mu.Lock()
	s.enqueue(s.outbox)
	s.outbox = nil
	s.mu.Unlock()
	for len(s.queue) > 0 && (s.pending == nil || s.queue[0].answer != nil) {
		head := s.queue[0]
		s.queue = s.queue[1:]
		if err := s.dispatch(head); err != nil {
			return err
		}
	}
	if len(s.queue) > 0 || s.pending != nil {
		return nil
	}
	s.queue = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save(s.outbox, false)
}

func (s *session) dispatch(i item) error {
	if i.answer != nil {
		return s.write(i.answer)
	}
	s.sent++
	s.pending, s.id, s.deadline = &i.message, s.prefix+strconv.Itoa(s.sent), time.Now().Add(s.config.CallTimeout)
	frame, err := wire.Call(s.id, i.message.Action, i.message.Payload)
	if err != nil {
		return err
	}
	return s.write(frame)
}

func (s *session) write(frame []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeWait))
	if err := s.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		return fmt.Errorf("%w: %w", errClosed, err)
	}
	return nil
}

func (s *session) enqueue(messages []Message) {
	for _, m := range messages {
		s.queue = append(s.queue, item{message: m})
	}
}

// next is when tick has something to do.
func (s *session) next() time.Time {
	s.mu.Lock()
	at := s.m.NextTimer()
	s.mu.Unlock()
	if at.IsZero() || s.nextPing.Before(at) {
		at = s.nextPing
	}
	if s.pending != nil && s.deadline.Before(at) {
		at = s.deadline
	}
	if len(s.late) > 0 && s.late[0].at.Before(at) {
		at = s.late[0].at
	}
	return at
}

// tick does what is due: the station's timers, a ping, giving up a call.
func (s *session) tick() error {
	now := time.Now()
	s.mu.Lock()
	s.enqueue(s.m.Advance(now))
	s.mu.Unlock()
	if s.pending != nil && !now.Before(s.deadline) {
		s.settled(&wire.Error{Code: wire.GenericError}, nil)
	}
	if err := s.answerLate(now); err != nil {
		return err
	}
	if now.Before(s.nextPing) {
		return nil
	}
	s.nextPing = now.Add(s.config.PingInterval)
	s.mu.Lock()
	s.enqueue(s.m.Retry(now))
	s.mu.Unlock()
	if err := s.conn.WriteControl(websocket.PingMessage, nil, now.Add(writeWait)); err != nil {
		return fmt.Errorf("%w: %w", errClosed, err)
	}
	return nil
}

// receive takes a frame: a call, or the answer to ours.
func (s *session) receive(data []byte) error {
	f, broken := wire.Decode(data)
	switch {
	case broken != nil && (f.Type == wire.TypeResult || f.Type == wire.TypeError):
		return nil
	case broken != nil:
		return s.refuse(f.ID, broken)
	case f.Type == wire.TypeCall:
		return s.take(f)
	case s.pending == nil || f.ID != s.id:
		return nil // late, or nobody's
	case f.Type == wire.TypeError:
		s.settled(&wire.Error{Code: f.Code, Description: f.Description}, nil)
	case f.Type == wire.TypeResult:
		s.settled(nil, f.Payload)
	}
	return nil
}

func (s *session) refuse(id string, e *wire.Error) error {
	frame, err := wire.CallError(id, e)
	if err != nil {
		return err
	}
	return s.write(frame)
}

// settled ends our call. A transaction event that was not taken is kept and
// sent again with the next ping; a boot that was not counts as refused.
func (s *session) settled(failed *wire.Error, payload json.RawMessage) {
	was := *s.pending
	s.pending = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if q, ok := was.Payload.(v201.TransactionEventRequest); ok {
		s.transactionAnswered(was, q.TransactionInfo.TransactionID, failed, payload)
		return
	}
	if was.Action != "BootNotification" {
		return
	}
	r := v201.BootNotificationResponse{Status: v201.Rejected}
	if failed == nil && json.Unmarshal(payload, &r) != nil {
		r.Status = v201.Rejected
	}
	s.m.SetInterval(time.Duration(r.Interval) * time.Second)
	s.enqueue(s.m.BootAnswered(time.Now(), string(r.Status)))
}

// transactionAnswered keeps an event that was not taken, and ends the charging
// of a token that the CSMS does not accept.
func (s *session) transactionAnswered(was Message, transaction string, failed *wire.Error, payload json.RawMessage) {
	if failed != nil {
		s.m.Undelivered([]Message{was})
		return
	}
	var r v201.TransactionEventResponse
	if json.Unmarshal(payload, &r) == nil && r.IDTokenInfo != nil && r.IDTokenInfo.Status != v201.AuthorizationAccepted {
		s.enqueue(s.m.Deauthorized(time.Now(), transaction))
	}
}

// answer lets the station answer a call. What it promises is in its memory
// before it says so.
func (s *session) answer(f wire.Frame) error {
	s.mu.Lock()
	s.calls[f.Action]++
	response, failed, after := s.m.Handle(time.Now(), f.Action, f.Payload)
	err := s.save(append(s.underway(), after...), f.Action == "ReserveNow" || f.Action == "CancelReservation")
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if response == nil && failed == nil { // silence
		s.enqueue(after)
		return nil
	}
	return s.reply(f.ID, response, failed, after)
}

// reply sends the answer, and what precedes and follows it.
func (s *session) reply(id string, response any, failed *wire.Error, after []Message) error {
	frame, err := encode(id, response, failed)
	if err != nil {
		return err
	}
	last := 0 // the answer goes behind the last message that precedes it
	for i, m := range after {
		if m.BeforeAnswer {
			last = i + 1
		}
	}
	s.enqueue(after[:last])
	if last == 0 {
		err = s.write(frame)
	} else {
		s.queue = append(s.queue, item{answer: frame})
	}
	s.enqueue(after[last:])
	return err
}

func encode(id string, response any, failed *wire.Error) ([]byte, error) {
	if failed != nil {
		return wire.CallError(id, failed)
	}
	return wire.Result(id, response)
}
