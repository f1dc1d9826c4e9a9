package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// driftReport is what a person should look at.
type driftReport struct {
	FormatVersion string       `json:"format_version"`
	Grace         string       `json:"grace"`
	Drift         []driftAbout `json:"drift"`
	Watches       []watchAbout `json:"watches,omitempty"`
	place         place
	empty         bool
	several       bool // workspaces
}

// driftAbout is one of them, and what happens next.
type driftAbout struct {
	reconcile.Drifted
	Next string `json:"next"`
}

// watchAbout is a watched directory that is not applied, and what can be done.
type watchAbout struct {
	api.Watch
	Next string `json:"next"`
}

func (c *cli) driftCommand() *cobra.Command {
	var asJSON, detailed bool
	var grace time.Duration
	cmd := &cobra.Command{
		Use: "drift", Short: "Shows what a person should look at", Args: noMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(asJSON)
			return c.drift(cmd.Context(), grace, detailed)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "write JSON")
	f.BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 if there is drift")
	spanVar(f, &grace, "grace", driftGrace, "only what is older than `DURATION`: most of it settles by itself")
	return cmd
}

func (c *cli) drift(ctx context.Context, grace time.Duration, detailed bool) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	report, err := c.driftOf(ctx, r, grace)
	if err != nil {
		return err
	}
	c.view.About(report)
	if detailed && len(report.Drift)+len(report.Watches) > 0 {
		return exit(exitDrift)
	}
	return nil
}

// driftOf is what is older than grace, by station and address.
func (c *cli) driftOf(ctx context.Context, r *reading, grace time.Duration) (*driftReport, error) {
	all, err := r.Drift(ctx, grace)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b reconcile.Drifted) int {
		if by := config.CompareAddresses(a.StationID, b.StationID); by != 0 {
			return by
		}
		return config.CompareAddresses(a.Address, b.Address)
	})
	report := &driftReport{FormatVersion: formatVersion, Grace: grace.String(), Drift: make([]driftAbout, len(all)), place: r.place, empty: r.empty, several: r.several()}
	if report.Watches, err = c.notApplied(ctx, r); err != nil {
		return nil, err
	}
	clock := c.clock()
	for i := range all {
		all[i].Info = harmless(all[i].Info)
		report.Drift[i] = driftAbout{all[i], nextOfDrift(&all[i], clock)}
	}
	return report, nil
}

// driftText says what is the matter.
func driftText(d *reconcile.Drifted) string {
	switch d.Kind {
	case reconcile.DriftReplaced:
		return "another station answers under this identity, with serial number " + harmless(d.Serial) + "; what the old one held is gone"
	case reconcile.DriftClock:
		return "its clock is " + skewText(time.Duration(d.ClockSkew*float64(time.Second)))
	case reconcile.DriftForeign:
		return "its EVSE is Reserved, and nothing of ours explains that" + withInfo("", d.Info)
	case reconcile.DriftOverdue:
		return "its window is open and it is not held: " + withInfo(reasonText(d.Reason), d.Info)
	case reconcile.DriftProof:
		return proofText(d)
	case reconcile.DriftUnsure:
		return "it is not known whether the station holds it: " + withInfo(reasonText(d.Reason), d.Info)
	}
	return withInfo(reasonText(d.Reason), d.Info)
}

// proofText says what no longer fits, and with what.
func proofText(d *reconcile.Drifted) string {
	text := "the proof no longer holds: from " + d.Window.Start.UTC().Format("2 Jan 2006 15:04 MST") + " "
	switch n := len(d.Members); {
	case len(d.EVSEs) == 0:
		text += "it has no EVSE for"
	case len(d.EVSEs) == 1:
		text += fmt.Sprintf("EVSE %d is all there is for %d reservations:", d.EVSEs[0], n)
	default:
		text += fmt.Sprintf("there are %d EVSEs for %d reservations:", len(d.EVSEs), n)
	}
	for i, m := range d.Members {
		if i == shownInFull && len(d.Members) > shownInFull+1 {
			return text + fmt.Sprintf(" and %d more", len(d.Members)-i)
		}
		if i > 0 {
			text += ","
		}
		if text += " " + harmless(short(m.Address)); m.Workspace != d.Workspace {
			text += " of " + harmless(m.Workspace)
		}
	}
	return text
}

func withInfo(text, info string) string {
	if info == "" {
		return text
	}
	return text + " (" + info + ")"
}

// nextOfDrift says what happens next, or what a person can do where nothing does.
func nextOfDrift(d *reconcile.Drifted, c clock) string {
	switch {
	case d.Kind == reconcile.DriftReplaced:
		return fmt.Sprintf("if it was exchanged on purpose, set serial_number = %q in its station block", harmless(d.Serial))
	case d.Kind == reconcile.DriftClock:
		return "set its clock; until then its reservations end early or late"
	case d.Kind == reconcile.DriftProof:
		return "change the window, the station or the EVSE of any one of them; without it the others fit"
	case d.Phase == reservation.Dropped:
		return "on_removed is \"report\"; resctl apply --replace " + shellWord(short(d.Address)) + " asks for it anew"
	case d.Kind == reconcile.DriftForeign:
		return "what is not ours is not touched: whoever made it there can cancel it, and then this one is asked for again"
	case d.Reason == reservation.BecausePaused:
		return pausedText(d.Until, c)
	case d.Until.After(c.now):
		return fmt.Sprintf("tried again at %s at the latest (in %s)", c.exact(d.Until), c.until(d.Until))
	}
	next := nextText(&reconcile.Outstanding{Reason: d.Reason, EVSE: d.EVSE}, c)
	if next == "" {
		next = "resctl why " + shellWord(short(d.Address)) + " tells its story"
	}
	return next
}
