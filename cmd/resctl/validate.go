package main

import (
	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config/diag"
)

// validation is what comes of reading a configuration.
type validation struct {
	FormatVersion string                `json:"format_version"`
	Valid         bool                  `json:"valid"`
	Errors        int                   `json:"error_count"`
	Warnings      int                   `json:"warning_count"`
	Diagnostics   []diag.JSONDiagnostic `json:"diagnostics"`
	Stations      int                   `json:"stations"`
	Reservations  int                   `json:"reservations"`
	where         string
}

func (c *cli) validateCommand() *cobra.Command {
	var asJSON bool
	var vars inputs
	cmd := &cobra.Command{
		Use: "validate", Short: "Checks the configuration, without state or stations", Args: noMore,
		RunE: func(*cobra.Command, []string) error {
			c.view = c.newView(asJSON)
			return c.validate(vars)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	vars.flags(cmd.Flags())
	return cmd
}

func (c *cli) validate(vars inputs) error {
	cfg, ds := c.load(vars)
	c.view.Diagnostics(ds)
	result := validation{FormatVersion: formatVersion, Valid: !ds.HasErrors(), Errors: ds.Errors(), Warnings: ds.Warnings(),
		Diagnostics: []diag.JSONDiagnostic{}, where: c.directory()}
	if cfg != nil {
		result.Stations, result.Reservations = len(cfg.Stations), len(cfg.Reservations)
	}
	if _, asJSON := c.view.(*jsonView); asJSON || result.Valid {
		c.view.About(result)
	}
	if !result.Valid {
		return exit(exitError)
	}
	return nil
}
