package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/reservation"
)

func (c *cli) whyCommand() *cobra.Command {
	var asJSON bool
	var workspace string
	cmd := &cobra.Command{
		Use: "why ADDRESS", Short: "Shows one reservation's life, where it stands, and what is next", Args: oneAddress,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(asJSON)
			return c.why(cmd.Context(), workspace, args[0])
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().StringVar(&workspace, "workspace", "", "of workspace `NAME`, where several have the address")
	return cmd
}

// oneAddress is for commands that are about one reservation.
func oneAddress(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return problemf(codeUsage, "Which reservation?", "%s takes an address, such as %s. resctl state list has them all.", cmd.CommandPath(), shellWord(`van["12"]`))
	case 1:
		return nil
	}
	return problemf(codeUsage, "Too many arguments", "%s takes one address, and was given %q as well. See %s --help.", cmd.CommandPath(), args[1], cmd.CommandPath())
}

func (c *cli) why(ctx context.Context, workspace, given string) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	s, err := r.story(ctx, workspace, given, c.clock())
	if err != nil {
		return err
	}
	c.view.About(s)
	return nil
}

// named is an address and the workspace that has it.
type named struct{ workspace, address string }

// find gives the one address that is meant: as it is printed, with or without
// "reservation.", and without the quotes that shells take away.
func (r *reading) find(ctx context.Context, workspace, given string) (named, error) {
	var found []named
	var known []string
	for i := range r.state.Entries {
		e := &r.state.Entries[i]
		if workspace != "" && e.Workspace != workspace {
			continue
		}
		known = append(known, short(e.Address))
		if n := (named{e.Workspace, e.Address}); plain(e.Address) == plain(given) && !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	if len(found) == 0 {
		var err error
		if found, err = r.past(ctx, workspace, given); err != nil {
			return named{}, err
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var names []string
		for _, n := range found {
			names = append(names, n.workspace)
		}
		return named{}, problemf(codeUsage, "Several workspaces have it", "%s is an address of %s. Say which with --workspace.", given, strings.Join(names, " and "))
	case r.empty:
		return named{}, problemf(codeNoAddress, "Nothing is stored", "There is no state %s yet: the first apply makes it. --state or -C names another place.", r.place.state)
	}
	if text := aboutBlock(r.state, given); text != "" {
		return named{}, problemf(codeNoAddress, "Not a reservation", "%s", text)
	}
	hint := meant(given, known, plain)
	if hint == "" {
		hint = " resctl state list has all that is stored; what is declared and not applied yet, resctl plan shows."
	}
	return named{}, problemf(codeNoAddress, "No such address", "Nothing is known of %s.%s", given, hint)
}

// past looks for what is no longer wanted, and nowhere any more.
func (r *reading) past(ctx context.Context, workspace, given string) (found []named, err error) {
	for w := range r.state.Meta.Serials {
		for _, address := range []string{given, "reservation." + given} {
			if workspace != "" && w != workspace {
				continue
			}
			all, err := r.Occurrences(ctx, w, address)
			if err != nil {
				return nil, err
			}
			if len(all) > 0 {
				found = append(found, named{w, address})
			}
		}
	}
	slices.SortFunc(found, func(a, b named) int { return strings.Compare(a.workspace, b.workspace) })
	return found, nil
}

// plain is an address less what people leave out when they write it.
func plain(address string) string { return strings.ReplaceAll(short(address), `"`, "") }

// nextStep says what happens without anybody doing anything.
func nextStep(s *story, c clock) string {
	o := s.occurrence
	switch {
	case o == nil:
		return "nothing: no station was ever asked for it"
	case s.waiting != nil:
		return nextWait(s, c)
	case !o.Phase.Open() && !s.following.IsZero():
		return nextOfEnded(s) + "; its next window opens " + c.at(s.following)
	case !o.Phase.Open():
		return nextOfEnded(s)
	case o.Phase == reservation.Scheduled && o.Due.Before(o.Window.Start):
		return fmt.Sprintf("asked for in %s (%s), ahead of its window", c.until(o.Due), c.at(o.Due))
	case o.Phase == reservation.Scheduled:
		return fmt.Sprintf("opens in %s (%s)", c.until(o.Window.Start), c.at(o.Window.Start))
	case o.Phase == reservation.Held && !o.Expiry().After(c.now):
		return "its window is over: it ends when " + s.StationID + " is heard"
	case o.Phase == reservation.Held && !o.NoShowAt.IsZero():
		return fmt.Sprintf("let go %s unless its driver comes before; its window ends %s", c.at(o.NoShowAt), c.at(o.Expiry()))
	case o.Phase == reservation.Held:
		return "held until " + c.at(o.Expiry())
	}
	return "nothing"
}

// nextWait is for what is due and has not come about.
func nextWait(s *story, c clock) string {
	w := s.waiting
	verb := "asked for"
	if s.occurrence.Want == nil || s.occurrence.MustCancel {
		verb = "canceled"
	}
	switch {
	case w.Reason == reservation.BecausePaused:
		return pausedText(w.Until, c)
	case !w.Until.IsZero() && w.Until.After(c.now):
		return fmt.Sprintf("tried again at %s at the latest (in %s)", c.exact(w.Until), c.until(w.Until))
	case w.Reason == reservation.BecauseOffline:
		return verb + " when " + s.StationID + " connects"
	}
	if next := nextText(w, c); next != "" {
		return next
	}
	if !s.online {
		return verb + " when " + s.StationID + " connects"
	}
	return verb + " as soon as resctl is beside its station"
}

// nextOfEnded is for what has ended: it stays so.
func nextOfEnded(s *story) string {
	switch s.Phase {
	case reservation.Fulfilled:
		return "nothing: its driver has used it"
	case reservation.Dropped:
		return "nothing: on_removed is \"report\"; resctl apply --replace " + shellWord(short(s.Address)) + " asks for it anew"
	case reservation.Canceled:
		return "nothing: it was canceled"
	case reservation.Forgotten:
		return "nothing: it was left at " + s.StationID + ", and nobody looks after it"
	case reservation.Missed:
		return "nothing: its window is over, and it was never held"
	case reservation.NoShow:
		return "nothing: its driver did not come"
	}
	return "nothing: its window is over"
}
