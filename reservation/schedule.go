package reservation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Schedule is a declared recurrence: windows that come back at a local time of
// day. Its JSON is stored and hashed as it was written; what it means is found
// by Compile.
type Schedule struct {
	// TimeZone is the IANA name of the zone in which dates and times are read.
	TimeZone string `json:"time_zone"`
	// Days are weekdays as RFC 5545 writes them: MO, TU, WE, TH, FR, SA, SU.
	// Either they or RRule is given.
	Days []string `json:"days,omitempty"`
	// RRule is a recurrence rule (RFC 5545 section 3.3.10) for the local dates
	// of the starts: DAILY or slower, without COUNT and times of day. UNTIL is
	// the last local date, or, as a UTC date-time, the last possible start.
	RRule string `json:"rrule,omitempty"`
	// StartDate, "2026-11-01", is a local date before which nothing starts. It
	// anchors an RRule; it is itself a start only if the rule names it.
	StartDate string `json:"start_date,omitempty"`
	// StartTime is the local time of day at which windows start, "22:00" or
	// "22:00:30".
	StartTime string `json:"start_time"`
	// EndTime is the local time of day at which they end; at or before
	// StartTime it is that of the next day.
	EndTime string `json:"end_time"`
	// ExceptDates are local dates on which no window starts.
	ExceptDates []string `json:"except_dates,omitempty"`

	compiled *Recurrence // of a schedule that Schedules gave out
}

// What is larger is a mistake or an attack.
const (
	maxRule        = 1_000 // bytes of an rrule
	maxExceptDates = 10_000
)

// ScheduleError is a mistake in one attribute of a schedule.
type ScheduleError struct {
	Attribute string // as in the configuration: "start_time"
	Problem   string // a sentence without its full stop
	Remedy    string // what to do about it, a sentence
}

// Error is the attribute and what is wrong with it.
func (e *ScheduleError) Error() string { return "schedule: " + e.Attribute + ": " + e.Problem }

// Normal is the schedule with its days in the order of the week and its dates
// in theirs, each once: two that mean the same by this are one declaration.
func (s Schedule) Normal() Schedule {
	s.Days, s.ExceptDates = slices.Clone(s.Days), slices.Clone(s.ExceptDates)
	slices.SortStableFunc(s.Days, func(a, b string) int { return slices.Index(weekdays(), a) - slices.Index(weekdays(), b) })
	slices.Sort(s.ExceptDates)
	s.Days, s.ExceptDates = slices.Compact(s.Days), slices.Compact(s.ExceptDates)
	return s
}

// Key is the same for schedules that are written the same, and for no others.
func (s Schedule) Key() string {
	var b []byte
	add := func(v string) {
		b = strconv.AppendInt(b, int64(len(v)), 10)
		b = append(append(b, ':'), v...)
	}
	for _, v := range []string{s.TimeZone, s.RRule, s.StartDate, s.StartTime, s.EndTime, strconv.Itoa(len(s.Days))} {
		add(v)
	}
	for _, v := range s.Days {
		add(v)
	}
	for _, v := range s.ExceptDates {
		add(v)
	}
	return string(b)
}

// Schedules compiles each distinct schedule, and loads each zone, once, however
// many declarations have it. It is safe for concurrent use, and forgets nothing.
type Schedules struct {
	mu     sync.Mutex
	shared map[string]*Schedule
	zones  map[string]*time.Location
}

// NewSchedules knows no schedule yet.
func NewSchedules() *Schedules {
	return &Schedules{shared: map[string]*Schedule{}, zones: map[string]*time.Location{}}
}

// Share gives one Schedule for all that mean the same, in its normal form; it
// is compiled, and is not to be changed. Errors are those of Compile, and not
// kept.
func (c *Schedules) Share(s Schedule) (*Schedule, error) {
	s = s.Normal()
	key := s.Key()
	c.mu.Lock()
	defer c.mu.Unlock()
	if shared := c.shared[key]; shared != nil {
		return shared, nil
	}
	var err error
	if s.compiled, err = s.compile(c.zone); err != nil {
		return nil, err
	}
	c.shared[key] = &s
	return &s, nil
}

// ShareIn shares the schedule of what was read, if it has one that this machine can
// compile; another stays as it is.
func (c *Schedules) ShareIn(w *When) {
	if w.Schedule == nil {
		return
	}
	if s, err := c.Share(*w.Schedule); err == nil {
		w.Schedule = s
	}
}

func (c *Schedules) zone(name string) (*time.Location, error) {
	if loc := c.zones[name]; loc != nil {
		return loc, nil
	}
	loc, err := loadZone(name)
	if err == nil {
		c.zones[name] = loc
	}
	return loc, err
}

// Compile checks every attribute and gives the recurrence. The error is always
// a *ScheduleError. A rule that names no day at all is an error as well; one
// whose days are over is not.
func (s *Schedule) Compile() (*Recurrence, error) {
	if s.compiled != nil {
		return s.compiled, nil
	}
	return s.compile(loadZone)
}

func (s *Schedule) compile(zone func(string) (*time.Location, error)) (*Recurrence, error) {
	r := &Recurrence{}
	var err error
	if r.zone, err = zone(s.TimeZone); err != nil {
		return nil, err
	}
	if r.start, err = timeOfDay("start_time", s.StartTime); err != nil {
		return nil, err
	}
	if r.end, err = timeOfDay("end_time", s.EndTime); err != nil {
		return nil, err
	}
	if r.end <= r.start {
		r.end += secondsPerDay
	}
	if r.except, err = exceptions(s.ExceptDates); err != nil {
		return nil, err
	}
	if r.rule, err = s.rule(); err != nil {
		return nil, err
	}
	if until := r.rule.untilTime; !until.IsZero() {
		r.rule.last = min(r.rule.last, r.lastStart(until))
	}
	for range r.rule.between(r.rule.first, r.rule.last) {
		return r, nil
	}
	return nil, &ScheduleError{"rrule", "the rule names no day at all",
		"Correct what cannot be true together, such as BYMONTH=2 with BYMONTHDAY=30, or UNTIL before start_date."}
}

// rule is the days form or the rrule form, anchored.
func (s *Schedule) rule() (rule, error) {
	const never = "Give one of them."
	switch {
	case len(s.Days) == 0 && s.RRule == "":
		return rule{}, &ScheduleError{"days", "neither days nor rrule is given", never}
	case len(s.Days) != 0 && s.RRule != "":
		return rule{}, &ScheduleError{"rrule", "both days and rrule are given", never}
	}
	first, given := date(0), s.StartDate != ""
	if given {
		var err error
		if first, err = parseDate("start_date", s.StartDate); err != nil {
			return rule{}, err
		}
	}
	if s.RRule != "" {
		return parseRule(s.RRule, first, given)
	}
	r := rule{freq: weekly, interval: 1, first: first, last: lastDate}
	for _, d := range s.Days {
		wd := slices.Index(weekdays(), d)
		if wd < 0 {
			return rule{}, &ScheduleError{"days", fmt.Sprintf("%q is not a day", d), "Use MO, TU, WE, TH, FR, SA and SU."}
		}
		r.byDay |= 1 << wd
	}
	return r, nil
}

// timeOfDay reads "22:00" or "22:00:30" as seconds since midnight.
func timeOfDay(attribute, v string) (int, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, v); err == nil && len(v) == len(layout) {
			return t.Hour()*3600 + t.Minute()*60 + t.Second(), nil
		}
	}
	return 0, &ScheduleError{attribute, fmt.Sprintf("%q is no time of day", v),
		`Write hours and minutes, like "06:00"; midnight is "00:00", and an end_time at or before start_time is on the next day.`}
}

func parseDate(attribute, v string) (date, error) {
	t, err := time.Parse(time.DateOnly, v)
	if d := dateOf(t); err == nil && d >= 0 && d <= lastDate {
		return d, nil
	}
	return 0, &ScheduleError{attribute, fmt.Sprintf("%q is no date", v), `Write year, month and day, like "2026-12-25", from 1970 on.`}
}

// exceptions are sorted for binary search.
func exceptions(dates []string) ([]date, error) {
	if len(dates) > maxExceptDates {
		return nil, &ScheduleError{"except_dates", fmt.Sprintf("%d dates are given, and %d is the most", len(dates), maxExceptDates), "Leave out those that are over."}
	}
	var except []date
	for _, v := range dates {
		d, err := parseDate("except_dates", v)
		if err != nil {
			return nil, err
		}
		except = append(except, d)
	}
	slices.Sort(except)
	return except, nil
}

// loadZone finds a zone by its IANA name. Names that mean the machine ("Local",
// "") or a path in it are in no list.
func loadZone(name string) (*time.Location, error) {
	if !knownZone(name) {
		e := &ScheduleError{"time_zone", fmt.Sprintf("%q is no time zone", name), `Write its IANA name, like "Europe/Amsterdam" or "UTC".`}
		for _, zone := range TimeZones() {
			if city := zone[strings.LastIndexByte(zone, '/')+1:]; strings.EqualFold(zone, name) || strings.EqualFold(city, name) {
				e.Remedy = fmt.Sprintf("Did you mean %q?", zone)
			}
		}
		return nil, e
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, &ScheduleError{"time_zone", fmt.Sprintf("%q cannot be read: %v", name, err), "Repair the zone data of this machine."}
	}
	return loc, nil
}
