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
	var autoApprove bool
	cmd := &cobra.Command{
		Use: "erase", Short: "Removes a token from all that is stored", Args: noToken,
		Long: "Removes a token from all that is stored: what was declared, what stations were\n" +
			"asked and said, and every line of the journal. It is read from standard input,\n" +
			"where no shell remembers it, or named by its fingerprint.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(false)
			return c.tokenErase(cmd.Context(), fingerprint, autoApprove)
		},
	}
	cmd.Flags().StringVar(&fingerprint, "fingerprint", "", "the token that is shown as `FINGERPRINT`, such as '#7f2a'")
	cmd.Flags().BoolVar(&autoApprove, "auto-approve", false, "do not ask")
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
	path := c.statePath()
	if _, err := os.Stat(path); err != nil {
		return problemf(codeState, "There is no state", "%s\n%s is not there.", nothingStored, path)
	}
	lock, err := state.AcquireLock(path)
	if err != nil {
		return stateProblem(path, err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	db, err := state.Open(ctx, path, state.Options{})
	if err != nil {
		return stateProblem(path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	token, err := c.whichToken(ctx, db, fingerprint)
	if err != nil {
		return err
	}
	if err := c.confirm(ctx, autoApprove, "It is replaced everywhere in "+harmless(path)+", for ever. Erase it?", "Nothing has changed."); err != nil {
		return err
	}
	done, err := db.Erase(context.WithoutCancel(ctx), token, c.getenv("USER"), time.Now())
	if err != nil {
		return c.eraseProblem(err)
	}
	c.view.About(notice{erasedReport(done, path, token)})
	return nil
}

// whichToken is the one of a fingerprint, or what is written on standard input;
// at a terminal it is not shown.
func (c *cli) whichToken(ctx context.Context, db *state.DB, fingerprint string) (string, error) {
	if fingerprint != "" {
		token, err := db.TokenOf(ctx, "#"+strings.ToLower(strings.TrimPrefix(fingerprint, "#")))
		if err != nil {
			return "", c.eraseProblem(err)
		}
		return token, nil
	}
	var token string
	var err error
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

// eraseProblem says why nothing was erased; it does not repeat the token.
func (c *cli) eraseProblem(err error) error {
	var used *state.InUseError
	switch {
	case errors.As(err, &used):
		where := used.Where
		more := ""
		if n := len(where) - shownInFull; n > 0 {
			where, more = where[:shownInFull], fmt.Sprintf(" and %d more", n)
		}
		var names []string
		for _, w := range where {
			names = append(names, short(w))
		}
		return problemf(codeErase, "The token is in use", "It is wanted, or may be at a station, for %s%s. Nothing has changed. Remove these or give them another token, apply, and erase it then.",
			harmless(strings.Join(names, ", ")), more)
	case errors.Is(err, state.ErrNoToken):
		return problemf(codeErase, "No such token", "Nothing in the state has it.")
	}
	return problemf(codeErase, "The token was not erased", "%s.", lastCause(err.Error(), "state: erase a token"))
}

// erasedReport says what was done, and what is out of reach.
func erasedReport(done state.Erased, path, token string) string {
	text := fmt.Sprintf("Erased %s from %s of %s; the file is written anew and its log is empty.", done.Fingerprint, count(done.Rows, "row"), harmless(path))
	if done.Left > 0 {
		text += fmt.Sprintf("\n%s its characters elsewhere, in an address or in what a station said: these are as they were.", count(done.Left, "row")+" still have")
	}
	if files := beside(path, token); len(files) > 0 {
		text += "\nIt is still in " + harmless(strings.Join(files, ", ")) + "."
	}
	return text + "\nBackups, plan files, variable files and the stations themselves are out of reach: remove it there as well."
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
