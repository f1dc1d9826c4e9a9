package statetest

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/resctl/resctl/reservation"
)

// checkpoint is a moment with its books, which are never changed in place.
type checkpoint struct {
	reservation.Checkpoint
	books map[string]*reservation.Book
}

// Checkpoint does what state.DB.Checkpoint does.
func (m *Memory) Checkpoint(_ context.Context, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := checkpoint{reservation.Checkpoint{Seq: int64(len(m.lines)), At: now.UTC().Truncate(time.Millisecond), Rules: reservation.RulesVersion},
		maps.Clone(m.books)}
	if last := len(m.checkpoints) - 1; m.checkpoints[last].Seq == c.Seq {
		m.checkpoints = m.checkpoints[:last:last]
	}
	m.checkpoints = append(m.checkpoints, c)
	return nil
}

// Checkpoints does what state.DB.Checkpoints does.
func (m *Memory) Checkpoints(context.Context) (all []reservation.Checkpoint, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.checkpoints {
		all = append(all, c.Checkpoint)
	}
	return all, nil
}

// BooksAt does what state.DB.BooksAt does.
func (m *Memory) BooksAt(_ context.Context, seq int64) (map[string]*reservation.Book, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.checkpoints {
		if c.Seq != seq {
			continue
		}
		books := map[string]*reservation.Book{}
		for id, b := range c.books {
			if b.Serial > 0 { // nothing else is stored
				books[id] = b.Clone()
				books[id].Station.QueuedAt = time.Time{}
			}
		}
		return books, nil
	}
	return nil, fmt.Errorf("memory: there is no checkpoint at %d", seq)
}

// Retain cuts the journal as state.DB.Retain does, and writes no checkpoint for
// it. What has ended stays: memory is short.
func (m *Memory) Retain(_ context.Context, keep time.Duration, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.checkpoints) > 1 && !m.checkpoints[1].At.After(now.Add(-keep)) {
		m.checkpoints = m.checkpoints[1:]
		m.began = m.checkpoints[0].Checkpoint
	}
	return nil
}

// Began does what state.DB.Began does.
func (m *Memory) Began(context.Context) (reservation.Checkpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.began, nil
}
