package reservation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ruleError is a mistake in an rrule.
func ruleError(remedy, format string, args ...any) error {
	return &ScheduleError{"rrule", fmt.Sprintf(format, args...), remedy}
}

// maxInterval is beyond all that is meant, and keeps arithmetic small.
const maxInterval = 10_000

// parseRule reads a rule of RFC 5545 section 3.3.10 that begins at first; given
// says whether somebody wrote that date, or it merely stands for the beginning.
func parseRule(text string, first date, given bool) (rule, error) {
	r := rule{freq: -1, interval: 1, first: first, last: lastDate}
	if len(text) > maxRule {
		return r, ruleError("Shorten it.", "it has %d bytes, and %d is the most", len(text), maxRule)
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToUpper(text), ";") {
		key, value, _ := strings.Cut(part, "=")
		if seen[key] {
			return r, ruleError("Keep one of them.", "it says %s twice", key)
		}
		seen[key] = true
		if err := r.part(key, value); err != nil {
			return r, err
		}
	}
	if !seen["FREQ"] {
		return r, ruleError("Begin it with FREQ=DAILY, FREQ=WEEKLY, FREQ=MONTHLY or FREQ=YEARLY.", "it does not say FREQ")
	}
	if err := r.permitted(seen); err != nil {
		return r, err
	}
	return r, r.anchor(seen, given)
}

// part reads one NAME=value.
func (r *rule) part(key, value string) (err error) {
	switch key {
	case "FREQ":
		r.freq, err = parseFrequency(value)
	case "INTERVAL":
		if r.interval, err = strconv.Atoi(value); err != nil || r.interval < 1 || r.interval > maxInterval {
			err = ruleError(fmt.Sprintf("Use a number from 1 to %d.", maxInterval), "INTERVAL=%s is not possible", value)
		}
	case "UNTIL":
		err = r.until(value)
	case "WKST":
		if r.wkst = slices.Index(weekdays(), value); r.wkst < 0 {
			err = ruleError("Use MO, TU, WE, TH, FR, SA or SU.", "WKST=%s is no day", value)
		}
	case "BYMONTH":
		var months []int
		months, err = numbers(key, value, 1, 12, false)
		for _, m := range months {
			r.byMonth |= 1 << m
		}
	case "BYMONTHDAY":
		r.byMonthDay, err = numbers(key, value, 1, 31, true)
	case "BYYEARDAY":
		r.byYearDay, err = numbers(key, value, 1, 366, true)
	case "BYWEEKNO":
		r.byWeekNo, err = numbers(key, value, 1, 53, true)
	case "BYSETPOS":
		r.bySetPos, err = numbers(key, value, 1, 366, true)
	case "BYDAY":
		err = r.parseDays(value)
	case "COUNT":
		err = ruleError("Say when it ends with UNTIL=20261231.", "COUNT is not supported: which windows are left would depend on all before")
	case "BYHOUR", "BYMINUTE", "BYSECOND":
		err = ruleError("Say when in the day with start_time and end_time.", "%s is not supported: a rule is about dates", key)
	default:
		err = ruleError("Use FREQ, INTERVAL, UNTIL, WKST, BYMONTH, BYMONTHDAY, BYYEARDAY, BYWEEKNO, BYDAY and BYSETPOS, joined by semicolons.",
			"%q is no part of a rule", key)
	}
	return err
}

func parseFrequency(v string) (frequency, error) {
	f := slices.Index([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}, v)
	if f < 0 {
		return 0, ruleError("Use DAILY, WEEKLY, MONTHLY or YEARLY; start_time and end_time say when in the day.", "FREQ=%s is not supported", v)
	}
	return frequency(f), nil
}

// numbers reads a list, each from lo to hi or, where signed, from -hi to -lo,
// and drops repetitions.
func numbers(key, value string, lo, hi int, signed bool) ([]int, error) {
	var list []int
	for v := range strings.SplitSeq(value, ",") {
		n, err := strconv.Atoi(v)
		if in := lo <= n && n <= hi || signed && -hi <= n && n <= -lo; err != nil || !in {
			remedy := fmt.Sprintf("Use numbers from %d to %d", lo, hi)
			if signed {
				remedy += ", or negative ones that count from the end"
			}
			return nil, ruleError(remedy+".", "%s=%s is not possible", key, v)
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// parseDays reads BYDAY: MO, 2MO, -1SU.
func (r *rule) parseDays(value string) error {
	for v := range strings.SplitSeq(value, ",") {
		number := v[:max(len(v)-2, 0)]
		weekday := slices.Index(weekdays(), v[len(number):])
		n, err := strconv.Atoi(number)
		switch {
		case weekday >= 0 && number == "":
			r.byDay |= 1 << weekday
		case weekday >= 0 && err == nil && n != 0 && -53 <= n && n <= 53:
			r.byNthDay = append(r.byNthDay, nthDay{n, weekday})
		default:
			return ruleError("Write MO, TU, WE, TH, FR, SA or SU, with a number before it for the second (2MO) or the last (-1MO).", "BYDAY=%s is no day", v)
		}
	}
	return nil
}

// until reads a date, the last on which something starts, or a UTC date-time,
// the last moment at which something may.
func (r *rule) until(value string) error {
	t, err := time.Parse("20060102", value)
	if err != nil {
		t, err = time.Parse("20060102T150405Z", value)
		r.untilTime = t
	}
	if err != nil {
		return ruleError("Write a local date, UNTIL=20261231, or a UTC time, UNTIL=20261231T230000Z.", "UNTIL=%s is no date", value)
	}
	r.last = min(dateOf(t), lastDate)
	if !r.untilTime.IsZero() {
		r.last = min(r.last+1, lastDate) // the local date may be a later one
	}
	return nil
}

// permitted holds the parts against each other, as the table of RFC 5545
// section 3.3.10 does.
func (r *rule) permitted(seen map[string]bool) error {
	const remedy = "See RFC 5545, section 3.3.10."
	nth := slices.MaxFunc(append(r.byNthDay, nthDay{}), func(a, b nthDay) int { return max(a.n, -a.n) - max(b.n, -b.n) })
	switch {
	case r.byWeekNo != nil && r.freq != yearly:
		return ruleError(remedy, "BYWEEKNO goes with FREQ=YEARLY only")
	case r.byYearDay != nil && r.freq != yearly:
		return ruleError(remedy, "BYYEARDAY goes with FREQ=YEARLY only")
	case r.byMonthDay != nil && r.freq == weekly:
		return ruleError(remedy, "BYMONTHDAY does not go with FREQ=WEEKLY")
	case r.byNthDay != nil && (r.freq < monthly || r.byWeekNo != nil):
		return ruleError("Leave out the number.", "the number in BYDAY counts in a month or a year: it goes with neither DAILY nor WEEKLY nor BYWEEKNO")
	case r.byNthDay != nil && (r.freq == monthly || r.byMonth != 0) && max(nth.n, -nth.n) > 5:
		return ruleError("Use numbers from 1 to 5, or from -5 to -1.", "BYDAY has a number that no month reaches: %d", nth.n)
	case r.byWeekNo != nil && !seen["BYDAY"] && !seen["BYMONTHDAY"] && !seen["BYYEARDAY"]:
		return ruleError("Add BYDAY.", "BYWEEKNO alone does not say which day of the week")
	case r.bySetPos != nil && !seen["BYMONTH"] && !seen["BYMONTHDAY"] && !seen["BYYEARDAY"] && !seen["BYDAY"]:
		return ruleError("Add what it chooses from, such as BYDAY.", "BYSETPOS alone has nothing to choose from")
	}
	return nil
}

// anchor takes from the first date what the rule leaves open (RFC 5545 section
// 3.3.10: "information not contained in the rule").
func (r *rule) anchor(seen map[string]bool, given bool) error {
	openDay := r.freq > daily && !seen["BYDAY"] && !seen["BYMONTHDAY"] && !seen["BYYEARDAY"] && !seen["BYWEEKNO"]
	if !given && (openDay || r.interval > 1) {
		problem := "the rule takes its day from it, and it is not given"
		if r.interval > 1 {
			problem = "INTERVAL counts from it, and it is not given"
		}
		return &ScheduleError{"start_date", problem, `Add start_date, such as "2026-11-01".`}
	}
	if !openDay {
		return nil
	}
	_, month, day := r.first.midnight().Date()
	switch {
	case r.freq == weekly:
		r.byDay = 1 << r.first.weekday()
		return nil
	case r.freq == yearly && r.byMonth == 0:
		r.byMonth = 1 << month
	}
	r.byMonthDay = []int{day}
	return nil
}
