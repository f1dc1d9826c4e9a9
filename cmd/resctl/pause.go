package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func (c *cli) pauseCommand() *cobra.Command {
	var h haltFlags
	var globs []string
	cmd := &cobra.Command{
		Use: "pause --station GLOB", Short: "Asks nothing of stations, for a while or until resume", Args: noMore,
		Long: "Asks nothing of stations, for a while or until resume. What they report is\n" +
			"taken in as ever, and what is due at them waits.",
	}
	stationFlag(cmd, &globs)
	h.flags(cmd.Flags())
	return c.ordering(cmd, func(ctx context.Context) error { return c.pause(ctx, globs, h) })
}

func (c *cli) resumeCommand() *cobra.Command {
	var globs []string
	cmd := &cobra.Command{Use: "resume --station GLOB", Short: "Lifts a pause", Args: noMore}
	stationFlag(cmd, &globs)
	return c.ordering(cmd, func(ctx context.Context) error { return c.resume(ctx, globs) })
}

func stationFlag(cmd *cobra.Command, globs *[]string) {
	cmd.Flags().StringArrayVar(globs, "station", nil, "the stations whose identity matches `GLOB`, such as 'DEPOT-A-*'; may be repeated")
}

func (c *cli) pause(ctx context.Context, globs []string, flags haltFlags) error {
	h, err := flags.halt()
	if err != nil {
		return err
	}
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	ids, err := r.matching(globs)
	if err != nil {
		return err
	}
	h.By = c.by(r.ledger)
	var events []reservation.Event
	for _, id := range ids {
		events = append(events, reservation.Event{At: time.Now(), Kind: reservation.Paused, StationID: id, Halt: h})
	}
	return c.order(ctx, r, "Paused "+haltText(events[0].Ordered(), c.clock())+".\n"+listed(ids)+"\n"+
		"Nothing is asked of them; what they report is taken in. "+c.resumeLine(globs)+" lifts it.", events...)
}

func (c *cli) resume(ctx context.Context, globs []string) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	ids, err := r.matching(globs)
	if err != nil {
		return err
	}
	now := time.Now()
	var events []reservation.Event
	var lifted []string
	for i := range r.state.Stations {
		s := &r.state.Stations[i]
		if _, named := slices.BinarySearchFunc(ids, s.ID, config.CompareAddresses); named && s.Paused.Stands(now) {
			lifted = append(lifted, s.ID)
			events = append(events, reservation.Event{At: now, Kind: reservation.Resumed, StationID: s.ID, Halt: &reservation.Halt{By: c.by(r.ledger)}})
		}
	}
	if len(events) == 0 {
		return c.order(ctx, r, "None of them is paused: nothing to do.\n"+listed(ids))
	}
	return c.order(ctx, r, "Not paused any more.\n"+listed(lifted), events...)
}

// matching gives the identities that globs stand for: of stations that are
// declared or that some book has. It refuses a glob that stands for none.
func (r *reading) matching(globs []string) ([]string, error) {
	if len(globs) == 0 {
		return nil, problemf(codeUsage, "Which stations?", "Name them with --station GLOB; --station '*' is all of them.")
	}
	if err := r.there(); err != nil {
		return nil, err
	}
	var known, ids []string
	for i := range r.state.Stations {
		known = append(known, r.state.Stations[i].ID)
	}
	for i := range r.state.Declarations {
		known = append(known, r.state.Declarations[i].ID)
	}
	for i := range r.state.Entries {
		known = append(known, r.state.Entries[i].StationID)
	}
	slices.SortFunc(known, config.CompareAddresses)
	known = slices.Compact(known)
	for _, g := range globs {
		n := len(ids)
		for _, id := range known {
			if reconcile.MatchesName(g, id) {
				ids = append(ids, id)
			}
		}
		if len(ids) == n {
			return nil, problemf(codeNoStation, "No such station", "--station %s matches none that is known; resctl stations lists them.%s", shellWord(g), meant(g, known, func(s string) string { return s }))
		}
	}
	slices.SortFunc(ids, config.CompareAddresses)
	return slices.Compact(ids), nil
}

// listed are as many names as people read.
func listed(names []string) string {
	more := ""
	if n := len(names) - shownInFull; n > 0 {
		more = fmt.Sprintf(", and %d more", n)
		names = names[:shownInFull]
	}
	return "  " + harmless(strings.Join(names, ", ")) + more
}

// resumeLine is the command that lifts a pause, to be pasted.
func (c *cli) resumeLine(globs []string) string {
	text := c.line("resume")
	for _, g := range globs {
		text += " --station " + shellWord(g)
	}
	return text
}
