package main

import (
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

// What is over is not shown as held, even before its station has said so.
func TestOverIsNotHeld(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	e := reservation.Entry{Address: "reservation.van", StationID: "S", Phase: reservation.Held, ID: 7, Since: now.Add(-9 * time.Hour),
		Window: reservation.Window{Start: now.Add(-9 * time.Hour), Expiry: now.Add(-time.Hour)}}
	if got := entryCells(&e, false, clock{now: now, zone: time.UTC})[3]; !strings.HasPrefix(got, "over") {
		t.Errorf("shown as %q", got)
	}
	e.Window.Expiry = now.Add(time.Hour)
	if got := entryCells(&e, false, clock{now: now, zone: time.UTC})[3]; !strings.HasPrefix(got, "reserved since") {
		t.Errorf("shown as %q", got)
	}
}

// What nobody could ask for yet is pending once its window is open, at a
// station that was never there.
func TestNeverConnected(t *testing.T) {
	c := clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), zone: time.UTC}
	e := reservation.Entry{Address: "reservation.van", StationID: "S", Phase: reservation.Scheduled,
		Since: c.now, Window: reservation.Window{Start: c.now, Expiry: c.now.Add(time.Hour)}}
	if got := entryCells(&e, false, c)[3]; got != "pending since 09:00" {
		t.Errorf("shown as %q", got)
	}
	if got := stationText(&reservation.Station{ID: "S"}, c); got != "   never connected" {
		t.Errorf("shown as %q", got)
	}
}
