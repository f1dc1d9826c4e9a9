package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// held is a state whose writer waits, so that what is appended meanwhile comes
// into one group.
type held struct {
	*DB
	t       *testing.T
	release chan struct{}
}

// inBubble runs f in a bubble on a state with a connected station S, whose writer
// waits until go on is called.
func inBubble(t *testing.T, f func(h *held)) {
	synctest.Test(t, func(t *testing.T) {
		db := mustOpen(t, Options{})
		h := &held{DB: db, t: t, release: make(chan struct{})}
		h.append(statetest.Connect("S"))
		h.append(statetest.Connect("T"), statetest.Report("T", 1, reservation.Available))
		h.hold(nil)
		f(h)
	})
}

// hold keeps the writer waiting; failing is then what its commits do.
func (h *held) hold(failing func() error) {
	release := make(chan struct{})
	h.release = release
	go h.w.queue.call(context.Background(), func() error {
		h.w.failing = failing
		<-release
		return nil
	})
	synctest.Wait()
}

func (h *held) append(events ...reservation.Event) []reservation.Event {
	h.t.Helper()
	got, err := h.Append(h.t.Context(), events...)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

// later appends in a goroutine of its own; the error comes when it is known.
func (h *held) later(ctx context.Context, events ...reservation.Event) <-chan error {
	result := make(chan error, 1)
	go func() {
		_, err := h.Append(ctx, events...)
		result <- err
	}()
	synctest.Wait()
	return result
}

func (h *held) lines() int64 {
	h.t.Helper()
	n, err := h.Last(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

var errDisk = errors.New("disk full")

func TestGroup(t *testing.T) {
	occupied := func(station string, evse int) reservation.Event {
		return statetest.Report(station, evse, reservation.Occupied)
	}
	t.Run("one bad event fails its caller, not its group", func(t *testing.T) {
		inBubble(t, func(h *held) {
			before := h.lines()
			old := reservation.Event{Kind: reservation.Requested, StationID: "S", Connection: 99, Call: &reservation.Call{Kind: reservation.ProbeBoot}}
			malformed := reservation.Event{Kind: reservation.Declared, StationID: "S", Workspace: "w", Address: "reservation.a"}
			good := h.later(h.t.Context(), occupied("S", 1))
			bad := h.later(h.t.Context(), occupied("S", 2), old)
			worse := h.later(h.t.Context(), malformed)
			also := h.later(h.t.Context(), occupied("S", 3))
			close(h.release)
			if err := errors.Join(<-good, <-also); err != nil {
				t.Error(err)
			}
			if err := <-bad; !errors.Is(err, reservation.ErrOldConnection) {
				t.Error(err)
			}
			if err := <-worse; err == nil || !strings.Contains(err.Error(), "malformed") {
				t.Error(err)
			}
			if n := h.lines(); n != before+2 {
				t.Errorf("%d lines more", n-before)
			}
			if b, err := h.Book(h.t.Context(), "S", time.Now()); err != nil || len(b.Station.Connectors) != 2 {
				t.Errorf("%+v, %v", b.Station.Connectors, err)
			}
		})
	})
	t.Run("all of a group is stored", func(t *testing.T) {
		inBubble(t, func(h *held) {
			close(h.release)
			now := time.Now()
			a, c := statetest.Want("w", "reservation.a", "S", 1, now), statetest.Want("w", "reservation.c", "S", 2, now)
			set := reservation.Changeset{Workspace: "w", Events: []reservation.Event{statetest.Declare(nil, a), statetest.Declare(nil, c)}}
			if _, err := h.Update(h.t.Context(), set); err != nil {
				t.Fatal(err)
			}
			h.hold(nil)
			results := []<-chan error{h.later(h.t.Context(), occupied("S", 5)), h.later(h.t.Context(), statetest.Request(a, 1, 0)),
				h.later(h.t.Context(), statetest.Request(c, 1, 0))}
			close(h.release)
			for _, r := range results {
				if err := <-r; err != nil {
					t.Error(err)
				}
			}
			h.cache.clear()
			b, err := h.Book(h.t.Context(), "S", now)
			if err != nil || len(b.Station.Connectors) != 1 || b.Occurrences[0].ID == 0 || b.Occurrences[1].ID == 0 {
				t.Errorf("%+v, %v", b, err)
			}
		})
	})
	t.Run("a row at fault fails its caller, not its group", func(t *testing.T) {
		inBubble(t, func(h *held) {
			close(h.release)
			mine, theirs := statetest.Want("w", "reservation.a", "S", 1, time.Now()), statetest.Want("w", "reservation.b", "T", 1, time.Now())
			set := reservation.Changeset{Workspace: "w", Events: []reservation.Event{statetest.Declare(nil, mine), statetest.Declare(nil, theirs)}}
			if _, err := h.Update(h.t.Context(), set); err != nil {
				t.Fatal(err)
			}
			id := h.append(statetest.Request(mine, 1, 0))[0].ReservationID
			h.hold(nil)
			good := h.later(h.t.Context(), occupied("S", 1))
			bad := h.later(h.t.Context(), statetest.Request(theirs, 2, id)) // only the database knows that it is taken
			close(h.release)
			if err := <-good; err != nil {
				t.Error(err)
			}
			if err := <-bad; err == nil {
				t.Error("stored")
			}
		})
	})
	t.Run("a failed commit fails every waiter and changes nothing", func(t *testing.T) {
		inBubble(t, func(h *held) {
			before := h.lines()
			kept, err := h.Book(h.t.Context(), "S", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var waiters []<-chan error
			for evse := range 5 {
				waiters = append(waiters, h.later(h.t.Context(), occupied("S", evse+1)))
			}
			waiters = append(waiters, h.later(h.t.Context(), statetest.Connect("S")))
			waiters = append(waiters, h.later(h.t.Context(), occupied("S", 1))) // changes nothing, but on what is not stored
			h.w.failing = func() error { return errDisk }
			close(h.release)
			for _, w := range waiters {
				if err := <-w; !errors.Is(err, errDisk) {
					t.Error(err)
				}
			}
			if b, _ := h.Book(h.t.Context(), "S", time.Now()); b != kept || h.lines() != before {
				t.Error("something changed")
			}
			h.hold(nil)
			close(h.release)
			if e := h.append(statetest.Connect("S"))[0]; e.Seq != before+1 || e.Connection != 3 {
				t.Errorf("after it: %d, connection %d", e.Seq, e.Connection)
			}
		})
	})
	t.Run("books advance only after the commit", func(t *testing.T) {
		inBubble(t, func(h *held) {
			seen := -1
			h.w.failing = func() error {
				seen = len(h.cache.get("S").Station.Connectors)
				return nil
			}
			stored := h.later(h.t.Context(), occupied("S", 1))
			close(h.release)
			if err := <-stored; err != nil || seen != 0 || len(h.cache.get("S").Station.Connectors) != 1 {
				t.Error(err, seen)
			}
		})
	})
	t.Run("a cancelled caller does not withdraw what is queued", func(t *testing.T) {
		inBubble(t, func(h *held) {
			before := h.lines()
			ctx, cancel := context.WithCancel(h.t.Context())
			stored := h.later(ctx, occupied("S", 1))
			cancel()
			if err := <-stored; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			close(h.release)
			h.append(occupied("S", 2))
			if n := h.lines(); n != before+2 {
				t.Errorf("%d lines more", n-before)
			}
		})
	})
	t.Run("a quiet report does not wait for the commit", func(t *testing.T) {
		inBubble(t, func(h *held) {
			disk := make(chan struct{})
			h.w.failing = func() error { <-disk; return nil }
			slow := h.later(h.t.Context(), occupied("S", 1))
			quiet := h.later(h.t.Context(), statetest.Report("T", 1, reservation.Available))
			close(h.release)
			if err := <-quiet; err != nil {
				t.Error(err)
			}
			select {
			case <-slow:
				t.Error("it was not committed yet")
			default:
			}
			close(disk)
			if err := <-slow; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("a full queue keeps callers waiting, each with its own context", func(t *testing.T) {
		inBubble(t, func(h *held) {
			var failed atomic.Int64
			for range maxObserved {
				go func() {
					if _, err := h.Append(context.Background(), statetest.Report("T", 1, reservation.Available)); err != nil {
						failed.Add(1)
					}
				}()
			}
			synctest.Wait()
			ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
			defer cancel()
			if err := <-h.later(ctx, occupied("S", 1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			probe := reservation.Event{Kind: reservation.Requested, StationID: "T", Connection: 2, Call: &reservation.Call{Kind: reservation.ProbeBoot}}
			urgent := h.later(h.t.Context(), probe) // has slots of its own
			waits := h.later(h.t.Context(), occupied("S", 1))
			close(h.release)
			if err := errors.Join(<-urgent, <-waits); err != nil || failed.Load() > 0 {
				t.Error(err, failed.Load())
			}
		})
	})
	t.Run("closing stores what is queued and refuses the rest", func(t *testing.T) {
		inBubble(t, func(h *held) {
			stored := h.later(h.t.Context(), occupied("S", 1))
			h.w.queue.close()
			refused := h.later(h.t.Context(), occupied("S", 2))
			close(h.release)
			if err := <-stored; err != nil {
				t.Error(err)
			}
			if err := <-refused; !errors.Is(err, errClosed) {
				t.Error(err)
			}
		})
	})
}

// TestChoose: whatever is queued, requests and answers come first, nothing
// overtakes an observation of its own station, and the oldest never waits.
func TestChoose(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var jobs []*job
		for i := range 5 + rng.IntN(40) {
			kind := []reservation.Kind{reservation.Status, reservation.Status, reservation.Status, reservation.Answered}[rng.IntN(4)]
			events := []reservation.Event{{Kind: kind, StationID: fmt.Sprint(rng.IntN(6)), Connection: int64(i)}}
			if rng.IntN(5) == 0 {
				events = append(events, reservation.Event{Kind: reservation.Status, StationID: fmt.Sprint(rng.IntN(6))})
			}
			jobs = append(jobs, newJob(events))
		}
		n := 1 + rng.IntN(20)
		taken, left := choose(slices.Clone(jobs), n)
		if len(taken) != min(n, len(jobs)) || len(taken)+len(left) != len(jobs) || taken[0] != jobs[0] {
			t.Fatalf("seed %d: %d of %d taken, %d left", seed, len(taken), len(jobs), len(left))
		}
		at := func(j *job) int { return slices.Index(jobs, j) }
		for _, l := range left {
			for _, k := range taken {
				if at(k) > at(l) && shareStation(k, l) {
					t.Fatalf("seed %d: job %d overtook %d of the same station", seed, at(k), at(l))
				}
			}
		}
		if urgentLeft(left) && slices.ContainsFunc(taken, func(j *job) bool { return !needed(j, jobs) && j != jobs[0] }) {
			t.Fatalf("seed %d: an observation was taken before a request", seed)
		}
	}
}

func shareStation(a, b *job) bool {
	for _, x := range a.events {
		for _, y := range b.events {
			if x.StationID == y.StationID {
				return true
			}
		}
	}
	return false
}

func urgentLeft(left []*job) bool {
	return slices.ContainsFunc(left, func(j *job) bool { return j.urgent })
}

// needed reports whether an urgent job depends on j, directly or by others.
func needed(j *job, jobs []*job) bool {
	if j.urgent {
		return true
	}
	for _, k := range jobs[slices.Index(jobs, j)+1:] {
		if shareStation(j, k) && needed(k, jobs) {
			return true
		}
	}
	return false
}
