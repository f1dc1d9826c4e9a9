package reconcile

import (
	"context"
	"errors"
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

// Step does the first thing that the book calls for and, where that is a call,
// those that follow from its answer, a bounded number of them. It returns more
// when it did something; otherwise wakeAt, if it is not zero, is when to look
// again if nothing else happens. connection numbers the socket that the station is
// behind: another loop may have taken over, and then Step does nothing.
//
// A call that has left is answered for: its outcome is recorded even if ctx
// ends, and if that fails the journal still has the request.
func (c *Controller) Step(ctx context.Context, id string, connection int64, st Station) (more bool, wakeAt time.Time, err error) {
	now := c.Now()
	book, err := c.Journal.Book(ctx, id, now.Add(ahead))
	if err != nil {
		return false, time.Time{}, fmt.Errorf("station %s: reading its book: %w", id, err)
	}
	if book.Station.Connection != connection {
		return false, time.Time{}, nil
	}
	work := c.Settings.Diff(book, now)
	if len(work.Actions) == 0 {
		return false, toRead(book, work.WakeAt), nil
	}
	if a := work.Actions[0]; a.Call != nil {
		return c.ask(ctx, id, connection, st, a)
	}
	_, err = c.settle(ctx, id, now, work.Actions)
	return true, time.Time{}, err
}

// ahead is how long before something is due the book with it is read, so that
// where much is due at once all that is left to do then is to ask for it.
const ahead = 2 * time.Second

// toRead is when to look again: when the book calls for it, or before that,
// while something that is not in it is due so soon that it is to be read.
func toRead(b *reservation.Book, wakeAt time.Time) time.Time {
	if early := b.NextDue.Add(-ahead); !b.NextDue.IsZero() && early.Before(wakeAt) {
		return early
	}
	return wakeAt
}

// Settle is Step for a station without a socket: it records what time has settled.
func (c *Controller) Settle(ctx context.Context, id string) (more bool, wakeAt time.Time, err error) {
	now := c.Now()
	book, err := c.Journal.Book(ctx, id, now)
	if err != nil {
		return false, time.Time{}, fmt.Errorf("station %s: reading its book: %w", id, err)
	}
	work := c.Settings.Diff(book, now)
	more, err = c.settle(ctx, id, now, work.Actions)
	return more, work.WakeAt, err
}

// settle records all decisions in one transaction, if there are any.
func (c *Controller) settle(ctx context.Context, id string, now time.Time, actions []Action) (any bool, err error) {
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
		return false, nil
	}
	_, err = c.Journal.Append(ctx, events...)
	return true, err
}

// chain bounds the calls of one step, so that a loop comes up for air.
const chain = 64

// ask records a request, makes it, and records the answer together with the next
// request, if there is one: so that each call costs one commit, not two.
func (c *Controller) ask(ctx context.Context, id string, connection int64, st Station, a Action) (more bool, wakeAt time.Time, err error) {
	stored, err := c.Journal.Append(context.WithoutCancel(ctx), request(id, connection, c.Now(), a))
	for n := 1; err == nil; n++ {
		asked := stored[len(stored)-1]
		answer := st.Call(ctx, asked.ReservationID, *asked.Call)
		answered := asked
		answered.Seq, answered.At, answered.Kind, answered.Answer = 0, c.Now(), reservation.Answered, &answer
		if next, ok := c.next(ctx, id, connection, answered); ok && n < chain && ctx.Err() == nil {
			stored, err = c.Journal.Append(context.WithoutCancel(ctx), answered, next)
			if !errors.Is(err, reservation.ErrOutdated) && !errors.Is(err, reservation.ErrOldConnection) {
				continue
			}
		}
		if _, err = c.Journal.Append(context.WithoutCancel(ctx), answered); err != nil {
			break
		}
		if answer.Outcome == reservation.AnswerNotSent { // the socket is ending; its loop will be told
			return false, c.Now().Add(time.Second), nil
		}
		return true, time.Time{}, nil
	}
	if errors.Is(err, reservation.ErrOutdated) {
		return true, time.Time{}, nil // something came between: look again
	}
	return true, time.Time{}, fmt.Errorf("station %s: recording a call: %w", id, err)
}

// next is the request that follows an answer, if the book calls for one then.
func (c *Controller) next(ctx context.Context, id string, connection int64, answered reservation.Event) (reservation.Event, bool) {
	if answered.Answer.Outcome == reservation.AnswerNotSent {
		return reservation.Event{}, false
	}
	now := c.Now()
	book, err := c.Journal.Book(ctx, id, now.Add(ahead))
	if err != nil || book.Station.Connection != connection {
		return reservation.Event{}, false
	}
	book = book.Clone()
	if _, err := book.Apply(answered); err != nil {
		return reservation.Event{}, false
	}
	work := c.Settings.Diff(book, now)
	if len(work.Actions) == 0 || work.Actions[0].Call == nil {
		return reservation.Event{}, false
	}
	return request(id, connection, now, work.Actions[0]), true
}

func request(id string, connection int64, now time.Time, a Action) reservation.Event {
	return reservation.Event{At: now, Kind: reservation.Requested, StationID: id, Connection: connection,
		Workspace: a.Key.Workspace, Address: a.Key.Address, Start: a.Key.Start,
		ReservationID: a.ReservationID, Call: a.Call}
}
