package sim

import (
	"context"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
)

func TestCut(t *testing.T) {
	c := newCSMS(t, "")
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	if got := l.reserve(41, 1); got != "Accepted" || !client.Connected() {
		t.Fatal(got, client.Connected())
	}
	l.expect("StatusNotification")
	l.sync()

	if err := client.Cut(t.Context(), Cut{For: time.Hour}); err != nil || client.Connected() {
		t.Fatalf("%v, connected %t", err, client.Connected())
	}
	if _, open := <-l.calls; open {
		t.Error("it said something before it went")
	}
	if err := client.Cut(t.Context(), Cut{For: time.Hour, PowerCycle: true, Forget: true}); err != nil {
		t.Fatal(err)
	}
	if held := client.Holds(); len(held) != 0 {
		t.Errorf("still holds %v", held)
	}
	client.Reconnect()
	l = <-c.links
	l.expect(bootFrames...)
	l.sync()

	if err := client.Cut(t.Context(), Cut{PowerCycle: true}); err != nil {
		t.Fatal(err)
	}
	if _, open := <-l.calls; open {
		t.Error("it booted on the old link")
	}
	l = <-c.links
	l.expect(bootFrames...)
}

func TestCutsAtTheSameTime(t *testing.T) {
	c := newCSMS(t, "")
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	(<-c.links).expect(bootFrames...)
	failed := make(chan error, 10)
	for range cap(failed) {
		go func() { failed <- client.Cut(t.Context(), Cut{For: time.Hour}) }()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if client.Connected() {
		t.Error("connected")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	client.Reconnect()
	(<-c.links).sync()
	_ = client.Cut(over, Cut{}) // may be in time or not; it returns
}

func TestCutKeepsTheSocket(t *testing.T) {
	c := newCSMS(t, "")
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	l := <-c.links
	l.expect(bootFrames...)
	l.sync()
	if err := client.Cut(t.Context(), Cut{KeepSocket: true}); err != nil {
		t.Fatal(err)
	}
	again := <-c.links
	again.sync()
	if err := l.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second)); err != nil {
		t.Errorf("the old socket is closed: %v", err)
	}
	select {
	case f, open := <-l.calls:
		t.Errorf("the old socket is not silent, or closed: %v, %t", f, open)
	default:
	}
	stop()
	select {
	case _, open := <-l.calls:
		if open {
			t.Error("it speaks")
		}
	case <-time.After(10 * time.Second):
		t.Error("the old socket outlives the station")
	}
}

func TestDelay(t *testing.T) {
	c := newCSMS(t, "")
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	const delay = 60 * time.Millisecond
	client.SetDelay(delay)
	begin := time.Now()
	if got := l.reserve(41, 1); got != "Accepted" || time.Since(begin) < delay {
		t.Errorf("%s after %v", got, time.Since(begin))
	}
	client.SetDelay(0)
	l.sync()
}

func TestSilence(t *testing.T) {
	c := newCSMS(t, "")
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	if err := client.Do(func(m *Machine, _ time.Time) []Message {
		if err := m.Force("ReserveNow", Forced{Silence: true, CarryOut: true}, 1); err != nil {
			t.Error(err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	frame, err := wire.Call("lost", "ReserveNow", v201.NewReserveNowRequest(41, time.Now().Add(time.Hour), card("A")))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.write(frame); err != nil {
		t.Fatal(err)
	}
	l.sync() // the first answer is that to a later call
	if held := client.Holds(); len(held) != 1 {
		t.Errorf("holds %v", held)
	}
}
