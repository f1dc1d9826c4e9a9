package day

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

func (d *depot) journal() (lines []reservation.Event) {
	d.t.Helper()
	for e, err := range d.db.EventsUntil(context.Background(), state.Filter{}) {
		must(d.t, err)
		lines = append(lines, e)
	}
	return lines
}

// told is what the journal says of one occurrence, and of its station meanwhile.
type told struct {
	ids      []int32
	accepted bool // the station said so of one of its ids
	ended    bool // the station said Expired or Removed of one
	used     bool // its driver charged there during the window
	decided  reservation.Phase
}

// check holds the end of the day against the journal.
func (d *depot) check() {
	lines, now := d.journal(), time.Now()
	ends := map[reservation.Phase]int{}
	known := map[string]map[int32]bool{}
	byStation := map[string][]reservation.Event{}
	for _, e := range lines {
		byStation[e.StationID] = append(byStation[e.StationID], e)
	}
	for _, name := range []string{"early", "late", "guest", "night"} {
		for i := range d.stations {
			placed, err := d.db.Occurrences(context.Background(), "depot", address(name, i))
			must(d.t, err)
			if len(placed) == 0 {
				d.t.Errorf("%s: nothing is known of it", address(name, i))
			}
			for _, p := range placed {
				o := p.Occurrence
				ends[o.PhaseAt(now)]++
				if why := unexplained(o, explain(o, driver(name, i), byStation[p.StationID]), now); why != "" {
					d.t.Errorf("%s from %s is %s (%s): %s", o.Address, o.Start.Format("Mon 15:04"), o.Phase, o.Reason, why)
				}
				if o.ID != 0 {
					if known[p.StationID] == nil {
						known[p.StationID] = map[int32]bool{}
					}
					known[p.StationID][o.ID] = true
				}
			}
		}
	}
	for _, s := range d.stations {
		for _, held := range s.Holds() {
			if !known[s.ID()][held.ID] {
				d.t.Errorf("%s holds %d until %s, and nothing of ours is believed to be there", s.ID(), held.ID, held.Expiry)
			}
			delete(known[s.ID()], held.ID)
		}
		if len(known[s.ID()]) > 0 {
			d.t.Errorf("%s does not hold %v", s.ID(), known[s.ID()])
		}
	}
	d.t.Logf("what became of the windows: %v", ends)
	d.unused(lines)
}

// between is what the journal has of a station from one line to another.
func between(lines []reservation.Event, from, to reservation.Event) string {
	var out strings.Builder
	for _, e := range lines {
		if e.StationID == from.StationID && from.Seq <= e.Seq && e.Seq <= to.Seq {
			body, _ := json.Marshal(e)
			fmt.Fprintf(&out, "%d %s\n", e.Seq, body)
		}
	}
	return out.String()
}

func address(name string, i int) string {
	return "reservation." + name + `["` + stationID(i)[len("DAY-"):] + `"]`
}

// explain gathers what the lines of its station say of an occurrence, which is
// for that driver.
func explain(o *reservation.Occurrence, driver reservation.Token, lines []reservation.Event) (t told) {
	for _, e := range lines {
		mine := e.Key() == o.Key || e.ReservationID != 0 && slices.Contains(t.ids, e.ReservationID)
		switch {
		case e.Kind == reservation.Requested && mine:
			t.ids = append(t.ids, e.ReservationID)
		case e.Kind == reservation.Answered && mine && e.Call.Kind == reservation.ReserveNow:
			t.accepted = t.accepted || e.Answer.Outcome == reservation.AnswerAccepted
		case e.Kind == reservation.Reported && mine:
			t.ended = true
		case e.Kind == reservation.Decided && e.Key() == o.Key && e.Decision.Phase != "":
			t.decided = e.Decision.Phase
		case e.Kind == reservation.Transaction:
			within := !e.At.Before(o.Start) && e.At.Before(o.Window.Expiry)
			t.used = t.used || mine || within && e.Transaction.IDToken != nil && e.Transaction.IDToken.Same(driver)
		}
	}
	return t
}

// unexplained is why a phase cannot stand; "": it is justified.
func unexplained(o *reservation.Occurrence, t told, now time.Time) string {
	over := !now.Before(o.Window.Expiry)
	switch o.Phase {
	case reservation.Fulfilled:
		if !t.used {
			return "no transaction used it"
		}
	case reservation.NoShow:
		if !t.accepted || !t.ended && !over {
			return "it was not held to its end"
		}
	case reservation.Missed:
		if t.accepted || !over || t.decided != reservation.Missed {
			return "it was held, or is not over"
		}
	case reservation.Ended:
		if !t.accepted || !over {
			return "it was never held, or is not over"
		}
	case reservation.Scheduled:
		if !o.Due.After(now) {
			return "it is due"
		}
	case reservation.Held:
		if !t.accepted || over {
			return "nobody said Accepted, or it is over"
		}
	case reservation.Pending:
		if over || o.Reason == "" {
			return "it is over, or nothing says why"
		}
	default:
		return "nobody wanted that"
	}
	return ""
}

// unused: no id was asked for twice for different windows, and no call is
// without an answer.
func (d *depot) unused(lines []reservation.Event) {
	open, owner := map[string]reservation.Event{}, map[int32]reservation.Key{}
	for _, e := range lines {
		switch e.Kind {
		case reservation.Requested:
			if was, ok := open[e.StationID]; ok {
				d.t.Errorf("%s is asked (%d) while a call is open (%d):\n%s", e.StationID, e.Seq, was.Seq, between(lines, was, e))
			}
			open[e.StationID] = e
			if e.ReservationID == 0 || e.Call.Kind != reservation.ReserveNow {
				continue
			}
			if was, ok := owner[e.ReservationID]; ok && was != e.Key() {
				d.t.Errorf("id %d is asked for %v and for %v", e.ReservationID, was, e.Key())
			}
			owner[e.ReservationID] = e.Key()
		case reservation.Answered:
			if e.Address != "" || open[e.StationID].Call != nil && open[e.StationID].Call.Kind == e.Call.Kind {
				delete(open, e.StationID)
			}
		}
	}
	for station, e := range open {
		d.t.Errorf("%s: %d was never answered", station, e.Seq)
	}
}
