package statetest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Meta does what state.DB.Meta does.
func (m *Memory) Meta(context.Context) (reservation.Meta, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.metaNow(), nil
}

func (m *Memory) metaNow() reservation.Meta {
	meta := m.meta
	meta.Serials, meta.Frozen = maps.Clone(meta.Serials), maps.Clone(m.frozen)
	return meta
}

// Mark does what state.DB.Mark does.
func (m *Memory) Mark(_ context.Context, simulated bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.meta.Simulated != nil && *m.meta.Simulated != simulated {
		return fmt.Errorf("memory: mark: simulated was %v", *m.meta.Simulated)
	}
	m.meta.Simulated = &simulated
	return nil
}

// Last does what state.DB.Last does.
func (m *Memory) Last(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.lines)), nil
}

// Book does what state.DB.Book does; the book is the caller's own.
func (m *Memory) Book(_ context.Context, station string, now time.Time) (*reservation.Book, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.books[station]
	if b == nil {
		return reservation.NewBook(station), nil
	}
	b = b.Clone()
	b.NextDue = time.Time{}
	b.Prune(now)
	return b, nil
}

// Wanted does what state.DB.Wanted does.
func (m *Memory) Wanted(_ context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []reservation.Wanted
	for _, a := range slices.SortedFunc(maps.Keys(m.wanted), address.compare) {
		if a.workspace == workspace && (len(addresses) == 0 || slices.Contains(addresses, a.address)) {
			all = append(all, m.wanted[a])
		}
	}
	return all, nil
}

// Stations does what state.DB.Stations does.
func (m *Memory) Stations(context.Context) ([]reservation.Station, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []reservation.Station
	for _, id := range slices.Sorted(maps.Keys(m.books)) {
		if m.books[id].Serial > 0 { // otherwise nothing of it was ever stored
			s := m.books[id].Station
			s.QueuedAt = time.Time{}
			all = append(all, s)
		}
	}
	return all, nil
}

// StationDeclarations does what state.DB.StationDeclarations does.
func (m *Memory) StationDeclarations(_ context.Context, workspace string) ([]reservation.StationDeclaration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []reservation.StationDeclaration
	for _, a := range slices.SortedFunc(maps.Keys(m.declarations), address.compare) {
		if workspace == "" || a.workspace == workspace {
			d := m.declarations[a]
			d.ClearPassword = ""
			all = append(all, d)
		}
	}
	return all, nil
}

// TokenDeclarations does what state.DB.TokenDeclarations does.
func (m *Memory) TokenDeclarations(_ context.Context, workspace string) ([]reservation.TokenDeclaration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []reservation.TokenDeclaration
	for _, a := range slices.SortedFunc(maps.Keys(m.tokens), address.compare) {
		if workspace == "" || a.workspace == workspace {
			all = append(all, m.tokens[a])
		}
	}
	return all, nil
}

// Occurrences does what state.DB.Occurrences does.
func (m *Memory) Occurrences(_ context.Context, workspace string, addresses ...string) ([]reservation.Placed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []reservation.Placed
	for _, id := range slices.Sorted(maps.Keys(m.books)) {
		for _, o := range m.books[id].Occurrences {
			if o.Workspace == workspace && slices.Contains(addresses, o.Address) {
				all = append(all, reservation.Placed{StationID: id, Occurrence: o})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b reservation.Placed) int { return cmp.Compare(a.Address, b.Address) })
	return all, nil
}

// Over does what state.DB.Over does.
func (m *Memory) Over(_ context.Context, stations ...string) ([]reservation.Placed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []reservation.Placed
	for _, id := range slices.Sorted(maps.Keys(m.books)) {
		for _, o := range m.books[id].Occurrences {
			if slices.Contains(stations, id) && !o.Active() {
				all = append(all, reservation.Placed{StationID: id, Occurrence: o})
			}
		}
	}
	return all, nil
}

// Entries does what state.DB.Entries does.
func (m *Memory) Entries(_ context.Context, workspace string) ([]reservation.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []reservation.Entry
	for id, b := range m.books {
		latest := map[address]*reservation.Occurrence{} // later ones replace earlier ones
		for _, o := range b.Occurrences {
			a := address{o.Workspace, o.Address}
			w, wanted := m.wanted[a]
			here := wanted && w.StationID == id
			if here && w.When.Schedule != nil {
				if l := latest[a]; l == nil || reservation.Foremost(o.Phase, o.Start, l.Phase, l.Start) {
					latest[a] = o
				}
				continue
			}
			if here && o.Start.Equal(w.Window.Start) || !here && o.Active() {
				latest[a] = o
			}
		}
		for a, o := range latest {
			all = append(all, m.entry(a, id, o))
		}
	}
	shown := map[address]bool{}
	for _, e := range all {
		shown[address{e.Workspace, e.Address}] = shown[address{e.Workspace, e.Address}] || e.Wanted()
	}
	for a, w := range m.wanted {
		if !shown[a] {
			all = append(all, m.entry(a, w.StationID, nil))
		}
	}
	all = slices.DeleteFunc(all, func(e reservation.Entry) bool { return workspace != "" && e.Workspace != workspace })
	slices.SortFunc(all, func(a, b reservation.Entry) int {
		return cmp.Or(cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.StationID, b.StationID))
	})
	return all, nil
}

func (m *Memory) entry(a address, station string, o *reservation.Occurrence) reservation.Entry {
	e := reservation.Entry{Workspace: a.workspace, Address: a.address, StationID: station}
	if o != nil {
		e.Target, e.Window = o.Target(), reservation.Window{Start: o.Start, Expiry: o.Expiry()}
		e.Phase, e.Reason, e.Since, e.ID, e.EverHeld = o.Phase, o.Reason, o.Since, o.ID, o.EverHeld
		e.Moving = o.Move != nil && !o.Move.Done && o.Move.From == station
	}
	if w, ok := m.wanted[a]; ok && w.StationID == station {
		e.Hash, e.Target, e.Recurs = w.Hash(), w.Target, w.When.Schedule != nil
		if !e.Recurs || o == nil {
			e.Window = w.Window
		}
	}
	return e
}
