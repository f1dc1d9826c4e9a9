package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reservation"
)

// haltFlags are those of commands that order a halt.
type haltFlags struct{ span, reason string }

func (f *haltFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.span, "for", "", "it ends by itself after `DURATION`, such as 90m, 12h, 2d")
	s.StringVar(&f.reason, "reason", "", "`TEXT` that says why, for whoever meets it")
}

// halt is what they order.
func (f *haltFlags) halt() (*reservation.Halt, error) {
	h := &reservation.Halt{Reason: f.reason}
	if f.span == "" {
		return h, nil
	}
	d, err := length(f.span)
	if err != nil || d < time.Second {
		return nil, problemf(codeUsage, "Not a duration: "+f.span, "Write --for 90m, 12h or 2d.")
	}
	h.Until = time.Now().UTC().Add(d).Truncate(time.Second)
	return h, nil
}

// workspaceFlags say of which workspaces a command is.
type workspaceFlags struct {
	name string
	all  bool
}

func (f *workspaceFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.name, "workspace", "", "of workspace `NAME` (default: that of the configuration); '*' as --all")
	s.BoolVar(&f.all, "all", false, "of all workspaces, those to come as well")
}

func (c *cli) freezeCommand() *cobra.Command {
	var f workspaceFlags
	var h haltFlags
	cmd := &cobra.Command{
		Use: "freeze", Short: "Refuses what apply would store, for a while or until unfreeze", Args: noMore,
		Long: "Refuses what apply would store, for a while or until unfreeze. What is stored\n" +
			"is kept up as ever, and plan still works.",
	}
	f.flags(cmd.Flags())
	h.flags(cmd.Flags())
	return c.ordering(cmd, func(ctx context.Context) error { return c.freeze(ctx, f, h) })
}

func (c *cli) unfreezeCommand() *cobra.Command {
	var f workspaceFlags
	cmd := &cobra.Command{Use: "unfreeze", Short: "Lifts a freeze", Args: noMore}
	f.flags(cmd.Flags())
	return c.ordering(cmd, func(ctx context.Context) error { return c.unfreeze(ctx, f) })
}

func (c *cli) freeze(ctx context.Context, f workspaceFlags, flags haltFlags) error {
	h, err := flags.halt()
	if err != nil {
		return err
	}
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	name, err := c.whichWorkspace(r, f)
	if err != nil {
		return err
	}
	h.By = c.by(r.ledger)
	e := reservation.Event{At: time.Now(), Kind: reservation.Frozen, Workspace: name, Halt: h}
	return c.order(ctx, r, workspaceText(name, true)+" frozen "+haltText(e.Ordered(), c.clock())+".\n"+
		"apply stores nothing of it; what is stored is kept up. "+c.unfreezeLine(name)+" lifts it.", e)
}

func (c *cli) unfreeze(ctx context.Context, f workspaceFlags) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	name, err := c.whichWorkspace(r, f)
	if err != nil {
		return err
	}
	frozen, now := r.state.Meta.Frozen, time.Now()
	lift := []string{name}
	if name == reservation.AllWorkspaces {
		lift = slices.Sorted(maps.Keys(frozen))
	}
	by := &reservation.Halt{By: c.by(r.ledger)}
	var events []reservation.Event
	for _, w := range lift {
		if h, ok := frozen[w]; ok && h.Stands(now) {
			events = append(events, reservation.Event{At: now, Kind: reservation.Unfrozen, Workspace: w, Halt: by})
		}
	}
	all, still := frozen[reservation.AllWorkspaces]
	still = still && name != reservation.AllWorkspaces && all.Stands(now)
	text := workspaceText(name, false) + " not frozen any more."
	switch {
	case still:
		if len(events) > 0 {
			if err := r.record(ctx, events...); err != nil {
				return err
			}
		}
		return problemf(codeFrozen, "All workspaces are frozen", "%s is frozen with all others %s. %s lifts that.", harmless(name), haltText(all, c.clock()), c.unfreezeLine(reservation.AllWorkspaces))
	case len(events) == 0:
		text = "There is no such freeze: nothing to do."
	case name == reservation.AllWorkspaces:
		text = "No workspace is frozen any more."
	}
	return c.order(ctx, r, text, events...)
}

// whichWorkspace is the one that is named, or that of the configuration.
func (c *cli) whichWorkspace(r *reading, f workspaceFlags) (string, error) {
	switch {
	case f.all && f.name != "" && f.name != reservation.AllWorkspaces:
		return "", problemf(codeUsage, "--workspace and --all", "They exclude each other.")
	case f.all, f.name == reservation.AllWorkspaces:
		return reservation.AllWorkspaces, nil
	case f.name == "":
		cfg, ds := c.load(inputs{new([]config.Input)})
		if cfg == nil || ds.HasErrors() {
			return "", problemf(codeUsage, "Which workspace?", "The directory has no configuration that can be read without further variables. Name one with --workspace, or say --all.")
		}
		f.name = cfg.Workspace
	}
	if _, known := r.state.Meta.Serials[f.name]; known || r.empty {
		return f.name, nil
	}
	known := slices.Sorted(maps.Keys(r.state.Meta.Serials))
	has := "none yet"
	if len(known) > 0 {
		has = harmless(strings.Join(known, ", "))
	}
	return "", problemf(codeNoWorkspace, "No such workspace", "The state has no workspace %q.%s It has %s.", f.name,
		meant(f.name, known, func(s string) string { return s }), has)
}

// record appends what somebody orders of a state that there is.
func (r *reading) record(ctx context.Context, events ...reservation.Event) error {
	if err := r.there(); err != nil {
		return err
	}
	return r.Record(ctx, events...)
}

// there refuses to work on a state before there is one.
func (r *reading) there() error {
	if r.empty {
		return problemf(codeState, "There is no state", "%s\n%s is not there.", nothingStored, r.place.state)
	}
	return nil
}

// workspaceText begins a sentence about a workspace, or all.
func workspaceText(name string, begins bool) string {
	verb := " is"
	if name == reservation.AllWorkspaces {
		return "All workspaces are"
	}
	if begins {
		verb = " is now"
	}
	return "Workspace " + harmless(name) + verb
}

// haltText says since when a halt stands, who ordered it, until when, and why.
func haltText(h reservation.Halt, c clock) string {
	text := "since " + c.since(h.Since)
	if h.By != "" {
		text += " by " + h.By
	}
	if !h.Until.IsZero() {
		text += ", until " + c.at(h.Until)
	}
	if h.Reason != "" {
		text += ": " + strings.TrimSuffix(h.Reason, ".")
	}
	return harmless(text)
}

// unfreezeLine is the command that lifts a freeze, to be pasted.
func (c *cli) unfreezeLine(workspace string) string {
	if workspace == reservation.AllWorkspaces {
		return c.line("unfreeze") + " --all"
	}
	return c.line("unfreeze") + " --workspace " + shellWord(workspace)
}

// line begins a command that works on the same state, to be pasted.
func (c *cli) line(command string) string {
	text := "resctl " + command
	switch {
	case c.serverFlag != "":
		text += " --server " + shellWord(c.serverFlag)
	case c.state != "":
		text += " --state " + shellWord(c.state)
	case c.chdir != "":
		text += " -C " + shellWord(c.chdir)
	}
	return text
}

// frozenProblem says what a refused proposal met.
func (c *cli) frozenProblem(e *reservation.FrozenError) *problem {
	summary := "The workspace is frozen"
	if e.Workspace == reservation.AllWorkspaces {
		summary = "All workspaces are frozen"
	}
	return problemf(codeFrozen, summary, "Frozen %s.\nNothing was stored. %s lifts it.", haltText(e.Halt, c.clock()), c.unfreezeLine(e.Workspace))
}
