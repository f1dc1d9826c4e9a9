package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
)

// heldFlags say that a command is about the plan of a watched directory that
// waits for a person.
type heldFlags struct {
	held      bool
	workspace string
}

func (f *heldFlags) flags(s *pflag.FlagSet) {
	s.BoolVar(&f.held, "held", false, "the plan of a directory that serve watches and holds, instead of the configuration here")
	s.StringVar(&f.workspace, "workspace", "", "with --held: of workspace `NAME`; needed where several are held")
}

// check refuses what does not go with --held; others are the flags that choose
// what is planned.
func (f *heldFlags) check(others bool) error {
	switch {
	case f.workspace != "" && !f.held:
		return problemf(codeUsage, "--workspace without --held", "The configuration says which workspace it is. --workspace goes with --held.")
	case f.held && others:
		return problemf(codeUsage, "--held goes alone", "What is held is planned by the serve that watches the directory: a plan file, --out, --at, variables and what chooses among changes do not go with it.")
	}
	return nil
}

// heldOf has the plan made that is held, and says what is.
func (c *cli) heldOf(ctx context.Context, l ledger, f heldFlags) (*reconcile.Plan, *api.Watch, error) {
	all, err := l.Watches(ctx)
	if err != nil {
		return nil, nil, err
	}
	w, err := whichHeld(all, f.workspace)
	if err != nil {
		return nil, nil, err
	}
	p, err := l.Held(ctx, w.Workspace)
	if err == nil && p == nil {
		err = nothingHeld("What was held of " + harmless(w.Workspace) + " has changed, or somebody has carried it out.")
	}
	return p, w, err
}

func nothingHeld(why string) error {
	return problemf(codeNothingHeld, "Nothing is held", "%s", why)
}

// whichHeld is the one that is named, or the only one.
func whichHeld(all []api.Watch, name string) (*api.Watch, error) {
	var found []*api.Watch
	var names []string
	for i := range all {
		switch w := &all[i]; {
		case w.Workspace == name && w.State != api.WatchHeld:
			if r := w.Reason(); r != "" {
				return nil, nothingHeld(harmless(r) + ".")
			}
			return nil, nothingHeld("What " + harmless(w.Directory) + " declares is applied.")
		case w.State == api.WatchHeld && (name == "" || name == w.Workspace):
			found, names = append(found, w), append(names, harmless(w.Workspace))
		}
	}
	switch {
	case len(all) == 0:
		return nil, nothingHeld("Plans are held by a resctl serve that watches directories (--watch), and none does here.")
	case len(found) == 0 && name != "":
		return nil, nothingHeld("No directory is watched for workspace " + harmless(name) + ".")
	case len(found) == 0:
		return nil, nothingHeld("No watched directory waits for a person.")
	case len(found) > 1:
		return nil, problemf(codeUsage, "Several plans are held", "They are of %s. Say which with --workspace.", strings.Join(names, ", "))
	}
	return found[0], nil
}

// planHeld shows what is held.
func (c *cli) planHeld(ctx context.Context, f planFlags) (*planned, *diag.Diagnostics, error) {
	l, err := c.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	p, w, err := c.heldOf(ctx, l, f.held)
	if err != nil {
		return nil, nil, err
	}
	shown, err := c.toShow(ctx, l, p, nil, f.show)
	if err != nil {
		return nil, nil, err
	}
	shown.waits = w
	if shown.frozen == nil {
		shown.next = c.line("apply") + " --held --workspace " + shellWord(w.Workspace)
		if p.Kept == 0 && p.Active > 0 {
			shown.next += " --allow-empty"
		}
	}
	return shown, diag.New(nil), nil
}

// notFollowing refuses to push to a workspace that follows a directory.
func (a *applying) notFollowing(ctx context.Context, workspace string) error {
	all, err := a.ledger.Watches(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Workspace == workspace {
			return &api.WatchedError{Workspace: workspace, Directory: all[i].Directory}
		}
	}
	return nil
}

// heldText says above a plan why it is held.
func heldText(w *api.Watch, c clock) string {
	text := "Held since " + c.since(w.Since) + ": " + w.Summary + ". From " + w.Directory
	if w.Revision != "" {
		text += ", revision " + w.Revision
	}
	return harmless(text) + "."
}

// workspaceOf is whose a configuration is, or a plan file.
func workspaceOf(cfg *config.Configuration, file *planFile) string {
	if cfg != nil {
		return cfg.Workspace
	}
	return file.Plan.Workspace
}

// openHeld has the plan made that is held.
func (a *applying) openHeld(ctx context.Context) error {
	p, w, err := a.heldOf(ctx, a.ledger, a.held)
	if err != nil {
		return err
	}
	if a.plan, err = a.toShow(ctx, a.ledger, p, nil, a.show); err == nil {
		a.plan.waits = w
	}
	return err
}

// refused says of what was held that it no longer is what was shown.
func (a *applying) refused(err error) error {
	var watched *api.WatchedError
	if a.held.held && errors.As(err, &watched) {
		return problemf(codeStale, "The plan is stale", "What is held of %s has changed, or somebody has carried it out.\nNothing was stored. See resctl plan --held.", harmless(watched.Workspace))
	}
	return err
}

// notApplied are the watched directories that a person should look at.
func (c *cli) notApplied(ctx context.Context, l ledger) (list []watchAbout, err error) {
	all, err := l.Watches(ctx)
	for _, w := range all {
		if w.State != api.WatchApplied && w.State != api.WatchReading {
			list = append(list, watchAbout{w, c.nextOfWatch(&w)})
		}
	}
	return list, err
}

// nextOfWatch says what a person can do.
func (c *cli) nextOfWatch(w *api.Watch) string {
	named := " --held --workspace " + shellWord(w.Workspace)
	switch w.State {
	case api.WatchHeld:
		return c.line("plan") + named + " shows it, " + c.line("apply") + named + " carries it out"
	case api.WatchFrozen:
		return "it is tried again when the freeze has ended"
	case api.WatchRefused:
		if w.Code != codeForeignDir {
			return "it is tried again from time to time, and when the directory changes; what was applied before stays"
		}
	}
	return "it is tried again when the directory changes; what was applied before stays"
}
