package day

import (
	"context"
	"slices"
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
				d.wrong(stationID(i), "nothing is known of %s", address(name, i))
			}
			for _, p := range placed {
				o := p.Occurrence
				ends[o.PhaseAt(now)]++
				if why := unexplained(o, explain(o, driver(name, i), byStation[p.StationID]), now); why != "" {
					d.wrong(p.StationID, "%s from %s is %s (%s): %s", o.Address, o.Start.Format("Mon 15:04"), o.Phase, o.Reason, why)
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
				d.wrong(s.ID(), "it holds %d until %s, and nothing of ours is believed to be there", held.ID, held.Expiry)
			}
			delete(known[s.ID()], held.ID)
		}
		if len(known[s.ID()]) > 0 {
			d.wrong(s.ID(), "it does not hold %v", known[s.ID()])
		}
	}
	d.t.Logf("what became of the windows: %v", ends)
	d.unused(lines)
	d.asking(byStation)
	d.keep(*seedFlag, lines)
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

// unused: no id was asked for twice for different windows, no call is recorded
// while another is open, and none is without an answer. A late answer names no
// reservation's address: it closes nothing.
func (d *depot) unused(lines []reservation.Event) {
	open, owner := map[string]reservation.Event{}, map[int32]reservation.Key{}
	for _, e := range lines {
		was, ok := open[e.StationID]
		switch e.Kind {
		case reservation.Requested:
			if ok {
				d.wrong(e.StationID, "line %d asks while the call of line %d is open", e.Seq, was.Seq)
			}
			open[e.StationID] = e
			if e.ReservationID == 0 || e.Call.Kind != reservation.ReserveNow {
				continue
			}
			if was, ok := owner[e.ReservationID]; ok && was != e.Key() {
				d.wrong(e.StationID, "id %d is asked for %v and for %v", e.ReservationID, was, e.Key())
			}
			owner[e.ReservationID] = e.Key()
		case reservation.Answered:
			if ok && was.Key() == e.Key() && was.ReservationID == e.ReservationID && was.Call.Kind == e.Call.Kind {
				delete(open, e.StationID)
			}
		}
	}
	for station, e := range open {
		d.wrong(station, "line %d was never answered", e.Seq)
	}
}
