package main

import (
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// view writes down what a command has to say, in one format. A format is one
// type: its methods switch on values, so that a new value is one case more.
type view interface {
	// Diagnostics shows what is wrong with what was given.
	Diagnostics(*diag.Diagnostics)
	// Plan shows a plan with all its findings.
	Plan(*planned)
	// State shows what is stored.
	State(*stored)
	// Event shows one line of the journal, if it is of interest.
	Event(reservation.Event)
	// Progress says how far following has come.
	Progress(progress)
	// Outcome says how an apply ended.
	Outcome(*outcome)
	// About shows a result that is a document of its own: version, validation.
	About(any)
	// Close writes what is left. The error is that of the writer.
	Close() error
}

// place is where a command works: the first line of every output.
type place struct {
	workspace string
	state     string // path
	stations  string // how stations are reached: "simulated", "listening on …"
}

// planned is a plan as it is shown.
type planned struct {
	*reconcile.Plan
	kept    *reconcile.Plan // the same as it is proposed, and written to files
	place   place
	secret  []byte                   // of the state, for fingerprints
	diags   *diag.Diagnostics        // of the configuration, and the findings that have a place
	details bool                     // before and after of every change
	whole   bool                     // tokens by their characters
	near    bool                     // the stations are about to connect: that they are not says nothing
	first   bool                     // there is no state yet
	at      time.Time                // the plan is made as if at that time; zero: now
	frozen  *reservation.FrozenError // nothing is stored while it stands; nil: none
	waits   *api.Watch               // the directory whose plan waits for a person; nil: it is not such a plan
	next    string                   // the command that carries it out: the plan file that was written, or what is held
}

// stored is a state as it is shown.
type stored struct {
	*reconcile.State
	place place
	at    time.Time // when it was read
	empty bool      // there is none yet
}

// progress is how far following has come.
type progress struct {
	settled, of int
	waiting     []reconcile.Outstanding
	left        time.Duration // of --wait
	interrupted bool          // nothing new is begun
}

// outcome is how an apply ended.
type outcome struct {
	place       place
	served      bool                    // another process serves the stations, and goes on
	Stored      bool                    `json:"stored"`
	Changed     map[string]int          `json:"changed"`   // by what came of it
	Unsettled   []reconcile.Outstanding `json:"unsettled"` // due, and not as wanted
	Waited      time.Duration           `json:"-"`
	Reserved    int                     `json:"reserved"` // of the workspace, now
	Later       int                     `json:"later"`    // windows that open later
	Next        time.Time               `json:"next,omitzero"`
	Interrupted bool                    `json:"interrupted"`
	NotAwaited  bool                    `json:"not_awaited"` // --wait 0s
	Error       string                  `json:"error,omitempty"`
	dial        string                  // the URL that a station should have dialled; "": somebody did
}
