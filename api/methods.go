package api

import (
	"context"
	"slices"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func plan(ctx context.Context, a asked, in desired) (*reconcile.Plan, error) {
	if err := in.within(a.who); err != nil {
		return nil, err
	}
	for i := range in.Want.Stations {
		d := &in.Want.Stations[i]
		d.ClearPassword = in.Passwords[d.Address]
	}
	p, err := a.ledger.Plan(ctx, in.Want)
	if err != nil {
		return nil, err
	}
	return salted(p), nil // no password goes back in clear
}

// within refuses what is not of one workspace, and that the caller's.
func (in *desired) within(who *caller) error {
	w := in.Want.Workspace
	for i := range in.Want.Stations {
		if in.Want.Stations[i].Workspace != w {
			return ofTwo(in.Want.Stations[i].Address, w)
		}
	}
	for i := range in.Want.Tokens {
		if in.Want.Tokens[i].Workspace != w {
			return ofTwo(in.Want.Tokens[i].Address, w)
		}
	}
	for i := range in.Want.Reservations {
		if in.Want.Reservations[i].Workspace != w {
			return ofTwo(in.Want.Reservations[i].Address, w)
		}
	}
	return who.within(w)
}

func ofTwo(address, workspace string) error {
	return badRequest("%s is not of workspace %q, whose plan it is", address, workspace)
}

func editPlan(ctx context.Context, a asked, in edit) (*reconcile.Plan, error) {
	if err := a.who.within(in.Workspace); err != nil {
		return nil, err
	}
	return a.ledger.Edit(ctx, in.Workspace, in.Edit)
}

// propose has the gate's word for who proposes, where it gives one. What has
// arrived whole is stored or refused, whatever becomes of the caller.
func propose(ctx context.Context, a asked, in proposal) ([]reservation.Event, error) {
	if in.Plan == nil {
		return nil, badRequest("there is no plan")
	}
	if err := in.within(a.who); err != nil {
		return nil, err
	}
	if err := in.whole(ctx, a.ledger); err != nil {
		return nil, err
	}
	if by := a.who.name(); by != "" {
		in.Options.By = by
	}
	return a.ledger.Propose(context.WithoutCancel(ctx), in.Plan, in.Options)
}

// within refuses changes of what is not of the plan's workspace, or not at the
// address that they name.
func (in *proposal) within(who *caller) error {
	w := in.Plan.Workspace
	for i := range in.Plan.Changes {
		c := &in.Plan.Changes[i]
		here := func(address, workspace string) bool { return address == c.Address && workspace == w }
		ok := c.After == nil || here(c.After.Address, c.After.Workspace) && c.After.StationID == c.StationID
		if !c.Setting() && c.After == nil && c.BeforeHash == "" {
			ok = false // there is nothing that it could change
		}
		if e := c.Station; e != nil {
			ok = ok && (e.After == nil || here(e.After.Address, e.After.Workspace) && e.After.ID == c.StationID) && (e.Before == nil || here(e.Before.Address, e.Before.Workspace))
		}
		if e := c.Token; e != nil {
			ok = ok && (e.After == nil || here(e.After.Address, e.After.Workspace)) && (e.Before == nil || here(e.Before.Address, e.Before.Workspace))
		}
		if !ok {
			return ofTwo(c.Address, w)
		}
	}
	return who.within(w)
}

// whole refuses fingerprints in the place of tokens, unless the plan is one that
// is held here: of that it only matters which it is.
func (in *proposal) whole(ctx context.Context, l Ledger) error {
	for i := range in.Plan.Changes {
		c := &in.Plan.Changes[i]
		if !maskedAfter(c) {
			continue
		}
		all, err := l.Watches(ctx)
		if slices.ContainsFunc(all, func(w Watch) bool { return w.Workspace == in.Plan.Workspace }) || err != nil {
			return err
		}
		return badRequest("%s: the plan shows a fingerprint in the place of a token: it is what plan --json prints, not what plan --out writes", c.Address)
	}
	return nil
}

// maskedAfter reports whether a change would store a fingerprint as a token. What
// is only renamed keeps the token that is stored.
func maskedAfter(c *reconcile.Change) bool {
	switch {
	case c.After != nil && !c.OnlyRenames:
		return c.After.IDToken.IsFingerprint() || c.After.GroupIDToken != nil && c.After.GroupIDToken.IsFingerprint()
	case c.Token != nil && c.Token.After != nil:
		return c.Token.After.IDToken.IsFingerprint() || c.Token.After.GroupIDToken != nil && c.Token.After.GroupIDToken.IsFingerprint()
	}
	return false
}

// masked shows a plan that the caller has whole, such as one of a file.
func masked(ctx context.Context, a asked, in proposal) (*reconcile.Plan, error) {
	if in.Plan == nil {
		return nil, badRequest("there is no plan")
	}
	if g, ok := a.ledger.(*guarded); ok {
		return g.plan(in.Plan), a.who.within(in.Plan.Workspace)
	}
	m, err := a.ledger.Meta(ctx)
	return in.Plan.Masked(m.Secret), err
}

// halting is an order of a person: which workspaces are frozen, or which
// stations paused, or are not any more.
type halting struct {
	Workspaces []string  `json:"workspaces,omitempty"` // of freezes; * is all of them
	Stations   []string  `json:"stations,omitempty"`   // of pauses
	Until      time.Time `json:"until,omitzero"`       // it ends by itself then
	Reason     string    `json:"reason,omitempty"`     // why, for whoever meets it
	By         string    `json:"by,omitempty"`         // heeded only through a socket of which the kernel does not say who is there
}

// order makes the method that records orders of a kind, and nothing that a
// station could have said.
func order(kind reservation.Kind) func(context.Context, asked, halting) (nothing, error) {
	return func(ctx context.Context, a asked, in halting) (nothing, error) {
		names, others := in.Workspaces, in.Stations
		pauses := kind == reservation.Paused || kind == reservation.Resumed
		if pauses {
			names, others = others, names
		}
		if len(names) == 0 || len(others) > 0 {
			return nothing{}, badRequest("%s names workspaces if it is about a freeze, and stations if it is about a pause", kind)
		}
		now, by := time.Now(), a.who.name()
		if by == "" {
			by = in.By
		}
		var events []reservation.Event
		for _, name := range names {
			e := reservation.Event{At: now, Kind: kind, Workspace: name, Halt: &reservation.Halt{By: by, Until: in.Until, Reason: in.Reason}}
			if pauses {
				e.Workspace, e.StationID = "", name
			}
			events = append(events, e)
		}
		return nothing{}, a.ledger.Record(context.WithoutCancel(ctx), events...)
	}
}

func readMeta(ctx context.Context, a asked, _ nothing) (reservation.Meta, error) {
	return a.ledger.Meta(ctx)
}

func readLast(ctx context.Context, a asked, _ nothing) (int64, error) { return a.ledger.Last(ctx) }

func readState(ctx context.Context, a asked, _ nothing) (*reconcile.State, error) {
	return a.ledger.Read(ctx)
}

func readWanted(ctx context.Context, a asked, in addresses) ([]reservation.Wanted, error) {
	return a.ledger.Wanted(ctx, in.Workspace, in.Addresses...)
}

func readOccurrences(ctx context.Context, a asked, in addresses) ([]reservation.Placed, error) {
	return a.ledger.Occurrences(ctx, in.Workspace, in.Addresses...)
}

func readUnsettled(ctx context.Context, a asked, in which) ([]reconcile.Outstanding, error) {
	if in.Stations == nil {
		in.Stations = []string{in.Station}
	}
	if len(in.Stations) > mostStations {
		return nil, badRequest("these are %d stations, and at most %d can be asked for at once", len(in.Stations), mostStations)
	}
	all := []reconcile.Outstanding{}
	for _, id := range in.Stations {
		list, err := a.ledger.Unsettled(ctx, id, in.Workspace)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func readDrift(ctx context.Context, a asked, in age) ([]reconcile.Drifted, error) {
	all, err := a.ledger.Drift(ctx, in.Grace)
	return some(all), err
}

func readWatches(ctx context.Context, a asked, _ nothing) ([]Watch, error) {
	all, err := a.ledger.Watches(ctx)
	return some(all), err
}

func readHeld(ctx context.Context, a asked, in which) (*reconcile.Plan, error) {
	p, err := a.ledger.Held(ctx, in.Workspace)
	if err != nil || p == nil {
		return nil, err
	}
	return salted(p), nil
}

// some is a list that is never null: whether there is something of others does
// not show.
func some[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func readBegan(ctx context.Context, a asked, _ nothing) (reservation.Checkpoint, error) {
	return a.ledger.Began(ctx)
}

func readProposals(ctx context.Context, a asked, _ nothing) (map[string]reservation.Event, error) {
	return a.ledger.LastProposals(ctx)
}
