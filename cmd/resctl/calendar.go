package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/web"
)

// Calendar has the windows of the weeks around now, or what of them matches: a
// workspace, a station, and an address that may be a glob.
func (d apiDocuments) Calendar(ctx context.Context, l api.Ledger, q api.CalendarQuery) ([]byte, error) {
	r, err := readingOf(ctx, l)
	if err != nil {
		return nil, err
	}
	known := map[named]*stand{}
	if err := r.storedSince(ctx, known); err != nil {
		return nil, err
	}
	now := d.clock().now
	a := &agenda{now: now, span: web.Span(now), station: q.Station}
	among := func(n named) bool {
		return (q.Workspace == "" || q.Workspace == n.workspace) && (q.Address == "" || reconcile.Matches(q.Address, n.address))
	}
	err = r.eachAddress(ctx, among, func(n named, all []reservation.Placed) error { return a.take(standOf(known, n), all) })
	if err != nil {
		return nil, err
	}
	return web.Calendar(cmp.Or(q.Address, q.Station, q.Workspace, "resctl"), a.entries), nil
}

// agenda gathers the entries of a calendar.
type agenda struct {
	now     time.Time
	span    reservation.Window
	station string // of which the calendar is; "": of all
	entries []web.Entry
}

// take gathers what is known of one address.
func (a *agenda) take(s *stand, all []reservation.Placed) error {
	for _, p := range a.foremost(all) {
		e := web.Entry{Workspace: p.Workspace, Address: p.Address, StationID: p.StationID, Target: p.Target(), Window: p.Window, Phase: p.PhaseAt(a.now), Changed: p.Since}
		if p.Want != nil {
			e.Target = p.Want.Target // where it is to be: what is asked for meanwhile changes nothing here
		}
		if e.Phase != p.Phase {
			e.Changed = p.Due
		}
		if w := s.wanted; w != nil && p.Phase.Open() {
			e.Changed = later(e.Changed, w.StoredAt)
		}
		a.put(e)
	}
	return s.ahead(a.now, a.span.Start, a.span.Expiry, all, func(w *reservation.Wanted, window reservation.Window) {
		a.put(web.Entry{Workspace: w.Workspace, Address: w.Address, StationID: w.StationID, Target: w.Target, Window: window, Phase: reservation.Scheduled, Changed: w.StoredAt})
	})
}

// foremost gives one occurrence of each window: of a reservation that went to
// another station both halves are known, and an entry may be in a calendar once.
func (a *agenda) foremost(all []reservation.Placed) []reservation.Placed {
	all = slices.DeleteFunc(slices.Clone(all), func(p reservation.Placed) bool { return a.station != "" && a.station != p.StationID })
	slices.SortFunc(all, func(x, y reservation.Placed) int {
		return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(foremostRank(y), foremostRank(x)), y.Since.Compare(x.Since), cmp.Compare(x.StationID, y.StationID))
	})
	return slices.CompactFunc(all, func(x, y reservation.Placed) bool { return x.Start.Equal(y.Start) })
}

func foremostRank(p reservation.Placed) (n int) {
	if p.Want != nil {
		n += 2
	}
	if p.Phase.Open() {
		n++
	}
	return n
}

func (a *agenda) put(e web.Entry) {
	if (a.station == "" || a.station == e.StationID) && e.Window.Overlaps(a.span) {
		a.entries = append(a.entries, e)
	}
}
