package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// roster knows which stations may come in and which tokens may charge: those
// that something stored declares or names. Identities and tokens compare
// without case, as OCPP wants it. It follows the proposals that are stored.
type roster struct {
	store reconcile.Store

	mu       sync.Mutex
	serials  map[string]int64              // of the workspaces as it was read; nil: not yet
	stations map[string]member             // by identity in upper case
	tokens   map[string]*reservation.Token // in upper case, with their group; nil: not read yet
}

// member is a station, and what is wanted of it.
type member struct {
	id       string
	declared reservation.StationDeclaration
	named    []reservation.Target
}

// newRoster knows the stations whose blocks are leaving as well: until what they
// hold is cancelled they come in as before, with their password.
func newRoster(ctx context.Context, store reconcile.Store, leaving []reservation.StationDeclaration) (*roster, error) {
	r := &roster{store: store}
	return r, r.follow(ctx, leaving)
}

// follow reads what is stored, if a proposal has been stored since it did.
func (r *roster) follow(ctx context.Context, leaving []reservation.StationDeclaration) error {
	meta, err := r.store.Meta(ctx)
	if err != nil || r.serials != nil && maps.Equal(r.serials, meta.Serials) {
		return err
	}
	declared, err := r.store.StationDeclarations(ctx, "")
	if err != nil {
		return err
	}
	entries, err := r.store.Entries(ctx, "")
	if err != nil {
		return err
	}
	stations := map[string]member{}
	for _, d := range slices.Concat(leaving, r.withdrawn(entries), declared) {
		stations[strings.ToUpper(d.ID)] = member{id: d.ID, declared: d}
	}
	for i := range entries {
		name(stations, &entries[i])
	}
	r.stations, r.tokens, r.serials = stations, nil, meta.Serials
	return nil
}

// withdrawn are the blocks known so far of stations that some entry still names:
// one whose block has gone since is known by its old password.
func (r *roster) withdrawn(entries []reservation.Entry) (all []reservation.StationDeclaration) {
	for i := range entries {
		k := strings.ToUpper(entries[i].StationID)
		if m := r.stations[k]; m.declared.ID != "" {
			all = append(all, m.declared)
		}
	}
	return all
}

func name(stations map[string]member, e *reservation.Entry) {
	k := strings.ToUpper(e.StationID)
	m, ok := stations[k]
	if !ok {
		m.id = e.StationID
	}
	if len(m.declared.EVSEs) == 0 { // otherwise it is known how it is built
		m.named = append(m.named, e.Target)
	}
	stations[k] = m
}

// find gives the station of an identity, if it may come in.
func (r *roster) find(ctx context.Context, identity string) (member, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.follow(ctx, nil); err != nil {
		return member{}, false, err
	}
	m, ok := r.stations[strings.ToUpper(identity)]
	return m, ok, nil
}

// all are the stations by identity.
func (r *roster) all() []member {
	return slices.SortedFunc(maps.Values(r.stations), func(a, b member) int { return cmp.Compare(a.id, b.id) })
}

// connectors counts those of every station.
func (r *roster) connectors() map[string]int {
	n := make(map[string]int, len(r.stations))
	for _, m := range r.stations {
		for _, e := range m.evses() {
			n[m.id] += len(e.ConnectorTypes)
		}
	}
	return n
}

// authorize lets those charge for whom something is declared, and those who do
// until they have done: a driver is not stopped because his declaration went.
// Where that cannot be read nobody may.
func (r *roster) authorize(ctx context.Context, station string, t reservation.Token) (bool, *reservation.Token) {
	if ok, group := r.declares(ctx, t); ok {
		return true, group
	}
	book, err := r.store.Book(ctx, station, time.Now())
	if err != nil {
		return false, nil
	}
	if x := book.Station.Charging(t); x != nil {
		return true, x.GroupIDToken
	}
	return false, nil
}

// declares reports whether something is declared for a token, and its group.
func (r *roster) declares(ctx context.Context, t reservation.Token) (bool, *reservation.Token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.follow(ctx, nil) != nil {
		return false, nil
	}
	if r.tokens == nil {
		tokens, err := declaredTokens(ctx, r.store)
		if err != nil {
			return false, nil
		}
		r.tokens = tokens
	}
	group, ok := r.tokens[strings.ToUpper(t.IDToken)]
	return ok, group
}

// declaredTokens are those of reservations and of token blocks. Whose group two
// of them say differently is in that of the token block.
func declaredTokens(ctx context.Context, store reconcile.Store) (map[string]*reservation.Token, error) {
	meta, err := store.Meta(ctx)
	if err != nil {
		return nil, err
	}
	tokens := map[string]*reservation.Token{}
	declare := func(t reservation.Token, group *reservation.Token) {
		k := strings.ToUpper(t.IDToken)
		if group != nil || tokens[k] == nil {
			tokens[k] = group
		}
	}
	for _, workspace := range slices.Sorted(maps.Keys(meta.Serials)) {
		wanted, err := store.Wanted(ctx, workspace)
		if err != nil {
			return nil, err
		}
		for i := range wanted {
			declare(wanted[i].IDToken, wanted[i].GroupIDToken)
		}
	}
	blocks, err := store.TokenDeclarations(ctx, "")
	for i := range blocks {
		declare(blocks[i].IDToken, blocks[i].GroupIDToken)
	}
	return tokens, err
}

// evses is how the station is built: as declared or else, with two EVSEs at
// least, as those who name it need it to be.
func (m member) evses() []reservation.EVSE {
	all, types := m.declared.EVSEs, []string{"cCCS2"}
	if len(all) == 0 {
		ids := map[int]bool{1: true, 2: true}
		for _, t := range m.named {
			if t.EVSE != 0 {
				ids[t.EVSE] = true
			}
			if t.ConnectorType != "" && !slices.Contains(types, t.ConnectorType) {
				types = append(types, t.ConnectorType)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			all = append(all, reservation.EVSE{ID: id})
		}
	}
	all = slices.Clone(all)
	for i := range all {
		if len(all[i].ConnectorTypes) == 0 {
			all[i].ConnectorTypes = types
		}
	}
	return all
}

// leave keeps in mind which station blocks a plan removes.
func (w *workplace) leave(p *reconcile.Plan) {
	for i := range p.Changes {
		if e := p.Changes[i].Station; e != nil && e.After == nil && e.Before != nil {
			w.leaving = append(w.leaving, *e.Before)
		}
	}
}
