package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func markdownOf(p *reconcile.Plan) string {
	var out, err bytes.Buffer
	v := &markdownView{textView: &textView{out: newSheet(&out, false), err: newSheet(&err, false),
		clock: func() clock { return clock{time.Date(2026, 11, 22, 18, 48, 0, 0, time.UTC), time.UTC} }}}
	v.Plan(&planned{Plan: p, diags: findings(p, nil)})
	_ = v.Close()
	return out.String()
}

// TestMarkdownHostile: nothing that a name says becomes a mention, a link, HTML
// or another cell.
func TestMarkdownHostile(t *testing.T) {
	evil := "a|b`c`<img src=x onerror=y>@octocat #12 --> ](http://evil.example) www.evil.example\r\n| x | *b* _i_ &lt; \\| \u202e ~~s~~"
	p := &reconcile.Plan{Workspace: evil, Complete: true,
		Changes: []reconcile.Change{
			{Address: evil, Action: reconcile.Reserve, StationID: evil, ConnectorType: evil, After: &reservation.Declaration{}},
			{Address: evil, Action: reconcile.Cancel, Reason: evil, StationID: evil, Held: true, Codes: []string{"RC101"}, Before: &reservation.Declaration{}},
			{Address: evil, Action: reconcile.Modify, Reason: evil, StationID: evil, Before: &reservation.Declaration{}, After: &reservation.Declaration{}},
			{Address: evil, Action: reconcile.Cancel, StationID: evil, Station: &reservation.StationEdit{Before: &reservation.StationDeclaration{ID: evil}, After: &reservation.StationDeclaration{ID: evil + "2"}}},
		},
		Outstanding: []reconcile.Outstanding{{Address: evil, StationID: evil, Phase: reservation.Pending, Reason: reservation.Reason(evil)}},
		Findings:    []reconcile.Finding{{Code: "RC201", Severity: reconcile.Error, Summary: evil, Detail: evil, Range: evil + ":1"}}}
	got := markdownOf(p)
	first, rest, _ := strings.Cut(got, "\n")
	if !regexp.MustCompile(`^<!-- resctl plan [A-Za-z0-9._-]+ -->$`).MatchString(first) {
		t.Error(first)
	}
	for _, bad := range []string{"@", "http:", "www.", "<img", "`", "-->", "](", "\r", "\u202e", "*b*", "_i_", "~~"} {
		if strings.Contains(rest, bad) {
			t.Errorf("%q comes through:\n%s", bad, rest)
		}
	}
	for _, line := range strings.Split(rest, "\n") {
		if n := strings.Count(line, "|"); strings.HasPrefix(line, "|") && n != 6 && n != 5 {
			t.Errorf("a row of %d cells: %s", n-1, line)
		}
		if strings.Contains(strings.NewReplacer("<code>", "", "</code>", "").Replace(line), "<") {
			t.Error("HTML:", line)
		}
	}
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
