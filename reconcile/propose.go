package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// ProposeOptions say who proposes and how long a move may take.
type ProposeOptions struct {
	By          string
	Revision    string        // of the configuration, as a VCS names it
	MoveTimeout time.Duration // 0: DefaultMoveTimeout
}

// DefaultMoveTimeout is how long the old station of a move holds on when the
// new one does not answer.
const DefaultMoveTimeout = 10 * time.Minute

// StaleError says that a plan no longer fits what is stored, and where.
type StaleError struct{ Address, Why string }

// Error names the address and the remedy.
func (e *StaleError) Error() string {
	return fmt.Sprintf("RC701: the plan is stale: %s: %s. Plan again and review it", e.Address, e.Why)
}

// maxTries bounds how often a proposal is derived anew because its workspace
// was moved by another one meanwhile.
const maxTries = 5

// Propose stores a plan: all of it, in one transaction, or nothing. It is
// refused with a StaleError when a change's before differs from what is stored,
// when something held would be touched that the plan did not show as held, or
// when the whole no longer fits. Time passing makes no plan stale.
func (l *Ledger) Propose(ctx context.Context, p *Plan, o ProposeOptions) ([]reservation.Event, error) {
	o.MoveTimeout = cmp.Or(o.MoveTimeout, l.MoveTimeout, DefaultMoveTimeout)
	for try := 1; ; try++ {
		set, err := l.derive(ctx, p, o)
		if err != nil {
			return nil, err
		}
		events, err := l.Store.Update(ctx, set)
		if !errors.Is(err, reservation.ErrStale) || try == maxTries {
			return events, err
		}
	}
}

// derive checks the plan against what is stored and turns it into events.
func (l *Ledger) derive(ctx context.Context, p *Plan, o ProposeOptions) (reservation.Changeset, error) {
	none := reservation.Changeset{}
	state, err := l.stored(ctx)
	if err != nil {
		return none, err
	}
	if p.Lineage != "" && p.Lineage != state.Meta.Lineage {
		return none, &StaleError{p.Workspace, "it was made for another state"}
	}
	now := l.Now().UTC().Truncate(time.Millisecond)
	before, err := l.befores(ctx, p, state, now)
	if err == nil {
		err = checkSettings(p, state)
	}
	if err != nil {
		return none, err
	}
	shared := reservation.NewSchedules() // a plan may come from a file
	for i := range p.Changes {
		if d := p.Changes[i].After; d != nil {
			shared.ShareIn(&d.When)
		}
	}
	if err := l.refit(ctx, p, state, now); err != nil {
		return none, err
	}
	breakCycles(p.Changes)
	d := deriver{plan: p, now: now, o: o, before: before, over: overs(p, state, before)}
	if err := d.stillToBegin(); err != nil {
		return none, err
	}
	for i := range p.Changes {
		d.change(&p.Changes[i])
	}
	serial := state.Meta.Serials[p.Workspace]
	d.events = append(d.events, reservation.Event{At: now, Kind: reservation.Proposed, Workspace: p.Workspace,
		Proposal: &reservation.Proposal{Serial: serial + 1, By: o.By, Revision: o.Revision, Digest: p.Digest, Summary: p.Summary.Map()}})
	shown := make(map[string]*Change, len(p.Changes))
	for i := range p.Changes {
		shown[p.Changes[i].Address] = &p.Changes[i]
	}
	return reservation.Changeset{Workspace: p.Workspace, Serial: serial, Events: d.events, Check: stillShown(shown)}, nil
}

// befores loads what is stored of the plan's addresses and compares it.
func (l *Ledger) befores(ctx context.Context, p *Plan, state *State, now time.Time) (map[string]*reservation.Wanted, error) {
	entries := map[string]reservation.Entry{}
	for _, e := range state.Entries {
		if e.Workspace == p.Workspace && e.Wanted() {
			entries[e.Address] = e
		}
	}
	var load []string
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Setting() {
			continue
		}
		hash := entries[c.storedAs()].Hash
		if hash != "" {
			load = append(load, c.storedAs())
		}
		if !sameHash(c.BeforeHash, hash, state) || c.FromAddress != "" && (hash == "" || entries[c.Address].Hash != "") {
			return nil, staleDeclaration(c)
		}
	}
	before := make(map[string]*reservation.Wanted, len(load))
	if len(load) == 0 {
		return before, nil
	}
	stored, err := l.Store.Wanted(ctx, p.Workspace, load...)
	present(stored, now)
	for i := range stored {
		before[stored[i].Address] = &stored[i]
	}
	return before, err
}

// sameHash reports whether a hash is the stored one, or stands for it.
func sameHash(given, stored string, s *State) bool {
	return given == stored || stored != "" && given == reservation.KeyedHash(s.Meta.Secret, stored)
}

func staleDeclaration(c *Change) error {
	return &StaleError{c.Address, "its declaration has changed since the plan was made"}
}

// checkSettings compares the plan's station and token blocks with what is
// stored. What they were before is as it is stored, whatever the plan shows.
func checkSettings(p *Plan, state *State) error {
	stations, tokens := map[string]*reservation.StationDeclaration{}, map[string]*reservation.TokenDeclaration{}
	others := map[string]string{} // by identity: the workspace that declares it
	for i := range state.Declarations {
		if d := &state.Declarations[i]; d.Workspace == p.Workspace {
			stations[d.Address] = d
		} else {
			others[d.ID] = d.Workspace
		}
	}
	for i := range state.Tokens {
		if d := &state.Tokens[i]; d.Workspace == p.Workspace {
			tokens[d.Address] = d
		}
	}
	for i := range p.Changes {
		c, hash := &p.Changes[i], ""
		switch {
		case c.Station != nil:
			edit := reservation.StationEdit{Before: stations[c.Address], After: c.Station.After}
			if edit.Before != nil {
				hash = edit.Before.Hash()
			}
			if w := others[c.StationID]; w != "" && edit.After != nil {
				return &StaleError{c.Address, fmt.Sprintf("station %s is declared by workspace %q", c.StationID, w)}
			}
			c.Station = &edit
		case c.Token != nil:
			edit := reservation.TokenEdit{Before: tokens[c.Address], After: c.Token.After}
			if edit.Before != nil {
				hash = edit.Before.Hash()
			}
			c.Token = &edit
		default:
			continue
		}
		if !sameHash(c.BeforeHash, hash, state) {
			return staleDeclaration(c)
		}
	}
	return nil
}

// refit proves again that the whole fits, with what others have stored since.
// Stations that the plan does not touch are as they were.
func (l *Ledger) refit(ctx context.Context, p *Plan, state *State, now time.Time) error {
	check := &planner{ledger: l, want: Desired{Workspace: p.Workspace}, state: state, now: now, plan: p, touched: map[string]bool{}}
	for i := range p.Changes {
		check.touched[p.Changes[i].StationID] = true
	}
	if ahead := p.FitsUntil.Sub(p.CreatedAt); ahead > 0 {
		check.want.Choice.Horizon = ahead
	}
	if err := check.loadSchedules(ctx); err != nil {
		return err
	}
	if found := check.prove(true).found; len(found) > 0 {
		return &StaleError{found[0].Address, fmt.Sprintf("it no longer fits: %s (%s)", found[0].Summary, found[0].Code)}
	}
	return nil
}

// overs are the ends of those addresses that have come to one.
func overs(p *Plan, state *State, before map[string]*reservation.Wanted) map[string]reservation.Phase {
	ends := map[string]reservation.Phase{}
	for _, e := range state.Entries {
		switch b := before[e.Address]; {
		case e.Workspace != p.Workspace || !e.Wanted():
		case !e.Phase.Open():
			ends[e.Address] = e.Phase
		case b != nil && passed(e, b):
			ends[e.Address] = reservation.Ended
		}
	}
	return ends
}

// stillShown refuses to touch something held that the plan did not show so.
func stillShown(shown map[string]*Change) func(*reservation.Book, []reservation.Event) error {
	return func(b *reservation.Book, events []reservation.Event) error {
		for _, e := range events {
			if e.Kind != reservation.Declared || e.Change.Before == nil {
				continue
			}
			c := shown[e.Address]
			for _, o := range b.Occurrences {
				if o.Workspace != e.Workspace || o.Address != c.storedAs() {
					continue
				}
				if o.Phase == reservation.Held && !c.Held && touches(o, e.Change) {
					return &StaleError{e.Address, "the station has accepted it since; the plan did not show it as held"}
				}
				if endedSince(o, e.Change) || c.Anew && o.Start.Equal(e.Change.Before.Window.Start) && o.Phase.Open() != (c.Ended == "") {
					return reservation.ErrStale // derive it anew
				}
			}
		}
		return nil
	}
}

// endedSince reports whether a move was derived before its occurrence ended.
func endedSince(o *reservation.Occurrence, c *reservation.Change) bool {
	return c.Move != nil && c.Over == "" && o.Start.Equal(c.Before.Window.Start) && c.Move.Start.Equal(o.Start) &&
		!o.Phase.Open() && o.Phase != reservation.Canceled
}

func touches(o *reservation.Occurrence, c *reservation.Change) bool {
	return c.After == nil || c.Anew || o.Held == nil || !o.Held.Equal(c.After.Content())
}

// deriver turns changes into events.
type deriver struct {
	plan   *Plan
	now    time.Time
	o      ProposeOptions
	before map[string]*reservation.Wanted
	over   map[string]reservation.Phase
	events []reservation.Event
}

// stillToBegin refuses to begin anew what was shown as held and has been used
// since, and the other way round.
func (d *deriver) stillToBegin() error {
	for i := range d.plan.Changes {
		if c := &d.plan.Changes[i]; c.Anew && (c.Ended == "") != (d.over[c.storedAs()] == "") {
			return &StaleError{c.Address, "it has ended or begun since the plan was made"}
		}
	}
	return nil
}

func (d *deriver) change(c *Change) {
	if c.Station != nil {
		edit := *c.Station
		if edit.After != nil {
			salted := edit.After.Salted()
			edit.After = &salted
		}
		d.declare(c, c.StationID, reservation.Change{Setup: &edit})
		return
	}
	if c.Token != nil {
		d.declare(c, "", reservation.Change{Token: c.Token})
		return
	}
	before := d.before[c.storedAs()]
	if c.FromAddress != "" {
		if before = d.rename(c, before); c.OnlyRenames {
			return
		}
	}
	var after *reservation.Wanted
	if c.After != nil {
		prior := before
		if c.Ended != "" {
			prior = nil // as again has it
		}
		after = &reservation.Wanted{Declaration: *c.After, StoredAt: d.now, Window: windowAfter(c.After, prior, d.now)}
		after.Next = after.When.After(after.Window.Start, d.now)
	}
	if before == nil || after == nil || before.StationID == after.StationID {
		d.declare(c, c.StationID, reservation.Change{Before: before, After: after, Anew: c.Anew,
			Forget: c.Action == Forget, Adopt: c.Adopts})
		return
	}
	d.moveTo(c, before, after)
}

// rename gives what is stored another address, and changes nothing else.
func (d *deriver) rename(c *Change, before *reservation.Wanted) *reservation.Wanted {
	after := *before
	after.Address, after.Next = c.Address, before.When.After(before.Window.Start, d.now)
	if c.OnlyRenames && c.After != nil {
		after.Source = c.After.Source // it stands elsewhere now
	}
	d.declare(c, before.StationID, reservation.Change{Before: before, After: &after})
	return &after
}

// moveTo tells the old station first: if the new one holds it still, from a move
// that was undone, it can release the old one at once.
func (d *deriver) moveTo(c *Change, before, after *reservation.Wanted) {
	move := reservation.Move{From: before.StationID, To: after.StationID}
	if c.Action == Relocate && !c.cancelFirst {
		move.HoldUntil = d.now.Add(d.o.MoveTimeout)
		if before.Window.Expiry.Before(move.HoldUntil) {
			move.HoldUntil = before.Window.Expiry
		}
	}
	in, out := move, move
	in.Start, out.Start = before.Window.Start, after.Window.Start
	over := reservation.Phase("")
	if end := d.over[c.storedAs()]; end != reservation.Canceled && before.Window.Start.Equal(after.Window.Start) {
		over = end // a cancelled one begins anew when it is declared again
	}
	d.declare(c, before.StationID, reservation.Change{Before: before, Move: &out, Over: over})
	d.declare(c, after.StationID, reservation.Change{After: after, Move: &in, Over: over})
}

func (d *deriver) declare(c *Change, station string, change reservation.Change) {
	change.Action = string(c.Action)
	d.events = append(d.events, reservation.Event{At: d.now, Kind: reservation.Declared, StationID: station,
		Workspace: d.plan.Workspace, Address: c.Address, Change: &change})
}

// Recover records that no socket is open: after a crash the books still say
// which were.
func (l *Ledger) Recover(ctx context.Context) error {
	stations, err := l.Store.Stations(ctx)
	if err != nil {
		return err
	}
	for _, s := range stations {
		for _, connection := range slices.Clone(s.Live) {
			e := reservation.Event{At: l.Now(), Kind: reservation.Disconnected, StationID: s.ID, Connection: connection}
			if _, err := l.Store.Append(ctx, e); err != nil {
				return fmt.Errorf("station %s: recording that it is offline: %w", s.ID, err)
			}
		}
	}
	return nil
}
