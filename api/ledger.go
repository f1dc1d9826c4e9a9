package api

import (
	"context"
	"iter"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Ledger is what a Server answers from, and what a Client is.
type Ledger interface {
	Plan(ctx context.Context, want reconcile.Desired) (*reconcile.Plan, error)
	Propose(ctx context.Context, p *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error)
	Edit(ctx context.Context, workspace string, e reconcile.Edit) (*reconcile.Plan, error)
	// Record appends what somebody orders: freezes and pauses, and their ends.
	Record(ctx context.Context, orders ...reservation.Event) error

	Meta(ctx context.Context) (reservation.Meta, error)
	Last(ctx context.Context) (int64, error)
	Read(ctx context.Context) (*reconcile.State, error)
	Wanted(ctx context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error)
	Occurrences(ctx context.Context, workspace string, addresses ...string) ([]reservation.Placed, error)
	Unsettled(ctx context.Context, station, workspace string) ([]reconcile.Outstanding, error)
	Drift(ctx context.Context, grace time.Duration) ([]reconcile.Drifted, error)
	Began(ctx context.Context) (reservation.Checkpoint, error)
	LastProposals(ctx context.Context) (map[string]reservation.Event, error)
	Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error]
	EventsUntil(ctx context.Context, f Filter) iter.Seq2[reservation.Event, error]

	// Watches are the directories that are kept applied, and Held the plan that is
	// held for one of them.
	Watches(ctx context.Context) ([]Watch, error)
	Held(ctx context.Context, workspace string) (*reconcile.Plan, error)

	// Backup makes a copy of the state, and Erase removes a token from all of it.
	Backup(ctx context.Context) (*Copy, error)
	Erase(ctx context.Context, what Erasing) (Erased, error)
}

// Filter selects lines of the journal. Zero fields select all.
type Filter struct {
	After, Until       int64 // sequences: After < seq <= Until; Until 0: no end
	Since              time.Time
	Station            string
	Workspace, Address string // Address needs Workspace
}

// Info is which process answers, what it speaks and who the caller is to it.
type Info struct {
	Resctl     string   `json:"resctl"`               // its version
	API        string   `json:"api_version"`          // of paths, parameters and keys
	Events     int      `json:"event_version"`        // of the lines of the journal
	Plans      string   `json:"plan_format"`          // of plans and plan files
	PID        int      `json:"pid,omitempty"`        // through the socket
	Listen     string   `json:"listen,omitempty"`     // where stations connect; through the socket
	Token      string   `json:"token,omitempty"`      // the name of the caller's
	Scope      string   `json:"scope,omitempty"`      // what it allows
	Workspaces []string `json:"workspaces,omitempty"` // to which it is limited; none: to nothing
	By         string   `json:"by,omitempty"`         // as whom the journal has what the caller does
}

// The bodies of requests and answers, where they are not a type of the ledger.
type (
	desired struct {
		Want      reconcile.Desired `json:"want"`
		Passwords map[string]string `json:"passwords,omitempty"` // clear, by address: they are compared with what is stored
	}
	proposal struct {
		Plan    *reconcile.Plan          `json:"plan"`
		Options reconcile.ProposeOptions `json:"options"`
	}
	edit struct {
		Workspace string         `json:"workspace"`
		Edit      reconcile.Edit `json:"edit"`
	}
	addresses struct {
		Workspace string   `json:"workspace"`
		Addresses []string `json:"addresses"`
	}
	which struct {
		Station   string   `json:"station"`
		Workspace string   `json:"workspace"`
		Stations  []string `json:"stations,omitempty"` // instead of one
	}
	age struct {
		Grace time.Duration `json:"grace"` // in nanoseconds
	}
	lines struct {
		Filter Filter `json:"filter"`
		Follow bool   `json:"follow"` // go on with what is appended; only Filter.After is heeded then
	}
	nothing struct{}
	// line is one of a stream, which ends with End or an error: one that ends
	// otherwise was cut off.
	line struct {
		Event *reservation.Event `json:"event,omitempty"`
		Error *failure           `json:"error,omitempty"`
		End   bool               `json:"end,omitempty"`
	}
)
