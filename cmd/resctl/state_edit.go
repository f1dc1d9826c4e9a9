package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// edited is what state mv, state rm and import have done, or would do.
type edited struct {
	place   place
	Plan    *reconcile.Plan
	until   map[string]time.Time // by address: when the station lets go by itself
	dryRun  bool
	imports bool
}

// editFlags are those of the commands that change what is stored, and send
// nothing.
type editFlags struct {
	workspace string
	dryRun    bool
}

func (f *editFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.workspace, "workspace", "", "of workspace `NAME`, where there are several")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show it, and change nothing")
}

func (c *cli) stateMvCommand() *cobra.Command {
	var f editFlags
	cmd := &cobra.Command{
		Use: "mv FROM TO", Short: "Gives a reservation another address, and sends nothing",
		Long: "Gives a reservation, all instances of a block, or a module another address. The\n" +
			"station is not asked for anything: what it holds goes on under the new name.\n" +
			"Rename the block as well, or the next plan cancels it.\n\n" +
			"A moved block does the same for everybody who applies the configuration.",
		Args: fromTo,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false)
			return c.stateMv(cmd.Context(), f, args[0], args[1])
		},
	}
	f.flags(cmd)
	return cmd
}

func fromTo(cmd *cobra.Command, args []string) error {
	if len(args) == 2 {
		return nil
	}
	return problemf(codeUsage, "From where, to where?", "%s takes two addresses, such as %s %s.", cmd.CommandPath(), shellWord(`van["12"]`), shellWord(`truck["12"]`))
}

func (c *cli) stateMv(ctx context.Context, f editFlags, from, to string) error {
	newAddress, err := config.ParseAddress(to)
	if err != nil {
		return problemf(codeUsage, "Not an address", "%q is not the address of a reservation. Write it as a plan does, in single quotes: %s.", to, shellWord(`van["12"]`))
	}
	return c.edit(ctx, f, []string{from}, func(entries []reservation.Entry) (reconcile.Edit, error) {
		old, err := storedAddress(entries, from)
		return reconcile.Edit{Renames: []reconcile.Rename{{From: old, To: newAddress}}}, err
	})
}

// aboutBlock says of the address of a station or token block what it is, and where
// to look; "" if it is none of these.
func aboutBlock(s *reconcile.State, address string) string {
	for i := range s.Declarations {
		if d := &s.Declarations[i]; plain(d.Address) == plain(address) {
			return fmt.Sprintf("%s is a station block, and no station is asked for anything by it. resctl state show %s shows it, resctl events --station %s what happened there.", address, shellWord(d.Address), shellWord(d.ID))
		}
	}
	for i := range s.Tokens {
		if d := &s.Tokens[i]; plain(d.Address) == plain(address) {
			return fmt.Sprintf("%s is a token block, and no station is asked for anything by it. resctl state show %s shows it.", address, shellWord(d.Address))
		}
	}
	return ""
}

// storedAddress finds what was meant: a stored address, or what some of them lie
// in.
func storedAddress(entries []reservation.Entry, given string) (string, error) {
	var known []string
	for i := range entries {
		for _, a := range reservation.Enclosing(entries[i].Address) {
			if plain(a) == plain(given) {
				return a, nil
			}
		}
		known = append(known, short(entries[i].Address))
	}
	return "", problemf(codeNoAddress, "No such address", "Nothing is stored as %s.%s", given, meant(given, known, plain))
}

func (c *cli) stateRmCommand() *cobra.Command {
	var f editFlags
	cmd := &cobra.Command{
		Use: "rm GLOB...", Short: "Forgets reservations: what is held stays at the station",
		Long: "Forgets reservations. What a station holds of them stays there until it expires:\n" +
			"nobody cancels it, repairs it or looks after it. What is still declared is asked\n" +
			"for again by the next apply. To cancel something, delete its block and apply.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false)
			if len(args) == 0 {
				return problemf(codeUsage, "Which reservation?", "%s takes addresses or globs, such as %s. resctl state list has them all.", cmd.CommandPath(), shellWord(`van["12"]`))
			}
			return c.edit(cmd.Context(), f, args, func([]reservation.Entry) (reconcile.Edit, error) {
				return reconcile.Edit{Forget: args}, nil
			})
		},
	}
	f.flags(cmd)
	return cmd
}

// edit changes what is stored, in one proposal, and shows what it was.
func (c *cli) edit(ctx context.Context, f editFlags, given []string, which func([]reservation.Entry) (reconcile.Edit, error)) (err error) {
	w, err := c.change(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	s, err := w.Read(ctx)
	if err != nil {
		return err
	}
	workspace, err := oneWorkspace(s.Meta, f.workspace)
	if err != nil {
		return err
	}
	for _, address := range given {
		if text := aboutBlock(s, address); text != "" {
			return problemf(codeNoAddress, "Not a reservation", "%s To change or remove it, change the configuration and apply.", text)
		}
	}
	mine := slices.DeleteFunc(slices.Clone(s.Entries), func(e reservation.Entry) bool { return e.Workspace != workspace || !e.Wanted() })
	change, err := which(mine)
	if err != nil {
		return err
	}
	plan, err := w.Edit(ctx, workspace, change)
	if err != nil {
		return editProblem(err)
	}
	place := c.placeOf(w, s.Meta)
	place.workspace = workspace
	return c.carryOutEdit(ctx, w, &edited{place: place, Plan: plan, until: untilOf(mine), dryRun: f.dryRun})
}

func (c *cli) carryOutEdit(ctx context.Context, w ledger, e *edited) error {
	if !e.dryRun && len(e.Plan.Changes) > 0 {
		if _, err := w.Propose(context.WithoutCancel(ctx), e.Plan, c.proposal("")); err != nil {
			return err
		}
	}
	c.view.About(e)
	return nil
}

// untilOf gives when each window ends.
func untilOf(entries []reservation.Entry) map[string]time.Time {
	until := make(map[string]time.Time, len(entries))
	for i := range entries {
		until[entries[i].Address] = entries[i].Window.Expiry
	}
	return until
}

// editProblem says what to do about an edit that cannot be made.
func editProblem(err error) error {
	var taken *reconcile.TakenError
	switch no := asNoMatch(err); {
	case no != nil:
		return problemf(codeNoAddress, "No such address", "%s matches nothing that is stored.%s", shellWord(no.Glob), meant(no.Glob, shortened(no.Known), plain))
	case errors.As(err, &taken):
		return problemf(codeTaken, "The address is taken", "%s is another reservation that is stored. Nothing was changed. Forget that one first (resctl state rm %s), or choose another name.", short(taken.To), shellWord(short(taken.To)))
	}
	return err
}

// shortened are addresses, and what they lie in, as people write them.
func shortened(addresses []string) (all []string) {
	for _, a := range addresses {
		for _, x := range reservation.Enclosing(a) {
			all = append(all, short(x))
		}
	}
	return all
}

// oneWorkspace is the one that was named, or the only one that there is.
func oneWorkspace(m reservation.Meta, given string) (string, error) {
	if _, ok := m.Serials[given]; ok {
		return given, nil
	}
	var names []string
	for name := range m.Serials {
		names = append(names, name)
	}
	slices.Sort(names)
	switch {
	case given != "":
		return "", problemf(codeUsage, "No such workspace", "The state has no workspace %q.%s", given, meant(given, names, func(s string) string { return s }))
	case len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", problemf(codeNoAddress, "No such address", nothingStored)
	}
	return "", problemf(codeUsage, "Several workspaces", "The state has %s. Say which with --workspace.", strings.Join(names, ", "))
}
