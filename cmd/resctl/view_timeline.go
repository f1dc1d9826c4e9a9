package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// How wide a chart is where there is no terminal, and at least.
const (
	chartWidth = 80
	chartLeast = 20
)

// pencil is how one manner is drawn.
type pencil struct {
	manner      manner
	fine, ascii rune
	ink         string
}

func pencils() []pencil {
	return []pencil{{mannerWanted, '░', '.', plainInk}, {mannerHeld, '█', '#', greenInk}, {mannerUsed, '▄', '=', cyanInk}, {mannerAmiss, '!', '!', alarmInk}}
}

// chart is a timeline as it is drawn: columns are spans of time.
type chart struct {
	*timeline
	out     *sheet
	clock   clock
	label   int // width of what stands before a row
	columns int
	now     int // column; -1: it is not in range
}

// timeline draws the chart. Where only ASCII can be shown, all of it is.
func (v *textView) timeline(t *timeline) {
	if t.ascii {
		var b bytes.Buffer
		w := &textView{out: newSheet(&b, v.out.color), clock: v.clock, width: v.width}
		w.drawTimeline(t)
		_ = w.out.Flush()
		v.said = true
		v.out.put(strings.NewReplacer("·", "-", "–", "-", "…", "...").Replace(b.String()))
		return
	}
	v.drawTimeline(t)
}

func (v *textView) drawTimeline(t *timeline) {
	v.heading(t.place)
	if t.empty {
		v.out.line(nothingStored)
		return
	}
	ch := &chart{timeline: t, out: v.out, clock: v.clock(), now: -1}
	width := v.width
	if width == 0 {
		width = chartWidth
	}
	for i := range t.Rows {
		ch.label = max(ch.label, cells(targetText(t.Rows[i].EVSE, t.Rows[i].ConnectorType))+4)
	}
	ch.label = min(max(ch.label, 8), 24)
	ch.columns = max(width-ch.label-1, chartLeast)
	if !t.Now.Before(t.From) && t.Now.Before(t.Until) {
		ch.now = ch.column(t.Now)
	}
	ch.axis()
	last := ""
	for i := range t.Rows {
		if r := &t.Rows[i]; r.StationID != last {
			last = r.StationID
			v.out.ink(boldInk, harmless(last))
			v.out.line()
		}
		ch.row(&t.Rows[i])
	}
	ch.legend()
}

// column is where a moment is, cut to the chart's edges.
func (ch *chart) column(t time.Time) int {
	all := ch.Until.Sub(ch.From)
	n := int(float64(t.Sub(ch.From)) / float64(all) * float64(ch.columns))
	return min(max(n, 0), ch.columns)
}

func (ch *chart) rune(fine, ascii rune) rune {
	if ch.ascii {
		return ascii
	}
	return fine
}

// axis is a line of times and, above it, where now is.
func (ch *chart) axis() {
	if ch.now >= 0 {
		text := string(ch.rune('▼', 'v')) + " now " + ch.Now.In(ch.clock.zone).Format("15:04")
		if at := ch.now; at+cells(text) > ch.columns { // there is no room behind it
			text = "now " + ch.Now.In(ch.clock.zone).Format("15:04") + " " + string(ch.rune('▼', 'v'))
			ch.out.fill(ch.label + at + 1 - cells(text))
		} else {
			ch.out.fill(ch.label + at)
		}
		ch.out.line(text)
	}
	line := []rune(strings.Repeat(" ", ch.columns))
	for _, t := range ch.ticks() {
		at := ch.column(t)
		text := string(ch.rune('│', '|')) + tickText(t.In(ch.clock.zone))
		if at+cells(text) <= ch.columns {
			copy(line[at:], []rune(text))
		}
	}
	ch.out.fill(ch.label)
	ch.out.ink(faintInk, strings.TrimRight(string(line), " "))
	ch.out.line()
}

func tickText(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 {
		return t.Format("Mon 2")
	}
	return t.Format("15:04")
}

// ticks are moments of the local day, as close as their texts allow.
func (ch *chart) ticks() (all []time.Time) {
	const room = 8 // of a text and a gap
	least := ch.Until.Sub(ch.From) / time.Duration(max(1, ch.columns/room))
	step := 24 * time.Hour
	for _, s := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour} {
		if s >= least {
			step = s
			break
		}
	}
	days := max(1, int((least+24*time.Hour-1)/(24*time.Hour)))
	for y, m, d := ch.From.In(ch.clock.zone).Date(); ; d += days {
		for into := time.Duration(0); into < 24*time.Hour; into += step {
			t := time.Date(y, m, d, 0, int(into/time.Minute), 0, 0, ch.clock.zone)
			if !t.Before(ch.Until) {
				return all
			}
			// A local time that does not exist is the next one once more.
			if n := len(all); !t.Before(ch.From) && (n == 0 || t.After(all[n-1])) {
				all = append(all, t)
			}
		}
	}
}

// row is as many lines as it takes for windows not to hide each other.
func (ch *chart) row(r *row) {
	label := targetText(r.EVSE, r.ConnectorType)
	for _, lane := range ch.lanes(r.Windows) {
		ch.out.put("  ")
		ch.out.column(clipped(label, ch.label-4), ch.label-2)
		ch.lane(lane)
		label = ""
	}
}

// lanes spreads windows that share columns over several lines; at least one.
func (ch *chart) lanes(bars []bar) [][]bar {
	lanes := [][]bar{nil}
next:
	for _, b := range bars {
		for i, lane := range lanes {
			if n := len(lane); n == 0 || ch.end(&lane[n-1]) <= ch.column(b.Parts[0].Start) {
				lanes[i] = append(lane, b)
				continue next
			}
		}
		lanes = append(lanes, []bar{b})
	}
	return lanes
}

// end is the column behind a window. It has one column at least.
func (ch *chart) end(b *bar) int {
	return max(ch.column(b.Parts[len(b.Parts)-1].Expiry), ch.column(b.Parts[0].Start)+1)
}

// mark is one column of a line.
type mark struct {
	r   rune
	ink string
}

func (ch *chart) lane(bars []bar) {
	marks := make([]mark, ch.columns)
	for i := range marks {
		marks[i] = mark{' ', plainInk}
	}
	if ch.now >= 0 && ch.now < ch.columns {
		marks[ch.now] = mark{ch.rune('│', '|'), faintInk}
	}
	for i := range bars {
		for _, p := range bars[i].Parts {
			ch.paint(marks, p)
		}
		ch.write(marks, &bars[i])
	}
	for len(marks) > 0 && marks[len(marks)-1].r == ' ' {
		marks = marks[:len(marks)-1]
	}
	for i := 0; i < len(marks); {
		n, text := i, []rune{}
		for ; n < len(marks) && marks[n].ink == marks[i].ink; n++ {
			text = append(text, marks[n].r)
		}
		ch.out.ink(marks[i].ink, string(text))
		i = n
	}
	ch.out.line()
}

// paint draws a part; a short one has a column of its own.
func (ch *chart) paint(marks []mark, p part) {
	for _, x := range pencils() {
		if x.manner != p.Manner {
			continue
		}
		from := ch.column(p.Start)
		for i := from; i < max(ch.column(p.Expiry), from+1) && i < len(marks); i++ {
			marks[i] = mark{ch.rune(x.fine, x.ascii), x.ink}
		}
	}
}

// write puts the name of a window into its longest part, if it fits there.
func (ch *chart) write(marks []mark, b *bar) {
	text := []rune(" " + harmless(short(b.Address)) + " ")
	best, from := 0, 0
	for _, p := range b.Parts {
		if at := ch.column(p.Start); ch.column(p.Expiry)-at > best {
			best, from = ch.column(p.Expiry)-at, at
		}
	}
	if best < len(text)+2 {
		return
	}
	for i, r := range text {
		marks[from+1+i] = mark{r, plainInk}
	}
}

// legend says what the marks mean, and what is in range.
func (ch *chart) legend() {
	ch.out.line()
	for i, x := range pencils() {
		if i > 0 {
			ch.out.put("   ")
		}
		ch.out.ink(x.ink, strings.Repeat(string(ch.rune(x.fine, x.ascii)), 2))
		ch.out.put(" ", string(x.manner))
	}
	ch.out.line()
	n := 0
	for i := range ch.Rows {
		n += len(ch.Rows[i].Windows)
	}
	ch.out.line(fmt.Sprintf("%s – %s: %s.", ch.clock.at(ch.From), ch.clock.at(ch.Until), count(n, "window")))
}

// clipped shortens a text to a width.
func clipped(text string, width int) string {
	if cells(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}
