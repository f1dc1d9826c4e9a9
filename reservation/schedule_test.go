package reservation_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/resctl/resctl/reservation"
)

func everyDay() []string { return []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"} }

func compiled(t testing.TB, s Schedule) *Recurrence {
	t.Helper()
	r, err := s.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func at(t testing.TB, v string) time.Time {
	t.Helper()
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04Z"} {
		if v, err := time.Parse(layout, v); err == nil {
			return v
		}
	}
	t.Fatalf("%q is no time", v)
	return time.Time{}
}

func written(w Window) string {
	return w.Start.Format("2006-01-02T15:04Z") + " " + w.Expiry.Sub(w.Start).String()
}

func windows(t testing.TB, s Schedule, from, to string) (found []string) {
	t.Helper()
	for w := range compiled(t, s).Between(at(t, from), at(t, to)) {
		found = append(found, written(w))
	}
	return found
}

// TestClocks: windows around changes of the clocks, worked out by hand. Each
// case looks at what overlaps one day in UTC, or two.
func TestClocks(t *testing.T) {
	for _, c := range []struct{ name, zone, start, end, from, to, want string }{
		{"a night in spring has 7 hours", "Europe/Amsterdam", "22:00", "06:00", "2026-03-28T20:00Z", "2026-03-29T20:00Z", "2026-03-28T21:00Z 7h0m0s"},
		{"a night in autumn has 9", "Europe/Amsterdam", "22:00", "06:00", "2026-10-24T20:00Z", "2026-10-25T20:00Z", "2026-10-24T20:00Z 9h0m0s"},
		{"a start that does not exist moves by the gap", "Europe/Amsterdam", "02:30", "06:00", "2026-03-29", "2026-03-30", "2026-03-29T01:30Z 2h30m0s"},
		{"an end likewise", "Europe/Amsterdam", "01:00", "02:30", "2026-03-29T00:00Z", "2026-03-29T12:00Z", "2026-03-29T00:00Z 1h30m0s"},
		{"both move", "Europe/Amsterdam", "02:10", "02:50", "2026-03-29", "2026-03-30", "2026-03-29T01:10Z 40m0s"},
		{"emptied by the gap", "Europe/Amsterdam", "02:30", "03:15", "2026-03-29", "2026-03-30", ""},
		{"emptied to nothing", "Europe/Amsterdam", "02:30", "03:30", "2026-03-29", "2026-03-30", ""},
		{"both exist twice: the first", "Europe/Amsterdam", "02:30", "02:45", "2026-10-25", "2026-10-26", "2026-10-25T00:30Z 15m0s"},
		{"the start exists twice: the first", "Europe/Amsterdam", "02:30", "03:30", "2026-10-25", "2026-10-26", "2026-10-25T00:30Z 2h0m0s"},
		{"the first moment of the hour that comes twice", "Europe/Amsterdam", "02:00", "03:00", "2026-10-25", "2026-10-26", "2026-10-25T00:00Z 2h0m0s"},
		{"the first moment behind the gap", "Europe/Amsterdam", "03:00", "04:00", "2026-03-29", "2026-03-30", "2026-03-29T01:00Z 1h0m0s"},
		{"an end that moves into the next window is cut there", "Europe/Amsterdam", "03:00", "02:30", "2026-03-28T03:00Z", "2026-03-29T03:00Z",
			"2026-03-28T02:00Z 23h0m0s, 2026-03-29T01:00Z 23h30m0s"},
		{"24 hours are 23 in spring", "Europe/Amsterdam", "22:00", "22:00", "2026-03-28T21:00Z", "2026-03-29T21:00Z",
			"2026-03-28T21:00Z 23h0m0s, 2026-03-29T20:00Z 24h0m0s"},
		{"New York, spring", "America/New_York", "22:00", "06:00", "2026-03-08", "2026-03-09", "2026-03-08T03:00Z 7h0m0s"},
		{"New York, autumn", "America/New_York", "22:00", "06:00", "2026-11-01T00:00Z", "2026-11-02T00:00Z", "2026-11-01T02:00Z 9h0m0s"},
		{"Dublin, whose winter time is the exception", "Europe/Dublin", "22:00", "06:00", "2026-03-28T12:00Z", "2026-03-29T12:00Z", "2026-03-28T22:00Z 7h0m0s"},
		{"Lord Howe leaps half an hour", "Australia/Lord_Howe", "02:15", "06:00", "2026-10-03T12:00Z", "2026-10-04T12:00Z", "2026-10-03T15:45Z 3h15m0s"},
		{"Lord Howe repeats half an hour", "Australia/Lord_Howe", "01:45", "06:00", "2026-04-04T12:00Z", "2026-04-05T12:00Z", "2026-04-04T14:45Z 4h45m0s"},
		{"Casablanca, into Ramadan", "Africa/Casablanca", "22:00", "06:00", "2024-03-09T12:00Z", "2024-03-10T12:00Z", "2024-03-09T21:00Z 9h0m0s"},
		{"Casablanca, out of Ramadan", "Africa/Casablanca", "22:00", "06:00", "2024-04-13T12:00Z", "2024-04-14T12:00Z", "2024-04-13T22:00Z 7h0m0s"},
		{"Kathmandu", "Asia/Kathmandu", "22:00", "06:00", "2026-01-01T12:00Z", "2026-01-02T12:00Z", "2026-01-01T16:15Z 8h0m0s"},
		{"São Paulo had days without midnight", "America/Sao_Paulo", "00:00", "06:00", "2018-11-04", "2018-11-05", "2018-11-04T03:00Z 5h0m0s"},
		{"and midnight as an end", "America/Sao_Paulo", "22:00", "00:00", "2018-11-04T00:00Z", "2018-11-05T00:00Z", "2018-11-04T01:00Z 2h0m0s"},
		{"Beirut as well", "Asia/Beirut", "00:30", "06:00", "2022-03-26T12:00Z", "2022-03-27T12:00Z", "2022-03-26T22:30Z 4h30m0s"},
		{"Cairo as well", "Africa/Cairo", "00:15", "06:00", "2024-04-25T12:00Z", "2024-04-26T12:00Z", "2024-04-25T22:15Z 4h45m0s"},
		{"Apia had no 30 December 2011", "Pacific/Apia", "22:00", "06:00", "2011-12-29T16:00Z", "2012-01-01T00:00Z",
			"2011-12-30T08:00Z 8h0m0s, 2011-12-31T08:00Z 8h0m0s"},
		{"Apia, around the clock", "Pacific/Apia", "22:00", "22:00", "2011-12-30T08:00Z", "2012-01-01T00:00Z",
			"2011-12-30T08:00Z 24h0m0s, 2011-12-31T08:00Z 24h0m0s"},
		{"the last night of a year", "UTC", "22:00", "06:00", "2026-12-31T12:00Z", "2027-01-01T12:00Z", "2026-12-31T22:00Z 8h0m0s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Schedule{TimeZone: c.zone, Days: everyDay(), StartTime: c.start, EndTime: c.end}
			if got := strings.Join(windows(t, s, c.from, c.to), ", "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestCutOnlyByItself: an end that a gap moves is cut by a window that follows,
// and by nothing else.
func TestCutOnlyByItself(t *testing.T) {
	s := Schedule{TimeZone: "Europe/Amsterdam", StartTime: "03:00", EndTime: "02:30", Days: []string{"SA"}}
	uncut := []string{"2026-03-28T02:00Z 23h30m0s"}
	if got := windows(t, s, "2026-03-28", "2026-03-30"); !slices.Equal(got, uncut) {
		t.Errorf("no start on Sunday: %s", got)
	}
	s.Days, s.ExceptDates = everyDay(), []string{"2026-03-29"}
	if got := windows(t, s, "2026-03-28T03:00Z", "2026-03-30"); !slices.Equal(got, uncut) {
		t.Errorf("Sunday is excepted: %s", got)
	}
}

// TestSkipped: what a change of the clocks leaves empty is told, once.
func TestSkipped(t *testing.T) {
	for _, c := range []struct{ zone, start, end, from, to, want string }{
		{"Europe/Amsterdam", "02:30", "03:15", "2026-03-01", "2026-12-01", "2026-03-29 2026-03-29T01:30Z"},
		{"Europe/Amsterdam", "02:30", "03:15", "2026-03-29T01:31Z", "2026-12-01", ""},
		{"Europe/Amsterdam", "02:30", "03:31", "2026-03-01", "2026-12-01", ""},
		{"Pacific/Apia", "22:00", "06:00", "2011-12-25", "2012-01-03", "2011-12-30 2011-12-31T08:00Z"},
		{"Pacific/Apia", "06:00", "22:00", "2011-12-25", "2012-01-03", "2011-12-30 2011-12-30T16:00Z"},
	} {
		var got []string
		r := compiled(t, Schedule{TimeZone: c.zone, Days: everyDay(), StartTime: c.start, EndTime: c.end})
		for s := range r.Skipped(at(t, c.from), at(t, c.to)) {
			got = append(got, s.Date+" "+s.Start.Format("2006-01-02T15:04Z"))
		}
		if g := strings.Join(got, ", "); g != c.want {
			t.Errorf("%s %s–%s: got %q, want %q", c.zone, c.start, c.end, g, c.want)
		}
	}
}

// TestNoSuchDate: a date that its zone left out has no window, not even one that
// nothing stands in the way of.
func TestNoSuchDate(t *testing.T) {
	s := Schedule{TimeZone: "Pacific/Apia", Days: []string{"FR"}, StartTime: "06:00", EndTime: "22:00"} // 30 December 2011 was to be one
	want := []string{"2011-12-23T16:00Z 16h0m0s", "2012-01-05T16:00Z 16h0m0s"}
	if got := windows(t, s, "2011-12-20", "2012-01-09"); !slices.Equal(got, want) {
		t.Errorf("%s", got)
	}
}

// TestFarFromUTC: a window is found from each of its moments, where its date is
// a day away from that in UTC as well.
func TestFarFromUTC(t *testing.T) {
	for _, c := range []struct{ zone, start, end, want string }{
		{"Etc/GMT+12", "23:59", "23:59", "2026-01-11T11:59Z 24h0m0s"}, // 12 hours behind
		{"Pacific/Kiritimati", "00:00", "00:01", "2026-01-09T10:00Z 1m0s"},
	} {
		s := Schedule{TimeZone: c.zone, RRule: "FREQ=DAILY;UNTIL=20260110", StartDate: "2026-01-10", StartTime: c.start, EndTime: c.end}
		w, _ := compiled(t, s).Next(at(t, "2026-01-01"))
		if got := written(w); got != c.want {
			t.Errorf("%s: %s, want %s", c.zone, got, c.want)
		}
		for _, from := range []time.Time{w.Start, w.Expiry.Add(-time.Second)} {
			found := 0
			for range compiled(t, s).Between(from, from.Add(time.Second)) {
				found++
			}
			if found != 1 {
				t.Errorf("%s: %d windows at %s", c.zone, found, from)
			}
		}
	}
}

// TestNext: the first that has not ended; half-open, with exceptions.
func TestNext(t *testing.T) {
	s := Schedule{TimeZone: "Europe/Amsterdam", Days: []string{"TH", "FR"}, StartDate: "2026-12-01", StartTime: "22:00", EndTime: "06:00",
		ExceptDates: []string{"2026-12-25", "2026-12-24"}}
	for after, want := range map[string]string{
		"1969-01-01":        "2026-12-03T21:00Z 8h0m0s", // the first Thursday from start_date on
		"2026-12-01":        "2026-12-03T21:00Z 8h0m0s",
		"2026-12-04T04:59Z": "2026-12-03T21:00Z 8h0m0s", // it is open
		"2026-12-04T05:00Z": "2026-12-04T21:00Z 8h0m0s", // it is over
		"2026-12-19T05:00Z": "2026-12-31T21:00Z 8h0m0s", // Christmas is excepted by the date of the start
	} {
		w, ok := compiled(t, s).Next(at(t, after))
		if got := written(w); !ok || got != want {
			t.Errorf("after %s: %s, want %s", after, got, want)
		}
	}
	if w, ok := compiled(t, s).Next(time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Errorf("past the year 9999: %s", written(w))
	}
	last, ok := compiled(t, s).Next(time.Date(9999, 12, 20, 12, 0, 0, 0, time.UTC))
	if _, err := last.Expiry.MarshalJSON(); !ok || err != nil {
		t.Errorf("the last of all: %v, %v", last, err)
	}
}

// TestRefused: every mistake names its attribute and says what to do.
func TestRefused(t *testing.T) {
	good := Schedule{TimeZone: "Europe/Amsterdam", Days: []string{"MO"}, StartTime: "22:00", EndTime: "06:00"}
	change := func(f func(*Schedule)) Schedule { s := good; f(&s); return s }
	zone := func(v string) Schedule { return change(func(s *Schedule) { s.TimeZone = v }) }
	rrule := func(v string) Schedule { return change(func(s *Schedule) { s.Days, s.RRule = nil, v }) }
	begun := func(v string) Schedule {
		return change(func(s *Schedule) { s.Days, s.RRule, s.StartDate = nil, v, "2026-11-01" })
	}
	for _, c := range []struct {
		attribute, says string
		s               Schedule
	}{
		{"time_zone", `"" is no time zone`, zone("")},
		{"time_zone", `"Local" is no time zone`, zone("Local")},
		{"time_zone", `"../../etc/passwd" is no time zone`, zone("../../etc/passwd")},
		{"time_zone", `"posix/Europe/Amsterdam" is no`, zone("posix/Europe/Amsterdam")},
		{"time_zone", `Did you mean "Europe/Amsterdam"?`, zone("Amsterdam")},
		{"time_zone", `Did you mean "Europe/Amsterdam"?`, zone("europe/amsterdam")},
		{"time_zone", `"Europe/Amsterdam\n" is no`, zone("Europe/Amsterdam\n")},
		{"days", "neither days nor rrule", change(func(s *Schedule) { s.Days = nil })},
		{"rrule", "both days and rrule", change(func(s *Schedule) { s.RRule = "FREQ=DAILY" })},
		{"days", `"Mon" is not a day`, change(func(s *Schedule) { s.Days = []string{"Mon"} })},
		{"start_time", `"25:00" is no time`, change(func(s *Schedule) { s.StartTime = "25:00" })},
		{"start_time", `"9:00" is no time`, change(func(s *Schedule) { s.StartTime = "9:00" })},
		{"start_time", `"22:00:00.5" is no time`, change(func(s *Schedule) { s.StartTime = "22:00:00.5" })},
		{"end_time", `midnight is "00:00"`, change(func(s *Schedule) { s.EndTime = "24:00" })},
		{"except_dates", `"2026-02-29" is no date`, change(func(s *Schedule) { s.ExceptDates = []string{"2026-02-28", "2026-02-29"} })},
		{"except_dates", "10001 dates are given", change(func(s *Schedule) { s.ExceptDates = make([]string, 10001) })},
		{"start_date", `"1969-12-31" is no date`, change(func(s *Schedule) { s.StartDate = "1969-12-31" })},
		{"rrule", "does not say FREQ", rrule("BYDAY=MO")},
		{"rrule", "FREQ=HOURLY is not", rrule("FREQ=HOURLY")},
		{"rrule", "it says FREQ twice", rrule("FREQ=DAILY;FREQ=DAILY")},
		{"rrule", `"RRULE:FREQ" is no part`, rrule("RRULE:FREQ=DAILY")},
		{"rrule", `"BYEASTER" is no part`, rrule("FREQ=YEARLY;BYEASTER=0")},
		{"rrule", `"" is no part`, rrule("FREQ=DAILY;")},
		{"rrule", "UNTIL=20261231", rrule("FREQ=DAILY;COUNT=3")},
		{"rrule", "start_time and end_time", rrule("FREQ=DAILY;BYHOUR=9")},
		{"rrule", "INTERVAL=0 is not", begun("FREQ=DAILY;INTERVAL=0")},
		{"rrule", "INTERVAL=-1 is not", begun("FREQ=DAILY;INTERVAL=-1")},
		{"rrule", "INTERVAL=1,2 is not", begun("FREQ=DAILY;INTERVAL=1,2")},
		{"rrule", "INTERVAL=9223372036854775807 is not", begun("FREQ=WEEKLY;INTERVAL=9223372036854775807")},
		{"rrule", "is the most", rrule("FREQ=WEEKLY;BYDAY=" + strings.Repeat("MO,", 10_000) + "MO")},
		{"rrule", "BYMONTH=13 is not", rrule("FREQ=DAILY;BYMONTH=13")},
		{"rrule", "BYMONTH=-1 is not", rrule("FREQ=DAILY;BYMONTH=-1")},
		{"rrule", "BYMONTHDAY=32 is not", rrule("FREQ=MONTHLY;BYMONTHDAY=32")},
		{"rrule", "BYSETPOS=0 is not", rrule("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0")},
		{"rrule", "BYSETPOS= is not", rrule("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=")},
		{"rrule", "BYDAY=XX is no day", rrule("FREQ=WEEKLY;BYDAY=XX")},
		{"rrule", "BYDAY=M is no day", rrule("FREQ=WEEKLY;BYDAY=M")},
		{"rrule", "BYDAY=0MO is no day", rrule("FREQ=MONTHLY;BYDAY=0MO")},
		{"rrule", "BYDAY=54MO is no day", rrule("FREQ=YEARLY;BYDAY=54MO")},
		{"rrule", "no month reaches: -6", rrule("FREQ=MONTHLY;BYDAY=-6MO,1TU")},
		{"rrule", "no month reaches: 6", rrule("FREQ=YEARLY;BYMONTH=3;BYDAY=6MO")},
		{"rrule", "the number in BYDAY", rrule("FREQ=WEEKLY;BYDAY=1MO")},
		{"rrule", "the number in BYDAY", rrule("FREQ=YEARLY;BYWEEKNO=2;BYDAY=1MO")},
		{"rrule", "BYWEEKNO goes with", rrule("FREQ=MONTHLY;BYWEEKNO=2;BYDAY=MO")},
		{"rrule", "BYYEARDAY goes with", rrule("FREQ=MONTHLY;BYYEARDAY=2")},
		{"rrule", "BYMONTHDAY does not go", rrule("FREQ=WEEKLY;BYMONTHDAY=2")},
		{"rrule", "which day of the week", rrule("FREQ=YEARLY;BYWEEKNO=2")},
		{"rrule", "nothing to choose from", rrule("FREQ=DAILY;BYSETPOS=1")},
		{"rrule", "WKST=1MO is no day", rrule("FREQ=WEEKLY;BYDAY=MO;WKST=1MO")},
		{"rrule", "UNTIL=20261301 is no date", rrule("FREQ=DAILY;UNTIL=20261301")},
		{"rrule", "a UTC time", rrule("FREQ=DAILY;UNTIL=20261201T220000")},
		{"rrule", "names no day at all", rrule("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30")},
		{"rrule", "names no day at all", rrule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")},
		{"rrule", "names no day at all", begun("FREQ=DAILY;UNTIL=20261031")},
		{"rrule", "names no day at all", begun("FREQ=YEARLY;INTERVAL=2;BYMONTHDAY=29;BYMONTH=2;BYDAY=MO;BYSETPOS=2")},
		{"start_date", "takes its day from it", rrule("FREQ=WEEKLY")},
		{"start_date", "takes its day from it", rrule("FREQ=MONTHLY;BYMONTH=2")},
		{"start_date", "takes its day from it", rrule("FREQ=YEARLY;BYMONTH=2")},
		{"start_date", "INTERVAL counts from it", rrule("FREQ=DAILY;INTERVAL=2")},
	} {
		_, err := c.s.Compile()
		var mistake *ScheduleError
		if !errors.As(err, &mistake) {
			t.Errorf("%+v: %v", c.s, err)
			continue
		}
		if all := mistake.Problem + ". " + mistake.Remedy; mistake.Attribute != c.attribute || !strings.Contains(all, c.says) || mistake.Remedy == "" {
			t.Errorf("%s: %s\nwant %s: … %s", mistake.Attribute, all, c.attribute, c.says)
		}
	}
}

// TestSame: order and repetition mean nothing, and Normal says so; keys tell
// everything apart.
func TestSame(t *testing.T) {
	s := Schedule{TimeZone: "UTC", Days: []string{"SU", "MO", "SU"}, StartTime: "22:00", EndTime: "06:00", ExceptDates: []string{"2026-12-26", "2026-12-25", "2026-12-26"}}
	n := s.Normal()
	if fmt.Sprint(n.Days, n.ExceptDates) != "[MO SU] [2026-12-25 2026-12-26]" || s.Days[0] != "SU" {
		t.Errorf("%+v, %+v", n, s)
	}
	if !slices.Equal(windows(t, s, "2026-11-01", "2027-02-01"), windows(t, n, "2026-11-01", "2027-02-01")) {
		t.Error("Normal means something else")
	}
	keys := map[string]bool{}
	for _, s := range []Schedule{s, n, {Days: []string{"a"}, ExceptDates: []string{"b"}}, {Days: []string{"a", "b"}}, {ExceptDates: []string{"a", "b"}}, {Days: []string{"1:a"}}, {TimeZone: "a"}, {RRule: "a"}, {StartDate: "a"}, {}} {
		if keys[s.Key()] {
			t.Errorf("%+v has the key of another", s)
		}
		keys[s.Key()] = true
	}
	shared := NewSchedules()
	one, err := shared.Share(n)
	two, _ := shared.Share(s)
	if err != nil || one != two {
		t.Errorf("compiled twice: %v", err)
	}
	if _, err := shared.Share(Schedule{}); err == nil {
		t.Error("a mistake is none when it is shared")
	}
}

// TestTheLastDayOfALeapYear: Go's own bounds of a zone's offset go back in time
// there, once its table has ended.
func TestTheLastDayOfALeapYear(t *testing.T) {
	for _, zone := range []string{"Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"} {
		for _, year := range []int{2028, 2040, 2044, 2096} {
			s := Schedule{TimeZone: zone, RRule: fmt.Sprintf("FREQ=DAILY;UNTIL=%d1231T230000Z", year), StartTime: "22:00", EndTime: "06:00"}
			r, err := s.Compile()
			if err != nil {
				t.Fatal(err)
			}
			w, ok := r.Next(time.Date(year, 12, 30, 23, 0, 0, 0, r.Location()))
			if local := w.Start.In(r.Location()); !ok || local.Hour() != 22 || local.Day() != 30 || w.Expiry.Sub(w.Start) != 8*time.Hour {
				t.Errorf("%s, %d: %v, %v", zone, year, w, ok)
			}
		}
	}
}
