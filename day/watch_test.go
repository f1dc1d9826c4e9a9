package day

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Looks are five minutes apart, and what a station and its book do not agree on
// is wrong when three in a row see it.
const (
	between = 5 * time.Minute
	looks   = 3
)

// watch lets time pass, and looks now and then whether what is believed of the
// stations is so.
func (d *depot) watch(long time.Duration) {
	d.t.Helper()
	for end := time.Now().Add(long); time.Now().Before(end); {
		time.Sleep(min(between, time.Until(end)))
		for i := range d.stations {
			d.look(i)
		}
	}
}

// look compares a station that can be asked with its book.
func (d *depot) look(i int) {
	s, seen := d.stations[i], map[string]int{}
	if s.Connected() && s.Delay() < callTimeout {
		b, err := d.db.Book(context.Background(), s.ID(), time.Now())
		must(d.t, err)
		for _, why := range d.differs(i, b) {
			if seen[why] = d.odd[s.ID()][why] + 1; seen[why] == looks {
				d.wrong(s.ID(), "at %s %s", time.Now().Format(clock), why)
			}
		}
	}
	d.odd[s.ID()] = seen
}

// differs says in what a station is not as its book has it. A doubt is no
// difference: the book says that it does not know.
func (d *depot) differs(i int, b *reservation.Book) (all []string) {
	held := map[int32]bool{}
	for _, r := range d.stations[i].Holds() {
		held[r.ID] = true
		at := slices.IndexFunc(b.Occurrences, func(o *reservation.Occurrence) bool { return o.ID == r.ID })
		switch {
		case at < 0:
			all = append(all, fmt.Sprintf("it holds %d, and nothing of ours is believed to be there", r.ID))
		case !b.Occurrences[at].Phase.Open():
			all = append(all, fmt.Sprintf("it holds %d, which is %s", r.ID, b.Occurrences[at].Phase))
		}
	}
	for _, o := range b.Occurrences {
		hidden := o.Held != nil && b.Station.EVSEStatus(o.Held.EVSE) == reservation.Occupied // a car at the cable looks the same with and without it
		if o.Phase == reservation.Held && !held[o.ID] && !hidden {
			all = append(all, fmt.Sprintf("it does not hold %d", o.ID))
		}
	}
	return all
}
