package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func markdownOf(p *reconcile.Plan) string {
	var out, err bytes.Buffer
	v := &markdownView{textView: &textView{out: newSheet(&out, false), err: newSheet(&err, false),
		clock: func() clock { return clock{now: time.Date(2026, 11, 22, 18, 48, 0, 0, time.UTC), zone: time.UTC} }}}
	v.Plan(&planned{Plan: p, diags: findings(p, nil)})
	_ = v.Close()
	return out.String()
}

// FuzzMarkdown: whatever a name, a reason or a file says, it becomes no mention,
// link, HTML, cell or line.
func FuzzMarkdown(f *testing.F) {
	f.Add("a|b`c`<img src=x onerror=y>@octocat #12 --> ](http://evil.example) www.evil.example\r\n| x | *b* _i_ &lt; \\| \u202e ~~s~~")
	for _, s := range []string{"", "plain", "|", "\n\n# Heading", "\\", "<!-- resctl plan other -->", "--", "- [ ] x", "1. x", "https://x.example", "x@y.example",
		"org/repo#1", "&commat;octocat", "$$x$$", "\x00\xff\u2028\u0085\v\f", strings.Repeat("|`@<", 500), strings.Repeat("é", 3000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, plain := markdownOf(planOf("x"+s)), markdownOf(planOf("x"))
		first, rest, _ := strings.Cut(got, "\n")
		if !regexp.MustCompile(`^<!-- resctl plan [A-Za-z0-9._-]+ -->$`).MatchString(first) || len(got) > markdownLimit || !utf8.ValidString(got) {
			t.Errorf("%d bytes, beginning with %q", len(got), first)
		}
		for _, bad := range []string{"@", "://", "www.", "`", "-->", "](", "\r", "\u202e", "\u2028", "\\", "*x", "_", "~~", "$"} {
			if strings.Contains(rest, bad) {
				t.Errorf("%q comes through:\n%s", bad, rest)
			}
		}
		if strings.Contains(strings.NewReplacer("<code>", "", "</code>", "").Replace(rest), "<") {
			t.Error("HTML:", rest)
		}
		if a, b := shapeOf(rest), shapeOf(plain[strings.Index(plain, "\n")+1:]); a != b {
			t.Errorf("its shape is\n%s\nnot\n%s", a, b)
		}
	})
}

// planOf says the same text wherever a user or a station may say something.
func planOf(s string) *reconcile.Plan {
	return &reconcile.Plan{Workspace: s, Complete: true,
		Changes: []reconcile.Change{
			{Address: s, Action: reconcile.Reserve, StationID: s, ConnectorType: s, After: &reservation.Declaration{}},
			{Address: s, Action: reconcile.Relocate, StationID: s, FromStationID: s, Held: true, Before: &reservation.Declaration{}, After: &reservation.Declaration{}},
			{Address: s, Action: reconcile.Cancel, Reason: s, StationID: s, Held: true, Codes: []string{"RC101"}, Before: &reservation.Declaration{Source: s}},
			{Address: s, Action: reconcile.Modify, Reason: s, StationID: s, Before: &reservation.Declaration{Address: s}, After: &reservation.Declaration{Address: s}},
			{Address: s, Action: reconcile.Cancel, StationID: s, Station: &reservation.StationEdit{Before: &reservation.StationDeclaration{ID: s}, After: &reservation.StationDeclaration{ID: s + "2"}}},
			{Address: s, Action: reconcile.Reserve, Token: &reservation.TokenEdit{After: &reservation.TokenDeclaration{Address: s, IDToken: reservation.Token{IDToken: s, Type: s}}}},
		},
		Outstanding: []reconcile.Outstanding{{Address: s, StationID: s, Phase: reservation.Pending, Reason: reservation.Reason(s), Info: s}},
		Findings:    []reconcile.Finding{{Code: "RC201", Severity: reconcile.Error, Summary: s, Detail: s, Address: s, Range: s + ":1"}}}
}

// shapeOf is how many lines there are, how each begins, and how many cells it has.
func shapeOf(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(text, "\n") {
		begin, _, _ := strings.Cut(line, " ")
		fmt.Fprintf(&b, "%.4s %d\n", begin, strings.Count(line, "|"))
	}
	return b.String()
}

// TestMarkdownSize: cancellations are cut last, and what is cut is counted.
func TestMarkdownSize(t *testing.T) {
	for name, c := range map[string]struct{ reserve, cancel, station int }{
		"a little": {3, 3, 1}, "many changes": {2000, 10, 10}, "many cancellations": {2000, 2000, 3000}, "one station": {5, 5000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := &reconcile.Plan{Workspace: "depot-a", Complete: true}
			for i := range c.reserve + c.cancel {
				x := reconcile.Change{Address: fmt.Sprintf("reservation.van[\"%d\"]", i), Action: reconcile.Reserve,
					StationID: fmt.Sprintf("DEPOT-%d", i%c.station), After: &reservation.Declaration{}}
				if i >= c.reserve {
					x.Action, x.Held, x.Before, x.After = reconcile.Cancel, true, x.After, nil
				}
				p.Changes = append(p.Changes, x)
				p.Outstanding = append(p.Outstanding, reconcile.Outstanding{Address: x.Address + "-", StationID: x.StationID})
				p.Changes = append(p.Changes, reconcile.Change{Address: fmt.Sprint("station.s", i), Action: reconcile.Reserve, Station: &reservation.StationEdit{After: &reservation.StationDeclaration{}}})
				p.Findings = append(p.Findings, reconcile.Finding{Code: "RC404", Severity: reconcile.Warning, Summary: strings.Repeat("@", 1000), Address: x.Address, Range: fmt.Sprintf("a.hcl:%d", i+1)})
			}
			got := markdownOf(p)
			if len(got) > markdownLimit {
				t.Errorf("%d bytes", len(got))
			}
			cancels, _, _ := strings.Cut(got[strings.Index(got, "#### Cancellations"):], "#### Changes")
			if whole := strings.Count(cancels, "RC") == 0 && strings.Count(cancels, "\n| <code>") == c.cancel; whole != (c.cancel <= 10) {
				t.Errorf("%d of %d cancellations", strings.Count(cancels, "\n| <code>"), c.cancel)
			}
			for _, s := range []string{"#### Problems", "#### Changes", "#### Settings", "#### Outstanding", "Fits: "} {
				if !strings.Contains(got, s) {
					t.Errorf("no %s", s)
				}
			}
			if c.cancel > 10 && !regexp.MustCompile(`…and \d+ more: <code>DEPOT-0</code> \d+`).MatchString(cancels) {
				t.Error("what is cut is not counted")
			}
		})
	}
}

func TestMarkdownFails(t *testing.T) {
	var out, err bytes.Buffer
	v := &markdownView{textView: &textView{out: newSheet(&out, false), err: newSheet(&err, false)}}
	ds := diag.New(nil)
	ds.Append(problemf(codeUsage, "Wrong", "It is @wrong.").diagnostics().All()...)
	v.Diagnostics(ds)
	if v.Close() != nil || !strings.Contains(out.String(), "resctl plan failed") || strings.Contains(out.String(), "@") || !strings.Contains(err.String(), "@wrong") {
		t.Error(out.String(), err.String())
	}
}

func TestFailOn(t *testing.T) {
	p := &reconcile.Plan{Changes: []reconcile.Change{{Codes: []string{"RC101"}}, {Codes: []string{"RC101", "RC103"}}}, Findings: []reconcile.Finding{{Code: "RC401"}}}
	ds := diag.New(nil)
	ds.Append(diag.Coded(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "x"}, "RC512", ""))
	for list, want := range map[string]string{"": "", "RC101": "RC101 (2)", "rc1*, RC401": "RC101 (2), RC103 (1), RC401 (1)", "RC?02": "", "RC10[13]": "RC101 (2), RC103 (1)",
		"RC5*": "RC512 (1)", "RC101,RC512": "RC101 (2), RC512 (1)"} {
		f, err := readFailOn(list)
		if err != nil || f.met(p, ds) != want {
			t.Errorf("%s: %s %v", list, f.met(p, ds), err)
		}
	}
	for list, hint := range map[string]string{"RC109": "Did you mean RC10", "101": "Did you mean RC101?", "RC101,RC": "", "RC[": "", "RC601": "the code of an error"} {
		if _, err := readFailOn(list); err == nil || !strings.Contains(err.Error(), hint) {
			t.Error(list, err)
		}
	}
}

// TestMarkdownState: the same holds of a state, which is cut and counted where it
// is too long.
func TestMarkdownState(t *testing.T) {
	evil := "a|b`c`<img src=x onerror=y>@octocat #12 --> ](http://evil.example) www.evil.example\r\n| x | *b* _i_ \u202e ~~s~~"
	show := func(s *stored) string {
		var out bytes.Buffer
		v := &markdownView{textView: textViewOn(&out, 0)}
		v.State(s)
		_ = v.Close()
		return out.String()
	}
	halt := reservation.Halt{By: evil, Reason: evil, Since: sunday}
	s := &stored{place: place{workspace: evil, state: evil}, at: sunday, State: &reconcile.State{
		Meta:     reservation.Meta{Serials: map[string]int64{evil: 1, "b": 1}, Frozen: map[string]reservation.Halt{evil: halt}},
		Entries:  []reservation.Entry{{Workspace: evil, Address: evil, StationID: evil, Target: reservation.Target{ConnectorType: evil}, Phase: reservation.Pending, Reason: reservation.Reason(evil)}},
		Stations: []reservation.Station{{ID: evil, Paused: &halt}}}}
	got := show(s)
	for _, bad := range []string{"@", "http:", "www.", "<img", "`", "-->", "](", "\r", "\u202e", "*b*", "_i_", "~~"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q comes through:\n%s", bad, got)
		}
	}
	for _, line := range strings.Split(got, "\n") {
		if n := strings.Count(line, "|"); strings.HasPrefix(line, "|") && n != 6 && n != 3 {
			t.Errorf("a row of %d cells: %s", n-1, line)
		}
		if strings.Contains(strings.NewReplacer("<code>", "", "</code>", "").Replace(line), "<") {
			t.Error("HTML:", line)
		}
	}
	for i := range 3000 {
		id := fmt.Sprintf("DEPOT-%04d", i)
		s.Entries = append(s.Entries, reservation.Entry{Workspace: "b", Address: "reservation.r", StationID: id, Phase: reservation.Held})
		s.Stations = append(s.Stations, reservation.Station{ID: id})
	}
	if got = show(s); len(got) > 65_000 || !strings.Contains(got, "…and ") || !strings.Contains(got, "3001 reservations: 1 pending, 3000 reserved.") {
		t.Errorf("%d bytes:\n%s", len(got), got[:400])
	}
	if got = show(&stored{State: &reconcile.State{}, place: place{state: "resctl.db"}, empty: true}); !strings.Contains(got, nothingStored) {
		t.Error(got)
	}
}
