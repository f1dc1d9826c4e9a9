package reconcile

import (
	"context"
	"iter"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Store is where books, wanted declarations and the journal are kept.
type Store interface {
	Journal
	Meta(ctx context.Context) (reservation.Meta, error)
	Entries(ctx context.Context, workspace string) ([]reservation.Entry, error)
	Wanted(ctx context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error)
	Stations(ctx context.Context) ([]reservation.Station, error)
	StationDeclarations(ctx context.Context, workspace string) ([]reservation.StationDeclaration, error)
	TokenDeclarations(ctx context.Context, workspace string) ([]reservation.TokenDeclaration, error)
	Update(ctx context.Context, c reservation.Changeset) ([]reservation.Event, error)
	Over(ctx context.Context, stations ...string) ([]reservation.Placed, error)
	Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error]
	Wake(station string) (ch <-chan struct{}, stop func())
}

// Ledger is what commands work on: it plans, takes proposals, and tells how
// things stand. Plans are computed where the books are.
type Ledger struct {
	Store    Store
	Settings Settings
	Now      func() time.Time
	Horizon  time.Duration // of the proof, where a plan names none; 0: Horizon
	// MoveTimeout is how long the old station of a move holds on, where a proposal
	// does not say it; 0: DefaultMoveTimeout.
	MoveTimeout time.Duration
	Speaks      []string // the versions of OCPP that stations may speak, such as 2.0.1; empty: nothing is said of it

	proofs proofs
}

// Desired is a configuration as the ledger takes it, sorted by address.
type Desired struct {
	Workspace    string
	Stations     []reservation.StationDeclaration
	Tokens       []reservation.TokenDeclaration
	Reservations []reservation.Declaration
	Renames      []Rename
	Removals     []Removal
	Adoptions    []Adoption
	Choice       Choice
}

// State is everything that is wanted and believed at a moment.
type State struct {
	Meta         reservation.Meta
	Entries      []reservation.Entry
	Stations     []reservation.Station
	Declarations []reservation.StationDeclaration
	Tokens       []reservation.TokenDeclaration
	Foreign      []Foreign // by station and EVSE
}

// Read gives the state of all workspaces.
func (l *Ledger) Read(ctx context.Context) (*State, error) {
	s, err := l.stored(ctx)
	if err != nil {
		return nil, err
	}
	s.Foreign, err = l.foreign(ctx, s)
	return s, err
}

// stored is the state but for what is foreign, which nothing is decided by.
func (l *Ledger) stored(ctx context.Context) (*State, error) {
	s := &State{}
	var err error
	if s.Meta, err = l.Store.Meta(ctx); err != nil {
		return nil, err
	}
	if s.Entries, err = l.Store.Entries(ctx, ""); err != nil {
		return nil, err
	}
	if s.Stations, err = l.Store.Stations(ctx); err != nil {
		return nil, err
	}
	if s.Declarations, err = l.Store.StationDeclarations(ctx, ""); err != nil {
		return nil, err
	}
	s.Tokens, err = l.Store.TokenDeclarations(ctx, "")
	return s, err
}

// Events gives the journal after a sequence number and goes on with what is
// appended until ctx ends.
func (l *Ledger) Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error] {
	return l.Store.Events(ctx, after)
}

// Unsettled lists what is due at a station and neither reserved as it is wanted
// nor ended, of one workspace ("": of all).
func (l *Ledger) Unsettled(ctx context.Context, station, workspace string) ([]Outstanding, error) {
	now := l.Now()
	book, err := l.Store.Book(ctx, station, now)
	if err != nil {
		return nil, err
	}
	return unsettled(l.Settings.Diff(book, now), book, workspace, now), nil
}

// unsettled is what a book still has to bring about.
func unsettled(w Work, b *reservation.Book, workspace string, now time.Time) []Outstanding {
	reasons := make(map[reservation.Key]Waiting, len(w.Waiting))
	for _, x := range w.Waiting {
		reasons[x.Occurrence.Key] = x
	}
	var out []Outstanding
	for _, o := range b.Occurrences {
		if o.Settled(now) || workspace != "" && o.Workspace != workspace {
			continue
		}
		x := Outstanding{Address: o.Address, Workspace: o.Workspace, StationID: b.Station.ID, EVSE: o.Target().EVSE,
			Phase: o.PhaseAt(now), Reason: o.Reason, Info: o.Info, Since: o.Since, Window: o.Window}
		if why, ok := reasons[o.Key]; ok {
			x.Reason, x.Until = why.Reason, why.Until
		}
		out = append(out, x)
	}
	return out
}
