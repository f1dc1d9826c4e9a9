package reconcile

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/reconcile/fit"
	"github.com/resctl/resctl/reservation"
)

// claim is what one declaration would want of a station, and what a finding
// says of it.
type claim struct {
	workspace, address, station, source string
	target                              reservation.Target
	changed                             bool           // it is a change of the plan
	zone                                *time.Location // of its schedule; nil: UTC
	windows                             iter.Seq[reservation.Window]
}

// once are the windows of a declaration that has one.
func once(w reservation.Window) iter.Seq[reservation.Window] {
	return func(yield func(reservation.Window) bool) { yield(w) }
}

// recur gives a claim all windows of its schedule up to the horizon.
func (c *claim) recur(s *reservation.Schedule, from, till time.Time) {
	if s == nil {
		return
	}
	r, err := s.Compile()
	if err != nil {
		return // it was compiled before it was stored; this machine does not know its zone
	}
	c.zone, c.windows = r.Location(), r.Between(from, till)
}

// place is an address of a workspace.
type place struct{ workspace, address string }

// loadSchedules finds what unchanged addresses recur by: as they are declared
// or, of what is not at hand, as it is stored.
func (p *planner) loadSchedules(ctx context.Context) error {
	p.schedules = map[place]*reservation.Schedule{}
	missing := map[string][]string{}
	shared := reservation.NewSchedules()
	for _, e := range p.state.Entries {
		if !e.Recurs || p.touched != nil && !p.touched[e.StationID] {
			continue
		}
		if d := p.declaration(e); d != nil {
			p.schedules[place{e.Workspace, e.Address}] = d.When.Schedule
			continue
		}
		missing[e.Workspace] = append(missing[e.Workspace], e.Address)
	}
	for _, workspace := range sortedKeys(missing) {
		stored, err := p.ledger.Store.Wanted(ctx, workspace, missing[workspace]...)
		if err != nil {
			return err
		}
		for i := range stored {
			shared.ShareIn(&stored[i].When)
			p.schedules[place{workspace, stored[i].Address}] = stored[i].When.Schedule
		}
	}
	return nil
}

// declaration is that of an entry, if it is one of the configuration.
func (p *planner) declaration(e reservation.Entry) *reservation.Declaration {
	if e.Workspace != p.want.Workspace {
		return nil
	}
	i, ok := slices.BinarySearchFunc(p.want.Reservations, e.Address, func(d reservation.Declaration, a string) int { return strings.Compare(d.Address, a) })
	if !ok {
		return nil
	}
	return &p.want.Reservations[i]
}

// claims is what would be wanted once the plan is stored, over all workspaces,
// by station.
func (p *planner) claims() []claim {
	gone := map[string]bool{}
	var all []claim
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		if c.Setting() {
			continue
		}
		gone[c.storedAs()] = true
		if b := c.Before; c.Action == Forget && c.ReservationID != 0 && c.Window.Expiry.After(p.now) { // it stays there
			all = append(all, claim{workspace: p.want.Workspace, address: c.Address, station: c.StationID, source: b.Source,
				target: b.Target, windows: once(c.Window)})
		}
		if c.After != nil && c.Window.Expiry.After(p.now) {
			x := claim{workspace: p.want.Workspace, address: c.Address, station: c.StationID, source: c.After.Source,
				target: c.After.Target, changed: true, windows: once(c.Window)}
			x.recur(c.After.When.Schedule, p.now, p.horizon())
			all = append(all, x)
		}
	}
	for _, e := range p.state.Entries {
		replaced := e.Workspace == p.want.Workspace && gone[e.Address]
		if p.touched != nil && !p.touched[e.StationID] {
			continue
		}
		there := e.Wanted() && e.Phase.Open() || e.Phase == reservation.Forgotten && e.ID != 0
		if there && !replaced && e.Window.Expiry.After(p.now) {
			x := claim{workspace: e.Workspace, address: e.Address, station: e.StationID, source: p.sourceOf(e),
				target: e.Target, windows: once(e.Window)}
			if e.Recurs {
				x.recur(p.schedules[place{e.Workspace, e.Address}], e.Window.Start, p.horizon())
			}
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b claim) int {
		return cmp.Or(strings.Compare(a.station, b.station), strings.Compare(a.workspace, b.workspace), strings.Compare(a.address, b.address))
	})
	return all
}

// sourceOf is where an unchanged entry is declared; of another workspace that
// is not told.
func (p *planner) sourceOf(e reservation.Entry) string {
	if d := p.declaration(e); d != nil {
		return d.Source
	}
	return ""
}

// furnished is what is known of a station's EVSEs, and by whom.
type furnished struct {
	fit.Station
	declaredAt string // address of the station block; "": it was reported
	workspace  string // of that block
	changed    bool   // the plan changes that block
}

// furnish gathers the EVSEs of stations: as they would be declared or, where
// they are not, as the station has reported them.
func (p *planner) furnish() map[string]furnished {
	all := map[string]furnished{}
	put := func(d *reservation.StationDeclaration, changed bool) {
		if have, ok := all[d.ID]; len(d.EVSEs) > 0 && (!ok || have.workspace != p.want.Workspace) {
			all[d.ID] = furnished{fit.Station{EVSEs: d.EVSEs, Typed: true}, d.Address, d.Workspace, changed}
		}
	}
	edited := map[string]bool{}
	for i := range p.plan.Changes {
		if c := &p.plan.Changes[i]; c.Station != nil {
			edited[c.Address] = true
			if c.Station.After != nil {
				put(c.Station.After, true)
			}
		}
	}
	for i := range p.state.Declarations {
		if d := &p.state.Declarations[i]; d.Workspace != p.want.Workspace || !edited[d.Address] {
			put(d, false)
		}
	}
	for i := range p.state.Stations {
		s := &p.state.Stations[i]
		if _, declared := all[s.ID]; !declared {
			all[s.ID] = furnished{Station: fit.Station{EVSEs: reported(s)}}
		}
	}
	return all
}

// reported are the EVSEs of which a station has told a status.
func reported(s *reservation.Station) (evses []reservation.EVSE) {
	for _, c := range s.Connectors {
		if n := len(evses); c.EVSE > 0 && (n == 0 || evses[n-1].ID != c.EVSE) {
			evses = append(evses, reservation.EVSE{ID: c.EVSE})
		}
	}
	return evses
}
