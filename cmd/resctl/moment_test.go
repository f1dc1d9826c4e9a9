package main

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	c := clock{now: sunday, zone: time.UTC}
	for text, want := range map[string]time.Time{
		"2h": in(-2 * time.Hour), "+2h": in(2 * time.Hour), "1d": in(-24 * time.Hour), "1d12h": in(-36 * time.Hour), "18:00": in(-48 * time.Minute),
		"2026-11-22T18:48:00+01:00": in(-time.Hour), "2026-11-22": in(-18*time.Hour - 48*time.Minute), "2026-11-22 18:00": in(-48 * time.Minute),
	} {
		if got, err := c.moment(text, -1); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "25:00", "2026-13-01", "99999999999999d", "d"} {
		if got, err := c.moment(text, -1); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
