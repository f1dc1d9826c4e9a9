package day

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/resctl/resctl/reservation"
)

const clock = "02 15:04:05.000"

// wrong is said of a station: the test has failed, and what its journal and
// its sockets have is kept.
func (d *depot) wrong(station, format string, args ...any) {
	d.t.Helper()
	d.t.Errorf(station+": "+format, args...)
	d.suspects[station] = append(d.suspects[station], fmt.Sprintf(format, args...))
}

// keep writes a file for each station of which something was wrong: the lines
// of its journal and its frames, in the order of time.
func (d *depot) keep(seed uint64, lines []reservation.Event) {
	if len(d.suspects) == 0 {
		return
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("resctl-day-%d-", seed))
	must(d.t, err)
	d.wires.mu.Lock()
	defer d.wires.mu.Unlock()
	for station, why := range d.suspects {
		all := slices.Clone(d.wires.link(station).frames)
		for _, e := range lines {
			if e.StationID == station {
				body, err := json.Marshal(e)
				must(d.t, err)
				all = append(all, frame{e.At, "journal " + string(body)})
			}
		}
		slices.SortStableFunc(all, func(a, b frame) int {
			return cmp.Compare(a.at.UnixMilli(), b.at.UnixMilli())
		})
		var out bytes.Buffer
		fmt.Fprintf(&out, "%s\n\n", strings.Join(why, "\n"))
		for _, f := range all {
			fmt.Fprintf(&out, "%s %s\n", f.at.UTC().Format(clock), f.text)
		}
		must(d.t, os.WriteFile(filepath.Join(dir, station+".txt"), out.Bytes(), 0o600))
	}
	d.t.Logf("the stations of which something is wrong are in %s; the same day again: -fleet %d -seed %d", dir, len(d.stations), seed)
}

// asking holds what was asked of stations against the rules by which they are
// asked, and against what their sockets saw.
func (d *depot) asking(byStation map[string][]reservation.Event) {
	for station, lines := range byStation {
		if station == "" {
			continue
		}
		d.onWire(station, lines)
		d.asAgreed(station, lines)
		d.patient(station, lines)
		d.cancelled(station, lines)
	}
	d.wires.mu.Lock()
	wrong := d.wires.wrong
	d.wires.mu.Unlock()
	for _, why := range wrong {
		station, rest, _ := strings.Cut(why, " ")
		d.wrong(station, "%s", rest)
	}
}
