package main

import (
	"fmt"
	"time"

	"github.com/resctl/resctl/reconcile"
)

// drift shows each thing to look at: what, since when, why, and what is next.
func (v *textView) drift(r *driftReport) {
	v.heading(r.place)
	switch {
	case r.empty:
		v.out.line(nothingStored)
		return
	case len(r.Drift) == 0:
		v.out.ink(greenInk, "No drift.")
		v.out.line(" Nothing", olderThan(r.Grace), " needs a person.")
		return
	}
	c, last := v.clock(), ""
	for i := range r.Drift {
		d := &r.Drift[i]
		if d.StationID != last {
			last = d.StationID
			v.out.ink(boldInk, harmless(last))
			v.out.line()
		}
		v.out.put("  ")
		v.out.ink(yellowInk, string(d.Kind))
		v.out.line(fmt.Sprintf("%s   since %s (%s)", driftWhere(d, r.several), c.since(d.Since), c.ago(d.Since)))
		v.out.line("      ", driftText(&d.Drifted))
		v.out.put("      ")
		v.out.ink(faintInk, harmless(d.Next))
		v.out.line()
	}
	v.out.line()
	v.out.line("Drift: ", count(len(r.Drift), "thing"), " to look at.")
}

// olderThan says what drift counts; anything does where nothing is let pass.
func olderThan(grace string) string {
	if d, err := time.ParseDuration(grace); err == nil && d > 0 {
		return " older than " + distance(d)
	}
	return ""
}

// driftWhere names the reservation, where it is about one.
func driftWhere(d *driftAbout, several bool) string {
	if d.Address == "" {
		return ""
	}
	text := "   " + harmless(short(d.Address))
	if several {
		text = "   " + harmless(d.Workspace) + ": " + harmless(short(d.Address))
	}
	text += "   " + targetText(d.EVSE, d.ConnectorType)
	if d.Kind == reconcile.DriftUnsure || d.Kind == reconcile.DriftUpdate {
		text += fmt.Sprintf("   id %d", d.ReservationID)
	}
	return text
}
