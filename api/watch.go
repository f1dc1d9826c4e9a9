package api

import (
	"context"
	"fmt"
	"time"

	"github.com/resctl/resctl/reconcile"
)

// Watch is a directory whose configuration the process keeps applied.
type Watch struct {
	Workspace string     `json:"workspace"`
	Directory string     `json:"directory"`          // as it was given
	State     WatchState `json:"state"`              // what became of what was read last
	Since     time.Time  `json:"since"`              // in this state
	Revision  string     `json:"revision,omitempty"` // of what was read last, as the directory's name or git says
	Code      string     `json:"code,omitempty"`     // why it is not applied; see docs/codes.md
	Summary   string     `json:"summary,omitempty"`  // the same in a few words

	Findings []reconcile.Finding `json:"findings,omitempty"` // what is wrong with it, with file and line
}

// WatchState is what became of what was read last.
type WatchState string

// The states of a watched directory.
const (
	WatchReading WatchState = "reading" // nothing has been read yet
	WatchApplied WatchState = "applied" // what it declares is what is wanted
	WatchHeld    WatchState = "held"    // a person has to look at the plan first
	WatchFrozen  WatchState = "frozen"  // the workspace takes no proposals
	WatchRefused WatchState = "refused" // the plan cannot be stored
	WatchBroken  WatchState = "broken"  // it cannot be read
)

// Reason says in a line why what a directory declares is not applied; "" if it is.
func (w *Watch) Reason() string {
	if w.State == WatchApplied {
		return ""
	}
	return fmt.Sprintf("%s: %s: %s: %s", w.Code, w.Workspace, w.State, w.Summary)
}

// WatchedError refuses a proposal for a workspace that follows a directory.
type WatchedError struct {
	Workspace string `json:"workspace"`
	Directory string `json:"directory"`
}

// Error names the directory and the remedy.
func (e *WatchedError) Error() string {
	return fmt.Sprintf("RC706: workspace %s follows the directory %s: change what is there", e.Workspace, e.Directory)
}

// Watches are the directories that the process keeps applied, by workspace.
func (c *Client) Watches(ctx context.Context) ([]Watch, error) {
	all, err := get[[]Watch](ctx, c, "ledger/watches", nothing{})
	if len(all) == 0 {
		all = nil
	}
	return all, err
}

// Held makes the plan that is held for a workspace, as of now; nil: none is.
// Propose carries it out.
func (c *Client) Held(ctx context.Context, workspace string) (*reconcile.Plan, error) {
	return get[*reconcile.Plan](ctx, c, "ledger/held", which{Workspace: workspace})
}
