package main

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/web"
)

// properties are those of one name in a calendar, in order.
func properties(b []byte, name string) (all []string) {
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

// TestAgendaGrows follows a window through its life: what a calendar shows of it
// has a later stamp and a higher sequence each time it is another, and asked for
// twice it is the same to the byte.
func TestAgendaGrows(t *testing.T) {
	night := reservation.Window{Start: in(3 * time.Hour), Expiry: in(10 * time.Hour)}
	content := &reservation.Content{Target: reservation.Target{EVSE: 1}, Expiry: night.Expiry}
	stored := func(at time.Time) *stand { return &stand{wanted: &reservation.Wanted{StoredAt: at}} }
	occurrence := func(p reservation.Phase, since time.Time, want *reservation.Content) reservation.Placed {
		return reservation.Placed{StationID: "S", Occurrence: &reservation.Occurrence{Key: reservation.Key{Workspace: "w", Address: "reservation.a", Start: night.Start},
			Window: night, Due: in(2 * time.Hour), Phase: p, Since: since, Want: want}}
	}
	longer := *content
	longer.Target.EVSE = 2
	last, previous := -1, []byte(nil)
	for _, x := range []struct {
		story string
		at    time.Time
		what  reservation.Placed
		of    *stand
		shown string
	}{
		{"declared", in(0), occurrence(reservation.Scheduled, in(-time.Hour), content), stored(in(-time.Hour)), "scheduled TENTATIVE S EVSE 1"},
		{"another EVSE", in(time.Hour), occurrence(reservation.Scheduled, in(-time.Hour), &longer), stored(in(time.Hour / 2)), "scheduled TENTATIVE S EVSE 2"},
		{"due", in(2*time.Hour + time.Minute), occurrence(reservation.Scheduled, in(-time.Hour), &longer), stored(in(time.Hour / 2)), "pending TENTATIVE S EVSE 2"},
		{"held", in(3 * time.Hour), occurrence(reservation.Held, in(2*time.Hour+2*time.Minute), &longer), stored(in(time.Hour / 2)), "reserved CONFIRMED S EVSE 2"},
		{"used", in(4 * time.Hour), occurrence(reservation.Fulfilled, in(4*time.Hour), &longer), stored(in(time.Hour / 2)), "fulfilled CONFIRMED S EVSE 2"},
		{"given back", in(5 * time.Hour), occurrence(reservation.Canceled, in(5*time.Hour), nil), &stand{}, "canceled CANCELLED S any EVSE"},
	} {
		made := func(at time.Time) []byte {
			a := &agenda{now: at, span: web.Span(at)}
			if err := a.take(x.of, []reservation.Placed{x.what}); err != nil {
				t.Fatal(err)
			}
			return web.Calendar("c", a.entries)
		}
		b := made(x.at)
		shown := strings.Join(slices.Concat(properties(b, "CATEGORIES"), properties(b, "STATUS"), properties(b, "LOCATION")), " ")
		n, err := strconv.Atoi(strings.Join(properties(b, "SEQUENCE"), " "))
		if shown != x.shown || err != nil || n <= last || !slices.Equal(properties(b, "DTSTAMP"), properties(b, "LAST-MODIFIED")) {
			t.Errorf("%s: sequence %d after %d (%v), %q\n%s", x.story, n, last, err, shown, b)
		}
		if again := made(x.at.Add(7 * time.Second)); !bytes.Equal(b, again) || bytes.Equal(b, previous) {
			t.Errorf("%s: seven seconds later\n%s\nbefore\n%s", x.story, again, previous)
		}
		last, previous = n, b
	}
}

// TestAgendaOfAMove: a calendar has one entry of a reservation that goes to
// another station, and that of the station which it leaves says so.
func TestAgendaOfAMove(t *testing.T) {
	night := reservation.Window{Start: in(3 * time.Hour), Expiry: in(10 * time.Hour)}
	half := func(station string, p reservation.Phase, want *reservation.Content) reservation.Placed {
		return reservation.Placed{StationID: station, Occurrence: &reservation.Occurrence{Key: reservation.Key{Workspace: "w", Address: "reservation.a", Start: night.Start}, Window: night, Phase: p, Since: in(0), Want: want}}
	}
	both := []reservation.Placed{half("A", reservation.Canceled, nil), half("B", reservation.Pending, &reservation.Content{Target: reservation.Target{EVSE: 1}})}
	for station, want := range map[string]string{"": "B EVSE 1 TENTATIVE", "A": "A any EVSE CANCELLED", "B": "B EVSE 1 TENTATIVE"} {
		a := &agenda{now: in(0), span: web.Span(in(0)), station: station}
		if err := a.take(&stand{}, both); err != nil {
			t.Fatal(err)
		}
		b := web.Calendar("c", a.entries)
		if got := strings.Join(slices.Concat(properties(b, "LOCATION"), properties(b, "STATUS")), " "); got != want {
			t.Errorf("of %q: %q, want %q", station, got, want)
		}
	}
}
