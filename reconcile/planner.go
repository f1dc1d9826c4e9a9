package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Plan compares what is desired with what is stored. It changes nothing.
func (l *Ledger) Plan(ctx context.Context, want Desired) (*Plan, error) {
	state, err := l.stored(ctx)
	if err != nil {
		return nil, err
	}
	p := &planner{ledger: l, want: want, state: state, now: l.Now()}
	if !want.Choice.At.IsZero() {
		p.now = want.Choice.At
	}
	p.plan = newPlan(p)
	if err := p.changes(ctx); err != nil {
		return nil, err
	}
	p.settings()
	p.tokens()
	if err := p.outstanding(ctx); err != nil {
		return nil, err
	}
	if err := p.loadSchedules(ctx); err != nil {
		return nil, err
	}
	p.findings()
	p.fitVersions()
	p.finish()
	return p.plan, nil
}

func newPlan(p *planner) *Plan {
	return &Plan{FormatVersion: PlanVersion, Workspace: p.want.Workspace, Lineage: p.state.Meta.Lineage,
		Serial: p.state.Meta.Serials[p.want.Workspace], CreatedAt: p.now, Complete: !p.want.Choice.Partial(),
		Destroy: p.want.Choice.Destroy, Changes: []Change{}, Outstanding: []Outstanding{}, Findings: []Finding{}}
}

type planner struct {
	ledger *Ledger
	want   Desired
	state  *State
	now    time.Time
	plan   *Plan

	mine      []reservation.Entry             // of the workspace and wanted, by address
	formerly  map[string]string               // by address: the one under which it is stored
	touched   map[string]bool                 // stations to which a proof is confined; nil: all
	schedules map[place]*reservation.Schedule // of what recurs, and is stored
	stations  map[string]*reservation.Station
}

// changes walks declared and stored addresses side by side.
func (p *planner) changes(ctx context.Context) error {
	p.indexState()
	if p.want.Choice.Destroy {
		p.want.Renames = nil
	}
	p.rename()
	if err := p.choose(); err != nil {
		return err
	}
	if p.want.Choice.Destroy {
		p.want.Reservations, p.want.Stations, p.want.Tokens = nil, nil, nil
	}
	removals, adopted := newRemovals(p.want.Removals), newAdoptions(p.want.Adoptions, p.state.Entries)
	before, err := p.loadBefore(ctx)
	if err != nil {
		return err
	}
	declared := p.want.Reservations
	i, j := 0, 0
	for i < len(declared) || j < len(p.mine) {
		order := -1
		switch {
		case i == len(declared):
			order = 1
		case j < len(p.mine):
			order = strings.Compare(declared[i].Address, p.mine[j].Address)
		}
		switch {
		case order < 0:
			p.add(p.adopt(adopted, added(&declared[i], p.now)))
			i++
		case order > 0:
			p.add(removals.of(removed(p.mine[j], before[p.mine[j].Address], p.want.Choice.Destroy)))
			j++
		default:
			p.same(p.mine[j], &declared[i], before)
			i, j = i+1, j+1
		}
	}
	breakCycles(p.plan.Changes)
	return nil
}

// indexState picks the workspace's wanted entries, and sorts what is declared
// as they are.
func (p *planner) indexState() {
	for _, e := range p.state.Entries {
		if e.Workspace == p.want.Workspace && e.Wanted() {
			p.mine = append(p.mine, e)
			if e.Phase.Open() {
				p.plan.Active++
			}
		}
	}
	byAddress := func(a, b reservation.Declaration) int { return strings.Compare(a.Address, b.Address) }
	if !slices.IsSortedFunc(p.want.Reservations, byAddress) {
		p.want.Reservations = slices.SortedFunc(slices.Values(p.want.Reservations), byAddress)
	}
	slices.SortFunc(p.mine, func(a, b reservation.Entry) int { return strings.Compare(a.Address, b.Address) })
	p.stations = make(map[string]*reservation.Station, len(p.state.Stations))
	for i := range p.state.Stations {
		p.stations[p.state.Stations[i].ID] = &p.state.Stations[i]
	}
}

// loadBefore loads the stored declarations of the addresses that differ.
func (p *planner) loadBefore(ctx context.Context) (map[string]*reservation.Wanted, error) {
	hashes := make(map[string]string, len(p.want.Reservations))
	if len(p.mine) > 0 {
		for i := range p.want.Reservations {
			hashes[p.want.Reservations[i].Address] = p.want.Reservations[i].Hash()
		}
	}
	var differ []string
	for _, e := range p.mine {
		if hash, declared := hashes[e.Address]; hash != e.Hash || declared && matchesAny(p.want.Choice.Replace, e.Address) {
			differ = append(differ, p.storedAs(e.Address))
		}
	}
	before := make(map[string]*reservation.Wanted, len(differ))
	if len(differ) == 0 {
		return before, nil
	}
	stored, err := p.ledger.Store.Wanted(ctx, p.want.Workspace, differ...)
	present(stored, p.now)
	for i := range stored {
		before[stored[i].Address] = &stored[i]
	}
	for to, from := range p.formerly {
		before[to] = before[from]
		delete(before, from)
	}
	return before, err
}

// same is for an address that is both stored and declared.
func (p *planner) same(e reservation.Entry, d *reservation.Declaration, before map[string]*reservation.Wanted) {
	if e.Phase.Open() {
		p.plan.Kept++
	}
	b, loaded := before[e.Address]
	switch {
	case loaded && e.Hash == d.Hash():
		p.replace(e, b, d)
	case loaded:
		c := edited(e, b, d, p.now)
		if a, ok := again(e, b, d, p.now); ok && c.Action == Modify && matchesAny(p.want.Choice.Replace, e.Address) {
			a.Reason = c.Reason + ", as requested"
			c = a
		}
		st := p.stations[e.StationID]
		if c.Action == Modify && e.ID != 0 && st != nil && st.RefusesRepeat && !b.Content().Equal(d.Content(c.Window)) {
			c.Action, c.Codes = Replace, nil
			c.Reason += "; the station refuses repeated ids"
			c.flag()
		}
		p.add(c)
	case e.Phase.Open() && (e.Recurs || e.Window.Expiry.After(p.now)):
		p.plan.Summary.Unchanged++
	default: // ended, or about to: its end is settled when its station is heard again
		p.plan.Summary.Over++
	}
}

// replace is for an address that is declared as it is stored, and is to begin
// anew.
func (p *planner) replace(e reservation.Entry, b *reservation.Wanted, d *reservation.Declaration) {
	c, ok := again(e, b, d, p.now)
	switch {
	case ok:
		p.add(c)
	case !c.Window.Expiry.After(p.now):
		p.isOver(&c)
	default: // nothing of it has been asked for
		p.plan.Summary.Unchanged++
	}
}

func (p *planner) add(c Change) {
	if c.Over && c.Action == Schedule {
		p.isOver(&c)
		return
	}
	if p.leftOut(&c) {
		return
	}
	lost := c.Action != Modify && c.Action != Forget && !c.Over && !(c.Anew && (c.Ended != "" || c.ReservationID == 0))
	if lost && c.before != nil && c.before.Lifecycle.PreventCancel {
		p.find(Finding{Code: "RC105", Severity: Error, Address: c.Address, Range: c.before.Source,
			Summary: "lifecycle.prevent_cancel is set", Detail: "It is stored, so deleting the block does not disarm it. Set prevent_cancel = false and apply that first."})
	}
	p.plan.Changes = append(p.plan.Changes, c)
	p.plan.Summary.count(&p.plan.Changes[len(p.plan.Changes)-1])
}

func (p *planner) find(f Finding) { p.plan.Findings = append(p.plan.Findings, f) }

// outstanding asks every station's Diff what is due and not held.
func (p *planner) outstanding(ctx context.Context) error {
	if !p.want.Choice.At.IsZero() {
		return nil // what is outstanding at another time nobody knows
	}
	changed := make(map[string]bool, len(p.plan.Changes))
	for i := range p.plan.Changes {
		changed[p.plan.Changes[i].Address] = true
	}
	busy := map[string]bool{}
	for _, e := range p.mine {
		if e.Phase.Open() && e.Phase != reservation.Held && !e.Window.Start.After(p.now.Add(24*time.Hour)) {
			busy[e.StationID] = true
		}
	}
	for _, id := range sortedKeys(busy) {
		list, err := p.ledger.Unsettled(ctx, id, p.want.Workspace)
		if err != nil {
			return err
		}
		for _, o := range list {
			if !changed[o.Address] {
				p.plan.Outstanding = append(p.plan.Outstanding, o)
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// findings says what a person should know of the changes, and proves the fit.
func (p *planner) findings() {
	proof := p.prove(false)
	p.plan.Findings, p.plan.Unproven = append(p.plan.Findings, proof.found...), proof.unproven
	p.skipped()
	offline := map[string]bool{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		st := p.stations[c.StationID]
		if st == nil || c.Setting() || c.Action == Schedule || c.Over {
			continue
		}
		if !st.Online() && !st.OfflineAt.IsZero() && !offline[c.StationID] {
			offline[c.StationID] = true
			p.find(Finding{Code: "RC401", Severity: Notice, Address: c.Address, StationID: st.ID, Since: st.OfflineAt,
				Summary: fmt.Sprintf("%s is offline since %s", st.ID, st.OfflineAt.Format(time.RFC3339)),
				Detail:  "What is due there is sent when it connects."})
		}
		if st.Support == reservation.SupportNo {
			p.find(Finding{Code: "RC404", Severity: Warning, Address: c.Address, StationID: st.ID, Summary: st.ID + " does no reservations",
				Detail: "It said so, and is asked again after its next boot. Enable reservations there (ReservationCtrlr.Enabled), or use another station."})
		}
	}
}

// finish orders the plan and takes its digest.
func (p *planner) finish() {
	slices.SortStableFunc(p.plan.Changes, func(a, b Change) int { return cmp.Compare(a.Address, b.Address) })
	p.plan.FitsUntil = p.horizon()
	p.plan.Digest = digest(p.plan, p.state.Meta.Secret)
}

// digest is over workspace, address, before and after: nothing that the time
// of day changes. It is keyed, so it tells nothing of the tokens in it.
func digest(p *Plan, secret []byte) string {
	parts := []string{"plan", p.Workspace}
	for i := range p.Changes {
		c := &p.Changes[i]
		parts = append(parts, c.Address, c.BeforeHash)
		if c.Action == Forget {
			parts = append(parts, "forget")
		}
		if c.Adopts != 0 {
			parts = append(parts, "adopt", strconv.Itoa(int(c.Adopts)))
		}
		if c.Anew {
			parts = append(parts, "anew")
		}
		switch {
		case c.After != nil:
			parts = append(parts, c.After.Hash())
		case c.Station != nil && c.Station.After != nil:
			parts = append(parts, c.Station.After.Hash(), c.Station.After.ClearPassword)
		case c.Token != nil && c.Token.After != nil:
			parts = append(parts, c.Token.After.Hash())
		default:
			parts = append(parts, "")
		}
	}
	sum := reservation.Keyed(secret, 8, parts...)
	return sum[:4] + "-" + sum[4:8] + "-" + sum[8:12] + "-" + sum[12:]
}
