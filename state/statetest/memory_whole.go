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

// Lines is the journal from its n-th line on, counted from 0.
func (m *Memory) Lines(n int) []reservation.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lines[n:])
}
