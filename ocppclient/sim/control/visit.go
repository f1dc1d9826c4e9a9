package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
)

// place names an EVSE.
type place struct {
	EVSEID int `json:"evse_id"`
}

func (p place) check(is sim.State) error {
	switch {
	case p.EVSEID == 0:
		return wrong("evse_id: which EVSE?")
	case !slices.ContainsFunc(is.EVSEs, func(e sim.EVSEState) bool { return e.ID == p.EVSEID }):
		return missing("evse_id: the station has no EVSE %d", p.EVSEID)
	}
	return nil
}

func atEVSE(do func(m *sim.Machine, now time.Time, evse int) []sim.Message) action {
	return with(func(_ context.Context, s *sim.Client, p place) error {
		return happen(s, func(m *sim.Machine, now time.Time) ([]sim.Message, error) {
			if err := p.check(m.Look(now)); err != nil {
				return nil, err
			}
			return do(m, now, p.EVSEID), nil
		})
	})
}

// which names a reservation that the station holds: by its id, by the EVSE that
// it names, or not at all where there is only one.
type which struct {
	ReservationID int32 `json:"reservation_id"`
	EVSEID        int   `json:"evse_id"`
}

func (w which) find(is sim.State) (sim.Reservation, error) {
	var found []sim.Reservation
	for _, r := range is.Reservations {
		if (w.ReservationID == 0 || w.ReservationID == r.ID) && (w.EVSEID == 0 || w.EVSEID == r.EVSE) {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return sim.Reservation{}, wrong("reservation_id: the station holds %d: which?", len(found))
	case w.ReservationID != 0:
		return sim.Reservation{}, missing("reservation_id: the station does not hold %d", w.ReservationID)
	case w.EVSEID != 0:
		return sim.Reservation{}, missing("evse_id: no reservation names EVSE %d", w.EVSEID)
	}
	return sim.Reservation{}, missing("the station holds no reservation")
}

type removal struct {
	which
	Silently bool `json:"silently"`
}

func remove(_ context.Context, s *sim.Client, b removal) error {
	return happen(s, func(m *sim.Machine, now time.Time) ([]sim.Message, error) {
		r, err := b.find(m.Look(now))
		if err != nil {
			return nil, err
		}
		if b.Silently {
			return m.Lose(now, r.ID), nil
		}
		return m.Remove(now, r.ID), nil
	})
}

func expire(_ context.Context, s *sim.Client, b which) error {
	return happen(s, func(m *sim.Machine, now time.Time) ([]sim.Message, error) {
		r, err := b.find(m.Look(now))
		if err != nil {
			return nil, err
		}
		return m.Expire(now, r.ID), nil
	})
}

type usage struct {
	which
	GroupMember bool   `json:"group_member"`
	IDToken     *token `json:"id_token"` // of the group's member
}

// use is a driver who comes for a reservation.
func use(_ context.Context, s *sim.Client, b usage) error {
	return happen(s, func(m *sim.Machine, now time.Time) ([]sim.Message, error) {
		r, err := b.reservation(m.Look(now))
		if err != nil {
			return nil, err
		}
		card, err := b.card(m, r)
		if err != nil {
			return nil, err
		}
		at := b.EVSEID
		if at == 0 {
			at = m.Seat(r.ID)
		}
		return swipe(m, now, at, card)
	})
}

// reservation: with an EVSE given, one that names none will do as well.
func (b usage) reservation(is sim.State) (sim.Reservation, error) {
	w := b.which
	named := func(r sim.Reservation) bool { return r.EVSE == w.EVSEID }
	if w.EVSEID != 0 && !slices.ContainsFunc(is.Reservations, named) {
		if err := (place{w.EVSEID}).check(is); err != nil {
			return sim.Reservation{}, err
		}
		is.Reservations = slices.DeleteFunc(is.Reservations, func(r sim.Reservation) bool { return r.EVSE != 0 })
		w.EVSEID = 0
	}
	return w.find(is)
}

// card is the token that is presented: the reservation's own, or one that
// joins its group for it.
func (b usage) card(m *sim.Machine, r sim.Reservation) (v201.IdToken, error) {
	switch {
	case !b.GroupMember && b.IDToken != nil:
		return r.IDToken, wrong("id_token: goes with group_member; a stranger comes with plug")
	case !b.GroupMember:
		return r.IDToken, nil
	case r.GroupIDToken == nil:
		return r.IDToken, conflict("group_member: reservation %d is for no group", r.ID)
	}
	member := &token{IDToken: "GROUP-MEMBER"}
	if b.IDToken != nil {
		member = b.IDToken
	}
	card, err := member.driver()
	if err == nil {
		m.Join(card.IDToken, r.GroupIDToken.IDToken)
	}
	return card, err
}

// swipe presents a token, and charges where it may.
func swipe(m *sim.Machine, now time.Time, evse int, card v201.IdToken) ([]sim.Message, error) {
	messages, ok := m.Use(now, evse, card)
	if ok {
		return messages, nil
	}
	why := "no EVSE is free for it"
	for _, e := range m.Look(now).EVSEs {
		if e.ID == evse {
			why = fmt.Sprintf("EVSE %d is %s", evse, e.Status)
		}
	}
	return messages, conflict("the station does not let this driver charge: %s", why)
}

type plugging struct {
	place
	IDToken *token `json:"id_token"`
}

// plug is a car that comes, with a driver's token or without.
func plug(_ context.Context, s *sim.Client, b plugging) error {
	return happen(s, func(m *sim.Machine, now time.Time) ([]sim.Message, error) {
		if err := b.check(m.Look(now)); err != nil {
			return nil, err
		}
		if b.IDToken == nil {
			return m.Plug(now, b.EVSEID), nil
		}
		card, err := b.IDToken.driver()
		if err != nil {
			return nil, err
		}
		return swipe(m, now, b.EVSEID, card)
	})
}
