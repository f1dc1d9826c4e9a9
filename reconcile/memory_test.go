package reconcile_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/reservation"
)

type Memory struct {
	Fold    reservation.Fold
	books   map[string]*reservation.Book // full
	wanted  map[string]reservation.Wanted
	events  []reservation.Event
	nextID  int32
	nextCon int64
	serial  int64
}

func NewMemory(f reservation.Fold) *Memory {
	return &Memory{Fold: f, books: map[string]*reservation.Book{}, wanted: map[string]reservation.Wanted{}, nextID: 1000, nextCon: 1}
}

func (m *Memory) full(id string) *reservation.Book {
	if m.books[id] == nil {
		m.books[id] = reservation.NewBook(id)
	}
	return m.books[id]
}
func (m *Memory) FullBook(id string) (*reservation.Book, error) { return m.full(id), nil }
func (m *Memory) Book(_ context.Context, id string, now time.Time) (*reservation.Book, error) {
	b := m.full(id).Clone()
	b.Prune(now)
	return b, nil
}
func (m *Memory) Stored(context.Context) iter.Seq2[reservation.Event, error] {
	return func(yield func(reservation.Event, error) bool) {
		for _, e := range m.events {
			if !yield(e, nil) {
				return
			}
		}
	}
}
func (m *Memory) Append(_ context.Context, events ...reservation.Event) ([]reservation.Event, error) {
	out := slices.Clone(events)
	for i := range out {
		if err := m.one(&out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
func (m *Memory) one(e *reservation.Event) error {
	if e.Kind == reservation.Connected {
		e.Connection = m.nextCon
		m.nextCon++
	}
	if e.Kind == reservation.Requested && e.ReservationID == 0 && e.Call.Kind == reservation.ReserveNow {
		e.ReservationID = m.nextID
		m.nextID++
	}
	if e.StationID == "" {
		m.events = append(m.events, *e)
		return nil
	}
	b := m.full(e.StationID).Clone()
	cascade, err := m.Fold.Apply(b, *e)
	if err != nil {
		return err
	}
	occ, st := b.Changes()
	m.books[e.StationID] = b.Clone()
	quiet := e.Kind == reservation.Status || e.Kind == reservation.Transaction || e.Kind == reservation.Reported || e.Kind == reservation.Booted
	if quiet && len(occ) == 0 && !st && len(cascade) == 0 {
		return nil
	}
	e.Seq = int64(len(m.events)) + 1
	m.events = append(m.events, *e)
	for _, c := range cascade {
		if err := m.one(&c); err != nil {
			return err
		}
	}
	return nil
}
func (m *Memory) Update(_ context.Context, c reservation.Changeset) ([]reservation.Event, error) {
	for _, e := range c.Events {
		if c.Check != nil && e.StationID != "" {
			if err := c.Check(m.full(e.StationID), []reservation.Event{e}); err != nil {
				return nil, err
			}
		}
	}
	out := slices.Clone(c.Events)
	for i := range out {
		if err := m.one(&out[i]); err != nil {
			return nil, err
		}
		if ch := out[i].Change; ch != nil && ch.Setup == nil {
			if ch.Before != nil && m.wanted[ch.Before.Address].StationID == ch.Before.StationID {
				delete(m.wanted, ch.Before.Address)
			}
			if ch.After != nil {
				m.wanted[ch.After.Address] = *ch.After
			}
		}
	}
	m.serial++
	return out, nil
}
func (m *Memory) Meta(context.Context) (reservation.Meta, error) {
	return reservation.Meta{Lineage: "l", Secret: []byte("s"), Serials: map[string]int64{"w": m.serial}}, nil
}
func (m *Memory) Entries(context.Context, string) (out []reservation.Entry, err error) {
	for _, id := range []string{"S0", "S1"} {
		for _, o := range m.full(id).Occurrences {
			w, ok := m.wanted[o.Address]
			hash := ""
			if ok && w.StationID == id && w.Window.Start.Equal(o.Start) {
				hash = w.Hash()
			}
			if hash == "" && !o.Active() {
				continue
			}
			out = append(out, reservation.Entry{Workspace: o.Workspace, Address: o.Address, StationID: id, Hash: hash, Target: w.Target,
				Window: o.Window, Phase: o.Phase, Reason: o.Reason, Since: o.Since, ID: o.ID, EverHeld: o.EverHeld, Moving: o.Move != nil})
		}
	}
	slices.SortFunc(out, func(a, b reservation.Entry) int { return strings.Compare(a.Address, b.Address) })
	return out, nil
}
func (m *Memory) Wanted(_ context.Context, _ string, addresses ...string) (out []reservation.Wanted, _ error) {
	for _, a := range addresses {
		if w, ok := m.wanted[a]; ok {
			out = append(out, w)
		}
	}
	return out, nil
}
func (m *Memory) Stations(context.Context) (out []reservation.Station, _ error) {
	for _, id := range []string{"S0", "S1"} {
		out = append(out, m.full(id).Station)
	}
	return out, nil
}
func (m *Memory) StationDeclarations(context.Context, string) ([]reservation.StationDeclaration, error) {
	return nil, nil
}
func (m *Memory) Events(context.Context, int64) iter.Seq2[reservation.Event, error] { return nil }
func (m *Memory) Wake(string) (<-chan struct{}, func())                             { return nil, func() {} }
