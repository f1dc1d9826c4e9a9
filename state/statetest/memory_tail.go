package statetest

import (
	"context"
	"iter"
	"slices"

	"github.com/resctl/resctl/reservation"
)

// Events does what state.DB.Events does.
func (m *Memory) Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error] {
	return func(yield func(reservation.Event, error) bool) {
		ch, stop := m.Wake("")
		defer stop()
		for ctx.Err() == nil {
			for _, e := range m.after(after) {
				if after = e.Seq; !yield(e, nil) || ctx.Err() != nil {
					return
				}
			}
			select {
			case <-ch:
			case <-ctx.Done():
			}
		}
	}
}

func (m *Memory) after(seq int64) []reservation.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lines[min(int(max(seq, m.began.Seq)), len(m.lines)):])
}

// Wake does what state.DB.Wake does.
func (m *Memory) Wake(station string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.subs == nil {
		m.subs = map[string]map[chan struct{}]bool{}
	}
	if m.subs[station] == nil {
		m.subs[station] = map[chan struct{}]bool{}
	}
	m.subs[station][ch] = true
	return ch, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.subs[station], ch)
	}
}

func (m *Memory) publish(lines []reservation.Event) {
	signal := func(station string) {
		for ch := range m.subs[station] {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}
	if len(lines) > 0 {
		signal("")
	}
	for i := range lines {
		if lines[i].StationID != "" {
			signal(lines[i].StationID)
		}
	}
}
