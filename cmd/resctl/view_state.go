package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// nothingStored is all that there is to say before the first apply.
const nothingStored = "Nothing is stored yet: the first apply makes the state."

// State shows every address by station, and where it stands.
func (v *textView) State(s *stored) {
	v.heading(s.place)
	if s.empty {
		v.out.line(nothingStored)
		return
	}
	v.frozen(s.Meta)
	entries := slices.Clone(s.Entries)
	slices.SortStableFunc(entries, func(a, b reservation.Entry) int {
		return cmp.Or(config.CompareAddresses(a.StationID, b.StationID), cmp.Compare(a.Workspace, b.Workspace), config.CompareAddresses(a.Address, b.Address))
	})
	online := map[string]*reservation.Station{}
	for i := range s.Stations {
		online[s.Stations[i].ID] = &s.Stations[i]
	}
	several := len(s.Meta.Serials) > 1
	c, counts, last := v.clock(), map[reservation.Phase]int{}, ""
	w := widthsOf(entries, several, c)
	for i := range entries {
		e := &entries[i]
		if e.StationID != last {
			last = e.StationID
			v.out.ink(boldInk, harmless(last))
			v.out.line(stationText(online[last], c))
		}
		counts[phaseNow(e, c)]++
		texts := entryCells(e, several, c)
		v.out.put("  ")
		for k, text := range texts[:3] {
			v.out.column(text, w[k])
			v.out.put("  ")
		}
		v.out.ink(phaseInk(phaseNow(e, c)), texts[3])
		v.out.line()
	}
	if len(entries) > 0 {
		v.out.line()
	}
	v.foreign(s.Foreign, c)
	v.out.line(count(len(entries), "reservation"), phasesText(counts), ".")
}

// foreign shows what stations hold that is not ours.
func (v *textView) foreign(all []reconcile.Foreign, c clock) {
	if len(all) == 0 {
		return
	}
	v.out.ink(boldInk, "Foreign, and never touched")
	v.out.line()
	for i := range all {
		v.out.line("  ", harmless(all[i].StationID), "   ", foreignText(&all[i], c))
	}
	v.out.line()
}

// foreignText says what is known of it.
func foreignText(f *reconcile.Foreign, c clock) string {
	text := targetText(f.EVSE, "")
	if f.EVSE == 0 {
		text = "EVSE not known"
	}
	if f.ReservationID != 0 {
		return text + fmt.Sprintf("   a transaction uses id %d since %s", f.ReservationID, c.since(f.Since))
	}
	return text + "   Reserved since " + c.since(f.Since)
}

// frozen says which workspaces take no proposals.
func (v *textView) frozen(m reservation.Meta) {
	c := v.clock()
	for _, name := range slices.Sorted(maps.Keys(m.Frozen)) {
		if h := m.Frozen[name]; h.Stands(c.now) {
			v.out.ink(yellowInk, workspaceText(name, false)+" frozen "+haltText(h, c)+".")
			v.out.line()
			v.out.line()
		}
	}
}

func widthsOf(entries []reservation.Entry, several bool, c clock) (w [3]int) {
	for i := range entries {
		texts := entryCells(&entries[i], several, c)
		for k := range w {
			w[k] = max(w[k], min(cells(texts[k]), 40))
		}
	}
	return w
}

func entryCells(e *reservation.Entry, several bool, c clock) [4]string {
	address := short(e.Address)
	if several {
		address = e.Workspace + ": " + address
	}
	phase := string(phaseNow(e, c))
	switch {
	case phase == "":
		phase = "stored"
	case e.Phase == reservation.Scheduled && e.Window.Start.After(c.now):
		phase = "opens in " + c.until(e.Window.Start)
	case e.HeldNow() && !e.Window.Expiry.After(c.now):
		phase = "over; its end has not been heard of yet"
	default:
		phase += " since " + c.since(e.Since)
	}
	if e.Reason != "" {
		phase += ": " + string(e.Reason)
	}
	if e.ID != 0 {
		phase += fmt.Sprintf(" (id %d)", e.ID)
	}
	return [4]string{harmless(address), targetText(e.Target.EVSE, e.Target.ConnectorType), c.window(e.Window), phase}
}

// phaseNow is the phase as it is shown: what is scheduled is pending once its
// window is open.
func phaseNow(e *reservation.Entry, c clock) reservation.Phase {
	if e.Phase == reservation.Scheduled && !e.Window.Start.After(c.now) {
		return reservation.Pending
	}
	return e.Phase
}

// stationText says what is known of a station's link.
func stationText(s *reservation.Station, c clock) string {
	switch {
	case s == nil || !s.Online() && s.OfflineAt.IsZero():
		return "   never connected" + pauseText(s, c)
	case s.Online():
		return "   connected since " + c.since(s.ConnectedAt) + pauseText(s, c)
	}
	return "   offline since " + c.since(s.OfflineAt) + pauseText(s, c)
}

func pauseText(s *reservation.Station, c clock) string {
	if s == nil || !s.Paused.Stands(c.now) {
		return ""
	}
	return "   paused " + haltText(*s.Paused, c)
}

func phaseInk(p reservation.Phase) string {
	switch p {
	case reservation.Held, reservation.Fulfilled:
		return greenInk
	case reservation.Pending, reservation.Unsure, reservation.Canceling, reservation.Dropped, reservation.Missed:
		return yellowInk
	}
	return plainInk
}

func phasesText(counts map[reservation.Phase]int) string {
	text, sep := "", ": "
	for _, p := range reservation.Phases() {
		if counts[p] > 0 {
			text += fmt.Sprintf("%s%d %s", sep, counts[p], p)
			sep = ", "
		}
	}
	return text
}
