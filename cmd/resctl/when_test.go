package main

import (
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

func TestClock(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Skip("no zone data: ", err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	c := clock{now: at("2026-11-22 18:48"), zone: zone} // a Sunday
	for _, x := range []struct{ when, want string }{
		{"2026-11-22 22:00", "today 22:00"},
		{"2026-11-22 00:00", "today 00:00"},
		{"2026-11-23 06:00", "Mon 06:00"},
		{"2026-11-28 23:59", "Sat 23:59"},
		{"2026-11-29 00:00", "29 Nov 00:00"},
		{"2026-11-21 22:00", "21 Nov 22:00"},
		{"2026-12-06 18:48", "6 Dec 18:48"},
		{"2027-12-06 18:48", "6 Dec 2027 18:48"},
	} {
		if got := c.at(at(x.when)); got != x.want {
			t.Errorf("at(%s) = %q, want %q", x.when, got, x.want)
		}
	}
	for _, x := range []struct{ start, expiry, want string }{
		{"2026-11-22 22:00", "2026-11-23 06:00", "today 22:00 – Mon 06:00"},
		{"2026-11-22 20:00", "2026-11-22 22:00", "today 20:00 – 22:00"},
		{"2026-11-22 18:48", "2026-11-23 06:00", "now – Mon 06:00"},
		{"2026-11-21 18:00", "2026-11-21 20:00", "21 Nov 18:00 – 20:00"},
	} {
		if got := c.window(reservation.Window{Start: at(x.start), Expiry: at(x.expiry)}); got != x.want {
			t.Errorf("window(%s, %s) = %q, want %q", x.start, x.expiry, got, x.want)
		}
	}
	if got, want := c.full(c.now), "Sun 22 Nov 18:48 CET"; got != want {
		t.Errorf("full = %q, want %q", got, want)
	}
	if got, want := c.until(at("2026-11-22 22:00")), "3 h 12 m"; got != want {
		t.Errorf("until = %q, want %q", got, want)
	}
	// A day of 23 hours is one day.
	c = clock{now: time.Date(2026, 3, 28, 23, 30, 0, 0, zone), zone: zone}
	if got, want := c.at(time.Date(2026, 3, 29, 23, 0, 0, 0, zone)), "Sun 23:00"; got != want {
		t.Errorf("at after the clocks changed = %q, want %q", got, want)
	}
}

func TestDistance(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 300 * time.Millisecond: "300 ms", time.Second: "1 s", 59 * time.Second: "59 s",
		time.Minute: "1 m", 40 * time.Minute: "40 m", 59*time.Minute + 40*time.Second: "1 h",
		3*time.Hour + 12*time.Minute: "3 h 12 m", 8 * time.Hour: "8 h", 52 * time.Hour: "2 d 4 h", 24 * time.Hour: "1 d",
	} {
		if got := distance(d); got != want {
			t.Errorf("distance(%v) = %q, want %q", d, got, want)
		}
	}
}

// TestNamedZone: who may be elsewhere is told whose times they are.
func TestNamedZone(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	c := clock{now: time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC), zone: zone, named: true}
	if got, want := c.window(reservation.Window{Start: c.now.Add(time.Hour), Expiry: c.now.Add(7 * time.Hour)}), "today 23:00 CEST – Sun 04:00 CET"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
