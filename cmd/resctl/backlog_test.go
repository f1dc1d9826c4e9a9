package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// fullDisk is a journal that takes nothing while it is full.
type fullDisk struct {
	mu   sync.Mutex
	full error
	log  []string // what was stored, station and kind
}

func (j *fullDisk) Book(context.Context, string, time.Time) (*reservation.Book, error) {
	return nil, nil
}

func (j *fullDisk) Append(_ context.Context, events ...reservation.Event) ([]reservation.Event, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.full != nil {
		return nil, j.full
	}
	for _, e := range events {
		j.log = append(j.log, e.StationID+" "+string(e.Kind))
	}
	return events, nil
}

func (j *fullDisk) is(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.full = err
}

func (j *fullDisk) stored() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.log, ", ")
}

// TestBacklog: what the disk refused of a station is recorded in its order, before
// anything else of it, as soon as the disk takes it; a loop asks for nothing before.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, lines := &fullDisk{}, &bytes.Buffer{}
		b := newBacklog(disk, slog.New(slog.NewTextHandler(lines, nil)))
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.run(ctx) })
		report := func(station string, kind reservation.Kind) {
			_, _ = b.Report(ctx, reservation.Event{StationID: station, Kind: kind})
		}
		want := func(log string) {
			t.Helper()
			if got := disk.stored(); got != log {
				t.Errorf("stored: %s; want %s", got, log)
			}
		}
		full := fmt.Errorf("append: %w", state.ErrPassing)

		report("A", reservation.Booted)
		disk.is(full)
		report("A", reservation.Status)
		report("A", reservation.Reported)
		report("A", reservation.Connected) // this connection is none
		if _, err := b.Append(ctx, reservation.Event{StationID: "A", Kind: reservation.Requested}); !errors.Is(err, full) {
			t.Error("asked before the reports are recorded:", err)
		}
		time.Sleep(time.Minute)
		want("A booted")
		disk.is(nil)
		time.Sleep(tryAgainAfter)
		synctest.Wait()
		want("A booted, A status, A reported")

		disk.is(full)
		report("B", reservation.Status)
		synctest.Wait()
		disk.is(nil)
		report("B", reservation.Reported) // before the next try
		want("A booted, A status, A reported, B status, B reported")

		disk.is(errors.New("of the row"))
		report("C", reservation.Status) // nor would it be stored later
		disk.is(full)
		report("D", reservation.Status)
		disk.is(errors.New("of the row"))
		time.Sleep(tryAgainAfter)
		disk.is(nil)
		report("D", reservation.Reported)
		want("A booted, A status, A reported, B status, B reported, D reported")

		disk.is(full)
		report("E", reservation.Status)
		end()
		running.Wait()
		if !strings.Contains(lines.String(), "never recorded, for want of disk") || !strings.Contains(lines.String(), "reports=1 stations=1") {
			t.Error(lines)
		}
	})
}

// TestBacklogIsBounded: beyond its room it counts what it leaves out.
func TestBacklogIsBounded(t *testing.T) {
	b := newBacklog(&fullDisk{full: state.ErrPassing}, slog.New(slog.DiscardHandler))
	for range keptReports + 3 {
		_, _ = b.Report(t.Context(), reservation.Event{StationID: "A", Kind: reservation.Status})
	}
	if b.count != keptReports || b.lost != 3 {
		t.Errorf("%d kept, %d lost", b.count, b.lost)
	}
}

// TestSparing: a full disk is said 20 times a minute, and how often not.
func TestSparing(t *testing.T) {
	var s sparing
	at, said := time.Unix(0, 0), 0
	for range 1000 {
		if _, ok := s.may(at); ok {
			said++
		}
	}
	leftOut, ok := s.may(at.Add(time.Minute))
	if said != sparingLines || !ok || leftOut != 1000-sparingLines {
		t.Errorf("%d lines; then %v, %d left out", said, ok, leftOut)
	}
}
