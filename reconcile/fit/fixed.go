package fit

import (
	"cmp"
	"slices"
)

// fixed looks for a seating in which nobody ever changes the EVSE, among the
// windows that the sweep has kept. In general that is NP-hard, so the search is
// bounded. Windows that do not name their EVSE are seated in the order of their
// starts, in one cluster after the other: clusters share no instant.
func (p *proving) fixed() {
	f := &fixing{proving: p, left: p.Steps, busy: make([][]int32, len(p.numbers))}
	var free []int32
	for i := range p.spans {
		switch s := &p.spans[i]; {
		case s.dropped:
		case !p.target(int32(i)).Named():
			free = append(free, int32(i))
		default:
			seat := p.seatsOf(int32(i))[0]
			f.busy[seat] = append(f.busy[seat], int32(i))
		}
	}
	f.cursor, f.until = make([]int, len(p.numbers)), make([]int64, len(p.numbers))
	for len(free) > 0 {
		n, last := 1, p.spans[free[0]].expiry
		for ; n < len(free) && p.spans[free[n]].start < last; n++ {
			last = max(last, p.spans[free[n]].expiry)
		}
		if !f.greedy(free[:n]) {
			f.cluster(free[:n], last)
		}
		free = free[n:]
	}
	p.proof.Steps = p.Steps - f.left
}

// fixing is the search for fixed seats of one station.
type fixing struct {
	*proving
	left int       // steps
	busy [][]int32 // by seat: the windows that name it, by start; they do not overlap

	// Of the greedy pass: the next of busy, and until when a seat is taken.
	cursor []int
	until  []int64
}

// greedy seats everybody where it fits tightest. Where that works, as it mostly
// does, there is nothing to search.
func (f *fixing) greedy(free []int32) bool {
	for _, i := range free {
		s, best, rest := &f.spans[i], int32(none), int64(0)
		for _, seat := range f.seatsOf(i) {
			if f.until[seat] > s.start {
				continue
			}
			named := f.busy[seat]
			for f.cursor[seat] < len(named) && f.spans[named[f.cursor[seat]]].expiry <= s.start {
				f.cursor[seat]++
			}
			slack := int64(1) << 62
			if f.cursor[seat] < len(named) {
				slack = f.spans[named[f.cursor[seat]]].start - s.expiry
			}
			if slack >= 0 && (best == none || f.flex[seat] < f.flex[best] || f.flex[seat] == f.flex[best] && slack < rest) {
				best, rest = seat, slack
			}
		}
		if best == none {
			return false
		}
		f.until[best] = s.expiry
	}
	return true
}

// cluster searches where the greedy pass has failed, and notes what does not fit.
func (f *fixing) cluster(free []int32, last int64) {
	var named []int32
	for _, list := range f.busy {
		k, _ := slices.BinarySearchFunc(list, f.spans[free[0]].start, func(i int32, t int64) int {
			return cmp.Or(cmp.Compare(f.spans[i].expiry, t), -1) // the first that ends later
		})
		for ; k < len(list) && f.spans[list[k]].start < last; k++ {
			named = append(named, list[k])
		}
	}
	f.seek(free, named, func(at int) bool {
		if set := f.shrink(free[:at+1], named); set != nil {
			f.note(Shifting, f.spans[slices.Max(f.freeOf(set))].start, set)
		}
		return true
	})
}

// freeOf are those of a set that do not name their EVSE. Spans are numbered by
// their start.
func (f *fixing) freeOf(set []int32) (free []int32) {
	for _, i := range set {
		if !f.target(i).Named() {
			free = append(free, i)
		}
	}
	return free
}

// shrink makes of spans which have no fixed seats a set that is irreducible, or
// nil where the steps do not suffice to show it. Mostly it is among the last.
func (f *fixing) shrink(free, named []int32) []int32 {
	var set []int32
	for n := 8; set == nil; n *= 4 {
		some := free[max(0, len(free)-n):]
		beside := f.overlapping(named, some)
		at, sure := f.first(some, beside)
		switch {
		case at != none && sure:
			set = slices.Concat(some[:at+1], beside)
		case len(some) == len(free):
			return nil
		}
	}
	for k := 0; k < len(set); {
		without := slices.Delete(slices.Clone(set), k, k+1)
		rest := f.freeOf(without)
		at, sure := f.first(rest, slices.DeleteFunc(slices.Clone(without), func(i int32) bool { return !f.target(i).Named() }))
		switch {
		case !sure:
			return nil
		case at != none:
			set = without
		default:
			k++
		}
	}
	return set
}

// overlapping are the named windows that overlap one of the others.
func (f *fixing) overlapping(named, free []int32) (list []int32) {
	for _, i := range named {
		if slices.ContainsFunc(free, func(u int32) bool {
			return f.spans[i].start < f.spans[u].expiry && f.spans[u].start < f.spans[i].expiry
		}) {
			list = append(list, i)
		}
	}
	return list
}

// first is the first of free that has no seat, or none. It is sure unless the
// search had to leave something out.
func (f *fixing) first(free, named []int32) (at int, sure bool) {
	at = none
	sure = f.seek(free, named, func(k int) bool { at = k; return false })
	return at, sure
}
