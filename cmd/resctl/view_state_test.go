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
	if got := entryCells(&e, false, clock{now, time.UTC})[3]; !strings.HasPrefix(got, "over") {
		t.Errorf("shown as %q", got)
	}
	e.Window.Expiry = now.Add(time.Hour)
	if got := entryCells(&e, false, clock{now, time.UTC})[3]; !strings.HasPrefix(got, "reserved since") {
		t.Errorf("shown as %q", got)
	}
}
