package day

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

var (
	fleetFlag = flag.Int("fleet", 6, "how many stations live the day")
	seedFlag  = flag.Uint64("seed", 1, "of what happens to them")
)

// TestDay is a day from noon to noon. Faults stop two hours before its end, in
// time for what they left behind to be repaired.
func TestDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noon := time.Now().Truncate(24 * time.Hour).Add(36 * time.Hour)
		time.Sleep(time.Until(noon.Add(-10 * time.Minute)))
		t.Logf("fleet %d, seed %d", *fleetFlag, *seedFlag)
		d := newDepot(t, *fleetFlag)
		d.open(0)
		defer func() { d.stop() }()
		d.declare(noon)
		before := d.journaled()
		time.Sleep(time.Until(noon))
		var lives sync.WaitGroup
		for i := range d.stations {
			r := rand.New(rand.NewPCG(*seedFlag, uint64(i)))
			seed := r.Uint64()
			lives.Go(func() { d.drivers(i, noon, r) })
			lives.Go(func() { d.faults(i, noon.Add(22*time.Hour), seed) })
		}
		time.Sleep(8 * time.Hour)
		d.restart(30 * time.Second) // an hour with pings
		time.Sleep(time.Hour)
		d.restart(0)
		lives.Wait()
		time.Sleep(time.Until(noon.Add(24 * time.Hour)))
		synctest.Wait()
		d.check()
		after := d.journaled()
		n := len(d.stations)
		t.Logf("%d stations: %d lines and %d bytes of journal per station and day", n, (after.lines-before.lines)/n, (after.bytes-before.bytes)/n)
	})
}

// declare wants two windows of the afternoon and every night at EVSE 1, and one
// of the night at EVSE 2.
func (d *depot) declare(noon time.Time) {
	d.t.Helper()
	want := reconcile.Desired{Workspace: "depot"}
	add := func(name string, i, evse int, when reservation.When) {
		want.Reservations = append(want.Reservations, reservation.Declaration{
			Address: fmt.Sprintf("reservation.%s[\"%03d\"]", name, i), Workspace: "depot", StationID: stationID(i),
			Target: reservation.Target{EVSE: evse}, IDToken: driver(name, i), When: when, Source: "main.hcl:9"})
	}
	for i := range d.stations {
		add("early", i, 1, window(noon, 1, 3))
		add("late", i, 1, window(noon, 4, 6))
		add("guest", i, 2, window(noon, 7, 15))
		add("night", i, 1, reservation.When{Schedule: &reservation.Schedule{TimeZone: "UTC", StartTime: "20:00", EndTime: "05:00",
			Days: []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}}})
	}
	p, err := d.ledger.Plan(d.t.Context(), want)
	if err == nil {
		_, err = d.ledger.Propose(d.t.Context(), p, reconcile.ProposeOptions{By: "day"})
	}
	must(d.t, err)
}

func window(noon time.Time, from, to int) reservation.When {
	return reservation.When{Start: noon.Add(time.Duration(from) * time.Hour).UTC(), Expiry: noon.Add(time.Duration(to) * time.Hour).UTC()}
}

func driver(name string, i int) reservation.Token {
	return reservation.Token{IDToken: fmt.Sprintf("%s%03d", name, i), Type: "Central"}
}

// drivers come to a station in the order of its windows. Some do not, and some
// are strangers.
func (d *depot) drivers(i int, noon time.Time, r *rand.Rand) {
	for _, visit := range []struct {
		name  string
		evse  int
		hours float64
	}{{"early", 1, 1.2}, {"late", 1, 4.5}, {"guest", 2, 8}, {"night", 1, 8.6}} {
		arrives := noon.Add(time.Duration((visit.hours + r.Float64()) * float64(time.Hour)))
		time.Sleep(time.Until(arrives))
		token := driver(visit.name, i)
		switch r.IntN(10) {
		case 0, 1:
			continue // he does not come
		case 2:
			token = driver("stranger", i)
		}
		stays := time.Duration(20+r.IntN(40)) * time.Minute
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message {
			messages, _ := m.Use(now, visit.evse, v201.IdToken{IDToken: token.IDToken, Type: "Central"})
			return messages
		})
		time.Sleep(stays)
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.EndUse(now, visit.evse) })
	}
}

// faults befall a station now and then, until a time.
func (d *depot) faults(i int, until time.Time, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for {
		time.Sleep(time.Duration(10+r.IntN(300)) * time.Minute)
		if time.Now().After(until) {
			return
		}
		d.fault(i, r)
	}
}

func (d *depot) fault(i int, r *rand.Rand) {
	evse := 1 + r.IntN(2)
	away := time.Duration(1+r.IntN(30)) * time.Minute
	switch r.IntN(9) {
	case 0:
		d.stations[i].Drop()
	case 1:
		must(d.t, d.stations[i].Cut(context.Background(), sim.Cut{For: away}))
	case 2:
		must(d.t, d.stations[i].Cut(context.Background(), sim.Cut{For: away, PowerCycle: true}))
	case 3:
		must(d.t, d.stations[i].Cut(context.Background(), sim.Cut{PowerCycle: true, Forget: true}))
	case 4:
		d.each(i, (*sim.Machine).Remove)
	case 5:
		d.each(i, (*sim.Machine).Lose)
	case 6:
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.Fault(now, evse) })
		time.Sleep(away)
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.Clear(now, evse) })
	case 7:
		must(d.t, d.stations[i].Cut(context.Background(), sim.Cut{KeepSocket: true})) // two sockets
	case 8:
		usual := d.stations[i].Delay()
		d.stations[i].SetDelay(40 * time.Second) // later than is waited for
		time.Sleep(away)
		d.stations[i].SetDelay(usual)
	}
}

// each does something to every reservation that a station holds.
func (d *depot) each(i int, what func(*sim.Machine, time.Time, int32) []sim.Message) {
	for _, held := range d.stations[i].Holds() {
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return what(m, now, held.ID) })
	}
}

func (d *depot) do(i int, happens func(*sim.Machine, time.Time) []sim.Message) {
	if err := d.stations[i].Do(happens); err != nil {
		d.t.Errorf("station %d: %v", i, err)
	}
}

// size is that of a journal.
type size struct{ lines, bytes int }

func (d *depot) journaled() (s size) {
	for _, e := range d.journal() {
		body, err := json.Marshal(e)
		must(d.t, err)
		s.lines, s.bytes = s.lines+1, s.bytes+len(body)
	}
	return s
}
