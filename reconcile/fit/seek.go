package fit

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// seeking goes through windows by their start and keeps, in layers, all ways in
// which those so far can be seated. Two ways are the same if they leave the same
// seats taken for as long; seats that may be had by the same claims, and that
// nobody names meanwhile, can stand for one another. When a layer is empty there
// is no seating. A layer that outgrows its bound is cut: then a seating that is
// found is still one, but none that is missing proves anything.
type seeking struct {
	*fixing
	seats  []int32   // in an order in which those that can stand for one another are neighbours
	kin    []int     // of each place in seats: where its group begins
	named  [][]int32 // of each place: windows, by start
	layer  [][]int64 // ways: until when each place is taken
	next   [][]int64
	hashed map[uint64]int // of next
	seed   maphash.Seed
	cut    bool
}

// width bounds a layer, in all its places.
const width = 1 << 14

// seek calls fail for each of free that has no seat as long as nothing was cut;
// it goes on without it while fail says so. It reports whether it was sure:
// neither was a layer cut nor did the steps run out.
func (f *fixing) seek(free, named []int32, fail func(at int) bool) (sure bool) {
	k := f.seeking(free, named)
	for at, i := range free {
		k.advance(i)
		switch {
		case f.left < 0:
			return false
		case len(k.next) > 0:
			k.layer, k.next = k.next, k.layer[:0]
		case k.cut:
			return false
		case !fail(at):
			return true
		}
	}
	return !k.cut
}

func (f *fixing) seeking(free, named []int32) *seeking {
	k := &seeking{fixing: f, hashed: map[uint64]int{}, seed: maphash.MakeSeed()}
	classes := map[int32]bool{}
	for _, i := range free {
		classes[f.class[f.spans[i].claim]] = true
	}
	member := make([][]int32, len(f.numbers)) // of each seat: the classes that may have it
	for _, c := range sorted(classes) {
		for _, s := range f.classes[c].seats {
			member[s] = append(member[s], c)
		}
	}
	busy := make([][]int32, len(f.numbers))
	for _, i := range named {
		s := f.seatsOf(i)[0]
		busy[s] = append(busy[s], i)
	}
	for s := range f.numbers {
		if len(member[s]) > 0 {
			slices.Sort(busy[s])
			k.seats = append(k.seats, int32(s))
		}
	}
	compare := func(a, b int32) int {
		return cmp.Or(slices.Compare(member[a], member[b]), slices.Compare(busy[a], busy[b]))
	}
	slices.SortStableFunc(k.seats, compare)
	for at, s := range k.seats {
		group := at
		if at > 0 && compare(k.seats[at-1], s) == 0 {
			group = k.kin[at-1]
		}
		k.kin, k.named = append(k.kin, group), append(k.named, busy[s])
	}
	k.layer = [][]int64{make([]int64, len(k.seats))}
	return k
}

func sorted(set map[int32]bool) []int32 {
	list := make([]int32, 0, len(set))
	for x := range set {
		list = append(list, x)
	}
	slices.Sort(list)
	return list
}

// advance makes the next layer: every way of before, with i on a seat as well.
func (k *seeking) advance(i int32) {
	places := k.placesFor(i)
	clear(k.hashed)
	s := &k.spans[i]
	for _, way := range k.layer {
		k.left -= len(way) + len(places)
		if k.left < 0 {
			return
		}
		tried := none // the group that had a free place
		for _, at := range places {
			if way[at] > s.start || k.kin[at] == tried {
				continue
			}
			tried = k.kin[at]
			if len(k.next)*len(way) >= width {
				k.cut = true
				return
			}
			k.left -= 4 * len(way)
			k.keep(way, at, s.start, s.expiry)
		}
	}
}

// placesFor are the places where i overlaps nothing that names them, those with
// the least use for others first.
func (k *seeking) placesFor(i int32) (places []int) {
	s := &k.spans[i]
	allowed := k.seatsOf(i)
	for at, seat := range k.seats {
		if _, ok := slices.BinarySearch(allowed, seat); !ok {
			continue
		}
		n, _ := slices.BinarySearchFunc(k.named[at], s.start, func(x int32, t int64) int {
			return cmp.Or(cmp.Compare(k.spans[x].expiry, t), -1)
		})
		if n == len(k.named[at]) || k.spans[k.named[at][n]].start >= s.expiry {
			places = append(places, at)
		}
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(k.flex[k.seats[a]], k.flex[k.seats[b]]) })
	return places
}

// keep puts a way with one more place taken into the next layer, unless it is
// there.
func (k *seeking) keep(way []int64, at int, now, until int64) {
	next := make([]int64, len(way))
	for x, t := range way {
		if t > now {
			next[x] = t
		}
	}
	next[at] = until
	for from := 0; from < len(next); {
		to := from + 1
		for to < len(next) && k.kin[to] == from {
			to++
		}
		slices.Sort(next[from:to])
		from = to
	}
	var h maphash.Hash
	h.SetSeed(k.seed)
	for _, t := range next {
		maphash.WriteComparable(&h, t)
	}
	sum := h.Sum64()
	if x, met := k.hashed[sum]; met {
		// Another way with the same hash is as good as lost.
		k.cut = k.cut || !slices.Equal(k.next[x], next)
		return
	}
	k.hashed[sum] = len(k.next)
	k.next = append(k.next, next)
}
