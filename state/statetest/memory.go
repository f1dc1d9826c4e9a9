package statetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/resctl/resctl/reservation"
)

// FirstReservationID is where the ids of a store under test start.
const FirstReservationID = 1 << 20

// Memory is a store without a file. It does what the suite asks of a store in
// the plainest way, so that the two can be compared, and it does it without a
// goroutine or a clock of its own, so that a harness can replay what it did.
// Every method takes effect at once and whole.
type Memory struct {
	Fold reservation.Fold
	// Now stamps events that have no time.
	Now func() time.Time
	// Fail, if set, is asked before each change is kept; its error undoes it,
	// as a full disk would.
	Fail func() error

	mu   sync.Mutex
	subs map[string]map[chan struct{}]bool
	data
}

// data is what a file would hold.
type data struct {
	meta         reservation.Meta
	id           int64
	connection   int64
	books        map[string]*reservation.Book // whole: all that ever was; never changed in place
	wanted       map[address]reservation.Wanted
	declarations map[address]reservation.StationDeclaration
	tokens       map[address]reservation.TokenDeclaration
	owners       map[int32]string // of ids: the station
	frozen       map[string]reservation.Halt
	lines        []reservation.Event
	checkpoints  []checkpoint
	began        reservation.Checkpoint
}

type address struct{ workspace, address string }

func (a address) compare(b address) int {
	return cmp.Or(cmp.Compare(a.workspace, b.workspace), cmp.Compare(a.address, b.address))
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{Now: time.Now, data: data{
		meta:         reservation.Meta{Lineage: "memory", Secret: []byte("memory"), Serials: map[string]int64{}},
		id:           FirstReservationID,
		connection:   1,
		books:        map[string]*reservation.Book{},
		wanted:       map[address]reservation.Wanted{},
		declarations: map[address]reservation.StationDeclaration{},
		tokens:       map[address]reservation.TokenDeclaration{},
		owners:       map[int32]string{},
		frozen:       map[string]reservation.Halt{},
		checkpoints:  []checkpoint{{Checkpoint: reservation.Checkpoint{Rules: reservation.RulesVersion}}},
	}}
}

// Clone returns a store with the same content, and without followers. Neither
// sees what is then done to the other.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Memory{Fold: m.Fold, Now: m.Now, Fail: m.Fail, data: m.data.clone()}
}

// Crash forgets what a process knows and its file does not.
func (m *Memory) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, b := range m.books {
		b = b.Clone()
		b.Station.QueuedAt = time.Time{}
		m.books[id] = b
	}
}

func (d data) clone() data {
	d.meta.Serials = maps.Clone(d.meta.Serials)
	d.books, d.wanted, d.declarations = maps.Clone(d.books), maps.Clone(d.wanted), maps.Clone(d.declarations)
	d.tokens, d.checkpoints = maps.Clone(d.tokens), slices.Clip(d.checkpoints)
	d.owners, d.lines, d.frozen = maps.Clone(d.owners), slices.Clip(d.lines), maps.Clone(d.frozen)
	return d
}

// Close does nothing.
func (m *Memory) Close() error { return nil }

// Append does what state.DB.Append does.
func (m *Memory) Append(ctx context.Context, events ...reservation.Event) ([]reservation.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.change(events, nil)
}

// Update does what state.DB.Update does.
func (m *Memory) Update(ctx context.Context, c reservation.Changeset) ([]reservation.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.change(c.Events, &c)
}

// change is one transaction.
func (m *Memory) change(events []reservation.Event, c *reservation.Changeset) ([]reservation.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &change{m: m, old: m.books, books: map[string]*reservation.Book{}, wanted: map[address]*reservation.Wanted{},
		declarations: map[address]*reservation.StationDeclaration{}, tokens: map[address]*reservation.TokenDeclaration{}, owners: map[int32]string{},
		id: m.id, connection: m.connection, now: m.Now()}
	if c != nil {
		if err := t.check(*c); err != nil {
			return nil, err
		}
	}
	result := make([]reservation.Event, len(events))
	for i := range events {
		e, err := t.add(events[i], 0)
		if err != nil {
			return nil, err
		}
		result[i] = e
	}
	if m.Fail != nil && (len(t.lines) > 0 || c != nil) {
		if err := m.Fail(); err != nil {
			return nil, err
		}
	}
	t.keep()
	if c != nil {
		m.meta.Serials[c.Workspace]++
	}
	m.publish(t.lines)
	return result, nil
}

// change is a transaction's difference from what is stored.
type change struct {
	m            *Memory
	old          map[string]*reservation.Book
	books        map[string]*reservation.Book
	wanted       map[address]*reservation.Wanted // nil: dropped
	declarations map[address]*reservation.StationDeclaration
	tokens       map[address]*reservation.TokenDeclaration
	owners       map[int32]string
	id           int64
	connection   int64
	now          time.Time
	lines        []reservation.Event
}

// check compares the workspace's serial and asks the changeset's Check.
func (t *change) check(c reservation.Changeset) error {
	if t.m.meta.Serials[c.Workspace] != c.Serial {
		return fmt.Errorf("memory: update %s: %w", c.Workspace, reservation.ErrStale)
	}
	if by := t.m.metaNow().FrozenBy(c.Workspace, t.now); by != nil {
		return by
	}
	mine := map[string][]reservation.Event{}
	for _, e := range c.Events {
		if e.Kind == reservation.Requested || e.Kind == reservation.Connected {
			return fmt.Errorf("memory: update %s: a proposal cannot hold a %s event", c.Workspace, e.Kind)
		}
		if e.StationID != "" {
			mine[e.StationID] = append(mine[e.StationID], e)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(mine)) {
		if c.Check == nil {
			break
		}
		if err := c.Check(view(t.book(id), t.now, mine[id]...), mine[id]); err != nil {
			return err
		}
	}
	return nil
}

func (t *change) book(id string) *reservation.Book {
	if b := t.books[id]; b != nil {
		return b
	}
	if b := t.old[id]; b != nil {
		return b
	}
	return reservation.NewBook(id)
}

// view is what a loop's book would hold at a time, and what events may touch.
func view(all *reservation.Book, at time.Time, events ...reservation.Event) *reservation.Book {
	b := all.Clone()
	named := map[address]bool{}
	for _, e := range events {
		named[address{e.Workspace, e.Address}] = true
		named[address{e.Workspace, e.Formerly()}] = true
		if o := all.ByID(e.ReservationID); o != nil {
			named[address{o.Workspace, o.Address}] = true
		}
	}
	b.Occurrences = slices.DeleteFunc(b.Occurrences, func(o *reservation.Occurrence) bool {
		if named[address{o.Workspace, o.Address}] {
			return false
		}
		return !o.Active() || o.Phase == reservation.Scheduled && o.Due.After(at)
	})
	return b
}

// add stamps an event, folds it, and does the same with its cascade.
func (t *change) add(e reservation.Event, depth int) (reservation.Event, error) {
	if depth > 8 {
		return e, errors.New("memory: the cascade of one event does not end")
	}
	if e.At.IsZero() {
		e.At = t.now
	}
	e.Seq, e.At, e.Start = 0, e.At.UTC().Truncate(time.Millisecond), e.Start.UTC().Truncate(time.Millisecond)
	if e.Kind == reservation.Connected && e.Connection == 0 {
		e.Connection = t.connection
		t.connection++
	}
	if e.Kind == reservation.Requested && e.ReservationID == 0 && e.Call != nil && e.Call.Kind == reservation.ReserveNow {
		for t.m.owners[int32(t.id)] != "" {
			t.id++
		}
		if t.id > math.MaxInt32 {
			return e, errors.New("memory: no reservation id is left")
		}
		e.ReservationID = int32(t.id)
		t.id++
	}
	var cascade []reservation.Event
	if e.StationID != "" {
		var quiet bool
		var err error
		if cascade, quiet, err = t.fold(e); err != nil || quiet {
			return e, err
		}
	}
	e.Seq = int64(len(t.m.lines) + len(t.lines) + 1)
	t.lines = append(t.lines, e)
	t.declare(e.Change)
	for _, c := range cascade {
		if _, err := t.add(c, depth+1); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (t *change) fold(e reservation.Event) (cascade []reservation.Event, quiet bool, err error) {
	all := t.book(e.StationID).Clone()
	b := view(all, e.At, e)
	if cascade, err = t.m.Fold.Apply(b, e); err != nil {
		return nil, false, err
	}
	occurrences, station := b.Changes()
	for _, o := range occurrences {
		all.Put(o)
		if o.ID == 0 {
			continue
		}
		if owner := cmp.Or(t.owners[o.ID], t.m.owners[o.ID], e.StationID); owner != e.StationID {
			return nil, false, fmt.Errorf("memory: reservation id %d was used at %s", o.ID, owner)
		}
		t.owners[o.ID] = e.StationID
	}
	all.Station = b.Station
	changed := station || len(occurrences) > 0
	if changed {
		all.Serial++
	}
	t.books[e.StationID] = all
	switch e.Kind {
	case reservation.Status, reservation.Transaction, reservation.Reported, reservation.Booted:
		quiet = !changed && len(cascade) == 0
	}
	return cascade, quiet, nil
}

// declare notes what a change does to what is wanted.
func (t *change) declare(c *reservation.Change) {
	switch {
	case c == nil:
	case c.Setup != nil:
		if b := c.Setup.Before; b != nil {
			t.declarations[address{b.Workspace, b.Address}] = nil
		}
		if a := c.Setup.After; a != nil {
			t.declarations[address{a.Workspace, a.Address}] = a
		}
	case c.Token != nil:
		if b := c.Token.Before; b != nil {
			t.tokens[address{b.Workspace, b.Address}] = nil
		}
		if a := c.Token.After; a != nil {
			t.tokens[address{a.Workspace, a.Address}] = a
		}
	default:
		if b := c.Before; b != nil && t.wantedAt(address{b.Workspace, b.Address}) == b.StationID {
			t.wanted[address{b.Workspace, b.Address}] = nil
		}
		if a := c.After; a != nil {
			t.wanted[address{a.Workspace, a.Address}] = a
		}
	}
}

// wantedAt is where an address is wanted now.
func (t *change) wantedAt(a address) string {
	if w, ok := t.wanted[a]; ok {
		if w == nil {
			return ""
		}
		return w.StationID
	}
	return t.m.wanted[a].StationID
}

// keep takes the difference over.
func (t *change) keep() {
	m := t.m
	m.id, m.connection = t.id, t.connection
	m.lines = append(m.lines, t.lines...)
	for _, e := range t.lines {
		switch e.Kind {
		case reservation.Frozen:
			m.frozen[e.Workspace] = e.Ordered()
		case reservation.Unfrozen:
			delete(m.frozen, e.Workspace)
		}
	}
	maps.Copy(m.books, t.books)
	maps.Copy(m.owners, t.owners)
	for a, w := range t.wanted {
		if delete(m.wanted, a); w != nil {
			m.wanted[a] = *w
		}
	}
	for a, d := range t.tokens {
		if delete(m.tokens, a); d != nil {
			m.tokens[a] = *d
		}
	}
	for a, s := range t.declarations {
		if delete(m.declarations, a); s != nil {
			m.declarations[a] = *s
		}
	}
}
