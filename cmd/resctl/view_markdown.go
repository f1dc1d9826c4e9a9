package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
)

// Bytes of a comment: GitHub takes 65,536 characters. Every section leaves room
// for the others to say at least how much there is of them.
const (
	markdownLimit    = 60_000
	markdownProblems = 10_000
	markdownCount    = 1_000 // the line that counts what was cut
	markdownSection  = markdownCount + 200
)

// markdownView writes a plan as a comment on a pull request. Everything else is
// text, as are the diagnostics for whoever reads the log.
type markdownView struct {
	*textView
	problems []markdownRow
	wrote    bool
}

var _ view = (*markdownView)(nil)

// markdownRow is a line of a section, and the station under which it is counted
// when it is cut.
type markdownRow struct{ station, text string }

// Diagnostics are part of the comment that follows as well.
func (v *markdownView) Diagnostics(ds *diag.Diagnostics) {
	v.note(ds)
	v.textView.Diagnostics(ds)
}

// oneLine joins the lines of a text, with commas between those of a list in it.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines[:len(lines)-1] {
		if strings.HasPrefix(lines[i], "  ") {
			lines[i] += map[bool]string{true: ",", false: "."}[strings.HasPrefix(lines[i+1], "  ")]
		}
	}
	return strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
}

func (v *markdownView) note(ds *diag.Diagnostics) {
	for _, d := range ds.JSON() {
		text := "- **" + d.Severity + "** " + escaped(d.Summary)
		if d.Code != "" {
			text += " (" + d.Code + ")"
		}
		if d.Range != nil {
			text += " " + code(fmt.Sprintf("%s:%d", d.Range.Filename, d.Range.Start.Line))
		}
		if d.Detail != "" {
			text += ": " + escaped(oneLine(d.Detail))
		}
		v.problems = append(v.problems, markdownRow{"", text + "\n"})
	}
}

// Close writes what went wrong before there was a plan.
func (v *markdownView) Close() error {
	if !v.wrote && len(v.problems) > 0 {
		v.out.put("<!-- resctl plan -->\n### resctl plan failed\n", section("", "", v.problems, markdownProblems))
	}
	return v.textView.Close()
}

// Plan writes the comment. What is cancelled comes first and is cut last.
func (v *markdownView) Plan(p *planned) {
	v.wrote = true
	t := &planText{planned: p, out: v.out, clock: v.clock(), offline: map[string]string{}}
	if !p.at.IsZero() {
		t.clock.now = p.at
	}
	t.findOffline()
	t.arrange()
	v.note(p.diags)
	head, foot := markdownHead(t), markdownFoot(t)
	var changes, cancels []markdownRow
	for i := range t.lines {
		if r := t.markdownRow(&t.lines[i]); t.lines[i].change.Action == reconcile.Cancel {
			cancels = append(cancels, r)
		} else {
			changes = append(changes, r)
		}
	}
	const table = "| | address | where | when | |\n|---|---|---|---|---|\n"
	left := markdownLimit - len(head) - len(foot)
	v.out.put(head)
	write := func(text string) { v.out.put(text); left -= len(text) }
	write(section("Problems", "", v.problems, markdownProblems))
	write(section("Cancellations", table, cancels, left-3*markdownSection))
	write(section("Changes", table, changes, left-2*markdownSection))
	write(section("Settings, nothing is sent", "| | address | station | |\n|---|---|---|---|\n", t.markdownSettings(), left-markdownSection))
	write(section("Outstanding, not a change", "", t.markdownOutstanding(), left))
	v.out.put(foot)
	_ = v.out.Flush()
	v.textView.Diagnostics(p.diags)
}

func markdownHead(t *planText) string {
	var b strings.Builder
	// A comment ends at -->, so the name is let in by its letters only.
	fmt.Fprintf(&b, "<!-- resctl plan %s -->\n### resctl plan: %s, %s\n\n", strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, cut(t.Workspace)), code(t.Workspace), t.clock.full(t.CreatedAt))
	if !t.at.IsZero() {
		fmt.Fprintf(&b, "As if it were %s.\n\n", t.clock.full(t.at))
	}
	if t.frozen != nil {
		fmt.Fprintf(&b, "**%s**\n\n", escaped(frozenText(t.frozen, t.clock)))
	}
	if t.waits != nil {
		fmt.Fprintf(&b, "**%s**\n\n", escaped(heldText(t.waits, t.clock)))
	}
	if t.Destroy && len(t.Changes) > 0 {
		fmt.Fprintf(&b, "**%s**\n\n", escaped(destroyText(t.Plan)))
	}
	if len(t.Changes) == 0 {
		b.WriteString("No changes. " + unchangedText(t.Plan) + "\n")
	}
	fmt.Fprintf(&b, "**Plan:** %s\n", summaryText(t.Summary))
	if d := damage(t.Plan); d != "" {
		fmt.Fprintf(&b, "\n**This %s.**\n", d)
	}
	if !t.Complete {
		fmt.Fprintf(&b, "\n%s\n", partialText(t.Plan))
	}
	return b.String()
}

func markdownFoot(t *planText) string {
	if t.Errors() > 0 {
		return "\nNothing can be stored as it is.\n"
	}
	text := "\n" + t.fitsText()
	if !t.first {
		text += " Digest " + code(t.Digest) + "."
	}
	return text + "\n"
}

func (t *planText) markdownRow(l *planLine) markdownRow {
	c, note := l.change, escaped(l.note)
	if c.Action != reconcile.Cancel {
		l.cells[1] = c.StationID + " " + l.cells[1]
	}
	note = strings.Replace(note, heldNow, "**"+heldNow+"**", 1)
	if len(c.Codes) > 0 {
		note += " " + strings.Join(c.Codes, " ")
	}
	return markdownRow{c.StationID, fmt.Sprintf("| %s | %s | %s | %s | %s |\n", code(string(c.Action)), code(l.cells[0]), code(l.cells[1]), escaped(l.cells[2]), note)}
}

func (t *planText) markdownSettings() (rows []markdownRow) {
	for i := range t.Changes {
		if c := &t.Changes[i]; c.Setting() {
			station := ""
			if c.Station != nil {
				station = code(c.StationID)
			}
			rows = append(rows, markdownRow{c.StationID, fmt.Sprintf("| %s | %s | %s | %s |\n", code(string(c.Action)), code(c.Address), station, escaped(t.settingText(c)))})
		}
	}
	return rows
}

func (t *planText) markdownOutstanding() (rows []markdownRow) {
	for i := range t.Outstanding {
		o := &t.Outstanding[i]
		text := fmt.Sprintf("- %s %s %s %s: %s", code(short(o.Address)), code(o.StationID), o.Phase, t.clock.ago(o.Since), escaped(reasonText(o.Reason)))
		if next := nextText(o, t.clock); next != "" {
			text += "; " + escaped(next)
		}
		rows = append(rows, markdownRow{o.StationID, text + "\n"})
	}
	return rows
}

// section is a heading and as many rows as fit; the rest is counted by station.
func section(title, table string, rows []markdownRow, budget int) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n")
	if title != "" {
		b.WriteString("#### " + title + "\n\n")
	}
	b.WriteString(table)
	for i, r := range rows {
		more := markdownCount
		if i == len(rows)-1 {
			more = 0
		}
		if b.Len()+len(r.text)+more > budget {
			b.WriteString(counted(rows[i:]))
			break
		}
		b.WriteString(r.text)
	}
	return b.String()
}

// counted is the line that stands for rows that were cut.
func counted(rows []markdownRow) string {
	n := map[string]int{}
	for _, r := range rows {
		n[r.station]++
	}
	text := fmt.Sprintf("\n…and %d more", len(rows))
	delete(n, "")
	for i, id := range slices.SortedFunc(maps.Keys(n), config.CompareAddresses) {
		one := fmt.Sprintf(", %s %d", code(id), n[id])
		if i == 0 {
			one = ":" + one[1:]
		}
		if len(text)+len(one) > markdownCount-60 {
			text += fmt.Sprintf(", and others at %s", count(len(n)-i, "station"))
			break
		}
		text += one
	}
	return text + ".\n"
}

// cut bounds what a cell may hold.
func cut(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:99]) + "…"
	}
	return s
}

// code shows a text as it is: GitHub looks for no names, numbers or links in it.
func code(s string) string { return "<code>" + escaped(cut(s)) + "</code>" }

// escaped writes as a number whatever has a meaning in Markdown or HTML, and
// keeps @ and # from calling somebody or something.
func escaped(s string) string {
	var b strings.Builder
	r := []rune(harmless(s))
	if len(r) > 400 {
		r = append(r[:399], '…')
	}
	for i, c := range r {
		switch {
		case c == '@' || c == '#':
			fmt.Fprintf(&b, "&#%d;&#8203;", c)
		case c == ':' && (i+1 == len(r) || r[i+1] != '/'), c >= 0x80,
			strings.ContainsRune(" ,;()/+%=", c), c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
			b.WriteRune(c)
		case c == '-' && i > 0:
			b.WriteRune(c)
		default:
			fmt.Fprintf(&b, "&#%d;", c)
		}
	}
	return b.String()
}
