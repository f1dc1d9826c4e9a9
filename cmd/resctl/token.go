package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/state"
)

func (c *cli) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "token", Short: "Works on tokens, which are personal data: erase", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return problemf(codeUsage, "Unknown command \"token "+harmless(args[0])+"\"", "There is token erase.")
		},
	}
	cmd.AddCommand(c.tokenEraseCommand())
	return cmd
}

func (c *cli) tokenEraseCommand() *cobra.Command {
	var fingerprint string
	var autoApprove, asJSON bool
	cmd := &cobra.Command{
		Use: "erase", Short: "Removes a token from all that is stored", Args: noToken,
		Long: "Removes a token from all that is stored: what was declared, what stations were\n" +
			"asked and said, and every line of the journal. It is read from standard input,\n" +
			"where no shell remembers it, or named by its fingerprint.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(asJSON)
			return c.tokenErase(cmd.Context(), fingerprint, autoApprove)
		},
	}
	cmd.Flags().StringVar(&fingerprint, "fingerprint", "", "the token that is shown as `FINGERPRINT`, such as '#7f2a'")
	cmd.Flags().BoolVar(&autoApprove, "auto-approve", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// noToken refuses a token as an argument, and does not repeat it.
func noToken(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return problemf(codeUsage, "No arguments", "A token that is written on a command line stays in the shell's history. Give it on standard input, or name its --fingerprint.")
}

func (c *cli) tokenErase(ctx context.Context, fingerprint string, autoApprove bool) (err error) {
	if !autoApprove && !isTerminal(c.stdin) {
		return problemf(codeApproval, "Nobody can approve", "Standard input is not a terminal. Pass --auto-approve.")
	}
	l, err := c.change(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	what := api.Erasing{By: c.by(l)}
	if fingerprint != "" {
		what.Fingerprint = "#" + strings.ToLower(strings.TrimPrefix(fingerprint, "#"))
	} else if what.Token, err = c.typedToken(ctx); err != nil {
		return err
	}
	if err := c.confirm(ctx, autoApprove, "It is replaced everywhere in "+harmless(c.placeName())+", for ever. Erase it?", "Nothing has changed."); err != nil {
		return err
	}
	done, err := l.Erase(context.WithoutCancel(ctx), what)
	if err != nil {
		return err
	}
	c.view.About(&erased{formatVersion, c.placeName(), done})
	return nil
}

// typedToken is what is written on standard input; at a terminal it is not shown.
func (c *cli) typedToken(ctx context.Context) (token string, err error) {
	if isTerminal(c.stdin) {
		fmt.Fprint(c.stderr, "Token (it is not shown): ")
		var typed []byte
		typed, err = term.ReadPassword(int(c.stdin.Fd()))
		token = string(typed)
		fmt.Fprintln(c.stderr)
	} else {
		token, _ = readLine(ctx, c.stdin) // a last line may have no end
	}
	if token = strings.TrimRight(token, "\r\n"); err != nil || token == "" {
		return "", problemf(codeUsage, "Which token?", "Write it on standard input, or name its --fingerprint.")
	}
	return token, nil
}

// erased is a token that was erased.
type erased struct {
	FormatVersion string `json:"format_version"`
	State         string `json:"state"` // its path, or its server
	api.Erased
}

// String says what was done, and what is out of reach.
func (e *erased) String() string {
	text := fmt.Sprintf("Erased %s from %s of %s; the file is written anew and its log is empty.", harmless(e.Fingerprint), count(e.Rows, "row"), harmless(e.State))
	if e.Left > 0 {
		text += fmt.Sprintf("\n%s its characters elsewhere, in an address or in what a station said: these are as they were.", count(e.Left, "row")+" still have")
	}
	if len(e.Files) > 0 {
		text += "\nIt is still in " + harmless(strings.Join(e.Files, ", ")) + "."
	}
	return text + "\nBackups, plan files, variable files and the stations themselves are out of reach: remove it there as well."
}

// Erase erases a token from the state, and looks for it in what lies beside it.
func (w *workplace) Erase(ctx context.Context, what api.Erasing) (api.Erased, error) {
	token, err := what.Token, error(nil)
	if token == "" {
		token, err = w.db.TokenOf(ctx, what.Fingerprint)
	}
	var done state.Erased
	if err == nil {
		done, err = w.db.Erase(ctx, token, what.By, time.Now())
	}
	if err != nil {
		return api.Erased{}, eraseProblem(err)
	}
	return api.Erased{Fingerprint: done.Fingerprint, Rows: done.Rows, Left: done.Left, Files: beside(w.path, token)}, nil
}

// eraseProblem says why nothing was erased; it does not repeat the token.
func eraseProblem(err error) error {
	var used *state.InUseError
	said := lastCause(err.Error(), "state: erase a token") + "."
	switch {
	case errors.As(err, &used):
		var names []string
		for _, w := range used.Where[:min(len(used.Where), shownInFull)] {
			names = append(names, short(w))
		}
		more := ""
		if n := len(used.Where) - len(names); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		said = fmt.Sprintf("It is wanted, or may be at a station, for %s%s. Nothing has changed. Remove these or give them another token, apply, and erase it then.", harmless(strings.Join(names, ", ")), more)
	case errors.Is(err, state.ErrNoToken):
		said = "Nothing in the state has it."
	}
	return problemf(codeErase, titleOf(codeErase), "%s", said)
}

// beside are the files next to the state in which a token still stands.
func beside(path, token string) (files []string) {
	all, _ := filepath.Glob(path + "?*")
	for _, name := range all {
		_ = filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || slices.Contains([]string{path + "-wal", path + "-shm"}, file) {
				return nil
			}
			if b, err := os.ReadFile(file); err == nil && bytes.Contains(bytes.ToUpper(b), bytes.ToUpper([]byte(token))) {
				files = append(files, file)
			}
			return nil
		})
	}
	return files
}
