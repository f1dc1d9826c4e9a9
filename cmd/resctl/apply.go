package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// defaultMaxCancel is how many cancellations need no word where nobody looked.
const defaultMaxCancel = 10

// applyFlags are the flags of apply.
type applyFlags struct {
	vars        inputs
	choice      choiceFlags
	show        showFlags
	autoApprove bool
	input       bool
	formats     formats
	listen      string
	simulate    bool
	insecure    bool
	security    securityFlags
	wait        time.Duration
	waitGiven   bool
	maxCancel   int
	maxGiven    bool
	allowEmpty  bool
	digest      string
	revision    string
	quiet       time.Duration
	held        heldFlags
}

func (c *cli) applyCommand() *cobra.Command {
	var f applyFlags
	cmd := &cobra.Command{
		Use: "apply [PLANFILE]", Short: "Makes the stations hold what is declared", Args: oneFile,
		Long: "Makes the stations hold what is declared.\n\n" +
			"Plans, asks, stores, and follows the stations until what is due has settled.\n" +
			"With a PLANFILE of plan --out it makes exactly those changes, and does not ask.\n\n" +
			"Where resctl serve runs on the state, apply works through it. Otherwise stations\nconnect to --listen, or are --simulate'd: one of them is needed.\n\n" +
			"Exit codes: 0 done, 1 error or declined, 4 stored, but something due has not\nsettled within --wait.",
		RunE: func(cmd *cobra.Command, args []string) error { return c.apply(cmd, f, args) },
	}
	f.flags(cmd)
	f.choice.destroyFlag(cmd.Flags())
	return cmd
}

func (c *cli) apply(cmd *cobra.Command, f applyFlags, args []string) error {
	if err := c.openView(f.formats, true, args...); err != nil {
		return err
	}
	f.waitGiven, f.maxGiven = cmd.Flags().Changed("wait"), cmd.Flags().Changed("max-cancel")
	a := &applying{cli: c, applyFlags: f}
	if len(args) == 1 {
		a.file = args[0]
	}
	return a.run(cmd.Context())
}

func (f *applyFlags) flags(cmd *cobra.Command) {
	f.vars.flags(cmd.Flags())
	f.choice.flags(cmd.Flags())
	f.show.flags(cmd)
	s := cmd.Flags()
	f.held.flags(s)
	s.BoolVar(&f.simulate, "simulate", false, "start a simulated station for each that is named")
	s.StringVar(&f.listen, "listen", "", "let stations connect to `ADDR`, such as 127.0.0.1:8887")
	s.BoolVar(&f.insecure, "insecure", false, "let other machines connect without station passwords")
	f.security.flags(s)
	s.BoolVar(&f.autoApprove, "auto-approve", false, "do not ask")
	s.BoolVar(&f.input, "input", true, "ask; false: never read from standard input")
	f.formats.intoFlag(s)
	s.BoolVar(&f.formats.json, "json", false, "write a stream of JSON lines; needs --auto-approve or a plan file")
	spanVar(s, &f.wait, "wait", time.Minute, "`DURATION` to wait for what is due; 5m with --listen; 0s: not at all")
	s.IntVar(&f.maxCancel, "max-cancel", defaultMaxCancel, "refuse to cancel more than `N`; by default only where nobody has seen the plan")
	s.BoolVar(&f.allowEmpty, "allow-empty", false, "allow a plan that keeps nothing of the workspace")
	s.StringVar(&f.digest, "expect-digest", "", "refuse any other plan than the one with digest `D`")
	s.StringVar(&f.revision, "revision", "", "`REV` of the configuration, for the record (default GITHUB_SHA, CI_COMMIT_SHA)")
	spanVar(s, &f.quiet, "quiet-period", 10*time.Second, "`DURATION` of silence after which a station has told all")
}

// applying is one apply on its way.
type applying struct {
	*cli
	applyFlags
	file string // of a plan; "": the configuration is planned

	cfg     *config.Configuration
	ledger  ledger
	place   *workplace // nil: another process serves the stations
	plan    *planned
	outcome outcome
}

func (a *applying) run(ctx context.Context) (err error) {
	if a.ledger, err = a.live(ctx); err != nil {
		return err
	}
	defer func() {
		if a.ledger != nil {
			err = errors.Join(err, a.ledger.Close())
		}
	}()
	if err := a.checkUsage(); err != nil {
		return err
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	if err := a.prepare(ctx); err != nil {
		return err
	}
	a.view.Plan(a.plan)
	if a.plan.Errors() > 0 {
		return exit(exitError)
	}
	if err := a.guard(); err != nil {
		return err
	}
	if err := a.approve(ctx); err != nil {
		return err
	}
	return a.carryOut(ctx)
}

// checkUsage refuses what cannot come to a good end before anything is done.
func (a *applying) checkUsage() error {
	approved := a.autoApprove || a.file != ""
	if err := a.held.check(a.file != "" || a.vars.given() || a.choice.given() || a.simulate || a.listen != ""); err != nil {
		return err
	}
	switch {
	case a.held.held && a.ledger == nil:
		return nothingHeld("Plans are held by a resctl serve that watches directories (--watch), and none works on " + a.statePath() + ".")
	case a.held.held && a.autoApprove && a.digest == "":
		return problemf(codeApproval, "Nobody has seen what is held", "--auto-approve with --held needs the plan that was reviewed: --expect-digest D, of resctl plan --held.")
	case a.simulate && a.security.given():
		return problemf(codeUsage, "TLS with --simulate", "Simulated stations are in this process. TLS and security profiles go with --listen.")
	case a.simulate && a.listen != "":
		return problemf(codeUsage, "--simulate and --listen", "They exclude each other: a state meets either simulated or real stations.")
	case a.server().url != "" && (a.simulate || a.listen != ""):
		return localOnly("apply --listen or --simulate", a.server())
	case a.ledger != nil && (a.simulate || a.listen != ""):
		return problemf(codeInUse, "Another process serves the stations", "resctl serve works on %s (%s). Leave out --listen and --simulate: apply works through it then.", a.statePath(), viaServe(a.ledger))
	case a.ledger == nil && !a.simulate && a.listen == "":
		return problemf(codeNowhere, "Nothing would reach a station", "It needs a way to stations:\n  resctl serve    keeps running, and apply works through it\n  --simulate      to try it against simulated ones\n  --listen ADDR   to let real ones connect, such as --listen 0.0.0.0:8887\nplan needs none.")
	case a.file != "" && a.vars.given():
		return problemf(codeUsage, "--var with a plan file", "The variables are part of the plan. Plan again to change them.")
	case a.file != "" && a.choice.given():
		return problemf(codeUsage, "A choice with a plan file", "--destroy, --target, --exclude, --replace and --horizon are part of the plan. Plan again to change them.")
	case a.formats.json && !approved:
		return problemf(codeApproval, "--json cannot ask", "Pass --auto-approve, or a plan file that was reviewed.")
	case !approved && !a.input:
		return problemf(codeApproval, "Nobody can approve", "--input=false forbids asking. Pass --auto-approve, or a plan file that was reviewed.")
	case !approved && !isTerminal(a.stdin):
		return problemf(codeApproval, "Nobody can approve", "Standard input is not a terminal. Pass --auto-approve, or a plan file that was reviewed.")
	}
	if a.listen != "" && !a.waitGiven {
		a.wait = 5 * time.Minute
	}
	return a.choice.check(time.Now())
}

// open reads what is wanted and takes the state over.
func (a *applying) open(ctx context.Context) (err error) {
	settings := reconcile.DefaultSettings()
	settings.QuietPeriod, settings.QuietMax = a.quiet, max(a.quiet, settings.QuietMax)
	if a.simulate {
		settings = simulatedSettings()
	}
	if a.held.held {
		return a.openHeld(ctx)
	}
	var file *planFile
	if a.file != "" {
		file, err = readPlanFile(a.file)
	} else {
		a.cfg, _, err = a.configured(a.vars)
	}
	if err != nil {
		return err
	}
	if a.ledger == nil {
		if a.place, err = takeOver(ctx, a.statePath(), settings, a.logger()); err != nil {
			return err
		}
		a.ledger = a.place
	}
	if err := a.notFollowing(ctx, workspaceOf(a.cfg, file)); err != nil {
		return err
	}
	if file != nil {
		if err = a.ofThisState(ctx, file); err == nil {
			a.plan, err = a.toShow(ctx, a.ledger, file.Plan, nil, a.show)
		}
	} else {
		a.plan, err = a.makePlan(ctx, a.ledger, a.cfg, a.choice.Choice, a.show)
	}
	return err
}

// ofThisState refuses the plan file of another state, also one that changes nothing.
func (a *applying) ofThisState(ctx context.Context, file *planFile) error {
	meta, err := a.ledger.Meta(ctx)
	if err != nil || file.Plan.Lineage == "" || file.Plan.Lineage == meta.Lineage {
		return err
	}
	return problemf(codeStale, "The plan was made for another state", "%s was made for a state that is not %s. Nothing was stored. Name its state with --state, or plan again and review it.", a.file, a.placeName())
}

// prepare makes sure that stations can be reached.
func (a *applying) prepare(ctx context.Context) error {
	if a.place == nil {
		return nil
	}
	if err := a.place.checkKind(ctx, a.simulate); err != nil {
		return err
	}
	if a.simulate {
		a.plan.place.stations, a.plan.near = simulatedStations, true
		return a.place.listen("127.0.0.1:0")
	}
	state, err := a.place.Read(ctx)
	if err != nil {
		return err
	}
	if err := a.place.secure(a.security, a.listen, a.insecure, a.plan.Plan, state); err != nil {
		return err
	}
	if err := a.place.listen(a.listen); err != nil {
		return err
	}
	a.plan.place.stations = "listening on " + a.place.listener.Addr().String()
	return nil
}

// withoutPassword names a station that could come in without a password once
// the plan is stored; "" if there is none.
func withoutPassword(p *reconcile.Plan, s *reconcile.State) string {
	return without(p, s, hasPassword)
}

// without is the same for any proof of who a station is.
func without(p *reconcile.Plan, s *reconcile.State, has func(*reservation.StationDeclaration) bool) string {
	protected := map[string]bool{}
	for i := range s.Declarations {
		protected[s.Declarations[i].ID] = has(&s.Declarations[i])
	}
	for i := range p.Changes {
		if e := p.Changes[i].Station; e != nil && e.After != nil {
			protected[e.After.ID] = has(e.After)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(protected)) {
		if !protected[id] {
			return id
		}
	}
	for i := range p.Changes {
		if d := p.Changes[i].After; d != nil && !protected[d.StationID] {
			return d.StationID
		}
	}
	for i := range s.Entries {
		if !protected[s.Entries[i].StationID] {
			return s.Entries[i].StationID
		}
	}
	return ""
}

// carryOut stores the plan and serves the stations until it has settled. From
// the moment it is stored, an interruption ends the watching and nothing else.
func (a *applying) carryOut(ctx context.Context) error {
	if interrupted(ctx) {
		return problemf(codeStopped, "Interrupted", "Nothing was stored.")
	}
	whole := context.WithoutCancel(ctx)
	after, err := a.ledger.Last(whole)
	if err != nil {
		return err
	}
	if len(a.plan.Changes) > 0 {
		if _, err := a.ledger.Propose(whole, a.plan.kept, a.proposal(a.revision)); err != nil {
			return a.refused(err)
		}
		a.outcome.Stored = true
		if a.place != nil {
			a.place.leave(a.plan.Plan)
		}
	}
	f := &follower{ledger: a.ledger, view: a.view, workspace: a.plan.Workspace}
	if err := f.begin(whole, a.simulate); err != nil {
		return err
	}
	switch {
	case a.waitGiven && a.wait == 0:
		a.outcome.NotAwaited = true
	case a.place == nil && len(f.pending) > 0:
		err = f.follow(ctx, after, a.wait, nil)
		if errors.Is(err, api.ErrEnded) {
			return err
		}
	case a.place == nil && a.outcome.Stored:
		err = f.tell(whole, after)
	case a.place == nil:
	case a.simulate || len(f.pending) > 0:
		err = a.serveUntilSettled(ctx, f, after)
	}
	if a.place != nil && !interrupted(ctx) {
		a.place.retain(ctx, time.Now())
	}
	return a.conclude(whole, f, interrupted(ctx), unlessInterrupted(ctx, err))
}

// serveUntilSettled runs the endpoint beside the follower. What is in flight
// when that ends is recorded before this returns.
func (a *applying) serveUntilSettled(ctx context.Context, f *follower, after int64) error {
	serving, stop := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() {
		failed <- a.place.serve(serving, a.simulate)
		close(failed) // follow may have taken what there was
	}()
	err := f.follow(ctx, after, a.wait, failed)
	if interrupted(ctx) {
		p := f.progress(0)
		p.interrupted = true
		a.view.Progress(p)
	}
	stop()
	if err != nil {
		return err
	}
	return <-failed
}

// proposal says who proposes, and of which revision.
func (c *cli) proposal(revision string) reconcile.ProposeOptions {
	return reconcile.ProposeOptions{By: c.getenv("USER"),
		Revision: cmp.Or(revision, c.getenv("GITHUB_SHA"), c.getenv("CI_COMMIT_SHA"))}
}
