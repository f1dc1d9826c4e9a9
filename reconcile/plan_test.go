package reconcile_test

import (
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// A window that has ended is over in a plan, though nobody was there to settle
// it: the station still counts as holding it.
func TestPlanOnTheDayAfter(t *testing.T) {
	now := day
	mem := statetest.NewMemory()
	mem.Now = func() time.Time { return now }
	ledger := &reconcile.Ledger{Store: mem, Settings: reconcile.DefaultSettings(), Now: mem.Now}
	want := reconcile.Desired{Workspace: "w", Reservations: []reservation.Declaration{{Address: "reservation.van", Workspace: "w", StationID: "S0",
		Target: reservation.Target{EVSE: 1}, IDToken: reservation.Token{IDToken: "T", Type: "Central"}, When: reservation.When{HoldFor: reservation.Duration(8 * time.Hour)}}}}
	plan := func() *reconcile.Plan {
		t.Helper()
		p, err := ledger.Plan(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if _, err := ledger.Propose(t.Context(), plan(), reconcile.ProposeOptions{}); err != nil {
		t.Fatal(err)
	}
	if s := plan().Summary; s.Unchanged != 1 || s.Over != 0 {
		t.Errorf("while its window is open: %+v", s)
	}
	now = now.Add(24 * time.Hour)
	if s := plan().Summary; s.Unchanged != 0 || s.Over != 1 {
		t.Errorf("on the day after: %+v", s)
	}
}
