package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// planFlags are the flags of plan.
type planFlags struct {
	vars     inputs
	choice   choiceFlags
	out      string
	formats  formats
	failOn   string
	exitcode bool
	held     heldFlags
	show     showFlags
}

// showFlags say how plans are shown, wherever they are.
type showFlags struct{ details, whole bool }

func (s *showFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.details, "details", false, "show before and after of every change, however many there are")
	cmd.Flags().BoolVar(&s.whole, "show-id-tokens", false, "show tokens by their characters; they are personal data")
}

func (c *cli) planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use: "plan", Short: "Shows what apply would change", Args: noMore,
		Long: "Shows what apply would change. Nothing is changed, and no station is asked.\n\n" +
			"Exit codes: 0 done, 1 error, 2 there are changes (with --detailed-exitcode),\n5 a code that --fail-on names.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.openView(f.formats, false, f.out); err != nil {
				return err
			}
			return c.plan(cmd.Context(), f)
		},
	}
	f.vars.flags(cmd.Flags())
	f.choice.flags(cmd.Flags())
	f.choice.destroyFlag(cmd.Flags())
	f.show.flags(cmd)
	f.held.flags(cmd.Flags())
	cmd.Flags().StringVar(&f.choice.at, "at", "", "plan as if at `TIME`: RFC 3339, or from now, such as 12h")
	cmd.Flags().StringVar(&f.out, "out", "", "write the plan to `FILE`, for apply; it holds tokens")
	cmd.Flags().BoolVar(&f.formats.json, "json", false, "write JSON")
	cmd.Flags().BoolVar(&f.formats.markdown, "markdown", false, "write Markdown, for a comment on a pull request")
	f.formats.intoFlag(cmd.Flags())
	cmd.Flags().StringVar(&f.failOn, "fail-on", "", "exit with 5 if a change, finding or warning has one of these `CODES`, such as RC1*,RC401")
	cmd.Flags().BoolVar(&f.exitcode, "detailed-exitcode", false, "exit with 2 if there are changes")
	return cmd
}

func (c *cli) plan(ctx context.Context, f planFlags) error {
	if err := f.choice.check(time.Now()); err != nil {
		return err
	}
	fail, err := readFailOn(f.failOn)
	if err != nil {
		return err
	}
	if f.out != "" && f.choice.at != "" {
		return problemf(codeUsage, "--at and --out", "They exclude each other: a plan as if at another time is to be read, not applied.")
	}
	if err := f.held.check(f.vars.given() || f.choice.given() || f.choice.at != "" || f.out != ""); err != nil {
		return err
	}
	make := c.planHere
	if f.held.held {
		make = c.planHeld
	}
	p, ds, err := make(ctx, f)
	if err != nil {
		return err
	}
	c.view.Plan(p)
	met := fail.met(p.Plan, ds)
	switch {
	case p.Errors() > 0:
		return exit(exitError)
	case met != "":
		fmt.Fprintf(c.stderr, "\n--fail-on: %s\n", met)
		return exit(exitFailOn)
	case f.exitcode && len(p.Changes) > 0:
		return exit(exitChanges)
	}
	return nil
}

// planHere plans the configuration of the directory.
func (c *cli) planHere(ctx context.Context, f planFlags) (*planned, *diag.Diagnostics, error) {
	cfg, ds, err := c.configured(f.vars)
	if err != nil {
		return nil, nil, err
	}
	w, err := c.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer w.Close()
	p, err := c.makePlan(ctx, w, cfg, f.choice.Choice, f.show)
	if err != nil {
		return nil, nil, err
	}
	p.at = f.choice.At
	if f.out != "" && p.Errors() == 0 {
		if err := writePlanFile(f.out, p.place.state, p.kept); err != nil {
			return nil, nil, err
		}
		p.next = c.applyLine(f.out, p.near, viaServe(w) != "")
	}
	return p, ds, nil
}

// configured loads the configuration; what is wrong with it has been shown.
func (c *cli) configured(vars inputs) (*config.Configuration, *diag.Diagnostics, error) {
	cfg, ds := c.load(vars)
	c.view.Diagnostics(ds)
	if ds.HasErrors() {
		return nil, ds, exit(exitError)
	}
	return cfg, ds, c.named(cfg)
}

// makePlan plans, and gathers what is needed to show it.
func (c *cli) makePlan(ctx context.Context, l ledger, cfg *config.Configuration, choice reconcile.Choice, f showFlags) (*planned, error) {
	want := desired(cfg)
	want.Choice = choice
	plan, err := l.Plan(ctx, want)
	if err != nil {
		return nil, err
	}
	return c.toShow(ctx, l, plan, cfg, f)
}

func (c *cli) toShow(ctx context.Context, l ledger, plan *reconcile.Plan, cfg *config.Configuration, f showFlags) (*planned, error) {
	meta, err := l.Meta(ctx)
	if err != nil {
		return nil, err
	}
	shown := plan
	if r, ok := l.(remote); ok && r.Network() { // the key of fingerprints does not leave the server
		if shown, err = r.Shown(ctx, plan); err != nil {
			return nil, err
		}
	}
	p := &planned{Plan: shown, kept: plan, secret: meta.Secret, diags: findings(plan, cfg), details: f.details, whole: f.whole,
		first: meta.Lineage == "", place: place{workspace: plan.Workspace, state: c.placeName(), stations: viaServe(l)}}
	p.frozen = meta.FrozenBy(plan.Workspace, time.Now())
	if simulated(meta) {
		p.place.stations, p.near = simulatedStations, true
	}
	return p, nil
}

// simulatedStations is how a place says that it knows no others.
const simulatedStations = "simulated stations"

func simulated(m reservation.Meta) bool { return m.Simulated != nil && *m.Simulated }

// applyLine is the command that applies a plan file, to be pasted.
func (c *cli) applyLine(file string, simulated, served bool) string {
	line := "resctl apply"
	switch {
	case c.serverFlag != "":
		line += " --server " + shellWord(c.serverFlag)
	case c.state != "":
		line += " --state " + shellWord(c.state)
	case c.chdir != "":
		line += " -C " + shellWord(c.chdir)
	}
	switch {
	case served:
		return line + " " + shellWord(file)
	case simulated:
		return line + " --simulate " + shellWord(file)
	}
	return line + " --listen 127.0.0.1:8887 " + shellWord(file)
}
