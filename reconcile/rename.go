package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/resctl/resctl/reservation"
)

// Rename says that what is stored under one address goes on under another. From
// and To are addresses or what addresses begin with: a block, a module.
type Rename struct{ From, To, Source string }

// Removal says what becomes of an address that is no longer declared. From is an
// address or what addresses begin with.
type Removal struct {
	From   string
	Cancel bool // false: what is held is left at the station
	Source string
}

// Adoption says that a station holds a declared reservation already, under an id
// that is not ours.
type Adoption struct {
	Address       string
	StationID     string
	ReservationID int32
	Source        string
}

// renamer follows renames, also one after another.
type renamer map[string]Rename

func newRenamer(renames []Rename) renamer {
	r := make(renamer, len(renames))
	for _, x := range renames {
		r[x.From] = x
	}
	return r
}

// follow gives where an address has gone; it itself where it has not.
func (r renamer) follow(address string) string {
	for range r { // a cycle ends too
		next := address
		for _, p := range reservation.Enclosing(address) {
			x, ok := r[p]
			rest := strings.TrimPrefix(address, p)
			if ok && (rest == "" || !strings.HasSuffix(x.To, "]") || rest[0] == '.') { // one instance is not many
				next = x.To + rest
				break
			}
		}
		if next == address {
			break
		}
		address = next
	}
	return address
}

// rename gives stored entries the addresses under which they are declared now.
// What is declared as it is stored stays, and so does what would come to an
// address that nobody declares: it is let go under the name it had.
func (p *planner) rename() {
	p.formerly = map[string]string{}
	if len(p.want.Renames) == 0 {
		return
	}
	declared, stored := map[string]bool{}, map[string]bool{}
	for i := range p.want.Reservations {
		declared[p.want.Reservations[i].Address] = true
	}
	for _, e := range p.mine {
		stored[e.Address] = true
	}
	r := newRenamer(p.want.Renames)
	for i := range p.mine {
		from := p.mine[i].Address
		to := r.follow(from)
		switch {
		case to == from || declared[from] || !declared[to]:
		case stored[to] || p.formerly[to] != "":
			p.find(Finding{Code: "RC107", Severity: Error, Address: from, Summary: fmt.Sprintf("%s cannot be renamed: %s is stored too", from, to),
				Detail: fmt.Sprintf("A moved block says that it is %s now, which is another reservation. Remove the moved block, and %s is cancelled; or let one of them go first: resctl state rm.", to, from)})
		default:
			p.formerly[to], p.mine[i].Address = from, to
		}
	}
	slices.SortFunc(p.mine, func(a, b reservation.Entry) int { return strings.Compare(a.Address, b.Address) })
}

// storedAs is the address under which an address is stored.
func (p *planner) storedAs(address string) string {
	if from := p.formerly[address]; from != "" {
		return from
	}
	return address
}

// adoptions are what is adopted, by address, and whose the open ids are, so that
// neither is searched for each address that is new.
type adoptions struct {
	of   map[string]*Adoption
	open map[int32]*reservation.Entry
}

func newAdoptions(all []Adoption, entries []reservation.Entry) adoptions {
	a := adoptions{map[string]*Adoption{}, map[int32]*reservation.Entry{}}
	for i := range all {
		a.of[all[i].Address] = &all[i]
	}
	for i := range entries {
		if e := &entries[i]; len(all) > 0 && e.ID != 0 && e.Phase.Open() {
			a.open[e.ID] = e
		}
	}
	return a
}

// adopt makes of the change for a new address one that takes over what its
// station holds.
func (p *planner) adopt(from adoptions, c Change) Change {
	a := from.of[c.Address]
	if a == nil || c.Over {
		return c
	}
	if e := from.open[a.ReservationID]; e != nil {
		p.find(Finding{Code: "RC108", Severity: Error, Address: c.Address, Range: a.Source,
			Summary: fmt.Sprintf("reservation id %d is %s's", a.ReservationID, e.Address),
			Detail:  fmt.Sprintf("It was asked for at %s by this state. To give it another name, use a moved block or resctl state mv.", e.StationID)})
		return c
	}
	c.Action, c.Adopts, c.ReservationID = Modify, a.ReservationID, a.ReservationID
	c.Reason = fmt.Sprintf("adopts %d", a.ReservationID)
	return c
}

// Edit is what state mv and state rm do to what is stored, without a
// configuration. Globs of Forget are as in a Choice.
type Edit struct {
	Renames []Rename
	Forget  []string
}

// Edit makes the plan of an edit of a workspace. It changes nothing: Propose
// does. What stands for no stored reservation is a NoMatchError.
func (l *Ledger) Edit(ctx context.Context, workspace string, e Edit) (*Plan, error) {
	state, err := l.stored(ctx)
	if err != nil {
		return nil, err
	}
	p := &planner{ledger: l, want: Desired{Workspace: workspace, Renames: e.Renames}, state: state, now: l.Now()}
	p.plan = newPlan(p)
	p.plan.Complete = false
	p.indexState()
	renames, forget, err := p.edits(e)
	if err != nil {
		return nil, err
	}
	before, err := p.ledger.Store.Wanted(ctx, workspace, slices.Concat(sortedKeys(renames), forget)...)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]reservation.Entry, len(p.mine))
	for _, x := range p.mine {
		entries[x.Address] = x
	}
	for i := range before {
		b := &before[i]
		if to := renames[b.Address]; to != "" {
			after := b.Declaration
			after.Address = to
			p.add(edited(entries[b.Address], b, &after, p.now))
		} else {
			p.add(removed(entries[b.Address], b, false).forget("forgotten, as requested"))
		}
	}
	p.plan.Kept = p.plan.Active // nothing is cancelled
	p.finish()
	return p.plan, nil
}

// edits are the stored addresses that an edit is about: where to each goes, and
// which are forgotten.
func (p *planner) edits(e Edit) (renames map[string]string, forget []string, err error) {
	renames = map[string]string{}
	known := make([]string, 0, len(p.mine))
	for _, x := range p.mine {
		known = append(known, x.Address)
	}
	r := newRenamer(e.Renames)
	for _, a := range known {
		if to := r.follow(a); to != a {
			renames[a] = to
		}
		if matchesAny(e.Forget, a) {
			forget = append(forget, a)
		}
	}
	for _, x := range e.Renames {
		if !slices.ContainsFunc(known, func(a string) bool { return r.follow(a) != a && slices.Contains(reservation.Enclosing(a), x.From) }) {
			return nil, nil, &NoMatchError{"", x.From, known}
		}
	}
	for _, g := range e.Forget {
		if !slices.ContainsFunc(known, func(a string) bool { return Matches(g, a) }) {
			return nil, nil, &NoMatchError{"", g, known}
		}
	}
	taken := make(map[string]bool, len(known))
	for _, a := range known {
		taken[a] = true
	}
	for from, to := range renames {
		if taken[to] {
			return nil, nil, &TakenError{From: from, To: to}
		}
		taken[to] = true
	}
	return renames, forget, nil
}

// TakenError says that a reservation is stored under the new address already.
type TakenError struct{ From, To string }

// Error names both.
func (e *TakenError) Error() string {
	return fmt.Sprintf("state: rename %s: %s is stored already", e.From, e.To)
}
