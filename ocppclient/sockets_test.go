package ocppclient

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"strconv"
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
		select {
		case <-so.Done():
			t.Error("the old one has ended")
		default:
		}

		_ = old.Close()
		if ev := e.wait(t, reservation.Disconnected, 1); ev.Connection != 1 {
			t.Errorf("%d ended", ev.Connection)
		}
		<-so.Done()
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
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		given, giveUp := context.WithCancel(t.Context())
		open := ask(given, s, 41, reserveNow())
		id := f.calls("ReserveNow")
		ended := make(chan error, 1)
		go func() { ended <- e.stop() }()
		giveUp()
		wantOutcome(t, <-open, reservation.AnswerNone) // its context has ended
		synctest.Wait()
		f.alive() // but the socket has not: the call is still open
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
		e := start(t, newPipes(), func(c *Config) {
			c.Left = func(*Session) { <-release } // it hangs
		})
		f, _ := e.connect(t, "CP-1")
		_ = f.Close()
		began := time.Now()
		if err := e.stop(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(began); d != 10*time.Second+closeWait {
			t.Errorf("after %v", d)
		}
		close(release)
	})
}

// TestVirtualWhoComesWhileTheServerStops is let go as well: it was let in
// before, and is recorded after the others have been told.
func TestVirtualWhoComesWhileTheServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorded := make(chan struct{})
		e := start(t, newPipes(), func(c *Config) {
			observe := c.Observe
			c.Observe = func(ctx context.Context, ev reservation.Event) (reservation.Event, error) {
				if ev.Kind == reservation.Connected {
					<-recorded
				}
				return observe(ctx, ev)
			}
		})
		f := e.dial(t, "CP-1")
		ended := make(chan error, 1)
		go func() { ended <- e.stop() }()
		synctest.Wait()
		close(recorded)
		f.wantClose(websocket.CloseGoingAway)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestVirtualWhatIsToldOfASocket: it joins when it is recorded, and leaves before
// its end is, with no call of it left open.
func TestVirtualWhatIsToldOfASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e *endpoint
		left := make(chan int, 1)
		e = start(t, newPipes(), func(c *Config) {
			c.Left = func(s *Session) {
				gone, _ := e.of(reservation.Disconnected)
				<-s.Done()
				left <- len(gone)
			}
		})
		f, s := e.connect(t, "CP-1")
		if came, _ := e.of(reservation.Connected); len(came) != 1 || s.Connection() != came[0].Connection {
			t.Errorf("joined as %d, recorded %v", s.Connection(), came)
		}
		open := ask(t.Context(), s, 41, reserveNow())
		f.calls("ReserveNow")
		_ = f.Close()
		wantOutcome(t, <-open, reservation.AnswerNone)
		if n := <-left; n != 0 {
			t.Error("its end was recorded before")
		}
		e.wait(t, reservation.Disconnected, 1)
	})
}

// TestVirtualPingsGoTheRounds: every socket is pinged once in an interval, and
// those that came at once are not pinged at once.
func TestVirtualPingsGoTheRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.PingInterval = 64 * time.Second })
		began := time.Now()
		pings := make(chan time.Duration, 100)
		for i := range 8 {
			f, _ := e.connect(t, "CP-"+strconv.Itoa(i))
			pong := f.PingHandler()
			f.SetPingHandler(func(s string) error { pings <- time.Since(began); return pong(s) })
			go func() { _, _, _ = f.ReadMessage() }()
		}
		time.Sleep(3*64*time.Second + time.Millisecond)
		times := map[time.Duration]int{}
		for len(pings) > 0 {
			times[<-pings]++
		}
		if len(times) != 3*8 || times[time.Second] != 1 || times[(2*64+8)*time.Second] != 1 {
			t.Errorf("pinged at %v", times)
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
	e := start(t, listen(t), func(c *Config) { c.PingInterval, c.MaxMessageRate = time.Hour, -1 })
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
	sessions := slices.Collect(e.rounds.all())
	if len(e.stations)+len(sessions) > 0 || e.Stats().Open != 0 {
		t.Errorf("%d stations, %d sessions, %+v", len(e.stations), len(sessions), e.Stats())
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
