package reservation

import (
	"iter"
	"slices"
	"time"
)

const secondsPerDay = 24 * 60 * 60

// Recurrence is a compiled Schedule. It is immutable and safe for concurrent
// use. It is evaluated on civil dates; zone and time of day come after, so that
// a change of the clocks never moves a rule.
//
// A local start or end that does not exist moves forward by the gap, one that
// exists twice is the first. What this leaves empty is skipped, and so is a date
// that its zone left out altogether. An end that a gap moves into the schedule's
// own next window is cut there.
type Recurrence struct {
	rule       rule
	except     []date // sorted
	start, end int    // seconds after midnight of the start's date
	zone       *time.Location
}

// Skipped is a window that a change of the clocks leaves empty.
type Skipped struct {
	Date  string    // local date of the start, "2026-03-29"
	Start time.Time // where the gap moves it, or it stands, in UTC
}

// Location is the zone in which the schedule is written.
func (r *Recurrence) Location() *time.Location { return r.zone }

// Next gives the first window that ends after the given time, which may be open
// already; none: the schedule is over, or goes on past the year 9999. It costs
// the same however long ago the schedule began.
func (r *Recurrence) Next(after time.Time) (Window, bool) {
	for w := range r.Between(after, lastDate.midnight()) {
		return w, true
	}
	return Window{}, false
}

// Between gives the windows that overlap [from, to), by their start, in UTC and
// whole seconds.
func (r *Recurrence) Between(from, to time.Time) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for d := range r.dates(from, to) {
			w, skipped := r.window(d)
			if !w.Start.Before(to) {
				return
			}
			if !skipped && w.Expiry.After(from) && !yield(w) {
				return
			}
		}
	}
}

// Skipped gives what would have started in [from, to) but is empty.
func (r *Recurrence) Skipped(from, to time.Time) iter.Seq[Skipped] {
	return func(yield func(Skipped) bool) {
		for d := range r.dates(from, to) {
			w, skipped := r.window(d)
			if !w.Start.Before(to) {
				return
			}
			if skipped && !w.Start.Before(from) && !yield(Skipped{d.String(), w.Start}) {
				return
			}
		}
	}
}

// dates are those whose windows can touch [from, to): a window ends on the date
// after its start at the latest, 12 hours behind UTC that is one more, and 14
// hours ahead it starts on the one before. A gap changes nothing in this: what
// it moves is where clocks that had not leapt would have it.
func (r *Recurrence) dates(from, to time.Time) iter.Seq[date] {
	return func(yield func(date) bool) {
		for d := range r.rule.between(dateOf(from)-2, dateOf(to)+1) {
			if r.starts(d) && !yield(d) {
				return
			}
		}
	}
}

func (r *Recurrence) starts(d date) bool {
	_, except := slices.BinarySearch(r.except, d)
	return !except
}

// window is the one that starts on d. skipped: it is empty, or d is not a date
// of this zone.
func (r *Recurrence) window(d date) (w Window, skipped bool) {
	start, gap := r.instant(d, r.start)
	expiry, moved := r.instant(d, r.end)
	if moved > 0 && r.starts(d+1) && r.rule.names(d+1) {
		next, _ := r.instant(d+1, r.start)
		expiry = min(expiry, next)
	}
	w = Window{time.Unix(start, 0).UTC(), time.Unix(expiry, 0).UTC()}
	return w, expiry <= start || gap >= secondsPerDay
}

// instant is when clocks in the zone show a time of day, seconds after midnight
// of d: the first time they do, or, where they leap over it, as far behind the
// gap as it was in it. gap is then how far they leap. (time.Date chooses either,
// and time.ZoneBounds goes back in time on the last day of a leap year.)
func (r *Recurrence) instant(d date, seconds int) (unix int64, gap int64) {
	shown := int64(d)*secondsPerDay + int64(seconds)
	last, change := shown-26*3600, shown+26*3600 // no zone is so far from UTC
	before := r.offset(last)
	if r.offset(change) == before {
		return shown - before, 0
	}
	for change-last > 1 { // the change is after last, and not after change
		if mid := last + (change-last)/2; r.offset(mid) == before {
			last = mid
		} else {
			change = mid
		}
	}
	after := r.offset(change)
	switch {
	case shown-before < change:
		return shown - before, 0
	case shown-after >= change:
		return shown - after, 0
	}
	return shown - before, after - before
}

// offset is how far the zone is ahead of UTC, in seconds.
func (r *Recurrence) offset(unix int64) int64 {
	_, ahead := time.Unix(unix, 0).In(r.zone).Zone()
	return int64(ahead)
}

// lastStart is the last date that starts at or before t.
func (r *Recurrence) lastStart(t time.Time) date {
	for d := dateOf(t) + 2; ; d-- {
		if start, _ := r.instant(d, r.start); start <= t.Unix() {
			return d
		}
	}
}
