package reservation_test

import (
	"archive/zip"
	"fmt"
	"go/build"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	. "github.com/resctl/resctl/reservation"
)

// ruled is a schedule whose windows begin at midnight UTC: what it gives are
// the dates of the rule.
func ruled(rule, start string) Schedule {
	return Schedule{TimeZone: "UTC", RRule: rule, StartDate: start, StartTime: "00:00", EndTime: "01:00"}
}

// first gives the first n dates at or after a day.
func first(r *Recurrence, n int, day time.Time) (dates []string) {
	for w := range r.Between(day, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)) {
		if dates = append(dates, w.Start.Format(time.DateOnly)); len(dates) == n {
			break
		}
	}
	return dates
}

// TestStandard: the examples of RFC 5545 section 3.8.5.3 that are about dates,
// with UNTIL where they have COUNT, and what the standard leaves to be thought.
func TestStandard(t *testing.T) {
	for _, c := range []struct{ rule, start, want string }{
		{"FREQ=DAILY;UNTIL=19970905", "1997-09-02", "1997-09-02 1997-09-03 1997-09-04 1997-09-05"},
		{"FREQ=DAILY;INTERVAL=2", "1997-09-02", "1997-09-02 1997-09-04 1997-09-06 1997-09-08"},
		{"FREQ=DAILY;INTERVAL=10", "1997-09-02", "1997-09-02 1997-09-12 1997-09-22 1997-10-02"},
		{"FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "1998-01-30", "1998-01-30 1998-01-31 1999-01-01 1999-01-02"},
		{"FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "1998-01-30", "1998-01-30 1998-01-31 1999-01-01 1999-01-02"},
		{"FREQ=WEEKLY", "1997-09-02", "1997-09-02 1997-09-09 1997-09-16 1997-09-23"},
		{"FREQ=WEEKLY;INTERVAL=2;WKST=SU", "1997-09-02", "1997-09-02 1997-09-16 1997-09-30 1997-10-14"},
		{"FREQ=WEEKLY;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997-09-02 1997-09-04 1997-09-09 1997-09-11"},
		{"FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR", "1997-09-01", "1997-09-01 1997-09-03 1997-09-05 1997-09-15"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997-08-05 1997-08-10 1997-08-19 1997-08-24"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997-08-05 1997-08-17 1997-08-19 1997-08-31"},
		{"FREQ=MONTHLY;BYDAY=1FR", "1997-09-05", "1997-09-05 1997-10-03 1997-11-07 1997-12-05"},
		{"FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU,-1SU", "1997-09-07", "1997-09-07 1997-09-28 1997-11-02 1997-11-30"},
		{"FREQ=MONTHLY;BYDAY=-2MO", "1997-09-22", "1997-09-22 1997-10-20 1997-11-17 1997-12-22"},
		{"FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28", "1997-09-28 1997-10-29 1997-11-28 1997-12-29"},
		{"FREQ=MONTHLY;BYMONTHDAY=2,15", "1997-09-02", "1997-09-02 1997-09-15 1997-10-02 1997-10-15"},
		{"FREQ=MONTHLY;BYMONTHDAY=1,-1", "1997-09-30", "1997-09-30 1997-10-01 1997-10-31 1997-11-01"},
		{"FREQ=MONTHLY;INTERVAL=18;BYMONTHDAY=10,11,12,13,14,15", "1997-09-10", "1997-09-10 1997-09-11 1997-09-12 1997-09-13"},
		{"FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "1997-09-02", "1997-09-02 1997-09-09 1997-09-16 1997-09-23"},
		{"FREQ=YEARLY;BYMONTH=6,7", "1997-06-10", "1997-06-10 1997-07-10 1998-06-10 1998-07-10"},
		{"FREQ=YEARLY;INTERVAL=2;BYMONTH=1,2,3", "1997-03-10", "1997-03-10 1999-01-10 1999-02-10 1999-03-10"},
		{"FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200", "1997-01-01", "1997-01-01 1997-04-10 1997-07-19 2000-01-01"},
		{"FREQ=YEARLY;BYDAY=20MO", "1997-05-19", "1997-05-19 1998-05-18 1999-05-17 2000-05-15"},
		{"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12", "1997-05-12 1998-05-11 1999-05-17 2000-05-15"},
		{"FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "1997-03-13", "1997-03-13 1997-03-20 1997-03-27 1998-03-05"},
		{"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1997-09-02", "1998-02-13 1998-03-13 1998-11-13 1999-08-13"},
		{"FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "1997-09-13", "1997-09-13 1997-10-11 1997-11-08 1997-12-13"},
		{"FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05", "1996-11-05 2000-11-07 2004-11-02 2008-11-04"},
		{"FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "1997-09-04 1997-10-07 1997-11-06 1997-12-04"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29", "1997-09-29 1997-10-30 1997-11-27 1997-12-30"},
		{"FREQ=MONTHLY;BYMONTHDAY=15,30", "2007-01-15", "2007-01-15 2007-01-30 2007-02-15 2007-03-15"},

		{"FREQ=MONTHLY", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31 2026-07-31"},                          // short months have none
		{"FREQ=YEARLY", "2024-02-29", "2024-02-29 2028-02-29 2032-02-29 2036-02-29"},                           // nor have other years
		{"FREQ=DAILY;UNTIL=20260103", "2026-01-01", "2026-01-01 2026-01-02 2026-01-03"},                        // the date is the last
		{"FREQ=DAILY;UNTIL=20260103T000000Z", "2026-01-01", "2026-01-01 2026-01-02 2026-01-03"},                // so is the moment
		{"FREQ=DAILY;UNTIL=20260102T235959Z", "2026-01-01", "2026-01-01 2026-01-02"},                           //
		{"FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", "2026-01-07", "2026-01-12 2026-01-19 2026-01-26"},            // Wednesday is second of its week
		{"FREQ=MONTHLY;BYDAY=MO,1TU", "2026-01-05", "2026-01-05 2026-01-06 2026-01-12 2026-01-19"},             // either
		{"FREQ=YEARLY;BYWEEKNO=53;BYDAY=SA,SU", "2009-01-01", "2010-01-02 2010-01-03 2016-01-02 2016-01-03"},   // 1 January 2011 is in week 52
		{"FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "2024-01-01", "2024-01-01 2024-12-30 2025-12-29 2027-01-04"},       // by the calendar's year
		{"FREQ=YEARLY;BYWEEKNO=-53;BYDAY=MO", "2014-06-01", "2014-12-29 2019-12-30 2025-12-29 2031-12-29"},     // the 53rd from the end is week 1, of a long year
		{"freq=weekly;byday=mo", "2026-01-01", "2026-01-05 2026-01-12"},                                        // no case
		{"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=100", "2000-01-01", "2000-02-29 2400-02-29 2800-02-29"}, // the calendar's own period
	} {
		got := first(compiled(t, ruled(c.rule, c.start)), strings.Count(c.want, " ")+1, at(t, "1990-01-01"))
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.rule, g, c.want)
		}
	}
}

// TestWithoutEnd: a rule goes on after the calendar has repeated itself.
func TestWithoutEnd(t *testing.T) {
	if n := len(first(compiled(t, ruled("FREQ=YEARLY", "1970-01-01")), 1000, at(t, "1970-01-01"))); n != 1000 {
		t.Errorf("%d years", n)
	}
}

// TestUntilInZone: a UTC time ends a schedule by when its windows start, not by
// their local dates.
func TestUntilInZone(t *testing.T) {
	for _, c := range []struct{ until, zone, start, want string }{
		{"20260103T120000Z", "Pacific/Auckland", "00:30", "2026-01-03T11:30Z"}, // that is 4 January there
		{"20260103T112959Z", "Pacific/Auckland", "00:30", "2026-01-02T11:30Z"},
		{"20260103T070000Z", "America/Los_Angeles", "23:00", "2026-01-03T07:00Z"}, // 2 January there
		{"20260103T065959Z", "America/Los_Angeles", "23:00", "2026-01-02T07:00Z"},
		{"20260103", "America/Los_Angeles", "23:00", "2026-01-04T07:00Z"},
	} {
		s := Schedule{TimeZone: c.zone, RRule: "FREQ=DAILY;UNTIL=" + c.until, StartTime: c.start, EndTime: c.start}
		got := windows(t, s, "2026-01-01", "2026-02-01")
		if last := strings.Fields(got[len(got)-1])[0]; last != c.want {
			t.Errorf("%s in %s: the last is %s, want %s", c.until, c.zone, last, c.want)
		}
	}
}

// TestWeeks: BYWEEKNO agrees with Go's ISO weeks on every day of 400 years.
func TestWeeks(t *testing.T) {
	for _, n := range []int{1, 2, 52, 53, -1, -2, -52, -53} {
		r := compiled(t, ruled(fmt.Sprintf("FREQ=YEARLY;BYWEEKNO=%d;BYDAY=MO,TU,WE,TH,FR,SA,SU", n), "2000-01-01"))
		named := map[string]bool{}
		for w := range r.Between(at(t, "2000-01-01"), at(t, "2400-01-01")) {
			named[w.Start.Format(time.DateOnly)] = true
		}
		for day := at(t, "2000-01-01"); day.Year() < 2400; day = day.AddDate(0, 0, 1) {
			year, week := day.ISOWeek()
			_, weeks := time.Date(year, time.December, 28, 0, 0, 0, 0, time.UTC).ISOWeek()
			if d := day.Format(time.DateOnly); (week == n || week == weeks+1+n) != named[d] {
				t.Fatalf("BYWEEKNO=%d: %s is in week %d of %d, and named: %v", n, d, week, weeks, named[d])
			}
		}
	}
}

// drawRule draws a rule that the standard permits and rrule-go reads as it
// does: it is wrong about the weeks at the ends of a year, and takes MO,1TU for
// days that are both.
func drawRule(t *rapid.T) string {
	freq := rapid.SampledFrom([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}).Draw(t, "freq")
	rule := "FREQ=" + freq
	maybe := func(key string, values ...string) bool {
		if rapid.IntRange(0, 2).Draw(t, "has "+key) != 0 {
			return false
		}
		rule += ";" + key + "=" + strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(values), 1, 4, rapid.ID).Draw(t, key), ",")
		return true
	}
	numbers := func(from ...int) (list []string) {
		for _, n := range from {
			list = append(list, fmt.Sprint(n))
		}
		return list
	}
	byMonth := maybe("BYMONTH", numbers(1, 2, 3, 6, 10, 11, 12)...)
	some := byMonth
	if freq != "WEEKLY" {
		some = maybe("BYMONTHDAY", numbers(1, 2, 13, 28, 29, 30, 31, -1, -3, -29, -30, -31)...) || some
	}
	byWeek := false
	if freq == "YEARLY" {
		some = maybe("BYYEARDAY", numbers(1, 60, 61, 100, 365, 366, -1, -306, -366)...) || some
		byWeek = maybe("BYWEEKNO", numbers(1, 2, 9, 20, 51, -1, -5)...)
	}
	days := everyDay()
	if (freq == "MONTHLY" || freq == "YEARLY") && !byWeek && rapid.Bool().Draw(t, "numbered") {
		days = []string{"1MO", "-1MO", "2TU", "5WE", "-5TH", "3SU", "-2SA"}
		if freq == "YEARLY" && !byMonth {
			days = append(days, "20MO", "53TU", "-53WE", "52SU")
		}
	}
	if byWeek {
		rule += ";BYDAY=" + rapid.SampledFrom(days).Draw(t, "day")
		some = true
	} else {
		some = maybe("BYDAY", days...) || some
	}
	if some {
		maybe("BYSETPOS", numbers(1, 2, 3, 10, -1, -2, -7)...)
	}
	if rapid.Bool().Draw(t, "has INTERVAL") {
		rule += fmt.Sprintf(";INTERVAL=%d", rapid.IntRange(1, 7).Draw(t, "INTERVAL"))
	}
	if rapid.IntRange(0, 2).Draw(t, "has WKST") == 0 {
		rule += ";WKST=" + rapid.SampledFrom(everyDay()).Draw(t, "WKST")
	}
	return rule
}

// walked are the dates that rrule-go finds when it walks from the beginning.
func walked(t rapid.TB, rule string, start, until time.Time) (dates []string) {
	o, err := rrule.StrToROption(rule)
	if err != nil {
		t.Fatal(err)
	}
	if o.Until.IsZero() || o.Until.After(until) {
		o.Until = until
	}
	o.Dtstart = start
	for o.Freq == rrule.WEEKLY && len(o.Bysetpos) > 0 && (int(o.Dtstart.Weekday())+6)%7 != o.Wkst.Day() {
		if len(o.Byweekday) == 0 {
			o.Byweekday = []rrule.Weekday{[]rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}[start.Weekday()]}
		}
		o.Dtstart = o.Dtstart.AddDate(0, 0, -1) // it would count from the middle of the first week
	}
	r, err := rrule.NewRRule(*o)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.All() {
		if !d.Before(start) {
			dates = append(dates, d.Format(time.DateOnly))
		}
	}
	return dates
}

// TestRules: from any day on, a rule names what rrule-go finds by walking from
// its beginning; a rule that is refused for naming nothing names nothing there.
func TestRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(1996, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 9*365).Draw(t, "start"))
		horizon := start.AddDate(70, 0, 0)
		rule := drawRule(t)
		if rapid.IntRange(0, 3).Draw(t, "has UNTIL") == 0 {
			rule += ";UNTIL=" + start.AddDate(0, 0, rapid.IntRange(0, 20_000).Draw(t, "UNTIL")).Format("20060102")
		}
		want := walked(t, rule, start, horizon)
		s := ruled(rule, start.Format(time.DateOnly))
		r, err := s.Compile()
		if err != nil {
			if !strings.Contains(err.Error(), "names no day") || len(want) > 0 {
				t.Fatalf("%s from %s: %v, but there are %v", rule, s.StartDate, err, want)
			}
			return
		}
		day := start.AddDate(0, 0, rapid.IntRange(-10, 365*69).Draw(t, "day"))
		end := day.AddDate(0, 0, rapid.IntRange(1, 800).Draw(t, "days"))
		if end.After(horizon) {
			end = horizon
		}
		want = slices.DeleteFunc(want, func(d string) bool {
			return d < day.Format(time.DateOnly) || d >= end.Format(time.DateOnly)
		})
		var got []string
		for w := range r.Between(day, end) {
			got = append(got, w.Start.Format(time.DateOnly))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s from %s, between %s and %s:\ngot  %v\nwant %v", rule, s.StartDate, day, end, got, want)
		}
	})
}

// TestZones: the names are those of the zone data that comes with Go, and each
// can be loaded. After an update of Go: write zones.txt anew from this list.
func TestZones(t *testing.T) {
	data, err := zip.OpenReader(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	var carried []string
	for _, f := range data.File {
		if !strings.HasSuffix(f.Name, "/") && f.Name != "Factory" { // Factory says that no zone was set
			carried = append(carried, f.Name)
		}
	}
	slices.Sort(carried)
	if !slices.Equal(carried, TimeZones()) {
		t.Errorf("zones.txt is not what Go carries:\n%s", strings.Join(carried, "\n"))
	}
	for _, zone := range TimeZones() {
		compiled(t, Schedule{TimeZone: zone, Days: []string{"MO"}, StartTime: "22:00", EndTime: "06:00"})
	}
}
