package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/metrics"
	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// watchedOver is a workplace that nobody has come to yet.
func watchedOver(t *testing.T) *workplace {
	t.Helper()
	w, err := takeOver(t.Context(), filepath.Join(t.TempDir(), "resctl.db"), reconcile.DefaultSettings(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if err := w.listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w.watchOver(metrics.New(metrics.Build{}, w.log))
	return w
}

// TestReady: each thing that keeps serve from its work is a reason, as long as it does.
func TestReady(t *testing.T) {
	const away, disk = "stations cannot connect: their endpoint is not accepting", "the state cannot be written: see the log, and the disk"
	w := watchedOver(t)
	want := func(reasons ...string) {
		t.Helper()
		if got := w.ready(t.Context()); !slices.Equal(got, reasons) {
			t.Errorf("%q, want %q", got, reasons)
		}
	}
	want(away)
	w.monitor.serves(&ocppclient.Server{})
	want()
	full := &refusedWrite{errors.New("full"), time.Now()}
	w.monitor.unstored.Store(full) // between two tries of the disk
	want(disk)
	w.monitor.probed = time.Time{} // a disk that is nearly full takes what it is tried with
	want(disk)
	full.at = full.at.Add(-failureCounts) // nothing failed for so long
	want()
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	want() // not tried each time
	w.monitor.probed = time.Time{}
	want(disk)
	w.monitor.stopping.Store(true)
	want("stopping", disk)
	if got := (&workplace{}).ready(t.Context()); len(got) != 1 {
		t.Error("where nothing is served:", got)
	}
}

// TestAlive: a disk that refuses is no hang.
func TestAlive(t *testing.T) {
	w := watchedOver(t)
	if err := w.alive(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.alive(t.Context()); err != nil {
		t.Error("closed:", err)
	}
}

// TestHangs: where the journal does not answer, the supervisor hears nothing.
func TestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchedOver(t)
		defer func() { _ = w.Close() }()
		held, letGo := make(chan struct{}), make(chan struct{})
		w.db.Measure(func(time.Duration, error) { close(held); <-letGo }) // holds up the writer
		go func() {
			_, _ = w.db.Append(t.Context(), reservation.Event{Kind: reservation.Connected, StationID: "S", At: time.Now(), Link: &reservation.Link{}})
		}()
		<-held
		if err := w.alive(t.Context()); err == nil || !strings.Contains(err.Error(), "has not answered for 5s") {
			t.Error(err)
		}
		close(letGo)
		w.db.Measure(func(time.Duration, error) {})
		if err := w.alive(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestCensusFollows: what is counted is what drift and unsettled list, at the
// beginning and after what the journal says since.
func TestCensusFollows(t *testing.T) {
	w := watchedOver(t)
	look := func() metrics.State {
		t.Helper()
		s, err := w.monitor.census.look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := look(); s.Connected+s.Offline != 0 || len(s.Drift) != len(reconcile.DriftKinds()) {
		t.Errorf("%+v", s)
	}
	stored := func(e reservation.Event) reservation.Event {
		t.Helper()
		e.At = time.Now()
		all, err := w.db.Append(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		w.monitor.recorded(all[0])
		return all[0]
	}
	c := stored(reservation.Event{Kind: reservation.Connected, StationID: "S", Link: &reservation.Link{Protocol: "ocpp2.0.1"}})
	if s := look(); s.Connected != 1 || s.Offline != 0 {
		t.Errorf("connected: %+v", s)
	}
	stored(reservation.Event{Kind: reservation.Disconnected, StationID: "S", Connection: c.Connection})
	if s := look(); s.Connected != 0 || s.Offline != 1 {
		t.Errorf("disconnected: %+v", s)
	}
	at := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	w.monitor.recorded(reservation.Event{Kind: reservation.Proposed, Workspace: "w", At: at})
	if s := look(); !s.Applied["w"].Equal(at) {
		t.Errorf("applied: %+v", s)
	}
}

// TestCountingAside: where it takes long to count windows, nobody waits for it.
func TestCountingAside(t *testing.T) {
	w := watchedOver(t)
	c := w.monitor.census
	if _, err := c.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.windows.took, c.windows.at = time.Second, w.Now().Add(-time.Hour)
	for range 2 {
		if s, err := c.look(t.Context()); err != nil || s.Age < time.Hour {
			t.Errorf("it was counted at once: %v, %v", s.Age, err)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { c.run(ctx); close(ended) }()
	for late := time.Now().Add(patience); ; {
		if s, err := c.look(t.Context()); err != nil || s.Age < time.Hour {
			break
		} else if time.Now().After(late) {
			t.Fatal("it is never counted")
		}
	}
	end()
	<-ended
}
