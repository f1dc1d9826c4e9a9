package reconcile_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// upTo notes up to when the last book was read, and whether that called for
// anything that was not in the one before.
type upTo struct {
	*statetest.Memory
	next time.Time // of the book that is in memory
	read int       // how often it did not do
}

func (u *upTo) Book(ctx context.Context, station string, now time.Time) (*reservation.Book, error) {
	b, err := u.Memory.Book(ctx, station, now)
	if !u.next.IsZero() && !now.Before(u.next) {
		u.read++
	}
	u.next = b.NextDue
	return b, err
}

// TestABookIsReadBeforeItsWindowOpens: at that moment nothing is left to be
// read, and nothing is asked for before.
func TestABookIsReadBeforeItsWindowOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upTo{Memory: statetest.NewMemory()}
		c := &reconcile.Controller{Journal: u, Settings: reconcile.DefaultSettings(), Now: time.Now}
		opens := time.Now().Add(time.Hour)
		first, err := u.Append(t.Context(), statetest.Connect("S"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = u.Append(t.Context(), reservation.Event{Kind: reservation.Booted, StationID: "S", Connection: first[0].Connection, Boot: &reservation.Boot{Accepted: true}},
			statetest.Report("S", 1, reservation.Available), statetest.Declare(nil, statetest.Want("w", "reservation.a", "S", 1, opens)))
		if err != nil {
			t.Fatal(err)
		}
		f := farEnd{make(chan time.Time, 8), make(chan reservation.Outcome, 8)}
		f.answers <- reservation.AnswerAccepted
		for len(f.asked) == 0 && time.Now().Before(opens.Add(time.Minute)) {
			before := u.read
			more, wakeAt, err := c.Step(t.Context(), "S", first[0].Connection, f)
			if err != nil || !more && !wakeAt.After(time.Now()) {
				t.Fatal(more, wakeAt, err)
			}
			if u.read > before && !time.Now().Before(opens) {
				t.Error("the book was read when the window opened")
			}
			if !more {
				time.Sleep(time.Until(wakeAt))
			}
		}
		if len(f.asked) == 0 || u.read != 1 {
			t.Fatalf("asked %d times; the book was read %d times", len(f.asked), u.read)
		}
		if at := <-f.asked; !at.Equal(opens) {
			t.Errorf("asked at %v, not when the window opened, %v", at, opens)
		}
	})
}
