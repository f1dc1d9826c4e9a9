package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Journal is where a loop finds its book and records what it does. Append
// gives the events back as stored: with their sequence and, where a new
// reservation is requested, its id. What it returned is on disk.
type Journal interface {
	Book(ctx context.Context, station string, now time.Time) (*reservation.Book, error)
	Append(ctx context.Context, events ...reservation.Event) ([]reservation.Event, error)
}

// Station is the far end of one connection. Call never fails: an outcome that
// is not known is a value. The id is not looked at by probes.
type Station interface {
	Call(ctx context.Context, reservationID int32, c reservation.Call) reservation.Answer
}

// Controller makes a station hold what its book wants. It has no state of its
// own: whatever happens to it, the book says where to go on.
type Controller struct {
	Journal  Journal
	Settings Settings
	Now      func() time.Time // time.Now, but for a harness
}

// Step does the first thing that the book calls for. It returns more when it
// did something; otherwise wakeAt, if it is not zero, is when to look again if
// nothing else happens. connection numbers the socket that the station is
// behind: another loop may have taken over, and then Step does nothing.
//
// A call that has left is answered for: its outcome is recorded even if ctx
// ends, and if that fails the journal still has the request.
func (c *Controller) Step(ctx context.Context, id string, connection int64, st Station) (more bool, wakeAt time.Time, err error) {
	now := c.Now()
	book, err := c.Journal.Book(ctx, id, now)
	if err != nil {
		return false, time.Time{}, fmt.Errorf("station %s: reading its book: %w", id, err)
	}
	if book.Station.Connection != connection {
		return false, time.Time{}, nil
	}
	work := c.Settings.Diff(book, now)
	if len(work.Actions) == 0 {
		return false, work.WakeAt, nil
	}
	if a := work.Actions[0]; a.Call != nil {
		sent, err := c.ask(ctx, id, connection, st, a)
		if !sent && err == nil { // the socket is ending; its loop will be told
			return false, c.Now().Add(time.Second), nil
		}
		return true, time.Time{}, err
	}
	return true, time.Time{}, c.settle(ctx, id, now, work.Actions)
}

// Settle records what time has settled at a station that no loop is beside.
func (c *Controller) Settle(ctx context.Context, id string) error {
	now := c.Now()
	book, err := c.Journal.Book(ctx, id, now)
	if err != nil {
		return fmt.Errorf("station %s: reading its book: %w", id, err)
	}
	return c.settle(ctx, id, now, c.Settings.Diff(book, now).Actions)
}

// settle records all decisions in one transaction.
func (c *Controller) settle(ctx context.Context, id string, now time.Time, actions []Action) error {
	var events []reservation.Event
	for _, a := range actions {
		e := reservation.Event{At: now, StationID: id}
		switch {
		case a.Decision != nil:
			e.Kind, e.Decision, e.ReservationID = reservation.Decided, a.Decision, a.ReservationID
			e.Workspace, e.Address, e.Start = a.Key.Workspace, a.Key.Address, a.Key.Start
		case a.AssumeBoot:
			e.Kind, e.Boot = reservation.Booted, &reservation.Boot{Accepted: true, Assumed: true}
		default:
			continue
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil
	}
	_, err := c.Journal.Append(ctx, events...)
	return err
}

// ask records a request, makes it, and records the answer. It reports whether
// the request left.
func (c *Controller) ask(ctx context.Context, id string, connection int64, st Station, a Action) (sent bool, err error) {
	request := reservation.Event{At: c.Now(), Kind: reservation.Requested, StationID: id, Connection: connection,
		Workspace: a.Key.Workspace, Address: a.Key.Address, Start: a.Key.Start,
		ReservationID: a.ReservationID, Call: a.Call}
	stored, err := c.Journal.Append(ctx, request)
	if err != nil {
		return false, fmt.Errorf("station %s: recording a request: %w", id, err)
	}
	request = stored[0]
	answer := st.Call(ctx, request.ReservationID, *request.Call)
	request.Seq, request.At, request.Kind, request.Answer = 0, c.Now(), reservation.Answered, &answer
	if _, err := c.Journal.Append(context.WithoutCancel(ctx), request); err != nil {
		return true, fmt.Errorf("station %s: recording an answer: %w", id, err)
	}
	return answer.Outcome != reservation.AnswerNotSent, nil
}

// Run is the loop beside one socket: it steps, then sleeps until the book
// changes, until time changes its work, or until ctx ends.
func (c *Controller) Run(ctx context.Context, id string, connection int64, st Station, changed <-chan struct{}) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		more, wakeAt, err := c.Step(ctx, id, connection, st)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case more:
			continue
		}
		timer.Stop()
		if !wakeAt.IsZero() {
			timer.Reset(time.Until(wakeAt))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-timer.C:
		}
	}
}
