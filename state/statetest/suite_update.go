package statetest

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

func updateWhole(b *bench) {
	connection := b.connect("S")
	last := b.last()
	a, c := Want("w", "reservation.a", "S", 1, b.now), Want("w", "reservation.c", "T", 1, b.now)
	bad := Request(a, connection, 0)
	_, err := b.s.Update(b.Context(), reservation.Changeset{Workspace: "w", Events: b.timed([]reservation.Event{Declare(nil, a), Declare(nil, c), bad})})
	if err == nil || b.last() != last {
		b.Fatalf("error %v, last %d", err, b.last())
	}
	b.wanted("w")
	got := b.update("w", Declare(nil, a), Declare(nil, c),
		reservation.Event{Kind: reservation.Proposed, Workspace: "w", Proposal: &reservation.Proposal{Serial: 1}})
	for i, e := range got {
		if e.Seq != last+int64(i)+1 {
			b.Fatalf("sequence %d", e.Seq)
		}
	}
	meta, err := b.s.Meta(b.Context())
	b.must(err)
	if meta.Serials["w"] != 1 || meta.Lineage == "" || len(meta.Secret) == 0 {
		b.Fatalf("meta %+v", meta)
	}
	if book := b.book("S"); len(book.Occurrences) != 1 || book.Station.Connection != connection {
		b.Fatalf("book %+v", book)
	}
}

func updateStale(b *bench) {
	a := Want("w", "reservation.a", "S", 1, b.now)
	b.update("w", Declare(nil, a))
	for _, serial := range []int64{0, 2} {
		c := reservation.Changeset{Workspace: "w", Serial: serial, Events: b.timed([]reservation.Event{Declare(a, nil)})}
		if _, err := b.s.Update(b.Context(), c); !errors.Is(err, reservation.ErrStale) {
			b.Fatalf("serial %d: error %v", serial, err)
		}
	}
	b.update("other", Declare(nil, Want("other", "reservation.a", "S", 2, b.now)))
	b.wanted("w", "reservation.a")
	b.wanted("other", "reservation.a")
}

// updateFrozen: a freeze refuses the whole, until it is lifted or has run out; of
// another workspace it says nothing, unless it is of all.
func updateFrozen(b *bench) {
	a := Want("w", "reservation.a", "S", 1, b.now)
	freeze := func(workspace string, h *reservation.Halt) {
		b.append(reservation.Event{Kind: reservation.Frozen, Workspace: workspace, Halt: h})
	}
	refused := func(workspace, by string) {
		b.Helper()
		last := b.last()
		_, err := b.s.Update(b.Context(), reservation.Changeset{Workspace: workspace, Events: b.timed([]reservation.Event{Declare(nil, a)})})
		var frozen *reservation.FrozenError
		if !errors.As(err, &frozen) || frozen.Workspace != by || b.last() != last {
			b.Fatalf("error %v, last %d", err, b.last())
		}
		b.same("who froze it", frozen.Halt, reservation.Halt{By: "ann", Reason: "audit", Since: b.now, Until: frozen.Halt.Until})
	}
	freeze("w", &reservation.Halt{By: "ann", Reason: "audit", Until: b.now.Add(time.Hour)})
	refused("w", "w")
	b.wanted("w")
	b.update("other", Declare(nil, Want("other", "reservation.b", "S", 2, b.now)))
	freeze(reservation.AllWorkspaces, &reservation.Halt{By: "ann", Reason: "audit"})
	b.append(reservation.Event{Kind: reservation.Unfrozen, Workspace: "w"})
	refused("w", reservation.AllWorkspaces)
	b.append(reservation.Event{Kind: reservation.Unfrozen, Workspace: reservation.AllWorkspaces})
	freeze("w", &reservation.Halt{Until: b.now.Add(-time.Second)}) // it has run out
	b.update("w", Declare(nil, a))
	meta, err := b.s.Meta(b.Context())
	b.must(err)
	b.same("what is kept", meta.Frozen, map[string]reservation.Halt{"w": {Since: b.now, Until: b.now.Add(-time.Second)}})
}

func updateCheck(b *bench) {
	w := Want("w", "reservation.a", "S", 1, b.now.Add(time.Hour)) // not in the loop's book
	b.update("w", Declare(nil, w), Declare(nil, Want("w", "reservation.b", "S", 1, b.now)))
	last := b.last()
	seen := map[string]int{}
	c := reservation.Changeset{Workspace: "w", Serial: 1,
		Events: b.timed([]reservation.Event{Declare(w, nil), Declare(nil, Want("w", "reservation.c", "T", 1, b.now))}),
		Check: func(book *reservation.Book, events []reservation.Event) error {
			seen[fmt.Sprintf("%s %d %d", book.Station.ID, len(book.Occurrences), len(events))]++
			if book.Station.ID == "T" {
				return errRefused
			}
			return nil
		}}
	if _, err := b.s.Update(b.Context(), c); !errors.Is(err, errRefused) || b.last() != last {
		b.Fatalf("error %v, last %d", err, b.last())
	}
	if seen["S 2 1"] != 1 || seen["T 0 1"] != 1 || len(seen) != 2 {
		b.Fatalf("it saw %v", seen)
	}
}

func (b *bench) wanted(workspace string, addresses ...string) {
	b.Helper()
	all, err := b.s.Wanted(b.Context(), workspace)
	b.must(err)
	got := []string{}
	for _, w := range all {
		got = append(got, w.Address)
	}
	if fmt.Sprint(got) != fmt.Sprint(addresses) {
		b.Fatalf("wanted in %s: %v, not %v", workspace, got, addresses)
	}
}

func wantedFollows(b *bench) {
	a, c := Want("w", "reservation.a", "S", 1, b.now), Want("w", "reservation.c", "S", 2, b.now)
	b.update("w", Declare(nil, c), Declare(nil, a))
	b.wanted("w", "reservation.a", "reservation.c")
	there := Want("w", "reservation.a", "T", 1, b.now)
	out := Declare(a, nil)
	b.update("w", Declare(nil, there), out) // a move tells the new station first
	some, err := b.s.Wanted(b.Context(), "w", "reservation.a", "reservation.none")
	b.must(err)
	b.same("moved", some, []reservation.Wanted{*there})
	b.update("w", Declare(there, nil), Declare(nil, a)) // and may tell it last
	some, err = b.s.Wanted(b.Context(), "w", "reservation.a")
	b.must(err)
	b.same("moved back", some, []reservation.Wanted{*a})
	b.update("w", Declare(c, nil))
	b.wanted("w", "reservation.a")
	setups(b)
	tokens(b)
}

func setups(b *bench) {
	s := &reservation.StationDeclaration{Workspace: "w", Address: "station.s", ID: "S", EVSEs: []reservation.EVSE{{ID: 1}}}
	edited := *s
	edited.EVSEs = append(edited.EVSEs, reservation.EVSE{ID: 2})
	edit := func(before, after *reservation.StationDeclaration) reservation.Event {
		return reservation.Event{Kind: reservation.Declared, StationID: "S", Workspace: "w", Address: s.Address,
			Change: &reservation.Change{Setup: &reservation.StationEdit{Before: before, After: after}}}
	}
	expect := func(want ...reservation.StationDeclaration) {
		b.Helper()
		for _, workspace := range []string{"", "w"} {
			got, err := b.s.StationDeclarations(b.Context(), workspace)
			b.must(err)
			b.same("declarations", append([]reservation.StationDeclaration{}, got...), append([]reservation.StationDeclaration{}, want...))
		}
	}
	b.update("w", edit(nil, s))
	expect(*s)
	b.update("w", edit(s, &edited))
	expect(edited)
	b.update("w", edit(&edited, nil))
	expect()
	b.wanted("w", "reservation.a")
}

func tokens(b *bench) {
	group := reservation.Token{IDToken: "DEPOT-A", Type: "Central"}
	card := &reservation.TokenDeclaration{Workspace: "w", Address: "token.card", IDToken: reservation.Token{IDToken: "POOL", Type: "ISO14443"}}
	edited := *card
	edited.GroupIDToken = &group
	there := *card
	there.Workspace = "other"
	edit := func(before, after *reservation.TokenDeclaration) reservation.Event {
		at := cmp.Or(after, before)
		return reservation.Event{Kind: reservation.Declared, Workspace: at.Workspace, Address: at.Address,
			Change: &reservation.Change{Token: &reservation.TokenEdit{Before: before, After: after}}}
	}
	expect := func(workspace string, want ...reservation.TokenDeclaration) {
		b.Helper()
		got, err := b.s.TokenDeclarations(b.Context(), workspace)
		b.must(err)
		b.same("tokens of "+workspace, append([]reservation.TokenDeclaration{}, got...), append([]reservation.TokenDeclaration{}, want...))
	}
	b.update("w", edit(nil, card))
	b.update("other", edit(nil, &there))
	expect("w", *card)
	expect("", there, *card)
	b.update("w", edit(card, &edited))
	expect("w", edited)
	b.update("w", edit(&edited, nil))
	expect("w")
	expect("", there)
}

// moveReleases: the old station lets go in the same transaction in which the
// new one is known to hold it, for which the fold's cascade is taken along.
func moveReleases(b *bench) {
	old := Want("w", "reservation.a", "S", 1, b.now)
	b.hold(old)
	there := Want("w", "reservation.a", "T", 1, b.now)
	move := &reservation.Move{From: "S", To: "T", Start: b.now, HoldUntil: b.now.Add(10 * time.Minute)}
	in, out := Declare(nil, there), Declare(old, nil)
	in.Change.Move, out.Change.Move = move, move
	b.update("w", in, out)
	if o := b.book("S").Find(reservation.Key{Workspace: "w", Address: "reservation.a", Start: b.now}); o == nil || o.MustCancel {
		b.Fatalf("the old station: %+v", o)
	}
	all, err := b.s.Entries(b.Context(), "w")
	b.must(err)
	if len(all) != 2 || !all[0].Moving || all[0].Wanted() || all[1].Moving || !all[1].Wanted() {
		b.Fatalf("entries of a move: %+v", all)
	}
	connection := b.connect("T")
	id := b.append(Request(there, connection, 0))[0].ReservationID
	last := b.last()
	b.append(Answer(there, connection, id, reservation.AnswerAccepted))
	if b.last() != last+2 {
		b.Fatalf("%d lines, not the answer and the release", b.last()-last)
	}
	if o := b.book("S").Find(reservation.Key{Workspace: "w", Address: "reservation.a", Start: b.now}); o == nil || !o.MustCancel {
		b.Fatalf("the old station: %+v", o)
	}
}

func entries(b *bench) {
	held := Want("w", "reservation.held", "S", 1, b.now)
	b.hold(held)
	future := Want("w", "reservation.future", "S", 2, b.now.Add(24*time.Hour))
	other := Want("other", "reservation.held", "T", 1, b.now)
	gone := Want("w", "reservation.gone", "S", 3, b.now)
	b.update("w", Declare(nil, future), Declare(nil, gone))
	b.update("other", Declare(nil, other))
	b.update("w", Declare(gone, nil), Declare(held, nil)) // the one leaves at once, the other must be cancelled
	get := func(workspace string) (lines []string) {
		all, err := b.s.Entries(b.Context(), workspace)
		b.must(err)
		for _, e := range all {
			lines = append(lines, fmt.Sprint(e.Workspace, " ", e.Address, " ", e.StationID, " ", e.Phase, " ", e.Wanted(), " ", e.ID, " ", e.Target.EVSE))
		}
		return lines
	}
	w := []string{"w reservation.future S scheduled true 0 2", fmt.Sprint("w reservation.held S reserved false ", FirstReservationID, " 1")}
	b.same("of w", get("w"), w)
	b.same("of all", get(""), append([]string{"other reservation.held T scheduled true 0 1"}, w...))
}
