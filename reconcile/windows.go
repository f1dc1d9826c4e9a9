package reconcile

import (
	"fmt"
	"strings"
	"time"

	"github.com/resctl/resctl/reservation"
)

// isOver says of a window that nothing comes of it.
func (p *planner) isOver(c *Change) {
	p.find(Finding{Code: "RC302", Severity: Warning, Address: c.Address, Range: c.After.Source,
		Summary: "the window is over", Detail: overText(c)})
	p.plan.Summary.Over++
}

func overText(c *Change) string {
	if c.Window.Expiry.IsZero() {
		return "Its schedule names no window any more: nothing is sent."
	}
	return fmt.Sprintf("It ended %s: nothing is sent.", c.Window.Expiry.Format(time.RFC3339))
}

// skipped says of each schedule which windows a change of the clocks leaves
// empty. What shares a schedule is told of once.
func (p *planner) skipped() {
	type group struct {
		first  *reservation.Declaration
		others int
	}
	groups := map[string]*group{}
	var keys []string
	for i := range p.want.Reservations {
		d := &p.want.Reservations[i]
		if d.When.Schedule == nil {
			continue
		}
		key := d.When.Schedule.Key()
		if g := groups[key]; g != nil {
			g.others++
			continue
		}
		groups[key] = &group{first: d}
		keys = append(keys, key)
	}
	for _, key := range keys {
		g := groups[key]
		r, err := g.first.When.Schedule.Compile()
		if err != nil {
			continue
		}
		var dates []string
		for s := range r.Skipped(p.now, p.horizon()) {
			dates = append(dates, s.Date)
		}
		if len(dates) == 0 {
			continue
		}
		detail := fmt.Sprintf("In %s the clocks leap over all of it: nothing is held then.", r.Location())
		if g.others > 0 {
			detail += fmt.Sprintf(" The same is so for %d more with this schedule.", g.others)
		}
		p.find(Finding{Code: "RC301", Severity: Warning, Address: g.first.Address, Range: g.first.Source,
			Summary: "the window of " + strings.Join(dates, ", ") + " is skipped", Detail: detail})
	}
}
