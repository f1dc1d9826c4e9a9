package main

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

// everyManner is a chart with an occurrence of each phase, and two that share
// their place.
func everyManner() *timeline {
	t := &timeline{From: in(-2 * time.Hour), Until: in(22 * time.Hour), Now: sunday, place: place{workspace: "depot-a", state: "resctl.db"}}
	rows := map[placeOfRow]*row{}
	add := func(evse int, name string, start, end time.Duration, amiss time.Time, edit func(*reservation.Occurrence)) {
		content := &reservation.Content{Target: reservation.Target{EVSE: evse}, Expiry: in(end)}
		o := &reservation.Occurrence{Key: reservation.Key{Workspace: "w", Address: "reservation." + name, Start: in(start)}, Due: in(start), Since: in(start),
			Window: reservation.Window{Start: in(start), Expiry: in(end)}, Want: content, Phase: reservation.Scheduled}
		edit(o)
		t.put(rows, reservation.Placed{StationID: "DEPOT-A-01", Occurrence: o}, &stand{amiss: amiss}, nil)
	}
	phase := func(p reservation.Phase, since time.Duration, held bool) func(*reservation.Occurrence) {
		return func(o *reservation.Occurrence) {
			o.Phase, o.Since, o.EverHeld = p, in(since), held
			if p == reservation.Held {
				o.ID, o.Held, o.AskedAt = 7, o.Want, in(since)
			}
		}
	}
	none := time.Time{}
	add(1, "held", -time.Hour, 8*time.Hour, none, phase(reservation.Held, -time.Hour, true))
	add(1, "next", 8*time.Hour, 16*time.Hour, none, phase(reservation.Scheduled, -time.Hour, false))
	add(2, "late", -90*time.Minute, 8*time.Hour, none, phase(reservation.Held, -10*time.Minute, true))
	add(3, "overdue", -90*time.Minute, 8*time.Hour, in(-90*time.Minute), phase(reservation.Pending, -time.Minute, false))
	add(4, "used", -100*time.Minute, 4*time.Hour, none, phase(reservation.Fulfilled, -30*time.Minute, true))
	add(5, "no_show", -5*time.Hour, 4*time.Hour, none, phase(reservation.NoShow, -30*time.Minute, true))
	add(6, "dropped", -time.Hour, 4*time.Hour, none, phase(reservation.Dropped, -30*time.Minute, true))
	add(7, "missed", -3*time.Hour, -time.Hour, none, phase(reservation.Missed, -time.Hour, false))
	add(8, "canceled", -3*time.Hour, 5*time.Hour, none, phase(reservation.Canceled, -time.Hour, false))
	add(9, "let_go", -3*time.Hour, 5*time.Hour, none, phase(reservation.Canceled, -time.Hour, true))
	add(10, "update", -time.Hour, 8*time.Hour, in(-20*time.Minute), phase(reservation.Held, -20*time.Minute, true))
	add(0, "one", time.Hour, 10*time.Hour, none, phase(reservation.Scheduled, -time.Hour, false))
	add(0, "two", 2*time.Hour, 12*time.Hour, none, phase(reservation.Scheduled, -time.Hour, false))
	add(0, "far_away", 48*time.Hour, 49*time.Hour, none, phase(reservation.Scheduled, -time.Hour, false))
	for evse := 1; evse <= 11; evse++ { // the last of which is any of them
		at := reservation.Target{EVSE: evse % 11}
		t.Rows = append(t.Rows, *t.row(rows, "DEPOT-A-01", at))
	}
	return t
}

// TestTimelineText looks at the chart in every width, without and with colour.
func TestTimelineText(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		ascii bool
		color bool
	}{{"80", 80, false, false}, {"200", 200, false, false}, {"ascii", 0, true, false}, {"narrow", 30, false, false}, {"color", 80, false, true}} {
		var got bytes.Buffer
		v := textViewOn(&got, c.width)
		v.out.color = c.color
		chart := everyManner()
		chart.ascii = c.ascii
		v.About(chart)
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("testdata/timeline-%s.golden", c.name), got.Bytes())
		for _, line := range strings.Split(got.String(), "\n")[1:14] {
			if n := cells(line); n > max(c.width, 80) && !c.color {
				t.Errorf("%s: %d columns: %s", c.name, n, line)
			}
		}
		for _, r := range got.String() {
			if c.ascii && r > 0x7e {
				t.Errorf("%q is not ASCII", r)
			}
		}
	}
}

// TestTicks: they have room, and are at local times, on days of 23 and 25 hours too.
func TestTicks(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Skip(err)
	}
	for _, from := range []time.Time{time.Date(2026, 3, 28, 22, 10, 0, 0, zone), time.Date(2026, 10, 24, 22, 10, 0, 0, zone)} {
		for _, d := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 400 * 24 * time.Hour} {
			for _, columns := range []int{20, 70, 190} {
				ch := &chart{timeline: &timeline{From: from, Until: from.Add(d)}, clock: clock{now: from, zone: zone}, columns: columns}
				last := -8
				for _, x := range ch.ticks() {
					if at := ch.column(x); at < last+5 || x.Before(from) || !x.Before(ch.Until) {
						t.Errorf("%v %v %d: %v at %d behind %d", from, d, columns, x, at, last)
					} else {
						last = at
					}
				}
			}
		}
	}
}

// TestZonesOf: a station is where most of its schedules are.
func TestZonesOf(t *testing.T) {
	known := map[named]*stand{{"w", "gone"}: {}}
	for i, zone := range []string{"Europe/Paris", "America/New_York", "Europe/Paris", "UTC", ""} {
		w := &reservation.Wanted{}
		w.StationID = "S"
		if i == 3 {
			w.StationID = "T"
		}
		if zone != "" {
			w.When.Schedule = &reservation.Schedule{TimeZone: zone}
		}
		known[named{"w", strconv.Itoa(i)}] = &stand{wanted: w}
	}
	if got, want := zonesOf(known), map[string]string{"S": "Europe/Paris", "T": "UTC"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
