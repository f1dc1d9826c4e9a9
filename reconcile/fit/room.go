package fit

import (
	"cmp"
	"slices"

	"github.com/resctl/resctl/reservation"
)

// room is a station as seats, and which of them each claim may have. Claims
// with one target are of one class: there are few of these, so that looking for
// a seat costs as much as there are EVSEs, not as there are claims.
type room struct {
	known   bool  // the EVSEs are those of the station
	typed   bool  // so are their connector types
	numbers []int // of the seats' EVSEs
	strays  int   // the last so many seats are named, but not known to exist
	classes []class
	byName  map[reservation.Target]int32
	class   []int32 // by rank of the claim
	flex    []int32 // of each seat: how many classes of more than one seat may have it
}

// class is what claims with one target may have.
type class struct {
	target reservation.Target
	seats  []int32
}

// furnish makes the seats of a station. Where its EVSEs are not known, those
// that are named are taken to be all, and one there must be.
func (p *proving) furnish(s Station) {
	evses := slices.Clone(s.EVSEs)
	slices.SortFunc(evses, func(a, b reservation.EVSE) int { return cmp.Compare(a.ID, b.ID) })
	p.known, p.typed = len(evses) > 0, s.Typed && len(evses) > 0
	named := p.namedBeside(evses)
	if p.known {
		p.strays = len(named)
	} else if len(named) == 0 {
		named = []int{0}
	}
	for i := range evses {
		p.numbers = append(p.numbers, evses[i].ID)
	}
	p.numbers = append(p.numbers, named...)
	p.byName, p.class = map[reservation.Target]int32{}, make([]int32, len(p.rank))
	for r := range p.rank {
		t := p.claim(int32(r)).Target
		c, ok := p.byName[t]
		if !ok {
			c = int32(len(p.classes))
			p.byName[t] = c
			p.classes = append(p.classes, class{t, p.seatsFor(t, evses)})
		}
		p.class[r] = c
	}
	p.flex = make([]int32, len(p.numbers))
	for i := range p.classes {
		if !p.classes[i].target.Named() {
			for _, seat := range p.classes[i].seats {
				p.flex[seat]++
			}
		}
	}
}

// namedBeside are the EVSEs that claims name beside those.
func (p *proving) namedBeside(evses []reservation.EVSE) []int {
	have := make(map[int]bool, len(evses))
	for i := range evses {
		have[evses[i].ID] = true
	}
	var named []int
	for i := range p.claims {
		if n := p.claims[i].Target.EVSE; n != 0 && !have[n] {
			have[n] = true
			named = append(named, n)
		}
	}
	slices.Sort(named)
	return named
}

func (r *room) seatsFor(t reservation.Target, evses []reservation.EVSE) (seats []int32) {
	for i, number := range r.numbers {
		switch {
		case t.Named():
			if number == t.EVSE {
				seats = append(seats, int32(i))
			}
		case i >= len(r.numbers)-r.strays:
		case t.ConnectorType == "" || i >= len(evses) || len(evses[i].ConnectorTypes) == 0 || slices.Contains(evses[i].ConnectorTypes, t.ConnectorType):
			seats = append(seats, int32(i))
		}
	}
	return seats
}

// stray reports whether a target names an EVSE that is not known.
func (r *room) stray(t reservation.Target) bool {
	return t.Named() && slices.Contains(r.numbers[len(r.numbers)-r.strays:], t.EVSE)
}

// seatsOf are the seats that a span may have.
func (p *proving) seatsOf(i int32) []int32 { return p.classes[p.class[p.spans[i].claim]].seats }

func (p *proving) target(i int32) reservation.Target {
	return p.classes[p.class[p.spans[i].claim]].target
}
