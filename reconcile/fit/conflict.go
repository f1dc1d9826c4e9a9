package fit

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// setKey stands for a set of claims that do not fit in one way.
type setKey [16]byte

// ledger is which sets have been told, and where. A set that is met again,
// every night of a schedule, is told once.
type ledger struct {
	times map[setKey]int // index of the conflict, or none where it is only counted
	ranks []int32
	bytes []byte
}

// note takes down that these spans do not fit together at an instant.
func (p *proving) note(kind Kind, at int64, spans []int32) {
	l := &p.told
	l.ranks = l.ranks[:0]
	mine, until := false, p.spans[spans[0]].expiry
	for _, i := range spans {
		s := &p.spans[i]
		l.ranks = append(l.ranks, s.claim)
		mine = mine || p.claim(s.claim).Mine
		until = min(until, s.expiry)
	}
	if !mine {
		return
	}
	slices.Sort(l.ranks)
	l.ranks = slices.Compact(l.ranks)
	key := l.key(kind)
	if index, met := l.times[key]; met {
		if index != none {
			p.proof.Conflicts[index].Times++
		}
		return
	}
	if len(p.proof.Conflicts) >= p.Most {
		l.times[key] = none
		p.proof.Rest[kind]++
		return
	}
	l.times[key] = len(p.proof.Conflicts)
	c := Conflict{Kind: kind, At: time.Unix(at, 0).UTC(), Until: time.Unix(until, 0).UTC(), Times: 1, EVSEs: p.evses(spans)}
	for _, r := range l.ranks {
		c.Members = append(c.Members, int(p.rank[r]))
	}
	p.proof.Conflicts = append(p.proof.Conflicts, c)
}

func (l *ledger) key(kind Kind) setKey {
	l.bytes = append(l.bytes[:0], byte(kind))
	for _, r := range l.ranks {
		l.bytes = binary.LittleEndian.AppendUint32(l.bytes, uint32(r))
	}
	sum := sha256.Sum256(l.bytes)
	return setKey(sum[:16])
}

// evses are the numbers of those for which spans compete.
func (p *proving) evses(spans []int32) []int {
	seats := map[int32]bool{}
	for _, i := range spans {
		for _, s := range p.seatsOf(i) {
			seats[s] = true
		}
	}
	numbers := make([]int, 0, len(seats))
	for s := range seats {
		numbers = append(numbers, p.numbers[s])
	}
	slices.Sort(numbers)
	return numbers
}
