package day

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/reservation"
)

// sentTo is what left for a station.
func (d *depot) sentTo(station string) []*sent {
	d.wires.mu.Lock()
	defer d.wires.mu.Unlock()
	return d.wires.link(station).sent
}

// onWire: what left had been recorded before, each time. What was recorded has
// left, unless its answer says otherwise; and what is recorded as the station's
// answer is what it said.
func (d *depot) onWire(station string, lines []reservation.Event) {
	type answer struct {
		id      int32
		kind    reservation.CallKind
		outcome string
	}
	may, said := map[int32]int{}, map[answer]int{}
	for _, e := range lines {
		if e.ReservationID == 0 || e.Call == nil {
			continue
		}
		switch {
		case e.Kind == reservation.Requested:
			may[e.ReservationID]++
		case e.Kind == reservation.Answered && e.Answer.Outcome == reservation.AnswerNotSent:
			may[e.ReservationID]--
		case e.Kind == reservation.Answered && e.Answer.Outcome != reservation.AnswerNone:
			said[answer{e.ReservationID, e.Call.Kind, string(e.Answer.Outcome)}]++
		}
	}
	for _, s := range d.sentTo(station) {
		if s.about == 0 {
			continue
		}
		if may[s.about]--; may[s.about] < 0 {
			d.wrong(station, "%d is asked at %s, and that is not recorded", s.about, s.at.Format(clock))
		}
		if s.status != "" {
			said[answer{s.about, reservation.CallKind(s.action), s.status}]--
		}
	}
	for a, n := range said {
		if n != 0 {
			d.wrong(station, "of its answers %s to %s %d, %d more are recorded than were given", a.outcome, a.kind, a.id, n)
		}
	}
}

// asAgreed: each ReserveNow asks for what is declared, within its window.
func (d *depot) asAgreed(station string, lines []reservation.Event) {
	owner := map[int32]reservation.Key{}
	for _, e := range lines {
		if e.Kind == reservation.Requested && e.Call.Kind == reservation.ReserveNow {
			owner[e.ReservationID] = e.Key()
		}
	}
	i := slices.IndexFunc(d.stations, func(c *sim.Client) bool { return c.ID() == station })
	for _, sent := range d.sentTo(station) {
		if sent.action != "ReserveNow" {
			continue
		}
		var q struct {
			ExpiryDateTime time.Time
			EVSEID         int
			IDToken        struct{ IDToken string }
		}
		key, err := owner[sent.about], json.Unmarshal(sent.payload, &q)
		at := slices.IndexFunc(spells(), func(s spell) bool { return s.address(i) == key.Address })
		if err != nil || at < 0 {
			d.wrong(station, "%d is asked for, which is for nothing that is declared: %v", sent.about, err)
			continue
		}
		s := spells()[at]
		if !q.ExpiryDateTime.Equal(key.Start.Add(s.long())) || q.EVSEID != s.evse || q.IDToken.IDToken != s.driver(i).IDToken {
			d.wrong(station, "%d is asked for EVSE %d until %s: that is not %s", sent.about, q.EVSEID, q.ExpiryDateTime, key.Address)
		}
		if sent.at.Before(key.Start.Add(-s.lead)) || !sent.at.Before(q.ExpiryDateTime) {
			d.wrong(station, "%d is asked for at %s, outside its window", sent.about, sent.at.Format(clock))
		}
	}
}
