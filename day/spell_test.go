package day

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// spell is a window that every station is wanted to hold, in hours after noon.
type spell struct {
	name         string
	evse         int
	from, to     int
	arrives      float64 // its driver comes within the hour that begins then
	lead, noShow time.Duration
	nightly      bool // from 20:00 to 05:00, as a schedule
}

// spells are all of a station; the last one is open when the day ends.
func spells() []spell {
	return []spell{
		{name: "early", evse: 1, from: 1, to: 3, arrives: 1.2},
		{name: "late", evse: 1, from: 4, to: 6, arrives: 4.5, noShow: 45 * time.Minute},
		{name: "guest", evse: 2, from: 7, to: 15, arrives: 8, lead: 10 * time.Minute},
		{name: "night", evse: 1, from: 8, to: 17, arrives: 8.6, nightly: true},
		{name: "next", evse: 2, from: 20, to: 26, arrives: 22.2},
	}
}

func (s spell) long() time.Duration { return time.Duration(s.to-s.from) * time.Hour }

func (s spell) when(noon time.Time) reservation.When {
	if s.nightly {
		return reservation.When{Schedule: &reservation.Schedule{TimeZone: "UTC", StartTime: "20:00", EndTime: "05:00",
			Days: []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}}}
	}
	start := noon.Add(time.Duration(s.from) * time.Hour).UTC()
	return reservation.When{Start: start, Expiry: start.Add(s.long())}
}

func (s spell) address(i int) string { return fmt.Sprintf("reservation.%s[\"%03d\"]", s.name, i) }

func (s spell) driver(i int) reservation.Token { return driver(s.name, i) }

// driver has a token by which he is known in any text.
func driver(name string, i int) reservation.Token {
	return reservation.Token{IDToken: fmt.Sprintf("RFID-%s-%03d", name, i), Type: "Central"}
}

// declare wants all spells of all stations.
func (d *depot) declare() {
	d.t.Helper()
	want := reconcile.Desired{Workspace: "depot"}
	for i := range d.stations {
		for _, s := range spells() {
			want.Reservations = append(want.Reservations, reservation.Declaration{
				Address: s.address(i), Workspace: "depot", StationID: stationID(i), Target: reservation.Target{EVSE: s.evse},
				IDToken: s.driver(i), When: s.when(d.noon), Source: "main.hcl:9",
				Activation: reservation.Activation{LeadTime: reservation.Duration(s.lead), NoShowAfter: reservation.Duration(s.noShow)}})
		}
	}
	p, err := d.ledger.Plan(d.t.Context(), want)
	if err == nil {
		_, err = d.ledger.Propose(d.t.Context(), p, reconcile.ProposeOptions{By: "day"})
	}
	must(d.t, err)
}

// drivers come to a station in the order of its windows. Some do not, some are
// strangers, and sometimes one of these is there before the first window opens: he
// charges, or leaves his car at the cable.
func (d *depot) drivers(i int, r *rand.Rand) {
	switch at, stays := 0.3+r.Float64(), time.Duration(20+r.IntN(150))*time.Minute; r.IntN(8) {
	case 0:
		d.charge(i, 1, driver("stranger", i), at, stays)
	case 1:
		d.until(at)
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.Plug(now, 1) })
		time.Sleep(stays)
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.Unplug(now, 1) })
	}
	for _, s := range spells() {
		token := s.driver(i)
		at, stays := s.arrives+r.Float64(), time.Duration(20+r.IntN(40))*time.Minute
		switch r.IntN(10) {
		case 0, 1:
			continue // he does not come
		case 2:
			token = driver("stranger", i)
		}
		d.charge(i, s.evse, token, at, stays)
	}
}

func (d *depot) until(hour float64) {
	time.Sleep(time.Until(d.noon.Add(time.Duration(hour * float64(time.Hour)))))
}

// charge has a driver try to, at an hour after noon.
func (d *depot) charge(i, evse int, token reservation.Token, hour float64, stays time.Duration) {
	d.until(hour)
	d.do(i, func(m *sim.Machine, now time.Time) []sim.Message {
		messages, _ := m.Use(now, evse, v201.IdToken{IDToken: token.IDToken, Type: "Central"})
		return messages
	})
	time.Sleep(stays)
	d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.EndUse(now, evse) })
}
