package fit

import (
	"cmp"
	"slices"

	"github.com/resctl/resctl/reservation"
)

// sweep goes through the windows' edges in time and keeps a seat for each that
// is open: a matching, repaired at every start by one augmenting path. Where
// there is none, those whom the search has met are a conflict: they compete
// for one seat fewer than they are, and any of them could give its seat up.
// The one that ends first is dropped, so that those kept hide the least of
// what follows.
func (p *proving) sweep() {
	m := matching{proving: p, occupant: make([]int32, len(p.numbers)), via: make([]int32, len(p.numbers)),
		seen: make([]int32, len(p.numbers)), classSeen: make([]int32, len(p.classes))}
	for s := range m.occupant {
		m.occupant[s] = none
	}
	ends := make([]int32, len(p.spans))
	for i := range ends {
		ends[i] = int32(i)
	}
	slices.SortFunc(ends, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.spans[a].expiry, p.spans[b].expiry), cmp.Compare(a, b))
	})
	next := 0
	for i := range p.spans {
		for ; p.spans[ends[next]].expiry <= p.spans[i].start; next++ {
			m.leave(ends[next])
		}
		m.arrive(int32(i))
	}
}

// matching is who sits where at one instant.
type matching struct {
	*proving
	occupant       []int32 // of each seat: a span, or none
	open, openType int     // windows that are seated; those of them that want a connector type

	// Of one search: by whom a seat was reached, and what has been looked at.
	via, seen, classSeen []int32
	round                int32
	met                  []int32
}

func (m *matching) leave(i int32) {
	s := &m.spans[i]
	if s.seat == none {
		return
	}
	m.occupant[s.seat], s.seat = none, none
	m.open--
	if m.target(i).ConnectorType != "" {
		m.openType--
	}
}

func (m *matching) arrive(i int32) {
	m.open++
	if m.target(i).ConnectorType != "" {
		m.openType++
	}
	if seat := m.reach(i); seat != none {
		m.give(seat, i)
	} else {
		m.refuse(i)
	}
	if m.openType > 0 && m.open > 1 && !m.typed {
		m.unproven(m.occupant)
	}
}

// reach looks for a free seat along alternating paths from a span, breadth
// first. It gives none when there is none; met is then everybody on the way.
func (m *matching) reach(i int32) int32 {
	m.round++
	m.met = append(m.met[:0], i)
	for k := 0; k < len(m.met); k++ {
		x := m.met[k]
		c := m.class[m.spans[x].claim]
		if m.classSeen[c] == m.round {
			continue
		}
		m.classSeen[c] = m.round
		for _, seat := range m.classes[c].seats {
			if m.seen[seat] == m.round {
				continue
			}
			m.seen[seat], m.via[seat] = m.round, x
			if m.occupant[seat] == none {
				return seat
			}
			m.met = append(m.met, m.occupant[seat])
		}
	}
	return none
}

// give seats i, and everybody on the path to the free seat one further.
func (m *matching) give(seat, i int32) {
	for {
		x := m.via[seat]
		left := m.spans[x].seat
		m.occupant[seat], m.spans[x].seat = x, seat
		if x == i {
			return
		}
		seat = left
	}
}

// refuse notes the conflict into which i comes, and drops who ends first. Where
// the EVSEs are not known, whoever names one is kept: two that name the same
// conflict for certain, and that must not be hidden by what is only a guess.
func (m *matching) refuse(i int32) {
	kind := Crowded
	if len(m.met) == 2 && m.target(m.met[0]).Named() && m.target(m.met[1]).Named() {
		kind = Twice
	}
	if m.known || kind == Twice {
		m.note(kind, m.spans[i].start, m.met)
	} else {
		m.unproven(m.met)
	}
	first := slices.MinFunc(m.met, func(a, b int32) int {
		x, y := &m.spans[a], &m.spans[b]
		if n := cmp.Compare(named(m.target(a)), named(m.target(b))); n != 0 && !m.known {
			return n
		}
		return cmp.Or(cmp.Compare(x.expiry, y.expiry), cmp.Compare(y.claim, x.claim), cmp.Compare(b, a))
	})
	m.spans[first].dropped = true
	seat := m.spans[first].seat
	m.spans[first].seat = none
	m.open--
	if m.target(first).ConnectorType != "" {
		m.openType--
	}
	if first != i {
		m.give(seat, i)
	}
}

func named(t reservation.Target) int {
	if t.Named() {
		return 1
	}
	return 0
}

// unproven notes the first claims of whoever asks that cannot be judged.
func (p *proving) unproven(spans []int32) {
	if len(p.proof.Unproven) > 0 {
		return
	}
	var ranks []int32
	for _, i := range spans {
		if i != none && p.claim(p.spans[i].claim).Mine {
			ranks = append(ranks, p.spans[i].claim)
		}
	}
	slices.Sort(ranks)
	for _, r := range slices.Compact(ranks) {
		p.proof.Unproven = append(p.proof.Unproven, int(p.rank[r]))
	}
}
