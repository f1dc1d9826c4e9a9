package ocppclient

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

// said sends n heartbeats, reads the answers, and gives how long that took.
func (f *far) said(n int) time.Duration {
	f.t.Helper()
	began := time.Now()
	for range n {
		f.send(heartbeat)
		f.read()
	}
	return time.Since(began)
}

// A station that was offline says all that it kept at once; one that never ends
// is listened to at its pace, and another is not kept waiting by it.
func TestVirtualAStationThatFloodsIsListenedToSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, _ := e.connect(t, "CP-1")
		if d := f.said(burst - perSocket); d != 0 {
			t.Errorf("what was kept took %v", d)
		}
		if d := f.said(1000); d != 10*time.Second {
			t.Errorf("1000 more took %v, at 100 in a second", d)
		}
		g, _ := e.connect(t, "CP-2")
		if d := g.said(100); d != 0 {
			t.Errorf("another station waited %v", d)
		}
		time.Sleep(time.Minute)
		if d := f.said(1500); d != 0 || e.Stats().Slowed != 1000 {
			t.Errorf("a minute later it waited %v; %d were slowed", d, e.Stats().Slowed)
		}
		_ = e.stop()
	})
}

// What is large, has many facts in it, is written down, or tries tokens, counts as
// more than one message.
func TestVirtualWhatCostsMoreCountsAsMore(t *testing.T) {
	entry := `{"actualValue":"Available","timestamp":"2026-11-23T00:00:00Z","component":{"name":"EVSE","evse":{"id":%d}},"variable":{"name":"AvailabilityState"}}`
	var entries []string
	for i := range 100 {
		entries = append(entries, fmt.Sprintf(entry, i+1))
	}
	facts := `[2,"x","NotifyEvent",{"generatedAt":"2026-11-23T00:00:00Z","seqNo":0,"eventData":[` + strings.Join(entries, ",") + `]}]`
	for _, c := range []struct {
		name, text string
		journal    bool
		answers    int
		want       int
	}{
		{"a heartbeat", heartbeat, false, 1, 1},
		{"facts that change nothing", facts, false, 1, 101}, // it has 12 KB
		{"facts that are written down", facts, true, 1, 101 + 100*perRecord},
		{"bytes", `[2,"x","Heartbeat",{"a":"` + strings.Repeat("a", 1000<<10) + `"}]`, false, 1, 101},
		{"an answer to nothing", `[3,"rc-1",{}]`, false, 0, 1},
		{"what is no frame", `[2,`, false, 1, 1},
		{"a token that may not charge", `[2,"x","Authorize",{"idToken":{"idToken":"1","type":"Central"}}]`, false, 1, 1 + perRefusal},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := start(t, newPipes(), func(cfg *Config) {
				cfg.Authorize = func(context.Context, string, reservation.Token) (bool, *reservation.Token) { return false, nil }
			})
			f, _ := e.connect(t, "CP-1")
			e.recorder.mu.Lock()
			e.journal = c.journal
			e.recorder.mu.Unlock()
			f.send(c.text)
			for range c.answers {
				f.read()
			}
			synctest.Wait()
			e.Server.mu.Lock()
			got := e.stations["CP-1"].spend(time.Now(), 0) / (10 * time.Millisecond)
			e.Server.mu.Unlock()
			if int(got) != perSocket+c.want {
				t.Errorf("%s: counted as %d, not as %d", c.name, got-perSocket, c.want)
			}
			_ = e.stop()
		})
	}
}

// The answer to a call may stand behind all that a station has kept: it is read
// in time, however much the station has said before.
func TestVirtualAnAnswerBehindAFloodComesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, s := e.connect(t, "CP-1")
		f.said(burst + 100)
		for round := range 5 {
			began := time.Now()
			answers := make(chan reservation.Answer, 1)
			go func() {
				answers <- s.Call(t.Context(), 1, reservation.Call{Kind: reservation.CancelReservation})
			}()
			ask := f.calls("CancelReservation")
			var sender sync.WaitGroup
			sender.Go(func() { // in one go: this station waits for no answer
				for range burst {
					f.send(heartbeat)
				}
				f.send(`[3,"` + ask + `",{"status":"Accepted"}]`)
			})
			for range burst {
				f.read()
			}
			if a := <-answers; a.Outcome != reservation.AnswerAccepted {
				t.Errorf("round %d: %+v after %v", round, a, time.Since(began))
			}
			sender.Wait()
		}
		if d := f.said(100); d > time.Second {
			t.Errorf("afterwards 100 messages took %v", d)
		}
		_ = e.stop()
	})
}

func TestVirtualAStationThatPingsWithoutEndIsListenedToSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		f, _ := e.connect(t, "CP-1")
		go func() { _, _, _ = f.ReadMessage() }()
		began := time.Now()
		for range burst + 100 {
			if err := f.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d < time.Second {
			t.Errorf("after %v", d)
		}
		_ = e.stop()
	})
}

// Each connection is recorded, so one that comes again and again is refused, and
// let in when it has kept away for as long as it should have.
func TestVirtualAStationThatComesTooOftenIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), nil)
		come := func(id string) int {
			conn, res, err := e.dialer().Dial(e.url("/"+id), nil)
			if err == nil {
				<-e.sessions
				_ = conn.Close()
			}
			synctest.Wait()
			return res.StatusCode
		}
		for i := range burst / perSocket {
			if got := come("CP-1"); got != http.StatusSwitchingProtocols {
				t.Fatalf("%d. socket: %d", i+1, got)
			}
		}
		if got := come("CP-1"); got != http.StatusServiceUnavailable || e.Refusals()[RefusedOften] != 1 {
			t.Errorf("one too many: %d", got)
		}
		if got := come("CP-2"); got != http.StatusSwitchingProtocols {
			t.Errorf("another station: %d", got)
		}
		time.Sleep(2 * time.Second)
		if got := come("CP-1"); got != http.StatusSwitchingProtocols {
			t.Errorf("two seconds later: %d", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		e.Server.mu.Lock()
		defer e.Server.mu.Unlock()
		if len(e.stations) != 0 {
			t.Errorf("%d stations are remembered", len(e.stations))
		}
	})
}

// Fragments that never end, with pings between them, do not keep a message open.
func TestVirtualAMessageThatNeverEndsIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.PingInterval = 30 * time.Second })
		f, s := e.connect(t, "CP-1")
		conn := f.NetConn()
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		began := time.Now()
		_, err := conn.Write([]byte{0x01, 0x81, 0, 0, 0, 0, 'x'})
		for err == nil && time.Since(began) < time.Hour {
			time.Sleep(10 * time.Second)
			if _, err = conn.Write([]byte{0x89, 0x80, 0, 0, 0, 0}); err == nil {
				_, err = conn.Write([]byte{0x00, 0x81, 0, 0, 0, 0, 'x'})
			}
		}
		<-s.Done()
		if d := time.Since(began); d > 90*time.Second {
			t.Errorf("cut off after %v", d)
		}
		e.wait(t, reservation.Disconnected, 1)
		_ = e.stop()
	})
}
