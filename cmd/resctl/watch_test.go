package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// declare stores reservations of the workspace, and no others.
func declare(t *testing.T, w *workplace, d ...reservation.Declaration) {
	t.Helper()
	plan, err := w.Plan(t.Context(), reconcile.Desired{Workspace: "depot", Reservations: d})
	if err == nil {
		_, err = w.Propose(t.Context(), plan, reconcile.ProposeOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func takenOver(t *testing.T) *workplace {
	t.Helper()
	w, err := takeOver(t.Context(), filepath.Join(t.TempDir(), "resctl.db"), reconcile.DefaultSettings(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func nightly(t *testing.T) reservation.Declaration {
	t.Helper()
	s := &reservation.Schedule{TimeZone: "UTC", StartTime: "22:00", EndTime: "06:00", Days: []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}}
	return reservation.Declaration{Address: "reservation.van", Workspace: "depot", StationID: "DEPOT-1", Target: reservation.Target{EVSE: 1},
		IDToken: reservation.Token{IDToken: "VAN", Type: "Central"}, When: reservation.When{Schedule: s}}
}

// TestOfflineNights: at a station that never connects the nights of a schedule
// pass one by one, as they end, with nobody but the timer.
func TestOfflineNights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takenOver(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		loops, forget := w.newLoops()
		defer forget()
		go func() { loops.Run(ctx); close(done) }()
		time.Sleep(time.Hour) // it has nothing to wait for, and then it has
		declare(t, w, nightly(t))
		time.Sleep(72 * time.Hour)
		stop()
		<-done
		missed, begun := 0, 0
		now := w.Now()
		placed, err := w.Occurrences(context.Background(), "depot", "reservation.van")
		for _, p := range placed {
			switch {
			case p.Occurrence.Phase == reservation.Missed:
				missed++
				if late := p.Occurrence.Since.Sub(p.Occurrence.Window.Expiry); late < 0 || late > time.Minute {
					t.Errorf("the night until %v was over at %v", p.Occurrence.Window.Expiry, p.Occurrence.Since)
				}
			case p.Occurrence.Window.Expiry.After(now):
				begun++
			}
		}
		if err != nil || missed != 3 || begun < 1 {
			t.Errorf("%d nights missed, %d to come, %v; want 3 and the next", missed, begun, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRosterFollows: who may come in and who may charge follows what is stored
// while stations are served.
func TestRosterFollows(t *testing.T) {
	w := takenOver(t)
	defer w.Close()
	known, err := newRoster(t.Context(), w.Store, nil)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(when string, station, token bool) {
		t.Helper()
		_, in, err := known.find(t.Context(), "depot-1")
		may, _ := known.authorize(t.Context(), "DEPOT-1", reservation.Token{IDToken: strings.ToLower("VAN")})
		if in != station || may != token || err != nil {
			t.Errorf("%s: the station comes in: %v, its driver charges: %v, %v; want %v, %v", when, in, may, err, station, token)
		}
	}
	expect("before anything is stored", false, false)
	declare(t, w, nightly(t))
	expect("declared", true, true)
	other := nightly(t)
	other.IDToken.IDToken = "OTHER"
	declare(t, w, other)
	expect("of another driver", true, false)
}
