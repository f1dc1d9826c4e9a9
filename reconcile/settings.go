package reconcile

import (
	"fmt"

	"github.com/resctl/resctl/reservation"
)

// settings compares the station blocks. Nothing is sent for them.
func (p *planner) settings() {
	stored := map[string]reservation.StationDeclaration{}
	others := map[string]reservation.StationDeclaration{} // by identity, of other workspaces
	for _, d := range p.state.Declarations {
		if d.Workspace == p.want.Workspace {
			stored[d.Address] = d
		} else {
			others[d.ID] = d
		}
	}
	ids := map[string]bool{}
	for i := range p.want.Stations {
		d := &p.want.Stations[i]
		ids[d.ID] = true
		if o, taken := others[d.ID]; taken && p.want.Choice.takes(d.Address) {
			p.find(Finding{Code: "RC402", Severity: Error, Address: d.Address, Range: d.Source,
				Summary: fmt.Sprintf("station %s is declared by workspace %q as %s", d.ID, o.Workspace, o.Address),
				Detail:  fmt.Sprintf("Use its identity instead of a second block: station = %q.", d.ID)})
		}
		before, ok := stored[d.Address]
		delete(stored, d.Address)
		if !ok {
			p.setting(Reserve, nil, d)
		} else if before.Hash() != d.Hash() || passwordDiffers(before, d) {
			p.setting(Modify, &before, d)
		}
	}
	names := p.named()
	for _, address := range sortedKeys(stored) {
		before := stored[address]
		if p.setting(Cancel, &before, nil) && !ids[before.ID] {
			p.stillNamed(before, names[before.ID])
		}
	}
}

func passwordDiffers(before reservation.StationDeclaration, d *reservation.StationDeclaration) bool {
	if d.ClearPassword == "" {
		return before.PasswordHash != "" && d.PasswordHash != before.PasswordHash
	}
	return !before.CheckPassword([]byte(d.ClearPassword))
}

// setting reports whether the change is one of the plan.
func (p *planner) setting(s Symbol, before, after *reservation.StationDeclaration) bool {
	c := Change{Action: s, Station: &reservation.StationEdit{Before: before, After: after}}
	if before != nil {
		c.Address, c.StationID, c.BeforeHash = before.Address, before.ID, before.Hash()
	}
	if after != nil {
		c.Address, c.StationID = after.Address, after.ID
	}
	return p.set(c)
}

func (p *planner) set(c Change) bool {
	if p.settingLeftOut(&c) {
		return false
	}
	p.plan.Changes = append(p.plan.Changes, c)
	p.plan.Summary.Settings++
	return true
}

// tokens compares the token blocks. Nothing is sent for them: they say who may
// charge.
func (p *planner) tokens() {
	stored := map[string]reservation.TokenDeclaration{}
	for _, d := range p.state.Tokens {
		if d.Workspace == p.want.Workspace {
			stored[d.Address] = d
		}
	}
	for i := range p.want.Tokens {
		d := &p.want.Tokens[i]
		before, ok := stored[d.Address]
		delete(stored, d.Address)
		if !ok {
			p.set(Change{Address: d.Address, Action: Reserve, Token: &reservation.TokenEdit{After: d}})
		} else if before.Hash() != d.Hash() {
			p.set(Change{Address: d.Address, Action: Modify, BeforeHash: before.Hash(), Token: &reservation.TokenEdit{Before: &before, After: d}})
		}
	}
	for _, address := range sortedKeys(stored) {
		before := stored[address]
		p.set(Change{Address: address, Action: Cancel, BeforeHash: before.Hash(), Token: &reservation.TokenEdit{Before: &before}})
	}
}

// stillNamed refuses to remove a station that a reservation still names.
func (p *planner) stillNamed(d reservation.StationDeclaration, name string) {
	if name != "" {
		p.find(Finding{Code: "RC403", Severity: Error, Address: d.Address, Range: d.Source,
			Summary: fmt.Sprintf("station %s is still named by %s", d.ID, name),
			Detail:  "Remove or move the reservations that name it in the same proposal."})
	}
}
