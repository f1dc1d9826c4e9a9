package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func (c *cli) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use: "completion SHELL", Short: "Writes what a shell needs to complete commands", ValidArgs: shells,
		Long: "Writes what bash, zsh or fish needs to complete commands and flags.",
		Example: "  source <(resctl completion bash)                                bash, this session\n" +
			"  resctl completion zsh > \"${fpath[1]}/_resctl\"                    zsh\n" +
			"  resctl completion fish > ~/.config/fish/completions/resctl.fish  fish",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || cobra.OnlyValidArgs(cmd, args) != nil {
				return problemf(codeUsage, "Which shell?", "completion is for %s: resctl completion bash.", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "zsh":
				return root.GenZshCompletion(c.stdout)
			case "fish":
				return root.GenFishCompletion(c.stdout, true)
			default:
				return root.GenBashCompletionV2(c.stdout, true)
			}
		},
	}
}
