package kill

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// slot is a place that one reservation can have. EVSE 0 is any EVSE. Every
// fourth station has such a place and no other: beside one, a Reserved status
// proves nothing of an EVSE that is named, and doubts take minutes.
type slot struct{ station, evse int }

// declared is what one block says.
type declared struct {
	slot
	token int
	hours int
}

// wanted is the configuration, by the name of the block.
type wanted struct {
	r      *rand.Rand
	blocks map[string]declared
	count  int
}

// edit changes the configuration a little, and sometimes a lot.
func (w *wanted) edit() {
	for range 1 + w.r.IntN(8) {
		w.editOne()
	}
}

func (w *wanted) editOne() {
	names := slices.Sorted(maps.Keys(w.blocks))
	if len(names) < fleetSize || w.r.IntN(4) == 0 {
		w.add()
		return
	}
	name := names[w.r.IntN(len(names))]
	b := w.blocks[name]
	switch w.r.IntN(6) {
	case 0:
		delete(w.blocks, name)
		return
	case 1, 2:
		if refusesUpdates(b.station) {
			return // it would keep the old content, which shows as drift
		}
		b.token, b.hours = b.token+w.r.IntN(2), 2+w.r.IntN(20)
	case 3: // elsewhere, if there is room
		if s, free := w.free(); free {
			b.slot = s
		}
	case 4: // two change places: a cycle
		other := names[w.r.IntN(len(names))]
		if o := w.blocks[other]; b.evse != 0 && o.evse != 0 {
			b.slot, o.slot = o.slot, b.slot
			w.blocks[other] = o
		}
	case 5:
		w.add()
	}
	if _, still := w.blocks[name]; still {
		w.blocks[name] = b
	}
}

func (w *wanted) add() {
	if s, free := w.free(); free {
		w.count++
		w.blocks[fmt.Sprintf("r%d", w.count)] = declared{s, w.r.IntN(1000), 8}
	}
}

func (w *wanted) free() (slot, bool) {
	taken := map[slot]bool{}
	for _, b := range w.blocks {
		taken[b.slot] = true
	}
	for range 20 {
		s := slot{w.r.IntN(fleetSize), 1 + w.r.IntN(evses)}
		if s.station%4 == 3 {
			s.evse = 0
		}
		if !taken[s] {
			return s, true
		}
	}
	return slot{}, false
}

// write stores the configuration in a directory.
func (w *wanted) write(t *testing.T, dir string) {
	t.Helper()
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(w.blocks)) {
		d := w.blocks[name]
		fmt.Fprintf(&b, "reservation %q {\n  station  = %q\n", name, stationID(d.station))
		if d.evse != 0 {
			fmt.Fprintf(&b, "  evse_id  = %d\n", d.evse)
		}
		fmt.Fprintf(&b, "  id_token = { id_token = %q, type = \"Central\" }\n  hold_for = \"%dh\"\n}\n", d.idToken(), d.hours)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d declared) idToken() string { return fmt.Sprintf("TOKEN%04d", d.token) }
