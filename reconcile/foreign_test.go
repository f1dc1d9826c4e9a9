package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// TestForeignAt goes through what may explain that EVSE 1 is Reserved, and what
// does not.
func TestForeignAt(t *testing.T) {
	at := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	type occ = reservation.Occurrence
	one, two := &reservation.Content{Target: reservation.Target{EVSE: 1}}, &reservation.Content{Target: reservation.Target{EVSE: 2}}
	anywhere := &reservation.Content{}
	for name, c := range map[string]struct {
		o    occ
		edit func(*reservation.Station)
		want string
	}{
		"nothing of ours":                     {occ{}, nil, "[EVSE 1 id 0]"},
		"wanted, and not asked for":           {occ{Phase: reservation.Pending, Want: one}, nil, "[EVSE 1 id 0]"},
		"held there":                          {occ{Phase: reservation.Held, ID: 7, Held: one}, nil, "[]"},
		"held elsewhere":                      {occ{Phase: reservation.Held, ID: 7, Held: two}, nil, "[EVSE 1 id 0]"},
		"held elsewhere, asked for there":     {occ{Phase: reservation.Unsure, ID: 7, Held: two, Asked: one}, nil, "[]"},
		"held at any EVSE":                    {occ{Phase: reservation.Held, ID: 7, Held: anywhere}, nil, "[]"},
		"asked for, not answered":             {occ{Phase: reservation.Unsure, ID: 7, Asked: one, Want: one}, nil, "[]"},
		"forgotten there":                     {occ{Phase: reservation.Forgotten, ID: 7, Held: one}, nil, "[]"},
		"ended, and not heard of":             {occ{Phase: reservation.Ended, ID: 7, Held: one}, nil, "[]"},
		"adopted, its place is not known":     {occ{Phase: reservation.Unsure, ID: 7}, nil, "[]"},
		"a stray":                             {occ{}, func(s *reservation.Station) { s.Strays = []reservation.Stray{{ID: 7}} }, "[]"},
		"one connector charges":               {occ{}, func(s *reservation.Station) { s.Connectors[1].Status = reservation.Occupied }, "[]"},
		"our driver begins":                   {occ{}, open(reservation.OpenTransaction{ID: "T", EVSE: 1, ReservationID: 7, Counted: true}), "[]"},
		"a stranger charges under a known id": {occ{Past: []int32{9}}, open(reservation.OpenTransaction{ID: "T", EVSE: 2, ReservationID: 9}), "[EVSE 1 id 0]"},
		"somebody charges under another id":   {occ{}, open(reservation.OpenTransaction{ID: "T", EVSE: 2, ReservationID: 9}), "[EVSE 1 id 0 EVSE 2 id 9]"},
	} {
		t.Run(name, func(t *testing.T) {
			b := reservation.NewBook("S")
			b.Station.Connectors = []reservation.Connector{{EVSE: 1, Connector: 1, Status: reservation.Reserved, Since: at},
				{EVSE: 1, Connector: 2, Status: reservation.Available, Since: at.Add(time.Hour)}, {EVSE: 2, Connector: 1, Status: reservation.Available, Since: at}}
			if c.edit != nil {
				c.edit(&b.Station)
			}
			c.o.Address = "reservation.van"
			b.Put(&c.o)
			var got []string
			for _, f := range reconcile.ForeignAt(b) {
				got = append(got, fmt.Sprintf("EVSE %d id %d", f.EVSE, f.ReservationID))
				if f.ReservationID == 0 && !f.Since.Equal(at) {
					t.Errorf("since %s", f.Since)
				}
			}
			if s := fmt.Sprint(got); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

func open(x reservation.OpenTransaction) func(*reservation.Station) {
	return func(s *reservation.Station) { s.Transactions = []reservation.OpenTransaction{x} }
}
