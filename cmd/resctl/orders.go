package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/reservation"
)

// orderList is what freeze, pause and what lifts them have come to.
type orderList struct {
	FormatVersion string  `json:"format_version"`
	Orders        []order `json:"orders"` // that were recorded; none: it was so already
	text          string
}

// order is one of them.
type order struct {
	Kind      reservation.Kind `json:"kind"`                 // frozen, unfrozen, paused or resumed
	Workspace string           `json:"workspace,omitempty"`  // "*": all
	StationID string           `json:"station_id,omitempty"` // of a pause
	By        string           `json:"by,omitempty"`         // who ordered it
	Reason    string           `json:"reason,omitempty"`     // why, as they wrote it
	At        time.Time        `json:"at"`                   // when
	Until     time.Time        `json:"until,omitzero"`       // none: until it is lifted
}

// order records orders, if there are any, and says what they come to.
func (c *cli) order(ctx context.Context, r *reading, text string, events ...reservation.Event) error {
	done := &orderList{formatVersion, []order{}, text}
	for i := range events {
		e := &events[i]
		h := e.Ordered()
		done.Orders = append(done.Orders, order{e.Kind, e.Workspace, e.StationID, harmless(h.By), harmless(h.Reason), h.Since.UTC().Truncate(time.Millisecond), h.Until})
	}
	if len(events) > 0 {
		if err := r.record(ctx, events...); err != nil {
			return err
		}
	}
	c.view.About(done)
	return nil
}

// ordering adds --json to a command that orders, and chooses its view.
func (c *cli) ordering(cmd *cobra.Command, run func(context.Context) error) *cobra.Command {
	var asJSON bool
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c.view = c.newView(asJSON)
		return run(cmd.Context())
	}
	return cmd
}
