package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/reconcile"
)

// destroyCommand is apply --destroy.
func (c *cli) destroyCommand() *cobra.Command {
	f := applyFlags{choice: choiceFlags{Choice: reconcile.Choice{Destroy: true}}}
	cmd := &cobra.Command{
		Use: "destroy", Short: "Cancels everything of the workspace", Args: noMore,
		Long: "Cancels everything of the workspace and removes its station blocks: apply --destroy.\n\n" +
			"The configuration says which workspace; it stays as it is. --target and --exclude\n" +
			"leave part of it, and what prevent_cancel guards is refused. More than 10\n" +
			"cancellations that nobody has seen need --max-cancel here as well.\n\n" +
			"Exit codes: 0 done, 1 error or declined, 4 stored, but something has not been\ncanceled within --wait.",
		RunE: func(cmd *cobra.Command, args []string) error { return c.apply(cmd, f, args) },
	}
	f.flags(cmd)
	return cmd
}

// question is what yes approves.
func question(p *reconcile.Plan) string {
	if !p.Destroy {
		return "Make these changes to " + harmless(p.Workspace) + "?"
	}
	all, _ := p.Cancels()
	return fmt.Sprintf("Destroy %s of %s?", join(count(all, "reservation"), settingsOf(p)), harmless(p.Workspace))
}

func settingsOf(p *reconcile.Plan) string {
	stations, tokens := 0, 0
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Station != nil {
			stations++
		} else if c.Token != nil {
			tokens++
		}
	}
	text := ""
	for _, kind := range []struct {
		n    int
		noun string
	}{{stations, "station block"}, {tokens, "token block"}} {
		if kind.n > 0 {
			text = join(text, count(kind.n, kind.noun))
		}
	}
	return cmp.Or(text, "no station block")
}
