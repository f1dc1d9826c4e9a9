package main

import (
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// TestNextStep goes through what can be next.
func TestNextStep(t *testing.T) {
	c := clock{now: sunday, zone: time.UTC}
	night := reservation.Window{Start: in(3 * time.Hour), Expiry: in(10 * time.Hour)}
	content := &reservation.Content{Expiry: night.Expiry}
	type occ = reservation.Occurrence
	wait := func(r reservation.Reason, until time.Time) *reconcile.Outstanding {
		return &reconcile.Outstanding{Reason: r, Until: until}
	}
	for want, s := range map[string]*story{
		"nothing: no station was ever asked for it":                                    {},
		"opens in 3 h (today 21:48)":                                                   {occurrence: &occ{Phase: reservation.Scheduled, Window: night, Due: night.Start}},
		"asked for in 2 h (today 20:48), ahead of its window":                          {occurrence: &occ{Phase: reservation.Scheduled, Window: night, Due: in(2 * time.Hour)}},
		"held until Mon 04:48":                                                         {occurrence: &occ{Phase: reservation.Held, Held: content}},
		"let go today 19:48 unless its driver comes before; its window ends Mon 04:48": {occurrence: &occ{Phase: reservation.Held, Held: content, NoShowAt: in(time.Hour)}},
		"its window is over: it ends when S is heard":                                  {occurrence: &occ{Phase: reservation.Held, Held: &reservation.Content{Expiry: sunday}}},
		"asked for when S connects":                                                    {occurrence: &occ{Phase: reservation.Pending, Want: content}, waiting: wait(reservation.BecauseOffline, time.Time{})},
		"canceled when S connects":                                                     {occurrence: &occ{Phase: reservation.Canceling}, waiting: wait(reservation.BecauseUnwanted, time.Time{})},
		"tried again at 18:48:40 at the latest (in 40 s)":                              {occurrence: &occ{Phase: reservation.Pending, Want: content}, waiting: wait(reservation.BecauseOccupied, in(40*time.Second))},
		"asked again when something about the station changes; it may take none but those that name an EVSE (evse_id)": {occurrence: &occ{Phase: reservation.Pending, Want: content}, waiting: wait(reservation.BecauseRejected, time.Time{}), online: true},
		"asked again after its next boot":                                            {occurrence: &occ{Phase: reservation.Pending, Want: content}, waiting: wait(reservation.BecauseUnsupported, time.Time{})},
		"nothing: its driver has used it":                                            {occurrence: &occ{Phase: reservation.Fulfilled}, Phase: reservation.Fulfilled},
		"nothing: its driver did not come":                                           {occurrence: &occ{Phase: reservation.NoShow}, Phase: reservation.NoShow},
		"nothing: its window is over, and it was never held":                         {occurrence: &occ{Phase: reservation.Missed}, Phase: reservation.Missed},
		`nothing: on_removed is "report"; resctl apply --replace a asks for it anew`: {Address: "reservation.a", occurrence: &occ{Phase: reservation.Dropped}, Phase: reservation.Dropped},
	} {
		s.StationID = "S"
		if got := nextStep(s, c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
