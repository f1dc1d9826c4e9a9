package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/watch"
)

// held is what waits for a person.
type held struct {
	cfg      *config.Configuration // nil: nothing does
	tree     watch.Fingerprint
	revision string
}

// visit applies what a directory declares, or says why not.
func (w *watched) visit(ctx context.Context, t watch.Tree, err error) watch.Verdict {
	if err != nil {
		w.letGo()
		w.tell(api.Watch{State: api.WatchBroken, Code: codeUnreadable, Summary: reasonOf(err, w.directory)})
		return watch.Done
	}
	cfg, ds := config.Load(config.Options{Dir: t.Dir, Env: w.env, Version: version})
	if !t.Still() {
		return watch.Moved
	}
	w.acting.Lock()
	defer w.acting.Unlock()
	if w.held.tree != t.Fingerprint {
		w.held = held{}
	}
	status := api.Watch{Revision: t.Revision}
	switch {
	case ds.HasErrors():
		status.State, status.Code, status.Findings = api.WatchBroken, codeUnreadable, problemsOf(ds)
		status.Summary = firstOf(status.Findings)
	case cfg.Workspace != w.workspace:
		status.State, status.Code = api.WatchRefused, codeForeignDir
		status.Summary = fmt.Sprintf("it declares workspace %s", cfg.Workspace)
	default:
		return w.apply(ctx, cfg, t)
	}
	w.tell(status)
	return watch.Done
}

// letGo forgets what is held.
func (w *watched) letGo() {
	w.acting.Lock()
	defer w.acting.Unlock()
	w.held = held{}
}

// apply plans, and stores the plan unless something forbids it. What a person or
// time may change is looked at again.
func (w *watched) apply(ctx context.Context, cfg *config.Configuration, t watch.Tree) watch.Verdict {
	status := api.Watch{State: api.WatchApplied, Revision: t.Revision}
	p, frozen, err := w.plan(ctx, cfg)
	if err != nil {
		return w.failed(ctx, status, err)
	}
	why := holds(p, w.maxCancel)
	switch {
	case p.Errors() > 0:
		status.State, status.Findings = api.WatchRefused, errorsOf(p)
		status.Code, status.Summary = status.Findings[0].Code, firstOf(status.Findings)
	case len(p.Changes) == 0:
		w.held = held{}
		w.tell(status)
		return watch.Done
	case frozen != nil:
		status.State, status.Code = api.WatchFrozen, codeFrozen
		status.Summary = fmt.Sprintf("%s, and %s wait", frozenFor(frozen), count(len(p.Changes), "change"))
	case why != "" || w.held.cfg != nil:
		if why == "" { // it stays held until a person has seen it, or it changes
			why = w.now().Summary
		}
		w.held = held{cfg, t.Fingerprint, t.Revision}
		status.State, status.Code, status.Summary = api.WatchHeld, codeHeld, why
	default:
		return w.propose(ctx, p, status)
	}
	w.tell(status)
	return watch.Again
}

// plan makes the plan, and says by what the workspace is frozen.
func (w *watched) plan(ctx context.Context, cfg *config.Configuration) (*reconcile.Plan, *reservation.FrozenError, error) {
	p, err := w.ledger.Plan(ctx, desired(cfg))
	if err != nil {
		return nil, nil, err
	}
	meta, err := w.ledger.Store.Meta(ctx)
	return p, meta.FrozenBy(p.Workspace, time.Now()), err
}

// propose stores the plan.
func (w *watched) propose(ctx context.Context, p *reconcile.Plan, status api.Watch) watch.Verdict {
	o := reconcile.ProposeOptions{By: "watch (" + w.workspace + ")", Revision: status.Revision}
	_, err := w.ledger.Propose(context.WithoutCancel(ctx), p, o)
	if w.proposed != nil {
		w.proposed(err)
	}
	if err != nil {
		return w.failed(ctx, status, err)
	}
	w.tell(status)
	return watch.Done
}

// failed says why nothing was stored. A plan that became stale is made again soon,
// and what is the matter then, if anything is, is said then.
func (w *watched) failed(ctx context.Context, status api.Watch, err error) watch.Verdict {
	var stale *reconcile.StaleError
	var frozen *reservation.FrozenError
	status.State, status.Code, status.Summary = api.WatchRefused, codeFailed, err.Error()
	switch {
	case ctx.Err() != nil:
		return watch.Again
	case errors.As(err, &stale):
		return watch.Moved
	case errors.As(err, &frozen):
		status.State, status.Code, status.Summary = api.WatchFrozen, codeFrozen, frozenFor(frozen)
	}
	w.tell(status)
	return watch.Again
}

// heldPlan makes the plan that is held, as of now; nil: none is.
func (w *watched) heldPlan(ctx context.Context) (*reconcile.Plan, error) {
	if w == nil {
		return nil, nil
	}
	w.acting.Lock()
	defer w.acting.Unlock()
	if w.held.cfg == nil {
		return nil, nil
	}
	return w.ledger.Plan(ctx, desired(w.held.cfg))
}

// carryOut stores what is held, if it is what a person has seen: the same changes,
// and nothing held now that was not shown so. Everything else is refused.
func (w *watched) carryOut(ctx context.Context, seen *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error) {
	w.acting.Lock()
	defer w.acting.Unlock()
	if w.held.cfg == nil {
		return nil, &api.WatchedError{Workspace: w.workspace, Directory: w.directory}
	}
	p, err := w.ledger.Plan(ctx, desired(w.held.cfg))
	if err != nil {
		return nil, err
	}
	if p.Digest != seen.Digest {
		return nil, &api.WatchedError{Workspace: w.workspace, Directory: w.directory}
	}
	shown := map[string]bool{}
	for i := range seen.Changes {
		shown[seen.Changes[i].Address] = seen.Changes[i].Held
	}
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Held && !shown[c.Address] {
			return nil, &reconcile.StaleError{Address: c.Address, Why: "the station has accepted it since; the plan did not show it as held"}
		}
	}
	o.Revision = w.held.revision
	events, err := w.ledger.Propose(ctx, p, o)
	if err == nil {
		w.held = held{}
		w.tell(api.Watch{State: api.WatchApplied})
	}
	return events, err
}

// holds says why a plan needs a person; "" if it does not.
func holds(p *reconcile.Plan, maxCancel int) (why string) {
	if _, n := p.Cancels(); n > maxCancel {
		why = fmt.Sprintf("cancels %d %s, over %d", n, heldNow, maxCancel)
	}
	if p.Kept == 0 && p.Active > 0 {
		why = join(why, "keeps nothing of "+count(p.Active, "active reservation"))
	}
	return why
}

// frozenFor is a freeze without a zone of anybody's.
func frozenFor(e *reservation.FrozenError) string {
	text := "frozen"
	if e.Halt.By != "" {
		text += " by " + harmless(e.Halt.By)
	}
	if e.Halt.Reason != "" {
		text += " (" + harmless(e.Halt.Reason) + ")"
	}
	return text
}

// problemsOf are the errors of a configuration.
func problemsOf(ds *diag.Diagnostics) []reconcile.Finding {
	list := []reconcile.Finding{}
	for _, d := range ds.All() {
		if d.Severity != hcl.DiagError {
			continue
		}
		f := reconcile.Finding{Code: diag.CodeOf(d), Severity: reconcile.Error, Summary: d.Summary, Detail: d.Detail, Address: diag.AddressOf(d)}
		if d.Subject != nil {
			f.Range = source(*d.Subject)
		}
		list = append(list, f)
	}
	return list
}

// errorsOf are what keeps a plan from being stored.
func errorsOf(p *reconcile.Plan) (list []reconcile.Finding) {
	for _, f := range p.Findings {
		if f.Severity == reconcile.Error {
			list = append(list, f)
		}
	}
	return list
}

// firstOf is the first of them, in a line.
func firstOf(list []reconcile.Finding) string {
	if len(list) == 0 {
		return ""
	}
	text := findingLine(&list[0])
	if n := len(list) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

// findingLine is where, which code, and what.
func findingLine(f *reconcile.Finding) string {
	text := f.Code + " " + capital(f.Summary)
	if f.Range != "" {
		text = f.Range + ": " + text
	}
	return text
}

// realPath is a path without links, also of a file that is not there yet.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// watchedProblem says where the workspace is changed instead.
func watchedProblem(e *api.WatchedError) *problem {
	return problemf(codeWatched, "The workspace follows a directory", "resctl serve keeps %s as %s declares it, and takes no other proposals of it. Nothing was stored.\nChange what is in that directory; resctl drift says how it stands, and resctl plan --held shows a plan that waits for a person.", harmless(e.Workspace), harmless(e.Directory))
}

// notFollowed says for everybody why what a directory declares is not applied: of
// what is wrong with it, the place and the code alone. A freeze is somebody's
// order, and no reason.
func notFollowed(w *api.Watch) string {
	text := fmt.Sprintf("%s: %s: %s", w.Code, w.Workspace, w.State)
	switch w.State {
	case api.WatchHeld:
		return text + ": " + w.Summary
	case api.WatchBroken, api.WatchRefused:
		if len(w.Findings) > 0 && w.Findings[0].Range != "" {
			text += fmt.Sprintf(": %s (%s)", w.Findings[0].Range, w.Findings[0].Code)
		}
		return text + ": see resctl drift"
	}
	return ""
}
