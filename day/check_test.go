package day

import (
	"context"
	"regexp"
	"time"

	"github.com/resctl/resctl/reservation"
)

// check holds the end of the day against the journal.
func (d *depot) check() {
	lines, now := d.journal(), time.Now()
	ends := map[reservation.Phase]int{}
	known := map[string]map[int32]bool{}
	byStation := map[string][]reservation.Event{}
	for _, e := range lines {
		byStation[e.StationID] = append(byStation[e.StationID], e)
	}
	for i := range d.stations {
		known[stationID(i)] = map[int32]bool{}
		for _, s := range spells() {
			placed, err := d.db.Occurrences(context.Background(), "depot", s.address(i))
			must(d.t, err)
			if len(placed) == 0 {
				d.wrong(stationID(i), "nothing is known of %s", s.address(i))
			}
			for _, p := range placed {
				ends[p.PhaseAt(now)]++
				d.fate(i, s, p.Occurrence, byStation[p.StationID], now)
				if p.ID != 0 {
					known[p.StationID][p.ID] = true
				}
			}
		}
	}
	d.atTheEnd(known)
	d.t.Logf("what became of the windows: %v", ends)
	d.unused(lines)
	d.asking(byStation)
	d.silent()
	d.keep(*seedFlag, lines)
}

// fate: what became of an occurrence is justified by the lines of its station,
// and nothing that could be asked for lay idle.
func (d *depot) fate(i int, s spell, o *reservation.Occurrence, lines []reservation.Event, now time.Time) {
	t := explain(o, s, s.driver(i), lines)
	if why := unexplained(o, s, t, now); why != "" {
		d.wrong(stationID(i), "%s from %s is %s (%s): %s", o.Address, o.Start.Format("Mon 15:04"), o.Phase, o.Reason, why)
	}
	over := t.over
	if !t.used.IsZero() && (over.IsZero() || t.used.Before(over)) {
		over = t.used
	}
	if from, to := idle(o, s.evse, over, lines, now); !from.IsZero() {
		d.wrong(stationID(i), "%s could be asked for from %s to %s, and was not", o.Address, from.Format(clock), to.Format(clock))
	}
	if !o.Window.Expiry.Equal(o.Start.Add(s.long())) {
		d.wrong(stationID(i), "%s from %s ends at %s", o.Address, o.Start, o.Window.Expiry)
	}
}

// atTheEnd stations hold what is believed of them, and nothing else.
func (d *depot) atTheEnd(known map[string]map[int32]bool) {
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
}

// silent: the log has the tokens of nobody.
func (d *depot) silent() {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	if d.log.Len() == 0 {
		d.t.Error("nothing was logged")
	}
	if leak := regexp.MustCompile(`.*RFID-\w+-\d+.*`).Find(d.log.Bytes()); leak != nil {
		d.t.Errorf("the log has a token: %s", leak)
	}
}

// unused: no id was asked for twice for different windows, no call is recorded
// while another is open, and none is without an answer. A late answer names no
// reservation's address: it closes nothing. What is decided or cancelled has a
// reason.
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
			if e.Call.Kind == reservation.CancelReservation && e.Address != "" && e.Call.Reason == "" {
				d.wrong(e.StationID, "line %d cancels, and does not say why", e.Seq)
			}
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
