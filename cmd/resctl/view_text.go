package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// textView writes for people: results on out, everything else on err.
type textView struct {
	out, err *sheet
	clock    func() clock
	width    int  // of the terminal; 0: there is none
	live     bool // err is a terminal: progress is drawn over itself
	drawn    bool // such a line stands there
	said     bool // something is on out
	gap      bool // a plan is on out, and nothing is on err yet
	much     bool // more is to come than anybody reads
}

var _ view = (*textView)(nil)

// Close writes what is left.
func (v *textView) Close() error {
	v.erase()
	return errors.Join(v.out.Flush(), v.err.Flush())
}

// Diagnostics goes to err, behind whatever was said before.
func (v *textView) Diagnostics(ds *diag.Diagnostics) {
	if ds.Len() == 0 {
		return
	}
	v.erase()
	_ = v.out.Flush()
	if v.said {
		v.err.line() // on a terminal they follow what is on out
	}
	_ = ds.WriteText(v.err, diag.TextOptions{Color: v.err.color, Width: v.errWidth()})
	_ = v.err.Flush()
}

// errWidth is how wide prose on err may be.
func (v *textView) errWidth() int {
	if !v.live {
		return 0
	}
	return v.width
}

// heading is the first line: where this is, and when.
func (v *textView) heading(p place) {
	v.said = true
	v.out.ink(boldInk, harmless(p.workspace))
	if p.workspace != "" {
		v.out.put(" @ ")
	}
	v.out.put(harmless(p.state))
	if p.stations != "" {
		v.out.put(" · ", p.stations)
	}
	c := v.clock()
	v.out.line(" · ", c.full(c.now))
	v.out.line()
}

// Event shows what a station did or answered. Where there is much to come,
// what went well is only counted.
func (v *textView) Event(e reservation.Event) {
	text := eventText(e, v.clock())
	if text == "" || v.much && wentWell(e) {
		return
	}
	v.erase()
	v.apart()
	v.err.line(harmless(text))
	_ = v.err.Flush()
}

// apart keeps what happens apart from the plan above it, where both are seen.
func (v *textView) apart() {
	if v.gap {
		v.err.line()
		v.gap = false
	}
}

// Progress is drawn over itself on a terminal; elsewhere it is a line.
func (v *textView) Progress(p progress) {
	v.apart()
	if p.interrupted {
		v.erase()
		v.err.line("Interrupted: what is in flight is recorded first. Ctrl-C again ends at once.")
		_ = v.err.Flush()
		return
	}
	text := fmt.Sprintf("%d of %d settled", p.settled, p.of)
	if len(p.waiting) > 0 {
		o := p.waiting[0]
		text += fmt.Sprintf("; waiting for %s at %s: %s", short(o.Address), o.StationID, reasonText(o.Reason))
		if n := len(p.waiting) - 1; n > 0 {
			text += fmt.Sprintf(", and %d more", n)
		}
	}
	text += " (" + distance(p.left) + " left)"
	if !v.live {
		v.err.line(harmless(text))
		_ = v.err.Flush()
		return
	}
	if v.width > 4 && cells(text) > v.width-1 {
		text = string([]rune(text)[:v.width-2]) + "…"
	}
	v.erase()
	v.err.ink(faintInk, harmless(text))
	_ = v.err.Flush()
	v.drawn = true
}

// erase takes a drawn progress line away.
func (v *textView) erase() {
	if v.drawn {
		v.err.put("\r\x1b[K")
		_ = v.err.Flush()
		v.drawn = false
	}
}

// Outcome is the summary that ends every apply.
func (v *textView) Outcome(o *outcome) {
	v.erase()
	c := v.clock()
	v.out.line()
	switch {
	case o.NotAwaited:
		v.out.line(notAwaitedText(o))
	case len(o.Unsettled) > 0:
		v.out.ink(yellowInk, unsettledHeading(o))
		v.out.line()
		v.outstandings(o.Unsettled, c, 0, false)
		v.out.line("They stay wanted: ", whoGoesOn(o), " goes on with them.")
		if o.dial != "" {
			v.out.line("\nNo station came in. They dial, each with its own identity at the end:")
			v.out.line("  ", o.dial, "   subprotocol ocpp2.0.1")
			v.out.line("Without a station at hand, resctl simulate plays some.")
		}
	case o.Stored:
		v.out.ink(greenInk, "Done: "+changedText(o.Changed)+".")
		if o.Reserved != o.Changed["reserved"] {
			v.out.put(fmt.Sprintf(" %d reserved now.", o.Reserved))
		}
		v.out.line()
	default:
		v.out.line(fmt.Sprintf("Nothing to do. %d reserved now.", o.Reserved))
	}
	if o.Later > 0 {
		v.out.line(laterText(o, c))
	}
	_ = v.out.Flush()
}

func unsettledHeading(o *outcome) string {
	said := "Not settled within " + distance(o.Waited)
	if o.Interrupted {
		said = "Interrupted"
	}
	if o.Stored {
		said += ". Everything is stored"
	}
	return fmt.Sprintf("%s; %d not settled yet:", said, len(o.Unsettled))
}

// whoGoesOn is who asks for what has not settled.
func whoGoesOn(o *outcome) string {
	if o.served {
		return "serve"
	}
	return "the next apply"
}

func notAwaitedText(o *outcome) string {
	text := "Nothing was sent (--wait 0s): the next apply does it."
	if o.served {
		text = "serve asks the stations; nothing was waited for (--wait 0s)."
	}
	if o.Stored {
		text = "Stored. " + text
	}
	return text
}

func laterText(o *outcome, c clock) string {
	opener, opens := "nothing", " unless resctl runs then."
	if o.served {
		opener, opens = "serve", "."
	}
	if o.Later == 1 {
		return "1 window opens later, " + c.at(o.Next) + "; " + opener + " opens it" + opens
	}
	return fmt.Sprintf("%d windows open later, the first %s; %s opens them%s", o.Later, c.at(o.Next), opener, opens)
}

// changedText lists what came of the changes, in the order of a plan.
func changedText(m map[string]int) string {
	var parts []string
	for _, word := range outcomeWords {
		if m[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", m[word], outcomeText(word, m[word])))
		}
	}
	if len(parts) == 0 {
		return "nothing changed"
	}
	return strings.Join(parts, ", ")
}

// About shows a result that is a document of its own.
func (v *textView) About(x any) {
	switch x := x.(type) {
	case versions:
		v.out.line("resctl ", x.Version, " (", x.Go, ", ", x.Platform, ")")
		v.out.line("OCPP ", strings.Join(x.OCPP, ", "), "; plans ", x.Plan)
	case validation:
		v.out.ink(greenInk, "Valid:")
		text := fmt.Sprintf(" %s and %s", count(x.Stations, "station"), count(x.Reservations, "reservation"))
		if x.where != "." {
			text += " in " + x.where
		}
		v.out.line(text, ".")
	case *journal:
		v.journalHead(x)
	case journalLine:
		v.journalLine(x)
	case *orderList:
		v.out.line(x.text)
	case *outputList:
		v.outputs(x)
	case *addressList:
		v.addresses(x)
	case *kept:
		v.kept(x)
	case *checkup:
		v.checkup(x)
	case *serving:
		v.serving(x)
	case *edited:
		v.edit(x)
	case *timeline:
		v.timeline(x)
	case *driftReport:
		v.drift(x)
	case *story:
		v.story(x)
	case *workspaceList:
		v.workspaces(x)
	case *stationList:
		v.stations(x)
	default:
		v.out.line(fmt.Sprint(x))
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// outstandings are as many lines as people read; the rest is counted.
func (v *textView) outstandings(list []reconcile.Outstanding, c clock, width int, all bool) {
	for i := range list {
		if i == shownInFull && !all {
			v.out.line(fmt.Sprintf("  and %d more; resctl plan --details shows them", len(list)-i))
			return
		}
		v.outstanding(&list[i], c, width)
	}
}

// outstanding is one line, and why.
func (v *textView) outstanding(o *reconcile.Outstanding, c clock, width int) {
	v.out.put("  ")
	v.out.column(harmless(short(o.Address)), width)
	v.out.put("  ", harmless(o.StationID))
	if o.EVSE != 0 {
		v.out.put(fmt.Sprintf(" EVSE %d", o.EVSE))
	}
	v.out.put("   ", string(o.Phase), " ", c.ago(o.Since))
	if o.Reason != "" {
		v.out.put(": ", reasonText(o.Reason))
	}
	if o.Info != "" {
		v.out.put(" (", harmless(o.Info), ")")
	}
	if next := nextText(o, c); next != "" {
		v.out.put("; ", next)
	}
	v.out.line()
}
