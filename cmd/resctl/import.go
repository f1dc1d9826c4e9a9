package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func (c *cli) importCommand() *cobra.Command {
	var vars inputs
	var dryRun bool
	cmd := &cobra.Command{
		Use: "import ADDRESS STATION ID", Short: "Takes over what a station already holds under an id",
		Long: "Takes over what a station already holds, say for another backend. ADDRESS must be\n" +
			"declared, at that STATION (its OCPP identity); ID is the reservation id that the\n" +
			"station knows. No station is asked now: what it holds under the id is not known\n" +
			"until the next apply asks for it again, with the content that is declared.\n\n" +
			"An import block does the same as part of a plan.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 3 {
				return problemf(codeUsage, "What is to be imported?", "%s takes an address, a station's identity and a reservation id, such as %s DEPOT-A-01 41.", cmd.CommandPath(), shellWord(`van["12"]`))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(false)
			return c.adopt(cmd.Context(), vars, args, dryRun)
		},
	}
	vars.flags(cmd.Flags())
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show it, and change nothing")
	return cmd
}

func (c *cli) adopt(ctx context.Context, vars inputs, args []string, dryRun bool) (err error) {
	id, err := strconv.ParseInt(args[2], 10, 32)
	if err != nil || id < 1 {
		return problemf(codeUsage, "Not a reservation id", "%q is not a whole number from 1 to 2147483647.", args[2])
	}
	cfg, _, err := c.configured(vars)
	if err != nil {
		return err
	}
	d, err := declaredAs(cfg, args[0])
	if err != nil {
		return err
	}
	if d.StationID != args[1] {
		return problemf(codeUsage, "It is declared at another station", "%s is declared at %s, not at %s. Change the declaration, or the command.", short(d.Address), d.StationID, args[1])
	}
	w, err := c.change(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	want := desired(cfg)
	want.Adoptions = []reconcile.Adoption{{Address: d.Address, StationID: d.StationID, ReservationID: int32(id)}}
	want.Choice.Target = []string{d.Address}
	plan, err := w.Plan(ctx, want)
	if err != nil {
		return err
	}
	if plan.Errors() > 0 {
		c.view.Diagnostics(findings(plan, cfg))
		return exit(exitError)
	}
	if !adopts(plan, d.Address) {
		return problemf(codeTaken, "Nothing to import", "%s is stored already, and has an id of its own or needs none. To begin anew with the station's: resctl state rm %s, then import it.", short(d.Address), shellWord(short(d.Address)))
	}
	place := c.placeOf(w, reservation.Meta{Serials: map[string]int64{plan.Workspace: 0}})
	return c.carryOutEdit(ctx, w, &edited{place: place, Plan: plan, dryRun: dryRun, imports: true})
}

func adopts(p *reconcile.Plan, address string) bool {
	for i := range p.Changes {
		if p.Changes[i].Address == address {
			return p.Changes[i].Adopts != 0
		}
	}
	return false
}

// declaredAs finds a declared reservation by its address as people write it.
func declaredAs(cfg *config.Configuration, given string) (*reservation.Declaration, error) {
	var known []string
	for i := range cfg.Reservations {
		if plain(cfg.Reservations[i].Address) == plain(given) {
			return &cfg.Reservations[i], nil
		}
		known = append(known, short(cfg.Reservations[i].Address))
	}
	return nil, problemf(codeNoAddress, "Not declared", "The configuration declares no reservation %s. Declare first what is to be imported.%s", given, meant(given, known, plain))
}
