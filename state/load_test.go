package state

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// asking asks for the book of a station in a goroutine of its own.
func (h *held) asking(ctx context.Context, station string, now time.Time) (answer func() (*reservation.Book, error)) {
	var b *reservation.Book
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, err = h.Book(ctx, station, now)
	}()
	synctest.Wait()
	return func() (*reservation.Book, error) { <-done; return b, err }
}

// TestBooksThatAreAskedForTogether: whoever asks gets what he would get alone.
func TestBooksThatAreAskedForTogether(t *testing.T) {
	const stations = 300 // more than are decoded by one processor
	start := func(i int) time.Duration { return time.Duration(i%3) * time.Hour }
	declared := func(h *held) {
		close(h.release)
		set := reservation.Changeset{Workspace: "w"}
		for i := range stations {
			w := statetest.Want("w", fmt.Sprint("reservation.", i), fmt.Sprint("S", i), 1, time.Now().Add(start(i)))
			set.Events = append(set.Events, statetest.Declare(nil, w))
		}
		if _, err := h.Update(h.t.Context(), set); err != nil {
			h.t.Fatal(err)
		}
	}
	t.Run("each gets its own, up to its own time", func(t *testing.T) {
		inBubble(t, func(h *held) {
			declared(h)
			now := time.Now()
			for _, loaded := range []bool{false, true} { // and once more, from memory
				h.hold(nil)
				var answers []func() (*reservation.Book, error)
				for i := range stations {
					if loaded {
						now = now.Add(time.Millisecond)
					}
					answers = append(answers, h.asking(h.t.Context(), fmt.Sprint("S", i), now.Add(start(i)-time.Duration(i%2)*2*time.Hour)))
				}
				unknown := h.asking(h.t.Context(), "nobody", now)
				close(h.release)
				for i, answer := range answers {
					b, err := answer()
					if err != nil || b.Station.ID != fmt.Sprint("S", i) {
						t.Fatal(i, b, err)
					}
					if due := i%2 == 0; (len(b.Occurrences) == 1) != due || b.NextDue.IsZero() != due {
						t.Errorf("S%d has %d occurrences, the next due at %s", i, len(b.Occurrences), b.NextDue)
					}
				}
				if b, err := unknown(); err != nil || b.Serial != 0 || b.Station.ID != "nobody" {
					t.Error(b, err)
				}
			}
		})
	})
	t.Run("what was asked for twice is brought to the later time", func(t *testing.T) {
		inBubble(t, func(h *held) {
			declared(h)
			h.hold(nil)
			late, early := h.asking(h.t.Context(), "S1", time.Now().Add(time.Hour)), h.asking(h.t.Context(), "S1", time.Now())
			close(h.release)
			for _, answer := range []func() (*reservation.Book, error){late, early} {
				if b, err := answer(); err != nil || len(b.Occurrences) != 1 {
					t.Error(b, err)
				}
			}
		})
	})
	t.Run("what was read ahead is in memory when it is due", func(t *testing.T) {
		inBubble(t, func(h *held) {
			declared(h)
			due := time.Now().Add(start(1))
			if _, err := h.Book(h.t.Context(), "S1", due); err != nil {
				t.Fatal(err)
			}
			h.hold(nil)
			defer close(h.release)
			ctx, cancel := context.WithCancel(h.t.Context())
			answer := h.asking(ctx, "S1", due)
			cancel() // who has to wait for the store gives up
			if b, err := answer(); err != nil || len(b.Occurrences) != 1 {
				t.Error(b, err)
			}
		})
	})
	t.Run("one that cannot be read fails alone", func(t *testing.T) {
		inBubble(t, func(h *held) {
			declared(h)
			err := h.w.exclusive(h.t.Context(), func(c *conn) error {
				_, err := c.exec("UPDATE occurrence SET body = '[]' WHERE station_id = 'S3'")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			h.hold(nil)
			bad, good := h.asking(h.t.Context(), "S3", time.Now()), h.asking(h.t.Context(), "S6", time.Now())
			close(h.release)
			if _, err := bad(); err == nil || !strings.Contains(err.Error(), "book of S3") {
				t.Error(err)
			}
			if b, err := good(); err != nil || len(b.Occurrences) != 1 {
				t.Error(b, err)
			}
		})
	})
	t.Run("who gives up keeps nobody waiting", func(t *testing.T) {
		inBubble(t, func(h *held) {
			declared(h)
			h.hold(nil)
			ctx, cancel := context.WithCancel(h.t.Context())
			gone, stays := h.asking(ctx, "S0", time.Now()), h.asking(h.t.Context(), "S3", time.Now())
			cancel()
			if _, err := gone(); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			close(h.release)
			if b, err := stays(); err != nil || len(b.Occurrences) != 1 {
				t.Error(b, err)
			}
		})
	})
}
