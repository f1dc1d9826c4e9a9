package reservation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/resctl/resctl/reservation"
)

// FuzzSchedule: whatever is written, it is refused with a remedy or gives
// windows that are not empty, in order, apart, and the same however one asks.
func FuzzSchedule(f *testing.F) {
	for _, s := range [][7]string{
		{"Europe/Amsterdam", "SU,MO", "", "", "22:00", "06:00", "2026-12-25"},
		{"Europe/Amsterdam", "", "FREQ=DAILY", "", "03:00", "02:30", ""},
		{"Pacific/Apia", "", "FREQ=MONTHLY;BYDAY=MO,-1SU;BYSETPOS=-1", "", "00:00", "00:00", ""},
		{"Africa/Casablanca", "", "FREQ=WEEKLY;INTERVAL=3;UNTIL=20301231T230000Z;WKST=SU", "2001-02-28", "02:00:30", "03:00", ""},
		{"Asia/Kathmandu", "", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=7", "2000-02-29", "23:59", "00:01", ""},
		{"America/Sao_Paulo", "", "FREQ=YEARLY;BYWEEKNO=53,-53;BYDAY=FR;BYSETPOS=1,2", "", "00:00", "06:00", ""},
		{"UTC", "", "FREQ=DAILY;INTERVAL=10000;BYMONTH=2;BYMONTHDAY=30", "9999-01-01", "00:00", "06:00", "1970-01-01"},
	} {
		f.Add(s[0], s[1], s[2], s[3], s[4], s[5], s[6], int64(1_774_746_000))
	}
	f.Fuzz(func(t *testing.T, zone, days, rule, date, start, end, except string, after int64) {
		s := Schedule{TimeZone: zone, RRule: rule, StartDate: date, StartTime: start, EndTime: end}
		if days != "" {
			s.Days = strings.Split(days, ",")
		}
		if except != "" {
			s.ExceptDates = strings.Split(except, ",")
		}
		r, err := s.Compile()
		if err != nil {
			var mistake *ScheduleError
			if !errors.As(err, &mistake) || mistake.Attribute == "" || mistake.Remedy == "" {
				t.Fatalf("refused without a remedy: %v", err)
			}
			return
		}
		from := time.Unix(after%253_402_300_800, 0) // years about 1970, to 9999
		begun := time.Now()
		var before Window
		for i := range 5 {
			w, ok := r.Next(from)
			if !ok {
				break
			}
			if !w.Start.Before(w.Expiry) || !w.Expiry.After(from) || w.Expiry.Sub(w.Start) > 49*time.Hour {
				t.Fatalf("after %s: %v", from, w)
			}
			if i > 0 && w.Start.Before(before.Expiry) {
				t.Fatalf("%v overlaps %v", before, w)
			}
			if _, err := w.Expiry.MarshalJSON(); err != nil {
				t.Fatal(err)
			}
			for o := range r.Between(w.Start, w.Expiry) {
				if o != w {
					t.Fatalf("Between has %v, and Next %v", o, w)
				}
			}
			before, from = w, w.Expiry
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Fatalf("five windows took %s", took)
		}
	})
}

// BenchmarkSchedules: two weeks of 2,000 schedules, each with a zone, a rule
// and times of its own.
func BenchmarkSchedules(b *testing.B) {
	zones, all := TimeZones(), []*Recurrence{}
	rules := []string{"FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
		"FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "FREQ=YEARLY;BYMONTH=11,12;BYDAY=SA,SU", "FREQ=YEARLY;BYWEEKNO=47,48;BYDAY=MO", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"}
	for i := range 2000 {
		s := Schedule{TimeZone: zones[i%len(zones)], StartDate: "2001-01-01", StartTime: time.Unix(int64(i*37), 0).UTC().Format("15:04"), EndTime: "06:00"}
		if i%2 == 0 {
			s.Days = everyDay()[i%6:]
		} else {
			s.RRule = rules[i/2%len(rules)]
		}
		r, err := s.Compile()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, r)
	}
	from := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		n := 0
		for _, r := range all {
			for range r.Between(from, from.AddDate(0, 0, 14)) {
				n++
			}
		}
		b.ReportMetric(float64(n), "windows")
	}
}

// BenchmarkNext: the first window after a day, by when that is. What a year far
// from start_date costs more is Go's reckoning of zones, which have tables to 2037.
func BenchmarkNext(b *testing.B) {
	for _, year := range []int{2001, 2090} {
		for _, rule := range []string{"FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"} {
			r := compiled(b, Schedule{TimeZone: "Europe/Amsterdam", RRule: rule, StartDate: "2000-01-01", StartTime: "22:00", EndTime: "06:00"})
			b.Run(rule+"/"+time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006"), func(b *testing.B) {
				for b.Loop() {
					r.Next(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC))
				}
			})
		}
	}
}

// BenchmarkCompile: reading one, sharing one, and refusing the dearest.
func BenchmarkCompile(b *testing.B) {
	s := Schedule{TimeZone: "Europe/Amsterdam", Days: []string{"MO", "TU"}, StartTime: "22:00", EndTime: "06:00"}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			s.Compile()
		}
	})
	b.Run("another in a known zone", func(b *testing.B) {
		shared := NewSchedules()
		for i := 0; b.Loop(); i++ {
			other := s
			other.ExceptDates = []string{time.Unix(int64(i)*86_400, 0).UTC().Format(time.DateOnly)}
			if _, err := shared.Share(other); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("shared", func(b *testing.B) {
		shared := NewSchedules()
		for b.Loop() {
			shared.Share(s)
		}
	})
	for _, rule := range []string{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYWEEKNO=1,-1;BYDAY=MO;BYMONTHDAY=15;BYSETPOS=1"} {
		b.Run(rule, func(b *testing.B) {
			never := Schedule{TimeZone: "UTC", RRule: rule, StartTime: "22:00", EndTime: "06:00"}
			for b.Loop() {
				if _, err := never.Compile(); err == nil {
					b.Fatal("it names something")
				}
			}
		})
	}
}
