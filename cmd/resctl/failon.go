package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
)

// failOn are the codes that a pipeline does not want in a plan, such as RC1*.
type failOn []string

// planCodes are the codes that a plan can have: of its findings and changes, and
// of what its configuration is warned of.
func planCodes() []string {
	var all []string
	for _, k := range reconcile.Codes() {
		all = append(all, k.Code)
	}
	for _, k := range config.Codes() {
		all = append(all, k.Code)
	}
	return all
}

// readFailOn reads a list with commas. A code that there is not is a slip.
func readFailOn(list string) (failOn, error) {
	var codes failOn
	for _, c := range strings.Split(list, ",") {
		if c = strings.ToUpper(strings.TrimSpace(c)); c == "" {
			continue
		}
		if !slices.ContainsFunc(planCodes(), failOn{c}.names) {
			hint := meant(c, planCodes(), plain)
			if slices.ContainsFunc(Codes(), func(k reconcile.Code) bool { return k.Code == c }) {
				hint = " It is the code of an error, which ends a plan with 1 anyway."
			}
			return nil, problemf(codeUsage, "--fail-on names no code of a plan", "%s matches none.%s The codes of plans are in docs/codes.md, such as RC101 or RC1*.", c, hint)
		}
		codes = append(codes, c)
	}
	return codes, nil
}

func (f failOn) names(code string) bool {
	return slices.ContainsFunc(f, func(pattern string) bool { ok, err := path.Match(pattern, code); return ok && err == nil })
}

// met counts the findings and changes of a plan, and the diagnostics of its
// configuration, that have such a code: "RC101 (2), RC103 (1)"; "" for none.
func (f failOn) met(p *reconcile.Plan, ds *diag.Diagnostics) (text string) {
	n := map[string]int{}
	for i := range p.Findings {
		n[p.Findings[i].Code]++
	}
	for i := range p.Changes {
		for _, code := range p.Changes[i].Codes {
			n[code]++
		}
	}
	for _, d := range ds.All() {
		n[diag.CodeOf(d)]++
	}
	for _, code := range planCodes() {
		if n[code] > 0 && f.names(code) {
			text = join(text, fmt.Sprintf("%s (%d)", code, n[code]))
		}
	}
	return text
}
