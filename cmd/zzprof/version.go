package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/reconcile"
)

// version of resctl, for required_version and for reports. A release sets it.
const version = "0.1.0"

// versions is what this build speaks and writes.
type versions struct {
	FormatVersion string   `json:"format_version"`
	Version       string   `json:"resctl"`
	Go            string   `json:"go"`
	Platform      string   `json:"platform"`
	OCPP          []string `json:"ocpp"`
	Plan          string   `json:"plan_format"`
}

func (c *cli) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Shows the version and what it speaks", Args: noMore,
		RunE: func(*cobra.Command, []string) error {
			c.view = c.newView(asJSON)
			c.view.About(versions{formatVersion, version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
				spoken(), reconcile.PlanVersion})
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}
