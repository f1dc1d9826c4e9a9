package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

const (
	// keptReports wait for the disk at most: what a fleet of 10,000 reports in an
	// hour of trouble, in some 50 MB.
	keptReports = 100_000
	// tryAgainAfter is between two tries to record what waits.
	tryAgainAfter = time.Second
)

// backlog records what stations report and what loops do. A report that the disk
// refuses is kept, and recorded before anything else of its station once the disk
// takes it: stations repeat few reports, whatever they were answered, and what one
// let go meanwhile would be believed to be held until its window ends.
type backlog struct {
	reconcile.Journal
	log  *slog.Logger
	kick chan struct{} // 1-buffered: something waits

	mu      sync.Mutex
	waiting map[string][]reservation.Event // by station, the oldest first
	count   int
	lost    int // for want of room
}

func newBacklog(j reconcile.Journal, log *slog.Logger) *backlog {
	return &backlog{Journal: j, log: log, kick: make(chan struct{}, 1), waiting: map[string][]reservation.Event{}}
}

// Append records events of one station, after what waits of it.
func (b *backlog) Append(ctx context.Context, events ...reservation.Event) ([]reservation.Event, error) {
	if len(events) > 0 {
		if err := b.record(ctx, events[0].StationID); err != nil {
			return nil, err
		}
	}
	return b.Journal.Append(ctx, events...)
}

// Report records what a station reports, and keeps it if the disk refuses it. A
// connection that could not be recorded is none: its socket is closed.
func (b *backlog) Report(ctx context.Context, e reservation.Event) ([]reservation.Event, error) {
	stored, err := b.Append(ctx, e)
	if err != nil && errors.Is(err, state.ErrPassing) && e.Kind != reservation.Connected {
		b.keep(e.StationID, e)
	}
	return stored, err
}

// record stores what waits of a station, in its order. What can never be stored
// is given up, so that nothing waits behind it for ever.
func (b *backlog) record(ctx context.Context, station string) error {
	events := b.take(station)
	if len(events) == 0 {
		return nil
	}
	_, err := b.Journal.Append(ctx, events...)
	switch {
	case err == nil:
		b.log.Info("reports that the disk had refused are recorded", "station", station, "reports", len(events))
	case errors.Is(err, state.ErrPassing):
		b.putBack(station, events)
		return err
	default:
		b.log.Error("reports that the disk had refused cannot be recorded", "station", station, "reports", len(events), "error", err)
	}
	return nil
}

func (b *backlog) take(station string) []reservation.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.waiting[station]
	delete(b.waiting, station)
	b.count -= len(events)
	return events
}

func (b *backlog) putBack(station string, events []reservation.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[station] = append(events, b.waiting[station]...)
	b.count += len(events)
}

func (b *backlog) keep(station string, e reservation.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.count >= keptReports {
		b.lost++
		return
	}
	b.waiting[station] = append(b.waiting[station], e)
	b.count++
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// run records what waits as soon as the disk takes it, until ctx ends; then it
// tries once more.
func (b *backlog) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			b.leave(context.WithoutCancel(ctx))
			return
		case <-b.kick:
		case <-timer.C:
		}
		if !b.recordAll(ctx) {
			timer.Reset(tryAgainAfter)
		}
	}
}

// recordAll reports whether nothing waits any more.
func (b *backlog) recordAll(ctx context.Context) bool {
	for _, station := range b.stations() {
		if b.record(ctx, station) != nil {
			return false
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count == 0
}

func (b *backlog) stations() (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.waiting {
		ids = append(ids, id)
	}
	return ids
}

// leave says what this process takes with it.
func (b *backlog) leave(ctx context.Context) {
	if b.recordAll(ctx) && b.lost == 0 {
		return
	}
	b.log.Error("reports were never recorded, for want of disk: what these stations hold may be less than is believed", "reports", b.count+b.lost, "stations", len(b.waiting))
}
