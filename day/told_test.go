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
	"time"

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

// onWire: what left had been recorded before, each time. What was recorded has
// left, unless its answer says otherwise.
func (d *depot) onWire(station string, lines []reservation.Event) {
	may, must := map[int32]int{}, map[int32]int{}
	for _, e := range lines {
		if e.ReservationID == 0 || e.Call == nil {
			continue
		}
		switch {
		case e.Kind == reservation.Requested:
			may[e.ReservationID]++
		case e.Kind == reservation.Answered && e.Answer.Outcome == reservation.AnswerNotSent:
			may[e.ReservationID]--
		case e.Kind == reservation.Answered && e.Address != "" && e.Answer.Outcome != reservation.AnswerNone:
			must[e.ReservationID]++
		}
	}
	d.wires.mu.Lock()
	asked := d.wires.link(station).asked
	d.wires.mu.Unlock()
	for id, n := range asked {
		if n > may[id] {
			d.wrong(station, "%d was asked for %d times, %d of them recorded", id, n, may[id])
		}
	}
	for id, n := range must {
		if n > asked[id] {
			d.wrong(station, "%d was answered %d times, and asked for %d times", id, n, asked[id])
		}
	}
}

// patient: who was refused is not asked again before five seconds have passed,
// unless the station has said something meanwhile; and nothing new is asked for
// within the quiet period after a report that the station had queued.
func (d *depot) patient(station string, lines []reservation.Event) {
	refused := map[reservation.Key]time.Time{}
	var queued, connected time.Time
	for _, e := range lines {
		switch e.Kind {
		case reservation.Connected:
			connected = e.At
			clear(refused)
		case reservation.Booted, reservation.Status, reservation.Transaction, reservation.Reported:
			clear(refused)
			if e.Queued || e.Transaction != nil && e.Transaction.Offline {
				queued = e.At
			}
		case reservation.Answered:
			if e.Address != "" && e.Call.Kind == reservation.ReserveNow && e.Answer.Outcome != reservation.AnswerAccepted && e.Answer.Outcome != reservation.AnswerNotSent {
				refused[e.Key()] = e.At
			}
		case reservation.Requested:
			if e.Call.Kind != reservation.ReserveNow {
				continue
			}
			if at, ok := refused[e.Key()]; ok && e.At.Sub(at) < reservation.BackoffMin {
				d.wrong(station, "%d asks again %v after a refusal", e.Seq, e.At.Sub(at))
			}
			if e.At.Sub(queued) < d.settings.QuietPeriod && e.At.Sub(connected) < d.settings.QuietMax {
				d.wrong(station, "%d asks %v after a report that was queued", e.Seq, e.At.Sub(queued))
			}
		}
	}
}

// cancelled: an occurrence gets a new id only once its old one is known to be
// gone: refused at once, reported as ended, cancelled, or used.
func (d *depot) cancelled(station string, lines []reservation.Event) {
	last, gone := map[reservation.Key]int32{}, map[int32]bool{}
	for _, e := range lines {
		switch id := e.ReservationID; {
		case id == 0:
		case e.Kind == reservation.Reported, e.Kind == reservation.Transaction:
			gone[id] = true
		case e.Kind == reservation.Requested && e.Call.Kind == reservation.ReserveNow:
			if was := last[e.Key()]; was != 0 && was != id && !gone[was] {
				d.wrong(station, "%d asks for %s under a new id while %d may be held", e.Seq, e.Address, was)
			}
			last[e.Key()] = id
			if _, before := gone[id]; !before {
				gone[id] = true // until it may have been taken
			}
		case e.Kind == reservation.Answered && e.Call.Kind == reservation.CancelReservation:
			gone[id] = gone[id] || e.Answer.Certain()
		case e.Kind == reservation.Answered && (e.Answer.Outcome == reservation.AnswerAccepted || e.Answer.Outcome == reservation.AnswerNone):
			gone[id] = false
		}
	}
}
