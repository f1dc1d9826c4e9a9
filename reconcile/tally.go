package reconcile

import (
	"time"

	"github.com/resctl/resctl/reservation"
)

// Tally counts what one station has due and not held, and what a person should
// look at there. It is what Unsettled and Drift list, without the lists; but for
// what it may call foreign for a minute longer, for a book has nothing of what ended.
type Tally struct {
	Online  bool
	Waiting map[Lack]int      // due, and neither held as wanted nor ended
	Overdue map[string]int    // of these, by workspace, with an open window
	Drift   map[DriftKind]int // older than the grace; but for what a station dropped, which no book has
	// Until is when it changes by the passing of time alone, at the earliest;
	// zero: never.
	Until time.Time
}

// Lack is why something is not held.
type Lack struct {
	Workspace string
	Reason    reservation.Reason
}

// Tally counts one book.
func (s Settings) Tally(b *reservation.Book, declared []reservation.StationDeclaration, grace time.Duration, now time.Time) Tally {
	work := s.Diff(b, now)
	t := Tally{Online: b.Station.Online(), Waiting: map[Lack]int{}, Overdue: map[string]int{}, Drift: map[DriftKind]int{}, Until: work.WakeAt}
	for _, x := range unsettled(work, b, "", now) {
		t.Waiting[Lack{x.Workspace, x.Reason}]++
		if now.Before(x.Window.Start) {
			t.until(x.Window.Start)
		} else if now.Before(x.Window.Expiry) {
			t.Overdue[x.Workspace]++
			t.until(x.Window.Expiry)
		}
	}
	for _, d := range append(s.driftOfBook(b, ForeignAt(b), now), driftOfStation(&b.Station, declared)...) {
		if now.Sub(d.Since) >= grace {
			t.Drift[d.Kind]++
		} else {
			t.until(d.Since.Add(grace))
		}
	}
	return t
}

func (t *Tally) until(at time.Time) {
	if t.Until.IsZero() || at.Before(t.Until) {
		t.Until = at
	}
}
