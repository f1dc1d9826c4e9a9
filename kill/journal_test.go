package kill

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// request is a call of which the journal has no answer.
type request struct {
	station string
	id      int32
	call    reservation.Call
}

// journal reads what the killed process left behind: the calls that it had
// recorded and that were not answered when it died.
func journal(t *testing.T, path string, after int64) (open []request, last int64) {
	t.Helper()
	db, err := state.Open(t.Context(), path, state.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0 // killed before there was a state
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	asked := map[string]request{} // by station: one call is open at a time
	for e, err := range db.EventsUntil(t.Context(), state.Filter{After: after}) {
		if err != nil {
			t.Fatal(err)
		}
		last = e.Seq
		switch e.Kind {
		case reservation.Requested:
			if _, twice := asked[e.StationID]; twice {
				t.Errorf("line %d: %s is asked while a call is open", e.Seq, e.StationID)
			}
			asked[e.StationID] = request{e.StationID, e.ReservationID, *e.Call}
		case reservation.Answered:
			delete(asked, e.StationID)
		}
	}
	for _, r := range asked {
		open = append(open, r)
	}
	return open, max(last, after)
}

// done reports whether the station did what it was asked, although nobody has
// recorded its answer.
func (r request) done(held map[string][]sim.Reservation) bool {
	holds := slices.ContainsFunc(held[r.station], func(h sim.Reservation) bool { return h.ID == r.id })
	switch r.call.Kind {
	case reservation.ReserveNow:
		return holds
	case reservation.CancelReservation:
		return !holds
	}
	return false
}
