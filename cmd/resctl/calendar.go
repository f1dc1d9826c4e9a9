package main

import (
	"cmp"
	"context"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/web"
)

// What a calendar has: programs that read it look again several times a day.
const (
	calendarPast  = 7 * 24 * time.Hour
	calendarAhead = 14 * 24 * time.Hour
)

// Calendar is the timeline of the weeks around now as a calendar, or what of it
// matches: a workspace, a station, and an address that may be a glob.
func (d apiDocuments) Calendar(ctx context.Context, l api.Ledger, q api.CalendarQuery) ([]byte, error) {
	r, err := readingOf(ctx, l)
	if err != nil {
		return nil, err
	}
	now := d.clock().now
	t := &timeline{From: now.Add(-calendarPast), Until: now.Add(calendarAhead), Now: now}
	if err := t.fill(ctx, r); err != nil {
		return nil, err
	}
	var entries []web.Entry
	for _, row := range t.Rows {
		if q.Station != "" && row.StationID != q.Station {
			continue
		}
		for _, b := range row.Windows {
			if q.Workspace != "" && b.Workspace != q.Workspace || q.Address != "" && !reconcile.Matches(q.Address, b.Address) {
				continue
			}
			entries = append(entries, web.Entry{Workspace: b.Workspace, Address: b.Address, StationID: row.StationID,
				Target: reservation.Target{EVSE: row.EVSE, ConnectorType: row.ConnectorType}, Window: b.Window, Phase: b.Phase})
		}
	}
	return web.Calendar(cmp.Or(q.Address, q.Station, q.Workspace, "resctl"), entries, now), nil
}
