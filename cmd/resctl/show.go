package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

func (c *cli) showCommand() *cobra.Command {
	var form formats
	var f showFlags
	cmd := &cobra.Command{
		Use: "show [PLANFILE]", Short: "Shows what is stored, or a plan file", Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.openView(form, false); err != nil {
				return err
			}
			if len(args) == 1 {
				return c.showPlan(cmd.Context(), args[0], f)
			}
			return c.showState(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&form.json, "json", false, "write JSON")
	cmd.Flags().BoolVar(&form.markdown, "markdown", false, "write Markdown, for a wiki or the summary of a run")
	f.flags(cmd)
	return cmd
}

func (c *cli) showState(ctx context.Context) error {
	w, err := c.look(ctx)
	if err != nil {
		return err
	}
	defer w.Close()
	s, err := w.Read(ctx)
	if err != nil {
		return err
	}
	shown := &stored{State: s, place: c.placeOf(w, s.Meta), at: time.Now(), empty: s.Meta.Lineage == ""}
	c.view.State(shown)
	return nil
}

func (c *cli) showPlan(ctx context.Context, path string, f showFlags) error {
	file, err := readPlanFile(path)
	if err != nil {
		return err
	}
	w, err := c.look(ctx)
	if err != nil {
		return err
	}
	defer w.Close()
	p, err := c.toShow(ctx, w, file.Plan, nil, f)
	if err != nil {
		return err
	}
	c.view.Plan(p)
	return nil
}
