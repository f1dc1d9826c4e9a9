package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// shownInFull is how many changes are shown with all that they change.
const shownInFull = 20

// shownAlive is up to how many reservations every single success is told.
const shownAlive = 200

// planText is one plan on its way to a sheet.
type planText struct {
	*planned
	out     *sheet
	clock   clock
	width   int // of the terminal; 0: there is none
	full    bool
	offline map[string]string // station → since when
	widths  [2][3]int         // of address, target, when; then of cancellations
	lines   []planLine

	lastWindow reservation.Window // many changes have one window
	lastText   string
}

// planLine is one change in columns.
type planLine struct {
	change *reconcile.Change
	cells  [3]string
	note   string
}

// Plan shows changes by station, cancellations last, then what is outstanding.
func (v *textView) Plan(p *planned) {
	v.erase()
	v.heading(p.place)
	v.much = len(p.Changes)+p.Summary.Unchanged > shownAlive
	t := &planText{planned: p, out: v.out, clock: v.clock(), width: v.width, offline: map[string]string{}}
	if !p.at.IsZero() {
		t.clock.now = p.at
	}
	t.full = p.details || len(p.Changes) <= shownInFull
	t.findOffline()
	t.arrange()
	t.notes()
	t.stations()
	t.settings()
	t.cancellations()
	t.outstanding(v)
	t.summary()
	_ = v.out.Flush()
	v.gap = true
	v.Diagnostics(p.diags)
}

// findOffline says of each station since when it is away.
func (t *planText) findOffline() {
	if t.near {
		return
	}
	for i := range t.Findings {
		if f := &t.Findings[i]; f.Code == "RC401" {
			t.offline[f.StationID] = "offline since " + t.clock.since(f.Since)
		}
	}
}

// arrange writes the columns of every change of a reservation, in the order in
// which they are shown, and measures them.
func (t *planText) arrange() {
	t.lines = make([]planLine, 0, len(t.Changes))
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.Setting() {
			continue
		}
		l := planLine{change: c, cells: [3]string{harmless(short(c.Address)), targetText(c.EVSE, c.ConnectorType), t.whenText(c)}, note: t.note(c)}
		if c.Action == reconcile.Cancel {
			l.cells[1] = harmless(c.StationID) + " " + l.cells[1]
			l.cells[2] = "until " + t.clock.at(c.Window.Expiry)
		}
		w := t.widthsOf(c)
		for k, text := range l.cells {
			w[k] = max(w[k], min(cells(text), 40))
		}
		t.lines = append(t.lines, l)
	}
	slices.SortStableFunc(t.lines, func(a, b planLine) int {
		x, y := a.change, b.change
		if c := boolOrder(x.Action == reconcile.Cancel, y.Action == reconcile.Cancel); c != 0 {
			return c
		}
		if c := config.CompareAddresses(x.StationID, y.StationID); c != 0 && x.Action != reconcile.Cancel {
			return c
		}
		return config.CompareAddresses(x.Address, y.Address)
	})
}

// widthsOf are the columns in which a change stands.
func (t *planText) widthsOf(c *reconcile.Change) *[3]int {
	if c.Action == reconcile.Cancel {
		return &t.widths[1]
	}
	return &t.widths[0]
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// stations are the changes other than cancellations, by station.
func (t *planText) stations() {
	last := ""
	for i := range t.lines {
		l := &t.lines[i]
		if l.change.Action == reconcile.Cancel {
			return
		}
		if id := l.change.StationID; id != last {
			t.out.ink(boldInk, harmless(id))
			if away := t.offline[id]; away != "" {
				t.out.put("   ", away, "  RC401")
			}
			t.out.line()
			last = id
		}
		t.line(l)
	}
}

func (t *planText) cancellations() {
	headed := false
	for i := range t.lines {
		l := &t.lines[i]
		if l.change.Action != reconcile.Cancel {
			continue
		}
		if !headed {
			t.out.ink(boldInk, "Cancellations")
			t.out.line()
			headed = true
		}
		t.line(l)
		if t.full && !t.Destroy {
			t.out.line("      ", harmless(l.change.Reason))
		}
	}
}

// line writes one change. On a terminal that is too narrow the note gets a
// line of its own.
func (t *planText) line(l *planLine) {
	c, widths := l.change, t.widthsOf(l.change)
	t.out.fill(3 - cells(string(c.Action)))
	t.out.ink(symbolInk(c.Action), string(c.Action))
	t.out.put(" ")
	t.out.column(l.cells[0], widths[0])
	t.out.put("  ")
	t.out.column(l.cells[1], widths[1])
	t.out.put("  ", l.cells[2])
	note := l.note
	if len(c.Codes) > 0 {
		note += "  " + strings.Join(c.Codes, " ")
	}
	if note != "" {
		t.noteBeside(l, note, widths)
	}
	t.out.line()
	if t.full {
		t.content(c)
	}
}

// noteBeside writes a note in the last column, or below where it does not fit.
func (t *planText) noteBeside(l *planLine, note string, widths *[3]int) {
	used := 10 // symbol and gaps
	for k, text := range l.cells {
		used += max(widths[k], cells(text))
	}
	if t.width > 0 && used+cells(note) > t.width {
		t.out.line()
		t.out.put("      ")
	} else {
		t.out.fill(widths[2] - cells(l.cells[2]))
		t.out.put("  ")
	}
	before, after, held := strings.Cut(note, heldNow)
	t.out.put(before)
	if held {
		t.out.ink(alarmInk, heldNow)
	}
	t.out.put(after)
}

const heldNow = "HELD NOW"

func symbolInk(s reconcile.Symbol) string {
	switch s {
	case reconcile.Reserve:
		return greenInk
	case reconcile.Cancel, reconcile.Replace:
		return redInk
	case reconcile.Schedule:
		return cyanInk
	}
	return yellowInk
}

// whenText is the window or, for an update, what of it changes.
func (t *planText) whenText(c *reconcile.Change) string {
	switch {
	case c.OnlyRenames:
		return harmless(c.Reason)
	case c.Action == reconcile.Forget:
		return "until " + t.clock.at(c.Window.Expiry)
	}
	if c.Action == reconcile.Modify && c.Before != nil && c.After != nil {
		before := c.Before.When.Window(c.Window.Start)
		recurs := c.Before.When.Schedule != nil || c.After.When.Schedule != nil
		switch {
		case recurs && (before.Expiry.Equal(c.Window.Expiry) || !before.Start.Equal(c.Window.Start)):
			return harmless(c.Reason) + ", next " + t.clock.window(c.Window)
		case !before.Expiry.Equal(c.Window.Expiry):
			return "expiry " + t.clock.at(before.Expiry) + " → " + t.clock.after(before.Expiry, c.Window.Expiry)
		case c.Reason != "":
			return harmless(c.Reason)
		}
	}
	if c.Window != t.lastWindow || t.lastText == "" {
		t.lastWindow, t.lastText = c.Window, t.clock.window(c.Window)
	}
	return t.lastText
}

// note is what a change means at the station, now.
func (t *planText) note(c *reconcile.Change) string {
	switch {
	case c.Over:
		return "over: nothing is sent"
	case c.Action == reconcile.Cancel && c.Held:
		return heldNow
	case c.Action == reconcile.Cancel && c.ReservationID != 0:
		return "may be held"
	case c.Action == reconcile.Cancel:
		return "not held"
	case c.Action == reconcile.Forget && c.ReservationID != 0:
		return t.held(c, "stays at the station")
	case c.Action == reconcile.Forget, c.OnlyRenames:
		return t.held(c, "nothing is sent")
	case c.Adopts != 0:
		return t.held(c, fmt.Sprintf("asked for again under id %d", c.Adopts))
	case c.Action == reconcile.Relocate:
		return t.held(c, "from "+harmless(c.FromStationID)+", which keeps it until then")
	case c.Action == reconcile.Replace:
		return t.held(c, replacedText(c))
	case c.Action == reconcile.Modify && sent(c):
		return t.held(c, "same id")
	case c.Action == reconcile.Modify:
		return t.held(c, "nothing is sent")
	case c.Action == reconcile.Schedule:
		return t.held(c, "opens in "+t.clock.until(opens(c)))
	case t.offline[c.StationID] != "":
		return t.held(c, "sent when it connects")
	}
	return t.held(c, "")
}

func (t *planText) held(c *reconcile.Change, what string) string {
	group := ""
	if c.After != nil && c.After.GroupIDToken != nil && !t.full {
		group = "every member of the group may use it"
	}
	parts := make([]string, 0, 3)
	if c.Held {
		parts = append(parts, heldNow)
	}
	for _, p := range []string{what, group} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}

// sent reports whether the station will be told of an update.
func sent(c *reconcile.Change) bool {
	if c.ReservationID == 0 || c.Before == nil || c.After == nil {
		return false
	}
	return !c.Before.Content(c.Before.When.Window(c.Window.Start)).Equal(c.After.Content(c.Window))
}

// opens is when a reservation is asked for.
func opens(c *reconcile.Change) time.Time {
	return c.Window.Start.Add(-time.Duration(c.After.Activation.LeadTime))
}

// outstanding is what is wanted already, due, and not held.
func (t *planText) outstanding(v *textView) {
	if len(t.Outstanding) == 0 {
		return
	}
	if len(t.Changes) > 0 {
		t.out.line()
	}
	t.out.line("Outstanding, not a change:")
	width := 0
	for i := range t.Outstanding {
		width = max(width, min(cells(short(t.Outstanding[i].Address)), 40))
	}
	v.outstandings(t.Outstanding, t.clock, width, t.details)
}

// summary stands even when nothing changes: scripts look for it.
func (t *planText) summary() {
	if len(t.Changes) > 0 || len(t.Outstanding) > 0 {
		t.out.line()
	}
	if len(t.Changes) == 0 {
		t.out.line("No changes. ", unchangedText(t.Plan))
	}
	t.out.ink(boldInk, "Plan:")
	t.out.line(" ", diag.Wrap(summaryText(t.Summary), t.width-6, "      "))
	t.partial()
	if t.Errors() > 0 {
		return
	}
	t.out.put(t.fitsText())
	if !t.first {
		t.out.put("   Digest ", t.Digest)
	}
	t.out.line()
	if t.next != "" {
		t.out.line()
		if t.waits != nil {
			t.out.line("To carry it out:")
		} else {
			t.out.line("Saved. To make exactly these changes:")
		}
		t.out.line("  ", t.next)
	}
}

// fitsText says what was proven.
func (t *planText) fitsText() string {
	text := "Fits: every window until " + t.clock.at(t.FitsUntil)
	switch t.Unproven {
	case 0:
		return text + "."
	case 1:
		return text + ", but for 1 station where that cannot be proven."
	}
	return fmt.Sprintf("%s, but for %d stations where that cannot be proven.", text, t.Unproven)
}

// summaryText names four counts always, so that it can be searched for, and
// the others where there are any.
func summaryText(s reconcile.Summary) string {
	parts := []string{fmt.Sprintf("%d to reserve", s.Reserve), fmt.Sprintf("%d to update", s.Update)}
	some := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	some(s.Replace, "to replace")
	some(s.Move, "to move")
	parts = append(parts, fmt.Sprintf("%d to schedule", s.Schedule), fmt.Sprintf("%d to cancel", s.Cancel))
	some(s.Forget, "to forget")
	if s.Settings == 1 {
		parts = append(parts, "1 setting")
	}
	if s.Settings > 1 {
		parts = append(parts, fmt.Sprintf("%d settings", s.Settings))
	}
	return fmt.Sprintf("%s. %d unchanged, %d over.", strings.Join(parts, ", "), s.Unchanged, s.Over)
}
