package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// apiDocuments makes for pages and scripts what the commands write with --json.
type apiDocuments struct{ clock func() clock }

var _ api.Documents = apiDocuments{}

// apiLedger is what the API shows somebody, as commands know it.
type apiLedger struct{ api.Ledger }

// EventsUntil gives the stored lines of the journal that a filter selects.
func (l apiLedger) EventsUntil(ctx context.Context, f state.Filter) iter.Seq2[reservation.Event, error] {
	return l.Ledger.EventsUntil(ctx, api.Filter(f))
}

// Close leaves it to whom it is.
func (apiLedger) Close() error { return nil }

func readingOf(ctx context.Context, l api.Ledger) (*reading, error) {
	s, err := l.Read(ctx)
	if err != nil {
		return nil, err
	}
	return &reading{ledger: apiLedger{l}, state: s}, nil
}

// State is what show --json writes.
func (d apiDocuments) State(ctx context.Context, l api.Ledger) (any, error) {
	s, err := l.Read(ctx)
	if err != nil {
		return nil, err
	}
	return newJSONState(&stored{State: s, at: d.clock().now}), nil
}

// Stations is what stations --json writes.
func (d apiDocuments) Stations(ctx context.Context, l api.Ledger) (any, error) {
	r, err := readingOf(ctx, l)
	if err != nil {
		return nil, err
	}
	return r.stations(d.clock().now), nil
}

// What one request may ask for.
const (
	longestTimeline = 400 * 24 * time.Hour
	widestTimeline  = 200_000 // windows
)

// Timeline is what timeline --json writes.
func (d apiDocuments) Timeline(ctx context.Context, l api.Ledger, from, until time.Time) (any, error) {
	now := d.clock().now
	if from.IsZero() {
		from = now.Add(-2 * time.Hour)
	}
	if until.IsZero() {
		until = from.Add(24 * time.Hour)
	}
	if length := until.Sub(from); length < time.Minute || length > longestTimeline {
		return nil, documentProblem(problemf(codeUsage, "Not a range", "until comes a minute or more after from, and 400 days at most."))
	}
	r, err := readingOf(ctx, l)
	if err != nil {
		return nil, err
	}
	t := &timeline{FormatVersion: formatVersion, From: from, Until: until, Now: now, Rows: []row{}, most: widestTimeline}
	return t, documentProblem(t.fill(ctx, r))
}

// Drift is what drift --json writes.
func (d apiDocuments) Drift(ctx context.Context, l api.Ledger, grace time.Duration) (any, error) {
	r, err := readingOf(ctx, l)
	if err != nil {
		return nil, err
	}
	return new(cli).driftOf(ctx, r, grace) // the commands that it proposes name no place
}

// Why is what why --json writes.
func (d apiDocuments) Why(ctx context.Context, l api.Ledger, workspace, address string) (any, error) {
	r, err := readingOf(ctx, l)
	if err != nil {
		return nil, err
	}
	s, err := r.story(ctx, workspace, address, d.clock())
	return s, documentProblem(err)
}

// Line is what events --json writes for one.
func (apiDocuments) Line(e reservation.Event) any { return eventLine{"event", e} }

// Matches is how globs of addresses match everywhere.
func (apiDocuments) Matches(glob, address string) bool { return reconcile.Matches(glob, address) }

// documentProblem gives a problem the status that says whose it is.
func documentProblem(err error) error {
	var p *problem
	if !errors.As(err, &p) {
		return err
	}
	status := http.StatusBadRequest
	switch p.code {
	case codeNoAddress, codeNoStation, codeNoWorkspace:
		status = http.StatusNotFound
	case codeErase:
		status = http.StatusConflict
	}
	return &api.Error{Status: status, Code: p.code, Message: cmp.Or(p.detail, p.summary)}
}
