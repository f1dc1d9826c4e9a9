package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

func (c *cli) backupCommand() *cobra.Command {
	var force, asJSON bool
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Copies the state, also while it is written", Args: needsFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(asJSON)
			return c.backup(cmd.Context(), args[0], force)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	return cmd
}

func (c *cli) restoreCommand() *cobra.Command {
	var autoApprove, asJSON bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Puts a backup in the place of the state", Args: needsFile,
		Long: "Puts a backup in the place of the state, which is kept under another name.\n\n" +
			"What stations did since the backup is not known: whatever it says they hold\n" +
			"is asked for again, and all workspaces are frozen until unfreeze.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(asJSON)
			return c.restore(cmd.Context(), args[0], autoApprove)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&autoApprove, "auto-approve", false, "do not ask")
	return cmd
}

// needsFile is for commands that work on one file.
func needsFile(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return problemf(codeUsage, "Which file?", "%s takes a file. See %s --help.", cmd.CommandPath(), cmd.CommandPath())
	}
	return oneFile(cmd, args)
}

// backedUp is a backup that was made.
type backedUp struct {
	FormatVersion string           `json:"format_version"`
	File          string           `json:"file"`    // the copy
	Size          int64            `json:"size"`    // bytes
	Lineage       string           `json:"lineage"` // the identity of the state
	Last          int64            `json:"last"`    // the journal's highest sequence
	Serials       map[string]int64 `json:"serials"` // by workspace
}

func (b *backedUp) String() string {
	var serials []string
	for _, name := range slices.Sorted(maps.Keys(b.Serials)) {
		serials = append(serials, fmt.Sprintf("%s %d", name, b.Serials[name]))
	}
	return fmt.Sprintf("Wrote %s: %s, verified.\nLineage %s, %s in the journal; serials: %s.\nIt holds tokens: keep it as you keep the state.", harmless(b.File), bytesText(b.Size),
		b.Lineage, count(int(b.Last), "line"), harmless(strings.Join(serials, ", ")))
}

func (c *cli) backup(ctx context.Context, to string, force bool) error {
	made, err := c.copyState(ctx, to, force)
	switch {
	case errors.Is(err, fs.ErrExist):
		return problemf(codeOutput, "The file is there already", "%s is not overwritten. Choose another name, or say --force.", to)
	case errors.Is(err, state.ErrNewerSchema):
		return stateProblem(c.statePath(), err)
	case errors.Is(err, fs.ErrNotExist):
		return problemf(codeState, "There is no state", "%s\n%s is not there.", nothingStored, c.statePath())
	case errors.As(err, new(*api.Error)):
		return err
	case err != nil:
		return problemf(codeBackup, "No backup was made", "%s: %s.", to, reasonOf(err, to))
	}
	c.view.About(&backedUp{formatVersion, to, made.Size, made.Lineage, made.Last, made.Serials})
	return nil
}

// copyState copies the file of the state, or what a server sends of its own.
func (c *cli) copyState(ctx context.Context, to string, force bool) (state.Copied, error) {
	where := c.server()
	if where.url == "" {
		return state.Backup(ctx, c.statePath(), to, force)
	}
	l, err := c.dial(ctx, where)
	if err != nil {
		return state.Copied{}, err
	}
	made, err := state.Receive(ctx, to, force, func() (io.ReadCloser, error) { return l.Backup(ctx) })
	return made, errors.Join(err, l.Close())
}

// Backup makes a copy of the state for somebody elsewhere. It has no name: whatever
// becomes of this process, none is left behind.
func (w *workplace) Backup(ctx context.Context) (*api.Copy, error) {
	name := sendingOf(w.path)
	if _, err := state.Backup(ctx, w.path, name, true); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err = errors.Join(err, os.Remove(name)); err != nil {
		return nil, err
	}
	made, hash := &api.Copy{ReadCloser: f}, sha256.New()
	if made.Size, err = io.Copy(hash, f); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	hash.Sum(made.SHA256[:0])
	return made, nil
}

// sendingOf is a copy that is about to be sent.
func sendingOf(path string) string { return path + ".sending" }

// bytesText is a size as people read it.
func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

func (c *cli) restore(ctx context.Context, from string, autoApprove bool) (err error) {
	path := c.statePath()
	if !autoApprove && !isTerminal(c.stdin) {
		return problemf(codeApproval, "Nobody can approve", "Standard input is not a terminal. Pass --auto-approve.")
	}
	backup, err := whatIsIn(ctx, from)
	if err != nil {
		return err
	}
	lock, err := state.AcquireLock(path)
	if err != nil {
		return stateProblem(path, err)
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	r := reservation.Restoration{By: c.getenv("USER"), File: filepath.Base(from)}
	if now, err := whatIsIn(ctx, path); err == nil {
		r.Lineage = now.Meta.Lineage
	}
	fmt.Fprintf(c.stderr, "%s\n", restoreText(backup, from, path))
	if err := c.confirm(ctx, autoApprove, "Restore it?", "Nothing has changed."); err != nil {
		return err
	}
	aside, err := state.Restore(context.WithoutCancel(ctx), from, path, r, time.Now())
	if err != nil {
		return problemf(codeBackup, "Nothing was restored", "%s: %s.\nThe state is as it was.", from, reasonOf(err, from))
	}
	c.view.About(&putBack{formatVersion, path, from, aside, "\nAll workspaces are frozen. Look at it with " + c.line("show") + " and " + c.line("plan") + "; then " +
		c.unfreezeLine(reservation.AllWorkspaces) + ",\nand apply: whatever stations held is asked for again under its id."})
	return nil
}

// putBack is a restore that was done.
type putBack struct {
	FormatVersion string `json:"format_version"`
	State         string `json:"state"`             // its path
	File          string `json:"file"`              // the backup
	KeptAs        string `json:"kept_as,omitempty"` // the state of before; none: there was none
	next          string
}

func (r *putBack) String() string {
	text := "Restored " + harmless(r.State) + " from " + harmless(r.File) + "."
	if r.KeptAs != "" {
		text += "\nThe state of before is kept as " + harmless(r.KeptAs) + "."
	}
	return text + r.next
}

// whatIsIn reads a state that may be restored, or replaced.
func whatIsIn(ctx context.Context, path string) (*reconcile.State, error) {
	db, err := state.Open(ctx, path, state.Options{ReadOnly: true})
	switch {
	case errors.Is(err, state.ErrOlderSchema):
		return &reconcile.State{}, nil // it is brought forward before anybody looks into it
	case errors.Is(err, state.ErrNewerSchema):
		return nil, problemf(codeNewer, "The backup was written by a newer resctl", "%s: %s", path, reasonOf(err, path))
	case err != nil:
		return nil, problemf(codeBackup, "The backup cannot be used", "%s: %s.", path, reasonOf(err, path))
	}
	s, err := newLedger(db, reconcile.DefaultSettings()).Read(ctx)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, problemf(codeBackup, "The backup cannot be used", "%s: %s.", path, reasonOf(err, path))
	}
	return s, nil
}

// restoreText says what a restore is about to do.
func restoreText(s *reconcile.State, from, path string) string {
	doubt := 0
	for i := range s.Entries {
		if s.Entries[i].ID != 0 {
			doubt++
		}
	}
	what := "It was written by an older resctl, and is brought forward. What it says to be at stations will be in doubt until asked for again."
	if s.Meta.Lineage != "" {
		what = fmt.Sprintf("It has %s at %s; %d of them may be at their stations, and will be in doubt until asked for again.", count(len(s.Entries), "reservation"), count(len(s.Stations), "station"), doubt)
	}
	return fmt.Sprintf("%s takes the place of %s, which is kept under another name.\n%s\n"+
		"Reservations made since the backup stay at their stations until they expire: resctl will not know their ids, nor cancel them.\n"+
		"Plans made until now are stale, and all workspaces are frozen until unfreeze.",
		harmless(from), harmless(path), what)
}

// confirm asks, unless that has been answered already. Only yes approves.
func (c *cli) confirm(ctx context.Context, approved bool, question, otherwise string) error {
	if approved {
		return nil
	}
	fmt.Fprintf(c.stderr, "\n%s\nOnly 'yes' will be accepted: ", question)
	answer, err := readLine(ctx, c.stdin)
	fmt.Fprintln(c.stderr)
	switch {
	case err != nil && interrupted(ctx):
		return problemf(codeStopped, "Interrupted", "%s", otherwise)
	case strings.TrimRight(answer, "\r\n") != "yes":
		return problemf(codeDeclined, "Not approved", "%s", otherwise)
	}
	return nil
}
