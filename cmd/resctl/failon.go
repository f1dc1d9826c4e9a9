package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/resctl/resctl/reconcile"
)

// failOn are the codes that a pipeline does not want in a plan, such as RC1*.
type failOn []string

// readFailOn reads a list with commas. A code that there is not is a slip.
func readFailOn(list string) (failOn, error) {
	var codes failOn
	for _, c := range strings.Split(list, ",") {
		if c = strings.ToUpper(strings.TrimSpace(c)); c == "" {
			continue
		}
		known := slices.ContainsFunc(reconcile.Codes(), func(k reconcile.Code) bool { return failOn{c}.names(k.Code) })
		if !known {
			return nil, problemf(codeUsage, "--fail-on names no code of a plan", "%s matches none. The codes of plans are in docs/codes.md, such as RC101 or RC1*.", c)
		}
		codes = append(codes, c)
	}
	return codes, nil
}

func (f failOn) names(code string) bool {
	return slices.ContainsFunc(f, func(pattern string) bool { ok, err := path.Match(pattern, code); return ok && err == nil })
}

// met counts the findings and changes of a plan that have such a code: "RC101
// (2), RC103 (1)"; "" for none.
func (f failOn) met(p *reconcile.Plan) (text string) {
	n := map[string]int{}
	for i := range p.Findings {
		n[p.Findings[i].Code]++
	}
	for i := range p.Changes {
		for _, code := range p.Changes[i].Codes {
			n[code]++
		}
	}
	for _, k := range reconcile.Codes() {
		if n[k.Code] > 0 && f.names(k.Code) {
			text = join(text, fmt.Sprintf("%s (%d)", k.Code, n[k.Code]))
		}
	}
	return text
}
