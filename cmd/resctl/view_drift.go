package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/resctl/resctl/reconcile"
)

// drift shows each thing to look at: what, since when, why, and what is next.
func (v *textView) drift(r *driftReport) {
	v.heading(r.place)
	switch {
	case r.empty && len(r.Watches) == 0:
		v.out.line(nothingStored)
		return
	case len(r.Drift)+len(r.Watches) == 0:
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
	v.notApplied(r.Watches, c)
	v.out.line()
	v.out.line("Drift: ", count(len(r.Drift)+len(r.Watches), "thing"), " to look at.")
}

// notApplied shows the watched directories that are not applied, and why.
func (v *textView) notApplied(list []watchAbout, c clock) {
	for i := range list {
		w := &list[i]
		v.out.ink(boldInk, harmless(w.Workspace))
		v.out.put(" follows ", harmless(w.Directory))
		if w.Revision != "" {
			v.out.put(", revision ", harmless(w.Revision))
		}
		v.out.put("\n  ")
		v.out.ink(yellowInk, string(w.State))
		v.out.line(fmt.Sprintf("   %s   since %s (%s)", w.Code, c.since(w.Since), c.ago(w.Since)))
		if len(w.Findings) == 0 {
			v.out.line("      ", harmless(w.Summary))
		}
		for k := range w.Findings {
			if k == shownInFull {
				v.out.line(fmt.Sprintf("      and %d more; --json has them all", len(w.Findings)-k))
				break
			}
			f := &w.Findings[k]
			v.out.line("      ", harmless(findingLine(f)))
			for _, line := range strings.Split(f.Detail, "\n") {
				v.out.line("        ", harmless(line))
			}
		}
		v.out.put("      ")
		v.out.ink(faintInk, harmless(w.Next))
		v.out.line()
	}
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
