package ocppclient

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

func TestVirtualTwoSocketsOfOneStation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		old, so := e.connect(t, "CP-1")
		open := ask(t.Context(), so, 41, reserveNow())
		id := old.calls("ReserveNow")

		young, sy := e.connect(t, "CP-1")
		wantOutcome(t, ask1(ask(t.Context(), sy, 42, reserveNow()), young, old, id), reservation.AnswerAccepted)
		wantOutcome(t, <-open, reservation.AnswerAccepted) // it came through the old one

		// the old one is listened to and answered, and not spoken to
		old.send(`[2,"1","ReservationStatusUpdate",{"reservationId":41,"reservationUpdateStatus":"Removed"}]`)
		old.want(`[3,"1",{}]`)
		if ev := e.wait(t, reservation.Reported, 1); ev.Connection != 1 {
			t.Errorf("reported by %d", ev.Connection)
		}
		wantOutcome(t, so.Call(t.Context(), 43, reserveNow()), reservation.AnswerNotSent)
		if so.ctx.Err() != nil {
			t.Error("the old one's Serve was ended")
		}

		_ = old.Close()
		if ev := e.wait(t, reservation.Disconnected, 1); ev.Connection != 1 {
			t.Errorf("%d ended", ev.Connection)
		}
		<-so.ctx.Done()
		again := ask(t.Context(), sy, 44, reserveNow())
		young.answers(young.calls("ReserveNow"), accepted)
		wantOutcome(t, <-again, reservation.AnswerAccepted)
	})
}

// ask1 proves that a call of the young socket waits for the old one's, and
// lets both come to their end.
func ask1(answer <-chan reservation.Answer, young, old *far, id string) reservation.Answer {
	synctest.Wait()
	young.alive() // nothing was sent here while the old one's call is open
	old.answers(id, accepted)
	young.answers(young.calls("ReserveNow"), accepted)
	return <-answer
}

func TestVirtualAnAnswerCountsOnEitherSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		old, so := e.connect(t, "CP-1")
		open := ask(t.Context(), so, 41, reserveNow())
		id := old.calls("ReserveNow")
		young, _ := e.connect(t, "CP-1")
		_ = old.Close()
		wantOutcome(t, <-open, reservation.AnswerNone)
		young.answers(id, accepted)
		if ev := e.wait(t, reservation.Answered, 1); ev.ReservationID != 41 || ev.Connection != 2 {
			t.Errorf("got %+v", ev)
		}
	})
}

func TestVirtualTheOlderSocketIsSpokenToWhenTheNewerDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		old, so := e.connect(t, "CP-1")
		young, _ := e.connect(t, "CP-1")
		_ = young.Close()
		e.wait(t, reservation.Disconnected, 1)
		answer := ask(t.Context(), so, 41, reserveNow())
		old.answers(old.calls("ReserveNow"), accepted)
		wantOutcome(t, <-answer, reservation.AnswerAccepted)
	})
}

func TestVirtualAThirdSocketClosesTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		first, s1 := e.connect(t, "CP-1")
		second, s2 := e.connect(t, "CP-1")
		e.dial(t, "CP-1").alive()
		first.wantClose(websocket.ClosePolicyViolation)
		if ev := e.wait(t, reservation.Disconnected, 1); ev.Connection != 1 {
			t.Errorf("%d ended", ev.Connection)
		}
		<-s1.Done()
		if s2.isClosing() {
			t.Error("the second was closed")
		}
		second.alive()
		synctest.Wait()
		if open := e.Stats().Open; open != 2 {
			t.Errorf("%d open", open)
		}
	})
}

func TestVirtualSilenceEndsASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.PingInterval = 30 * time.Second })
		f, _ := e.connect(t, "CP-1")
		f.SetPingHandler(func(string) error { return nil }) // it reads, and never answers
		began := time.Now()
		for {
			if _, _, err := f.ReadMessage(); err != nil {
				break
			}
		}
		e.wait(t, reservation.Disconnected, 1)
		if d := time.Since(began); d != 75*time.Second {
			t.Errorf("after %v", d)
		}
	})
}

func TestVirtualAHalfOpenSocketIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.PingInterval = 30 * time.Second })
		_, s := e.connect(t, "CP-1") // it never reads again
		began := time.Now()
		wantOutcome(t, s.Call(t.Context(), 41, reserveNow()), reservation.AnswerNone)
		e.wait(t, reservation.Disconnected, 1)
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("after %v", d)
		}
		wantOutcome(t, s.Call(t.Context(), 41, reserveNow()), reservation.AnswerNotSent)
	})
}

func TestVirtualAStationThatOnlyAnswersPingsStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.PingInterval = 30 * time.Second })
		f, _ := e.connect(t, "CP-1")
		go func() { _, _, _ = f.ReadMessage() }()
		time.Sleep(24 * time.Hour)
		if gone, _ := e.of(reservation.Disconnected); len(gone) > 0 {
			t.Error("it was cut off")
		}
	})
}

func TestVirtualAStationThatOnlyPingsStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.ReadTimeout = 100 * time.Second })
		f, _ := e.connect(t, "CP-1")
		pongs := 0
		f.SetPongHandler(func(string) error { pongs++; return nil })
		go func() { _, _, _ = f.ReadMessage() }()
		for range 60 {
			time.Sleep(time.Minute)
			if err := f.WriteControl(websocket.PingMessage, nil, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if pongs != 60 {
			t.Errorf("%d pongs", pongs)
		}
		if gone, _ := e.of(reservation.Disconnected); len(gone) > 0 {
			t.Error("it was cut off")
		}
	})
}

func TestVirtualASlowReaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		f.send(heartbeat) // and its answer is never read
		began := time.Now()
		<-s.Done()
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("after %v", d)
		}
	})
}

func TestVirtualOneStationDoesNotWaitForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		e := start(t, newPipes(), func(c *Config) {
			observe := c.Observe
			c.Observe = func(ctx context.Context, ev reservation.Event) (reservation.Event, error) {
				if ev.StationID == "STUCK" && ev.Kind == reservation.Reported {
					<-stuck
				}
				return observe(ctx, ev)
			}
		})
		a, _ := e.connect(t, "STUCK")
		b, _ := e.connect(t, "CP-2")
		a.send(`[2,"1","ReservationStatusUpdate",{"reservationId":7,"reservationUpdateStatus":"Expired"}]`)
		synctest.Wait()
		b.alive()
		close(stuck)
		a.want(`[3,"1",{}]`)
	})
}

func TestVirtualStoppingLetsSessionsFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e *endpoint
		finished := make(chan struct{})
		e = start(t, newPipes(), func(c *Config) {
			c.Serve = func(ctx context.Context, s *Session) {
				e.sessions <- s
				<-ctx.Done()
				<-finished
			}
		})
		f, s := e.connect(t, "CP-1")
		open := ask(s.ctx, s, 41, reserveNow())
		id := f.calls("ReserveNow")
		ended := make(chan error, 1)
		go func() { ended <- e.stop() }()
		wantOutcome(t, <-open, reservation.AnswerNone) // its context has ended
		f.alive()                                      // but the socket has not
		close(finished)
		synctest.Wait()
		f.alive() // a call is still open
		f.answers(id, accepted)
		if ev := e.wait(t, reservation.Answered, 1); ev.ReservationID != 41 {
			t.Errorf("got %+v", ev)
		}
		f.wantClose(websocket.CloseGoingAway)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		e.wait(t, reservation.Disconnected, 1)
		if _, _, err := e.dialer().Dial(e.url("/CP-2"), nil); err == nil {
			t.Error("a stopped server lets stations in")
		}
	})
}

func TestVirtualStoppingDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var e *endpoint
		e = start(t, newPipes(), func(c *Config) {
			c.Serve = func(_ context.Context, s *Session) {
				e.sessions <- s
				<-release
			}
		})
		_, s := e.connect(t, "CP-1")
		began := time.Now()
		go func() { <-s.Done(); close(release) }() // it hangs as long as it is connected
		if err := e.stop(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("after %v", d)
		}
	})
}

func TestVirtualAStationThatIgnoresTheCloseFrameIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, _ := e.connect(t, "CP-1")
		f.SetCloseHandler(func(int, string) error { return nil })
		go func() { _, _, _ = f.ReadMessage() }()
		began := time.Now()
		if err := e.stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != closeWait {
			t.Errorf("after %v", d)
		}
	})
}

func TestNoReportIsTakenAfterGoodbye(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	f.SetCloseHandler(func(int, string) error { return nil })
	s.close(websocket.CloseGoingAway, "stopping")
	f.send(`[2,"1","ReservationStatusUpdate",{"reservationId":7,"reservationUpdateStatus":"Expired"}]`)
	_ = f.Close()
	e.wait(t, reservation.Disconnected, 1)
	if got, _ := e.of(reservation.Reported); len(got) > 0 {
		t.Errorf("recorded %v, which could not be acknowledged", got)
	}
}

func TestRunFailsWithItsListener(t *testing.T) {
	l := listen(t)
	e := start(t, l, nil)
	f, _ := e.connect(t, "CP-1")
	_ = l.Close()
	f.wantClose(websocket.CloseGoingAway)
	if err := e.stop(); err == nil || !strings.Contains(err.Error(), "accept") || !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	e := start(t, listen(t), func(c *Config) { c.PingInterval = time.Hour })
	for range 20 {
		f, s := e.connect(t, "CP-1")
		f.alive()
		_ = f.Close()
		<-s.Done()
	}
	open, s := e.connect(t, "CP-2")
	go func() { _, _, _ = open.ReadMessage() }() // answers the close frame
	if err := e.stop(); err != nil {
		t.Error(err)
	}
	<-s.Done()
	if len(e.stations)+len(e.Server.sessions) > 0 || e.Stats().Open != 0 {
		t.Errorf("%d stations, %d sessions, %+v", len(e.stations), len(e.Server.sessions), e.Stats())
	}
	for range 100 { // what has returned may not be off the scheduler's books yet
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
		runtime.GC()
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
}
