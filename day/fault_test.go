package day

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
)

// faults befall a station now and then, until a time.
func (d *depot) faults(i int, until time.Time, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for {
		next := time.Now().Add(time.Duration(10+r.IntN(300)) * time.Minute)
		if next.After(until) {
			return
		}
		time.Sleep(time.Until(next))
		d.fault(i, r, until)
	}
}

func (d *depot) fault(i int, r *rand.Rand, until time.Time) {
	s, evse, away := d.stations[i], 1+r.IntN(2), time.Duration(1+r.IntN(30))*time.Minute
	switch r.IntN(11) {
	case 0:
		s.Drop()
	case 1:
		d.cut(i, sim.Cut{For: away})
	case 2:
		d.cut(i, sim.Cut{For: away, PowerCycle: true})
	case 3:
		d.cut(i, sim.Cut{PowerCycle: true, Forget: true})
	case 4, 5:
		for range 1 + r.IntN(3) { // what drops it once may do so again
			d.each(i, (*sim.Machine).Remove)
			time.Sleep(time.Minute)
		}
	case 6:
		d.each(i, (*sim.Machine).Lose)
	case 7:
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.Fault(now, evse) })
		time.Sleep(away)
		d.do(i, func(m *sim.Machine, now time.Time) []sim.Message { return m.Clear(now, evse) })
	case 8:
		d.cut(i, sim.Cut{KeepSocket: true}) // two sockets
	case 9:
		d.slow(i, away, r.IntN(2) == 0)
	case 10:
		if r.IntN(3) == 0 {
			d.cut(i, sim.Cut{For: min(time.Duration(100+r.IntN(200))*time.Minute, time.Until(until))})
		}
	}
}

func (d *depot) cut(i int, how sim.Cut) { must(d.t, d.stations[i].Cut(context.Background(), how)) }

// slow has a station answer later than it is waited for, while it drops what it
// holds. It may lose its link while it is asked.
func (d *depot) slow(i int, away time.Duration, cut bool) {
	usual := d.stations[i].Delay()
	d.stations[i].SetDelay(40 * time.Second)
	d.each(i, (*sim.Machine).Remove)
	if cut {
		time.Sleep(5 * time.Second)
		d.stations[i].Drop()
	}
	time.Sleep(away)
	d.stations[i].SetDelay(usual)
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
