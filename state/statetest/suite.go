// Package statetest says what a store of journal and books is: Exercise holds
// for every one of them, and Memory is the plainest there can be.
package statetest

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Store is what the suite exercises.
type Store interface {
	Close() error
	Meta(ctx context.Context) (reservation.Meta, error)
	Mark(ctx context.Context, simulated bool) error
	Book(ctx context.Context, station string, now time.Time) (*reservation.Book, error)
	Append(ctx context.Context, events ...reservation.Event) ([]reservation.Event, error)
	Update(ctx context.Context, c reservation.Changeset) ([]reservation.Event, error)
	Entries(ctx context.Context, workspace string) ([]reservation.Entry, error)
	Wanted(ctx context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error)
	Occurrences(ctx context.Context, workspace string, addresses ...string) ([]reservation.Placed, error)
	Over(ctx context.Context, stations ...string) ([]reservation.Placed, error)
	Stations(ctx context.Context) ([]reservation.Station, error)
	StationDeclarations(ctx context.Context, workspace string) ([]reservation.StationDeclaration, error)
	TokenDeclarations(ctx context.Context, workspace string) ([]reservation.TokenDeclaration, error)
	Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error]
	Last(ctx context.Context) (int64, error)
	Checkpoint(ctx context.Context, now time.Time) error
	Checkpoints(ctx context.Context) ([]reservation.Checkpoint, error)
	BooksAt(ctx context.Context, seq int64) (map[string]*reservation.Book, error)
	Retain(ctx context.Context, keep time.Duration, now time.Time) error
	Began(ctx context.Context) (reservation.Checkpoint, error)
	Wake(station string) (ch <-chan struct{}, stop func())
}

// Exercise runs the suite. open returns an empty store with the default fold
// whose reservation ids start at FirstReservationID; each test closes its own.
func Exercise(t *testing.T, open func(t *testing.T) Store) {
	for _, test := range []struct {
		name string
		run  func(*bench)
	}{
		{"an append gives sequence, time, id and connection", appendStamps},
		{"an append is stored whole or not at all", appendWhole},
		{"a report that changes nothing leaves no line", appendQuiet},
		{"an id that another station used is refused", idOfAnother},
		{"what has left the loop's book is found again", lateFacts},
		{"a book holds what is open or due", bookDue},
		{"a book never changes", bookImmutable},
		{"an update is stored whole or not at all", updateWhole},
		{"an update of a workspace that moved is stale", updateStale},
		{"an update's check sees each book and may refuse", updateCheck},
		{"a frozen workspace takes no proposal", updateFrozen},
		{"wanted follows what is declared", wantedFollows},
		{"a move is released in the transaction of its acceptance", moveReleases},
		{"entries show the latest of each address", entries},
		{"a renamed address keeps what is known of it", renames},
		{"an entry of a schedule shows the window that is next", recurs},
		{"events are followed until the context ends", follow},
		{"a commit wakes its stations and nobody else", wakes},
		{"a state is real or simulated", marks},
		{"the journal replayed gives the same books", replays},
		{"a replay from any checkpoint gives the same books", replaysFromCheckpoints},
		{"a journal is cut at a checkpoint, and replays from there", cuts},
		{"it does what Memory does", asMemory},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			test.run(&bench{T: t, s: s, now: time.Now().UTC().Truncate(time.Second), serials: map[string]int64{}})
		})
	}
}

// bench is one test's store and clock.
type bench struct {
	*testing.T
	s       Store
	now     time.Time
	serials map[string]int64
	after   func(step int) // of a history
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) append(events ...reservation.Event) []reservation.Event {
	b.Helper()
	got, err := b.s.Append(b.Context(), b.timed(events)...)
	b.must(err)
	return got
}

func (b *bench) timed(events []reservation.Event) []reservation.Event {
	events = slices.Clone(events)
	for i := range events {
		if events[i].At.IsZero() {
			events[i].At = b.now
		}
	}
	return events
}

// update proposes changes and keeps count of the workspace.
func (b *bench) update(workspace string, events ...reservation.Event) []reservation.Event {
	b.Helper()
	got, err := b.s.Update(b.Context(), reservation.Changeset{Workspace: workspace, Serial: b.serials[workspace], Events: b.timed(events)})
	b.must(err)
	b.serials[workspace]++
	return got
}

func (b *bench) last() int64 {
	b.Helper()
	n, err := b.s.Last(b.Context())
	b.must(err)
	return n
}

func (b *bench) book(station string) *reservation.Book {
	b.Helper()
	book, err := b.s.Book(b.Context(), station, b.now)
	b.must(err)
	return book
}

func (b *bench) connect(station string) int64 {
	b.Helper()
	return b.append(Connect(station))[0].Connection
}

// hold declares an address, connects its station, and has it accepted.
func (b *bench) hold(w *reservation.Wanted) (id int32) {
	b.Helper()
	b.update(w.Workspace, Declare(nil, w))
	connection := b.connect(w.StationID)
	id = b.append(Request(w, connection, 0))[0].ReservationID
	b.append(Answer(w, connection, id, reservation.AnswerAccepted))
	return id
}

// Want is a declaration as it is stored, of an EVSE for an hour from start.
func Want(workspace, address, station string, evse int, start time.Time) *reservation.Wanted {
	start = start.UTC().Truncate(time.Second)
	window := reservation.Window{Start: start, Expiry: start.Add(time.Hour)}
	return &reservation.Wanted{Window: window, StoredAt: start, Declaration: reservation.Declaration{
		Workspace: workspace, Address: address, StationID: station,
		Target:  reservation.Target{EVSE: evse},
		IDToken: reservation.Token{IDToken: "TOKEN-" + address, Type: "Central"},
		When:    reservation.When{Start: window.Start, Expiry: window.Expiry},
	}}
}

// Declare is the event that puts after in the place of before at after's
// station, or, with no after, that drops before.
func Declare(before, after *reservation.Wanted) reservation.Event {
	at := after
	if at == nil {
		at = before
	}
	return reservation.Event{Kind: reservation.Declared, StationID: at.StationID, Workspace: at.Workspace,
		Address: at.Address, Change: &reservation.Change{Before: before, After: after}}
}

// Connect is a station's socket.
func Connect(station string) reservation.Event {
	return reservation.Event{Kind: reservation.Connected, StationID: station, Link: &reservation.Link{Protocol: "ocpp2.0.1"}}
}

// Request asks for what is wanted; id 0 asks for a fresh one.
func Request(w *reservation.Wanted, connection int64, id int32) reservation.Event {
	content := w.Content()
	return reservation.Event{Kind: reservation.Requested, StationID: w.StationID, Workspace: w.Workspace, Address: w.Address,
		Start: w.Window.Start, Connection: connection, ReservationID: id,
		Call: &reservation.Call{Kind: reservation.ReserveNow, Content: &content}}
}

// Answer is the outcome of a Request.
func Answer(w *reservation.Wanted, connection int64, id int32, outcome reservation.Outcome) reservation.Event {
	e := Request(w, connection, id)
	e.Kind, e.Answer = reservation.Answered, &reservation.Answer{Outcome: outcome}
	return e
}

// Report is the status of an EVSE.
func Report(station string, evse int, status reservation.EVSEStatus) reservation.Event {
	return reservation.Event{Kind: reservation.Status, StationID: station,
		Status: &reservation.StatusReport{EVSE: evse, Connector: 1, Status: status}}
}

// same compares by JSON, which is what a store keeps.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	g, err := json.MarshalIndent(got, "", " ")
	b.must(err)
	w, err := json.MarshalIndent(want, "", " ")
	b.must(err)
	if string(g) != string(w) {
		b.Fatalf("%s: got\n%s\nwant\n%s", what, g, w)
	}
}

var errRefused = errors.New("refused by a test")
