package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// eventsFlags choose lines of the journal.
type eventsFlags struct {
	follow, json            bool
	station, address, since string
}

// journal is what stands above the lines of the journal.
type journal struct {
	place  place
	secret []byte
	empty  bool
	begins time.Time // what was recorded before is cut; zero: nothing is
}

// journalLine is one line, with its tokens masked. live: somebody waits for it.
type journalLine struct {
	reservation.Event
	live bool
}

func (c *cli) eventsCommand() *cobra.Command {
	var f eventsFlags
	cmd := &cobra.Command{
		Use: "events", Short: "Shows the journal: who asked what, what was answered", Args: noMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(f.json)
			return c.events(cmd.Context(), f)
		},
	}
	s := cmd.Flags()
	s.BoolVar(&f.follow, "follow", false, "go on with what is recorded until Ctrl-C")
	s.BoolVar(&f.json, "json", false, "write a stream of JSON lines")
	s.StringVar(&f.station, "station", "", "only what is about the station with identity `ID`")
	s.StringVar(&f.address, "address", "", "only what is about addresses that match `GLOB`")
	s.StringVar(&f.since, "since", "", "only what was recorded since `TIME`, or a duration ago (18:00, 2h, 1d)")
	return cmd
}

func (c *cli) events(ctx context.Context, f eventsFlags) error {
	filter := state.Filter{Station: f.station}
	if f.since != "" {
		var err error
		if filter.Since, err = c.clock().moment(f.since, -1); err != nil {
			return err
		}
	}
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	if f.station != "" {
		if err := r.station(f.station); err != nil {
			return err
		}
	}
	began, err := r.Began(ctx)
	if err != nil {
		return err
	}
	c.view.About(&journal{r.place, r.secret(), r.empty, began.At})
	met := false
	tell := func(e reservation.Event, live bool) {
		if f.address == "" || e.Address != "" && reconcile.Matches(f.address, e.Address) {
			met = true
			c.view.About(journalLine{e.Masked(r.secret()), live})
		}
	}
	if filter.Until, err = r.Last(ctx); err != nil {
		return err
	}
	for e, err := range r.EventsUntil(ctx, filter) {
		if err != nil {
			return unlessInterrupted(ctx, err)
		}
		tell(e, f.follow)
	}
	if !f.follow {
		return r.unheardOf(f, met)
	}
	for e, err := range r.Events(ctx, filter.Until) {
		if err != nil {
			return unlessInterrupted(ctx, err)
		}
		if f.station == "" || e.StationID == f.station {
			tell(e, true)
		}
	}
	return nil
}

// unheardOf says that a glob stands for nothing in the whole journal.
func (r *reading) unheardOf(f eventsFlags, met bool) error {
	if met || r.empty || f.address == "" || f.since != "" || f.station != "" {
		return nil
	}
	var known []string
	for i := range r.state.Entries {
		if reconcile.Matches(f.address, r.state.Entries[i].Address) {
			return nil // what was recorded of it may have been pruned
		}
		known = append(known, short(r.state.Entries[i].Address))
	}
	return problemf(codeNoAddress, "No such address", "Nothing in the journal is about %s.%s", shellWord(f.address), meant(f.address, known, plain))
}
