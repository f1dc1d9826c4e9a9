package day

import (
	"context"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
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
		d := newDepot(t, *fleetFlag, noon)
		d.open(0)
		defer func() { d.stop() }()
		d.declare()
		before := d.measure()
		time.Sleep(time.Until(noon))
		var lives sync.WaitGroup
		for i := range d.stations {
			r := rand.New(rand.NewPCG(*seedFlag, uint64(i)))
			seed := r.Uint64()
			lives.Go(func() { d.drivers(i, r) })
			lives.Go(func() { d.faults(i, noon.Add(22*time.Hour), seed) })
		}
		d.watch(8 * time.Hour)
		d.restart(30 * time.Second) // an hour with pings
		d.watch(time.Hour)
		d.restart(0)
		d.watch(time.Until(noon.Add(24 * time.Hour)))
		lives.Wait()
		synctest.Wait()
		d.check()
		after := d.measure()
		n := len(d.stations)
		t.Logf("%d stations: %d lines of journal per station and day, %d bytes of JSON; the file grew by %d bytes each",
			n, (after.lines-before.lines)/n, (after.bytes-before.bytes)/n, (after.file-before.file)/n)
	})
}

// size is that of a journal, and of the file that it is in.
type size struct{ lines, bytes, file int }

// measure looks at the file between one process and the next: all is in it then.
func (d *depot) measure() (s size) {
	d.t.Helper()
	for _, e := range d.journal() {
		body, err := json.Marshal(e)
		must(d.t, err)
		s.lines, s.bytes = s.lines+1, s.bytes+len(body)
	}
	d.stop()
	info, err := os.Stat(d.path)
	must(d.t, err)
	s.file = int(info.Size())
	d.open(0)
	return s
}

func (d *depot) journal() (lines []reservation.Event) {
	d.t.Helper()
	for e, err := range d.db.EventsUntil(context.Background(), state.Filter{}) {
		must(d.t, err)
		lines = append(lines, e)
	}
	return lines
}
