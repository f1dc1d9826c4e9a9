package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config"
)

// whereabouts is the server that a command works through.
type whereabouts struct {
	url  string // "": none
	said string // what named it
}

// server says which server a command works through: as said by flag,
// environment or configuration, in that order. A state that is named before
// that keeps it from being one.
func (c *cli) server() whereabouts {
	switch {
	case c.serverFlag != "":
		return whereabouts{c.serverFlag, "--server"}
	case c.state != "":
		return whereabouts{}
	case c.getenv("RESCTL_SERVER") != "":
		return whereabouts{c.getenv("RESCTL_SERVER"), "RESCTL_SERVER"}
	case c.getenv("RESCTL_STATE") != "":
		return whereabouts{}
	}
	if c.belongs == nil {
		b := config.Whither(c.chdir)
		c.belongs = &b
	}
	return whereabouts{c.belongs.Server, "the resctl block"}
}

// checkPlace refuses what says two places, or a server to a command that works
// on files or stations of this machine.
func (c *cli) checkPlace(cmd *cobra.Command) error {
	switch {
	case c.serverFlag != "" && c.state != "":
		return problemf(codeUsage, "--server and --state", "They exclude each other: a command works through a server, or on a file.")
	case c.serverFlag == "" && c.state == "" && c.getenv("RESCTL_SERVER") != "" && c.getenv("RESCTL_STATE") != "":
		return problemf(codeUsage, "RESCTL_SERVER and RESCTL_STATE", "They exclude each other. Unset one of them, or say --server or --state.")
	}
	name := strings.TrimPrefix(cmd.CommandPath(), "resctl ")
	if name != "restore" && // it would work on another state than the one that is meant
		(c.serverFlag == "" || !slices.Contains([]string{"init", "fmt", "simulate", "serve"}, name)) {
		return nil
	}
	if where := c.server(); where.url != "" {
		return localOnly("resctl "+name, where)
	}
	return nil
}

func localOnly(what string, where whereabouts) error {
	return problemf(codeLocal, "It does not go through a server", "%s works on this machine, and %s names the server %s. Do it where that serve runs, with --state FILE, or leave the server out.", what, where.said, harmless(where.url))
}

// placeName is where a command works, as it is shown.
func (c *cli) placeName() string { return cmp.Or(c.server().url, c.statePath()) }

// dial comes in at a server.
func (c *cli) dial(ctx context.Context, where whereabouts) (ledger, error) {
	r := api.Remote{URL: where.url, Token: c.getenv("RESCTL_TOKEN"), Whole: c.whole}
	if path := c.getenv("RESCTL_CA_FILE"); path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, problemf(codeCredentials, "The certificates cannot be used", "RESCTL_CA_FILE: %s: %s.", path, reasonOf(err, path))
		}
		if r.CA = x509.NewCertPool(); !r.CA.AppendCertsFromPEM(b) {
			return nil, problemf(codeCredentials, "The certificates cannot be used", "RESCTL_CA_FILE: %s holds no certificate in PEM form.", path)
		}
	}
	client, err := api.DialRemote(ctx, r)
	if err != nil {
		return nil, err
	}
	return remote{client}, nil
}

// named refuses to take a workspace that nobody wrote to a server: another
// configuration may have done the same.
func (c *cli) named(cfg *config.Configuration) error {
	where := c.server()
	if where.url == "" || cfg.WorkspaceExplicit {
		return nil
	}
	return problemf(codeUnnamed, "Which workspace?", "Many configurations may work through the server %s, so each says whose it is. Write workspace = \"NAME\" in the resctl block.", harmless(where.url))
}

// viaServe is how a place says that it works through a serve; "": it does not.
func viaServe(l ledger) string {
	r, ok := l.(remote)
	switch {
	case !ok:
		return ""
	case r.Network():
		return "via serve " + harmless(r.Info.Resctl)
	}
	return fmt.Sprintf("via serve, pid %d", r.Info.PID)
}
