package ocppclient

import (
	"context"
	"errors"
	"time"

	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

// Call asks the station and returns what it made of it. How it went is a value
// and never an error:
//
//   - NotSent: surely nothing left, because ctx had ended, the socket was gone
//     or closing, or a newer socket of the station had come.
//   - NoAnswer: the call may have left, and what became of it is unknown. If
//     an answer comes later after all, Config.Observe gets it.
//   - anything else is the station's word. A call that its version cannot
//     express is Refused without having left.
//
// One call is open at a time, over both sockets of a station; others wait. A
// call that ctx cut short stays open for the station until it is answered or
// CallTimeout is over, and the next one waits for that. To have every answer
// at first hand, call with a context that ends no earlier than the session.
func (x *Session) Call(ctx context.Context, reservationID int32, c reservation.Call) reservation.Answer {
	action, payload, err := x.dialect.encode(reservationID, c)
	if err != nil {
		return reservation.Answer{Outcome: reservation.AnswerRefused, Info: "not sent: " + err.Error()}
	}
	a := &asked{messageID: x.server.messageID(), reservationID: reservationID, call: c, session: x,
		answer: make(chan reservation.Answer, 1)}
	data, err := wire.Call(a.messageID, action, payload)
	if err != nil {
		return reservation.Answer{Outcome: reservation.AnswerRefused, Info: "not sent: " + err.Error()}
	}
	if why := x.take(ctx, a); why != "" {
		return reservation.Answer{Outcome: reservation.AnswerNotSent, Info: why}
	}
	return x.ask(ctx, a, data)
}

// take waits until no other call is open and opens this one. It returns why it
// could not.
func (x *Session) take(ctx context.Context, a *asked) string {
	slot := x.station.place()
	select {
	case slot <- struct{}{}:
	case <-ctx.Done():
		return "given up before it was sent"
	case <-x.Done():
		return "the connection ended"
	}
	switch {
	case ctx.Err() != nil:
		<-slot
		return "given up before it was sent"
	case !x.station.begin(a):
		<-slot
		return "a newer connection has taken over"
	}
	return ""
}

// ask sends an open call and waits for what becomes of it.
func (x *Session) ask(ctx context.Context, a *asked, data []byte) reservation.Answer {
	began := time.Now()
	if err := x.write(data); errors.Is(err, errClosed) {
		x.station.withdraw(a)
		return reservation.Answer{Outcome: reservation.AnswerNotSent, Info: "the connection ended"}
	} else if err != nil {
		x.station.giveUp(a)
		return <-a.answer
	}
	timer := time.NewTimer(x.server.cfg.CallTimeout)
	defer timer.Stop()
	select {
	case answer := <-a.answer:
		return answer
	case <-timer.C:
		x.station.giveUp(a)
		return <-a.answer
	case <-ctx.Done():
	}
	if x.station.abandon(a, x.server.cfg.CallTimeout-time.Since(began)) {
		return reservation.Answer{Outcome: reservation.AnswerNone, Info: "given up before the answer"}
	}
	return <-a.answer
}
