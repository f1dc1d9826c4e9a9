package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
)

// problem is an error as people meet it: what is wrong, and what to do.
type problem struct{ code, summary, detail string }

// Error is for logs; views write code, summary and detail apart.
func (p *problem) Error() string { return p.code + ": " + p.summary + ": " + p.detail }

func problemf(code, summary, detail string, args ...any) *problem {
	return &problem{code, summary, fmt.Sprintf(detail, args...)}
}

// exit ends a command with a code of its own after everything has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// asProblem gives every error the form in which it is shown.
func asProblem(err error) *problem {
	var p *problem
	var stale *reconcile.StaleError
	var watched *api.WatchedError
	var remote *api.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, api.ErrEnded):
		return problemf(codeEnded, "serve has ended", "What is stored stays stored, and what stations hold they go on holding: the next serve, or apply, goes on from there. resctl plan says whether the last proposal was stored.")
	case errors.As(err, &watched):
		return watchedProblem(watched)
	case errors.As(err, &stale):
		return problemf(codeStale, "The plan is stale", "%s: %s.\nNothing was stored. Plan again and review it.", stale.Address, stale.Why)
	}
	if errors.As(err, &remote) && remote.Code != "" {
		return problemf(remote.Code, titleOf(remote.Code), "%s.", capital(harmless(strings.TrimSuffix(remote.Message, "."))))
	}
	if no := asNoMatch(err); no != nil {
		return noMatch(no)
	}
	return problemf(codeFailed, "It did not work", "%s", err)
}

// titleOf is what a code is called.
func titleOf(code string) string {
	for _, c := range slices.Concat(api.Codes(), Codes(), reconcile.Codes()) {
		if c.Code == code {
			return capital(c.Title)
		}
	}
	return "The server refuses it"
}

// diagnostics makes a collection of one problem.
func (p *problem) diagnostics() *diag.Diagnostics {
	ds := diag.New(nil)
	ds.Append(diag.Coded(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: p.summary, Detail: p.detail}, p.code, ""))
	return ds
}

// lastCause shortens a chain of errors to its end, where the chain only
// repeats the path.
func lastCause(text, path string) string {
	if i := strings.LastIndex(text, path+": "); i >= 0 {
		return text[i+len(path)+2:]
	}
	return text
}
