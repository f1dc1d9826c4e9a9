package statetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// history makes up what may happen to a few stations, in random order. It reads
// only a model, so that the same seed always gives the same history.
type history struct {
	rng         *rand.Rand
	model       *Memory
	now         time.Time
	connections map[string]int64
	asked       []reservation.Event // not answered yet
	ids         []int32
	wanted      map[string]*reservation.Wanted // by address
}

func newHistory(seed uint64, model *Memory, now time.Time) *history {
	return &history{rng: rand.New(rand.NewPCG(seed, 1)), model: model, now: now,
		connections: map[string]int64{}, wanted: map[string]*reservation.Wanted{}}
}

// act is one step: either events to append or a changeset.
type act struct {
	events []reservation.Event
	update bool
}

func (h *history) next() act {
	h.now = h.now.Add(time.Duration(h.rng.IntN(600)) * time.Second)
	station := fmt.Sprint("S", h.rng.IntN(3))
	switch h.rng.IntN(10) {
	case 0:
		return act{events: []reservation.Event{Connect(station)}}
	case 1:
		return act{events: []reservation.Event{h.socketOrBoot(station)}}
	case 2, 3, 4:
		return act{events: h.declare(), update: true}
	case 5, 6:
		return act{events: h.request(station)}
	case 7:
		return act{events: h.answer()}
	}
	return act{events: []reservation.Event{h.report(station), h.report(station)}}
}

func (h *history) socketOrBoot(station string) reservation.Event {
	switch h.rng.IntN(7) {
	case 6:
		return reservation.Event{Kind: reservation.Restored, StationID: station}
	case 0:
		return reservation.Event{Kind: reservation.Paused, StationID: station, Halt: &reservation.Halt{Until: h.now.Add(20 * time.Minute)}}
	case 1:
		return reservation.Event{Kind: reservation.Resumed, StationID: station}
	case 2, 3:
		return reservation.Event{Kind: reservation.Disconnected, StationID: station, Connection: h.connections[station]}
	}
	return reservation.Event{Kind: reservation.Booted, StationID: station, Boot: &reservation.Boot{Accepted: true, Serial: "1"}}
}

func (h *history) report(station string) reservation.Event {
	evse := 1 + h.rng.IntN(2)
	var id int32
	if len(h.ids) > 0 && h.rng.IntN(2) == 0 {
		id = h.ids[h.rng.IntN(len(h.ids))]
	}
	switch h.rng.IntN(3) {
	case 0:
		status := []reservation.EVSEStatus{reservation.Available, reservation.Occupied, reservation.Reserved, reservation.Faulted}
		return Report(station, evse, status[h.rng.IntN(4)])
	case 1:
		update := []reservation.UpdateStatus{reservation.Expired, reservation.Removed}
		return reservation.Event{Kind: reservation.Reported, StationID: station, ReservationID: id, Update: update[h.rng.IntN(2)]}
	}
	token := reservation.Token{IDToken: fmt.Sprint("TOKEN-reservation.", h.rng.IntN(8)), Type: "Central"}
	kind := []string{"Started", "Updated", "Ended"}
	return reservation.Event{Kind: reservation.Transaction, StationID: station, ReservationID: id,
		Transaction: &reservation.TransactionReport{ID: fmt.Sprint("T", h.rng.IntN(5)), Type: kind[h.rng.IntN(3)], EVSE: evse, IDToken: &token}}
}

// declare changes one to three addresses: new, edited, moved, or dropped.
func (h *history) declare() (events []reservation.Event) {
	for range 1 + h.rng.IntN(3) {
		address := fmt.Sprint("reservation.", h.rng.IntN(8))
		if slices.ContainsFunc(events, func(e reservation.Event) bool { return e.Address == address }) {
			continue
		}
		before := h.wanted[address]
		after := Want("w", address, fmt.Sprint("S", h.rng.IntN(3)), 1+h.rng.IntN(2), h.now.Add(time.Duration(h.rng.IntN(240)-60)*time.Minute))
		switch {
		case before == nil:
			events = append(events, Declare(nil, after))
		case h.rng.IntN(3) == 0:
			after = nil
			events = append(events, Declare(before, nil))
		case before.StationID != after.StationID:
			in, out := Declare(nil, after), Declare(before, nil)
			in.Change.Move = &reservation.Move{From: before.StationID, To: after.StationID, Start: before.Window.Start, HoldUntil: h.now.Add(time.Minute)}
			out.Change.Move = &reservation.Move{From: before.StationID, To: after.StationID, Start: after.Window.Start, HoldUntil: h.now.Add(time.Minute)}
			events = append(events, in, out)
		default:
			if h.rng.IntN(2) == 0 {
				after.Window.Start = before.Window.Start
			}
			events = append(events, Declare(before, after))
		}
		if h.wanted[address] = after; after == nil {
			delete(h.wanted, address)
		}
	}
	return append(events, reservation.Event{Kind: reservation.Proposed, Workspace: "w", Proposal: &reservation.Proposal{}})
}

// request asks for, or cancels, something of the station's book.
func (h *history) request(station string) []reservation.Event {
	book, _ := h.model.Book(context.Background(), station, h.now)
	if len(book.Occurrences) == 0 {
		return nil
	}
	o := book.Occurrences[h.rng.IntN(len(book.Occurrences))]
	e := reservation.Event{Kind: reservation.Requested, StationID: station, Workspace: o.Workspace, Address: o.Address, Start: o.Start,
		ReservationID: o.ID, Connection: book.Station.Connection - int64(h.rng.IntN(8)/7),
		Call: &reservation.Call{Kind: reservation.ReserveNow, Content: o.Want}}
	if o.ID != 0 && (o.Want == nil || h.rng.IntN(3) == 0) {
		e.Call = &reservation.Call{Kind: reservation.CancelReservation}
	} else if o.Want == nil {
		return nil
	}
	return []reservation.Event{e}
}

func (h *history) answer() []reservation.Event {
	if len(h.asked) == 0 {
		return nil
	}
	i := h.rng.IntN(len(h.asked))
	e := h.asked[i]
	h.asked = slices.Delete(h.asked, i, i+1)
	outcomes := []reservation.Outcome{reservation.AnswerAccepted, reservation.AnswerAccepted, reservation.AnswerRejected,
		reservation.AnswerOccupied, reservation.AnswerNone}
	e.Kind, e.Answer = reservation.Answered, &reservation.Answer{Outcome: outcomes[h.rng.IntN(len(outcomes))]}
	return []reservation.Event{e}
}

// note remembers what a step gave that later ones need.
func (h *history) note(stored []reservation.Event) {
	for _, e := range stored {
		switch e.Kind {
		case reservation.Connected:
			h.connections[e.StationID] = e.Connection
		case reservation.Requested:
			h.asked = append(h.asked, e)
			if e.ReservationID != 0 && !slices.Contains(h.ids, e.ReservationID) {
				h.ids = append(h.ids, e.ReservationID)
			}
		}
	}
}
