package main

import (
	"fmt"

	"github.com/resctl/resctl/reconcile"
)

// edit shows what state mv, state rm or import have done, one line each.
func (v *textView) edit(e *edited) {
	v.heading(e.place)
	c := v.clock()
	held := false
	for i := range e.Plan.Changes {
		ch := &e.Plan.Changes[i]
		switch {
		case ch.Adopts != 0:
			v.out.line(fmt.Sprintf("  ~ %s  is id %d of %s", harmless(short(ch.Address)), ch.Adopts, harmless(ch.StationID)))
		case ch.FromAddress != "":
			v.out.line("  ~ ", harmless(short(ch.FromAddress)), "  is ", harmless(short(ch.Address)), " now")
		case ch.Action == reconcile.Forget && ch.ReservationID != 0:
			held = true
			v.out.line(fmt.Sprintf("  . %s  left at %s under id %d until %s", harmless(short(ch.Address)), harmless(ch.StationID), ch.ReservationID, c.at(e.until[ch.Address])))
		case ch.Action == reconcile.Forget:
			v.out.line("  . ", harmless(short(ch.Address)), "  was not at a station")
		}
	}
	v.out.line()
	what := count(len(e.Plan.Changes), "reservation")
	switch {
	case e.dryRun:
		v.out.line(what, " would be changed. Nothing was stored.")
	case e.imports:
		v.out.line(what, " imported. Nothing was sent: the next resctl apply asks for it under that id.")
	case held:
		v.out.line(what, " forgotten. Nothing was sent. What is still declared, the next apply asks for again.")
	default:
		v.out.line(what, " changed. Nothing was sent.")
	}
}
