package main

import (
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// clock writes times down as seen at a moment, in a zone. It is pure.
type clock struct {
	now   time.Time
	zone  *time.Location
	named bool // the zone is said with each time, for readers who may be in another
}

// write puts down a time, which is in the zone.
func (c clock) write(t time.Time, layout string) string {
	if c.named {
		layout += " MST"
	}
	return t.Format(layout)
}

// full is a moment with its day, for headings: "Sun 22 Nov 18:48 CET".
func (c clock) full(t time.Time) string { return t.In(c.zone).Format("Mon 2 Jan 15:04 MST") }

// at is a moment as short as it stays clear: "today 22:00", "Mon 06:00" within
// the days to come, "6 Dec 18:48" this year, "6 Dec 2027 18:48" beyond.
func (c clock) at(t time.Time) string {
	t, now := t.In(c.zone), c.now.In(c.zone)
	switch days := daysBetween(now, t); {
	case days == 0:
		return c.write(t, "today 15:04")
	case days > 0 && days < 7:
		return c.write(t, "Mon 15:04")
	case t.Year() == now.Year():
		return c.write(t, "2 Jan 15:04")
	}
	return c.write(t, "2 Jan 2006 15:04")
}

// since is a moment that has passed: the time of day alone where it is today's.
func (c clock) since(t time.Time) string {
	if daysBetween(c.now.In(c.zone), t.In(c.zone)) == 0 {
		return c.write(t.In(c.zone), "15:04")
	}
	return c.at(t)
}

// window is a span: "today 22:00 – Mon 06:00"; "now – …" once it has begun.
func (c clock) window(w reservation.Window) string {
	if !w.Start.After(c.now) && w.Expiry.After(c.now) {
		return "now – " + c.at(w.Expiry)
	}
	return c.span(w)
}

// exact is a moment to the second: what comes soon.
func (c clock) exact(t time.Time) string {
	if daysBetween(c.now.In(c.zone), t.In(c.zone)) == 0 {
		return c.write(t.In(c.zone), "15:04:05")
	}
	return c.at(t)
}

// span is a window by its two moments, whether it has begun or not.
func (c clock) span(w reservation.Window) string {
	return c.at(w.Start) + " – " + c.after(w.Start, w.Expiry)
}

// after is a moment that is read behind another: its day is said only if it is
// another day.
func (c clock) after(first, t time.Time) string {
	if daysBetween(first.In(c.zone), t.In(c.zone)) == 0 {
		return c.write(t.In(c.zone), "15:04")
	}
	return c.at(t)
}

// until is how far away a moment is, in whole seconds.
func (c clock) until(t time.Time) string { return distance(max(time.Second, t.Sub(c.now))) }

// ago is how long ago a moment was, in whole seconds.
func (c clock) ago(t time.Time) string { return distance(max(time.Second, c.now.Sub(t))) }

// daysBetween counts midnights from a to b, which are in one zone.
func daysBetween(a, b time.Time) int {
	noon := func(t time.Time) time.Time { // days have 23 to 25 hours
		return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC)
	}
	return int(noon(b).Sub(noon(a)).Hours() / 24)
}

// distance writes a duration in its two largest units: "3 h 12 m", "40 m", "12 s", "300 ms".
func distance(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	}
	d = d.Round(time.Minute)
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0:
		return units(days, "d", hours, "h")
	case hours > 0:
		return units(hours, "h", minutes, "m")
	}
	return fmt.Sprintf("%d m", minutes)
}

func units(n int, unit string, m int, smaller string) string {
	if m == 0 {
		return fmt.Sprintf("%d %s", n, unit)
	}
	return fmt.Sprintf("%d %s %d %s", n, unit, m, smaller)
}
