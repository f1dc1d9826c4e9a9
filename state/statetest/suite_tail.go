package statetest

import (
	"context"
	"time"

	"github.com/resctl/resctl/reservation"
)

func follow(b *bench) {
	ctx, cancel := context.WithCancel(b.Context())
	b.connect("S")
	got := make(chan reservation.Event)
	go func() {
		defer close(got)
		for e, err := range b.s.Events(ctx, 0) {
			if err != nil {
				b.Error(err)
				return
			}
			got <- e
		}
	}()
	const n = 1200 // several pages
	go func() {
		for i := range n {
			status := []reservation.EVSEStatus{reservation.Available, reservation.Occupied}[i%2]
			if _, err := b.s.Append(ctx, Report("S", 1, status)); err != nil {
				b.Error(err)
				return
			}
		}
	}()
	for i := range n + 1 {
		if e := <-got; e.Seq != int64(i+1) {
			b.Fatalf("sequence %d in the place of %d", e.Seq, i+1)
		}
	}
	for e := range b.s.Events(ctx, n) { // a second follower, who leaves
		if e.Seq != n+1 {
			b.Fatalf("sequence %d", e.Seq)
		}
		break
	}
	cancel()
	if _, open := <-got; open {
		b.Fatal("an event after the last")
	}
}

func wakes(b *bench) {
	s, stop := b.s.Wake("S")
	defer stop()
	t, stopT := b.s.Wake("T")
	defer stopT()
	any, stopAny := b.s.Wake("")
	stopped, stopNow := b.s.Wake("S")
	stopNow()
	defer stopAny()
	signalled := func(ch <-chan struct{}) bool {
		select {
		case <-ch:
			return true
		case <-time.After(10 * time.Second):
			return false
		}
	}
	quiet := func(ch <-chan struct{}) bool {
		select {
		case <-ch:
			return false
		default:
			return true
		}
	}
	b.connect("S") // an append may return before all are woken: each is waited for
	if !signalled(any) || !signalled(s) {
		b.Fatal("nobody was woken")
	}
	b.append(Report("S", 1, reservation.Available), Report("S", 2, reservation.Available))
	if !signalled(any) || !signalled(s) {
		b.Fatal("nobody was woken by a report")
	}
	b.append(Report("S", 1, reservation.Available)) // changes nothing
	b.update("w", Declare(nil, Want("w", "reservation.a", "T", 1, b.now)))
	if !signalled(any) || !signalled(t) {
		b.Fatal("an update woke nobody")
	}
	if !quiet(s) || !quiet(t) || !quiet(any) || !quiet(stopped) {
		b.Fatal("somebody was woken for nothing")
	}
}

func marks(b *bench) {
	meta, err := b.s.Meta(b.Context())
	b.must(err)
	if meta.Simulated != nil {
		b.Fatal("a new state knows what it is")
	}
	b.must(b.s.Mark(b.Context(), true))
	b.must(b.s.Mark(b.Context(), true))
	if err := b.s.Mark(b.Context(), false); err == nil {
		b.Fatal("it changed its mind")
	}
	if meta, err = b.s.Meta(b.Context()); err != nil || meta.Simulated == nil || !*meta.Simulated {
		b.Fatalf("meta %+v, %v", meta, err)
	}
}
