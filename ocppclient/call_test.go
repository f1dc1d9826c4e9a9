package ocppclient

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reservation"
)

const accepted = `{"status":"Accepted"}`

// answers sends a result.
func (f *far) answers(id, payload string) {
	f.t.Helper()
	f.send(fmt.Sprintf(`[3,%q,%s]`, id, payload))
}

func TestAStationSpeaksBeforeItAnswers(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	answer := ask(t.Context(), s, 41, reserveNow())
	id := f.calls("ReserveNow")
	f.send(`[2,"a","Authorize",{"idToken":{"idToken":"VAN-12","type":"Central"}}]`)
	f.read()
	f.send(`[2,"b","StatusNotification",{"timestamp":"2026-11-22T21:00:00Z","connectorStatus":"Reserved","evseId":1,"connectorId":1}]`)
	f.want(`[3,"b",{}]`)
	f.alive()
	select {
	case got := <-answer:
		t.Fatalf("answered with %+v by something else", got)
	default:
	}
	f.answers(id, accepted)
	wantOutcome(t, <-answer, reservation.AnswerAccepted)
	if got, _ := e.of(reservation.Answered); len(got) > 0 {
		t.Errorf("an answer in time is its caller's to record: %v", got)
	}
}

func TestWhatAnswersMean(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	for frame, want := range map[string]reservation.Outcome{
		`[3,%q,{"status":"Occupied","statusInfo":{"reasonCode":""}}]`: reservation.AnswerOccupied,
		`[4,%q,"NotImplemented","",{}]`:                               reservation.AnswerNotSupported,
		`[4,%q,"FormationViolation","bad",null]`:                      reservation.AnswerRefused,
		`[4,%q,"OccurenceConstraintViolation"]`:                       reservation.AnswerRefused,
		`[4,%q,"SecurityError","",{}]`:                                reservation.AnswerSecurity,
		`[4,%q,"InternalError","",{}]`:                                reservation.AnswerNone,
		`[3,%q,{"status":]`:                                           reservation.AnswerNone,
		`[4,%q]`:                                                      reservation.AnswerNone,
	} {
		answer := ask(t.Context(), s, 41, reserveNow())
		f.send(fmt.Sprintf(frame, f.calls("ReserveNow")))
		if got := <-answer; got.Outcome != want {
			t.Errorf("%s: got %+v, want %s", frame, got, want)
		}
	}
	f.alive() // none of the broken answers was answered
}

func TestVirtualOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		other, so := e.connect(t, "CP-2")
		const n = 10
		answers := make(chan reservation.Answer, n)
		for i := range n {
			go func() { answers <- s.Call(t.Context(), int32(i+1), reserveNow()) }()
		}
		for range n {
			id := f.calls("ReserveNow")
			synctest.Wait() // all that will happen has happened
			f.alive()       // and no second call was before this
			f.answers(id, accepted)
			wantOutcome(t, <-answers, reservation.AnswerAccepted)
		}
		// another station does not wait for this one
		first := ask(t.Context(), s, 41, reserveNow())
		id := f.calls("ReserveNow")
		second := ask(t.Context(), so, 42, reserveNow())
		other.answers(other.calls("ReserveNow"), accepted)
		wantOutcome(t, <-second, reservation.AnswerAccepted)
		f.answers(id, accepted)
		wantOutcome(t, <-first, reservation.AnswerAccepted)
	})
}

func TestVirtualALateAnswerIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		began := time.Now()
		answer := ask(t.Context(), s, 41, reserveNow())
		id := f.calls("ReserveNow")
		wantOutcome(t, <-answer, reservation.AnswerNone)
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("after %v", d)
		}
		next := ask(t.Context(), s, 42, reservation.Call{Kind: reservation.CancelReservation})
		nextID := f.calls("CancelReservation")

		f.answers(id, accepted)
		ev := e.wait(t, reservation.Answered, 1)
		if ev.ReservationID != 41 || ev.StationID != "CP-1" || ev.Connection != 1 ||
			ev.Call.Kind != reservation.ReserveNow || ev.Answer.Outcome != reservation.AnswerAccepted {
			t.Errorf("got %+v", ev)
		}
		f.answers(id, accepted) // twice
		f.alive()
		f.answers(nextID, `{"status":"Rejected"}`)
		wantOutcome(t, <-next, reservation.AnswerRejected)
		f.answers(nextID, accepted)
		f.alive()
		if got, _ := e.of(reservation.Answered); len(got) != 1 {
			t.Errorf("recorded %v", got)
		}
		if got := e.Stats(); got.Late != 1 || got.Stray != 2 {
			t.Errorf("counted %+v", got)
		}
	})
}

func TestVirtualOnlyTheLastLateAnswersAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		var ids []string
		for i := range maxLate + 2 {
			answer := ask(t.Context(), s, int32(i+1), reserveNow())
			ids = append(ids, f.calls("ReserveNow"))
			wantOutcome(t, <-answer, reservation.AnswerNone)
		}
		probe := ask(t.Context(), s, 0, reservation.Call{Kind: reservation.ProbeBoot})
		ids = append(ids, f.calls("TriggerMessage"))
		wantOutcome(t, <-probe, reservation.AnswerNone)
		for _, id := range ids {
			f.answers(id, accepted)
		}
		f.alive()
		got, _ := e.of(reservation.Answered)
		if len(got) != maxLate-1 || got[0].ReservationID != 4 { // the probe took a place and is no fact
			t.Errorf("recorded %v", got)
		}
	})
}

func TestVirtualAnAbandonedCallStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		ctx, cancel := context.WithCancel(t.Context())
		answer := ask(ctx, s, 41, reserveNow())
		id := f.calls("ReserveNow")
		cancel()
		wantOutcome(t, <-answer, reservation.AnswerNone)
		wantOutcome(t, s.Call(ctx, 41, reserveNow()), reservation.AnswerNotSent)

		next := ask(t.Context(), s, 42, reserveNow())
		synctest.Wait()
		f.alive() // the next one is not sent
		f.answers(id, accepted)
		if ev := e.wait(t, reservation.Answered, 1); ev.ReservationID != 41 {
			t.Errorf("got %+v", ev)
		}
		f.answers(f.calls("ReserveNow"), accepted)
		wantOutcome(t, <-next, reservation.AnswerAccepted)
	})
}

func TestVirtualAnAbandonedCallEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		answer := ask(ctx, s, 41, reserveNow())
		f.calls("ReserveNow")
		wantOutcome(t, <-answer, reservation.AnswerNone)
		next := ask(t.Context(), s, 42, reserveNow())
		began := time.Now()
		f.answers(f.calls("ReserveNow"), accepted)
		wantOutcome(t, <-next, reservation.AnswerAccepted)
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("the next call left after %v", d)
		}
	})
}

func TestAWaitingCallIsNotSentWhenItsContextEnds(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	first := ask(t.Context(), s, 41, reserveNow())
	id := f.calls("ReserveNow")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wantOutcome(t, s.Call(ctx, 42, reserveNow()), reservation.AnswerNotSent)
	f.answers(id, accepted)
	wantOutcome(t, <-first, reservation.AnswerAccepted)
}

func TestAnEndedContextSendsNothing(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		wantOutcome(t, s.Call(ctx, 41, reserveNow()), reservation.AnswerNotSent)
	}
	f.alive() // nothing came before this
}

func TestNothingIsSentOnASocketThatFailed(t *testing.T) {
	e := start(t, listen(t), nil)
	_, s := e.connect(t, "CP-1")
	s.writing <- struct{}{}
	s.broken = true
	<-s.writing
	for range 2 { // and the slot is free again
		wantOutcome(t, s.Call(t.Context(), 41, reserveNow()), reservation.AnswerNotSent)
	}
}

func TestVirtualACallDoesNotWaitLongerThanItsSocketLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		old, so := e.connect(t, "CP-1")
		open := ask(t.Context(), so, 41, reserveNow())
		id := old.calls("ReserveNow")
		young, sy := e.connect(t, "CP-1")
		waiting := ask(t.Context(), sy, 42, reserveNow())
		synctest.Wait()
		began := time.Now()
		_ = young.Close()
		wantOutcome(t, <-waiting, reservation.AnswerNotSent)
		if d := time.Since(began); d > 0 {
			t.Errorf("after %v", d)
		}
		old.answers(id, accepted)
		wantOutcome(t, <-open, reservation.AnswerAccepted)
	})
}

func TestASocketThatEndsLeavesItsCallUnknown(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	open := ask(t.Context(), s, 41, reserveNow())
	f.calls("ReserveNow")
	waiting := ask(t.Context(), s, 42, reserveNow())
	_ = f.Close()
	wantOutcome(t, <-open, reservation.AnswerNone)
	wantOutcome(t, <-waiting, reservation.AnswerNotSent)
	<-s.Done()
	wantOutcome(t, s.Call(t.Context(), 43, reserveNow()), reservation.AnswerNotSent)
}

func TestWhatCannotBeSaidIsRefused(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	c := reserveNow()
	c.Content.IDToken.IDToken = "0123456789012345678901234567890123456789"
	wantOutcome(t, s.Call(t.Context(), 41, c), reservation.AnswerRefused)
	f.alive() // nothing was sent
}

func TestMessageIDs(t *testing.T) {
	e, other := start(t, listen(t), nil), start(t, listen(t), nil)
	seen := map[string]bool{}
	for range 1000 {
		for _, s := range []*Server{e.Server, other.Server} {
			id := s.messageID()
			if seen[id] || len(id) > 36 || id[:3] != "rc-" {
				t.Fatalf("id %q", id)
			}
			seen[id] = true
		}
	}
	e.lastID.Store(1<<63 - 2)
	if id := e.messageID(); len(id) > 36 {
		t.Errorf("the last id has %d characters", len(id))
	}
}
