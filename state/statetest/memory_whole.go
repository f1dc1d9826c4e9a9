package statetest

import (
	"slices"

	"github.com/resctl/resctl/reservation"
)

// Whole is a station's book with all that ever was in it.
func (m *Memory) Whole(station string) *reservation.Book {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.books[station]; b != nil {
		return b.Clone()
	}
	return reservation.NewBook(station)
}

// Restore puts what another store holds in the place of all that this one does.
// The other must not be used any more.
func (m *Memory) Restore(backup *Memory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data = backup.data
	m.id += 1 << 24
}

// Lines is the journal from its n-th line on, counted from 0.
func (m *Memory) Lines(n int) []reservation.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lines[n:])
}
