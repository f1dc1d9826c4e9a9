package reservation

import (
	"iter"
	"slices"
	"time"
)

// date is a civil date: days since 1 January 1970.
type date int

// lastDate leaves room for a window that ends two days later, in any zone,
// before the year 9999 does: JSON has no later times.
const lastDate date = 2_932_893 // 9999-12-28

func dateOf(t time.Time) date {
	days := t.Unix() / secondsPerDay
	if t.Unix()%secondsPerDay < 0 {
		days--
	}
	return date(days)
}

func (d date) midnight() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String writes the date as RFC 3339 does.
func (d date) String() string { return d.midnight().Format(time.DateOnly) }

func civil(year int, month time.Month, day int) date {
	return dateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// weekday counts from Monday, 0.
func (d date) weekday() int { return (int(d)%7 + 7 + 3) % 7 }

func weekdays() []string { return []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"} }

type frequency int

const (
	daily frequency = iota
	weekly
	monthly
	yearly
)

// rule is a recurrence rule of RFC 5545 section 3.3.10 over civil dates. A
// period is one day, week, month or year; every interval-th one, counted from
// that of first, names days. What a period names depends on it alone, so any of
// them can be looked at without those before.
//
// It is ours because no library at hand does that: rrule-go, which tests hold it
// against, walks from the first day, to the year 9999 where a rule names nothing,
// and is wrong about the last weeks of some years (TestWeeks).
type rule struct {
	freq        frequency
	interval    int
	wkst        int  // weekday on which weeks begin
	first, last date // nothing is named outside
	untilTime   time.Time

	byMonth    uint16   // bit 1 is January; 0: any
	byMonthDay []int    // 1 to 31, -1 is the last
	byYearDay  []int    // 1 to 366, -1 is the last
	byWeekNo   []int    // 1 to 53, -1 is the last
	byDay      uint8    // bit 0 is Monday
	byNthDay   []nthDay // of the month or year
	bySetPos   []int    // of what the period names
}

// nthDay is like 2MO or -1SU.
type nthDay struct{ n, weekday int }

// cycle is after how many periods the Gregorian calendar repeats itself, weekdays
// included: 400 years are 146,097 days, or exactly 20,871 weeks.
func (f frequency) cycle() int { return [...]int{146_097, 20_871, 4_800, 400}[f] }

// between gives the named days from d to last, in order. Periods repeat with the
// calendar: those that name nothing for a whole cycle name nothing ever.
func (r *rule) between(d, last date) iter.Seq[date] {
	return func(yield func(date) bool) {
		d, last = max(d, r.first), min(last, r.last)
		period := r.period(r.first)
		period += (r.period(d) - period) / r.interval * r.interval
		var buffer [366]date
		for empty := 0; empty <= r.freq.cycle(); period += r.interval {
			named, begin := r.named(buffer[:0], period, d)
			if begin > last {
				return
			}
			empty++
			for _, day := range named {
				if day < d {
					continue
				}
				if day > last || !yield(day) {
					return
				}
				empty = 0
			}
		}
	}
}

// names reports whether the rule names d.
func (r *rule) names(d date) bool {
	period := r.period(d)
	if d < r.first || d > r.last || (period-r.period(r.first))%r.interval != 0 {
		return false
	}
	named, _ := r.named(nil, period, d)
	return slices.Contains(named, d)
}

// period numbers the period that d is in.
func (r *rule) period(d date) int {
	year, month, _ := d.midnight().Date()
	switch r.freq {
	case daily:
		return int(d)
	case weekly:
		return (int(d) + 3 - r.wkst + 7) / 7
	case monthly:
		return year*12 + int(month) - 1
	}
	return year
}

// bounds are the first day of a period and that of the next.
func (r *rule) bounds(period int) (date, date) {
	switch r.freq {
	case daily:
		return date(period), date(period) + 1
	case weekly:
		begin := date(period*7 - 7 - 3 + r.wkst)
		return begin, begin + 7
	case monthly:
		year, month := period/12, time.Month(period%12+1)
		return civil(year, month, 1), civil(year, month+1, 1)
	}
	return civil(period, time.January, 1), civil(period+1, time.January, 1)
}

// named appends to days what a period names, though not what is before d where
// that changes nothing for the rest; begin is the period's first day.
func (r *rule) named(days []date, period int, d date) (_ []date, begin date) {
	begin, end := r.bounds(period)
	day := begin
	if r.bySetPos == nil {
		day = max(begin, d)
	}
	for ; day < end; day++ {
		if r.matches(day) {
			days = append(days, day)
		}
	}
	if r.bySetPos == nil {
		return days, begin
	}
	var chosen []date
	for _, pos := range r.bySetPos {
		if i := fromEnd(pos, len(days)); 1 <= i && i <= len(days) {
			chosen = append(chosen, days[i-1])
		}
	}
	slices.Sort(chosen)
	return slices.Compact(chosen), begin
}

// fromEnd makes of -1, of n, n.
func fromEnd(i, n int) int {
	if i < 0 {
		return n + 1 + i
	}
	return i
}

// matches holds a day against every BY part but BYSETPOS.
func (r *rule) matches(d date) bool {
	weekday := d.weekday()
	if r.byNthDay == nil && r.byDay != 0 && r.byDay&(1<<weekday) == 0 {
		return false
	}
	if r.byMonth == 0 && r.byMonthDay == nil && r.byYearDay == nil && r.byWeekNo == nil && r.byNthDay == nil {
		return true
	}
	year, month, day := d.midnight().Date()
	return (r.byMonth == 0 || r.byMonth&(1<<month) != 0) &&
		(r.byMonthDay == nil || counted(r.byMonthDay, day, daysIn(year, month))) &&
		(r.byYearDay == nil || counted(r.byYearDay, d.yearDay(year), daysInYear(year))) &&
		(r.byWeekNo == nil || r.inWeek(d)) &&
		(r.byNthDay == nil || r.byDay&(1<<weekday) != 0 || r.isNth(d))
}

// counted reports whether i of n is in the list, from either end.
func counted(list []int, i, n int) bool {
	for _, v := range list {
		if fromEnd(v, n) == i {
			return true
		}
	}
	return false
}

func (d date) yearDay(year int) int { return int(d-civil(year, time.January, 1)) + 1 }

func daysIn(year int, month time.Month) int {
	return int(civil(year, month+1, 1) - civil(year, month, 1))
}

func daysInYear(year int) int {
	return int(civil(year+1, time.January, 1) - civil(year, time.January, 1))
}

// inWeek holds d against BYWEEKNO. A week belongs to the year that has most of
// it, and with it the week's fourth day; week 1 is the first of a year.
func (r *rule) inWeek(d date) bool {
	year, week := r.week(d)
	_, weeks := r.week(civil(year, time.December, 28)) // is in the last one, whatever day weeks begin on
	return counted(r.byWeekNo, week, weeks)
}

func (r *rule) week(d date) (year, week int) {
	fourth := d - date((d.weekday()-r.wkst+7)%7) + 3
	year = fourth.midnight().Year()
	return year, (fourth.yearDay(year)-1)/7 + 1
}

// isNth holds d against the numbered days of BYDAY: in its month, or, yearly
// without BYMONTH, in its year.
func (r *rule) isNth(d date) bool {
	year, month, day := d.midnight().Date()
	length := daysIn(year, month)
	if r.freq == yearly && r.byMonth == 0 {
		day, length = d.yearDay(year), daysInYear(year)
	}
	return slices.ContainsFunc(r.byNthDay, func(w nthDay) bool {
		return w.weekday == d.weekday() && (w.n == (day-1)/7+1 || w.n == -((length-day)/7+1))
	})
}
