package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/resctl/resctl/reconcile/fit"
	"github.com/resctl/resctl/reservation"
)

// ProveEvery is how old the proof of a station becomes before the horizon has
// moved enough for it to be proven again, though nothing there has changed.
const ProveEvery = time.Hour

// proofs remembers, by station, what came of proving what is stored, so that
// only what has changed is proven again. The zero value remembers nothing.
type proofs struct {
	proving sync.Mutex // one at a time; whoever waits finds it done

	mu   sync.Mutex // guards the rest, and is never held for long
	seed maphash.Seed
	of   map[string]proved
}

// proved is the proof of one station.
type proved struct {
	mark   uint64 // of all that it was made from, but for the time
	at     time.Time
	broken []broken
}

// broken is a conflict in what is stored. When it was first seen is zero where a
// process found it at its first look: how long it had stood before nobody knows.
type broken struct {
	Drifted
	seen time.Time
}

// Prove proves again, to the horizon, that everything stored fits, where anything
// has changed or the last proof is older than ProveEvery. It takes as long as it
// takes, and stops nobody: what it finds is drift of the kind DriftProof.
func (l *Ledger) Prove(ctx context.Context) error {
	st, err := l.stored(ctx)
	if err != nil {
		return err
	}
	return l.reprove(ctx, st, l.Now())
}

// Conflicts counts what is known to no longer fit, since grace ago at least. It
// proves nothing.
func (l *Ledger) Conflicts(grace time.Duration) int { return len(l.conflicts(grace, l.Now())) }

func (l *Ledger) conflicts(grace time.Duration, now time.Time) (all []Drifted) {
	l.proofs.mu.Lock()
	defer l.proofs.mu.Unlock()
	for _, p := range l.proofs.of {
		for _, b := range p.broken {
			if now.Sub(b.seen) >= grace {
				all = append(all, b.Drifted)
			}
		}
	}
	return all
}

// reprove is Prove of a state that has been read.
func (l *Ledger) reprove(ctx context.Context, st *State, now time.Time) error {
	l.proofs.proving.Lock()
	defer l.proofs.proving.Unlock()
	p := &planner{ledger: l, state: st, now: now, plan: &Plan{}, touched: map[string]bool{}}
	known := p.furnish()
	marks := l.proofs.marks(st, known)
	before := l.proofs.due(marks, now)
	for station := range before {
		p.touched[station] = true
	}
	if err := p.loadSchedules(ctx); err != nil {
		return err
	}
	since := map[place]time.Time{}
	for i := range st.Entries {
		if e := &st.Entries[i]; p.touched[e.StationID] {
			since[place{e.Workspace, e.Address}] = e.Since
		}
	}
	after := make(map[string]proved, len(before))
	for station := range before {
		after[station] = proved{mark: marks[station], at: now}
	}
	eachStation(p.claims(), func(station string, claims []claim) {
		next := after[station]
		for _, d := range standing(claims, known[station], now, p.horizon()) {
			next.broken = append(next.broken, before[station].still(d, since, p.horizon().Sub(now), now))
		}
		after[station] = next
	})
	l.proofs.keep(after, marks)
	return nil
}

// eachStation goes through claims, of which those of one station are together.
func eachStation(claims []claim, visit func(station string, claims []claim)) {
	for len(claims) > 0 {
		n := 1
		for n < len(claims) && claims[n].station == claims[0].station {
			n++
		}
		visit(claims[0].station, claims[:n])
		claims = claims[n:]
	}
}

// standing says what does not fit of what is stored for one station, from now to
// a time. It looks for no seats that nobody leaves: that there are none was a
// warning when it was stored, and is one still.
func standing(claims []claim, known furnished, now, till time.Time) (all []Drifted) {
	asked := make([]fit.Claim, len(claims))
	for i := range claims {
		c := &claims[i]
		asked[i] = fit.Claim{Workspace: c.workspace, Address: c.address, Target: c.target, Windows: c.windows, Mine: true}
	}
	for _, c := range fit.Prove(known.Station, asked, fit.Options{From: now, Until: till, Most: mostFindings}).Conflicts {
		first := &claims[c.Members[0]]
		d := Drifted{Kind: DriftProof, StationID: first.station, Workspace: first.workspace, Address: first.address, EVSE: first.target.EVSE,
			ConnectorType: first.target.ConnectorType, Window: reservation.Window{Start: c.At, Expiry: c.Until}, Times: c.Times, EVSEs: c.EVSEs}
		for _, m := range c.Members {
			d.Members = append(d.Members, Member{claims[m].workspace, claims[m].address, claims[m].source})
		}
		all = append(all, d)
	}
	return all
}

// still is a conflict as it was, if it stood before; otherwise it began when the
// last of its members became what it is, or when the horizon reached it.
func (p proved) still(d Drifted, since map[place]time.Time, ahead time.Duration, now time.Time) broken {
	for _, b := range p.broken {
		if slices.Equal(b.Members, d.Members) && slices.Equal(b.EVSEs, d.EVSEs) {
			d.Since = b.Since
			return broken{d, b.seen}
		}
	}
	d.Since = d.Window.Start.Add(-ahead)
	for _, m := range d.Members {
		if at := since[place{m.Workspace, m.Address}]; at.After(d.Since) {
			d.Since = at
		}
	}
	if p.at.IsZero() {
		return broken{Drifted: d}
	}
	d.Since = now
	return broken{d, now}
}

// marks stand for all that the proof of each station is made from.
func (p *proofs) marks(st *State, known map[string]furnished) map[string]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.seed, p.of = maphash.MakeSeed(), map[string]proved{}
	}
	marks := map[string]uint64{}
	mark := func(station string, parts ...any) {
		var h maphash.Hash
		h.SetSeed(p.seed)
		_, _ = fmt.Fprintln(&h, parts...)
		marks[station] += h.Sum64() // in whatever order they come
	}
	for i := range st.Entries {
		if e := &st.Entries[i]; e.Wanted() && e.Phase.Open() || e.Phase == reservation.Forgotten && e.ID != 0 {
			mark(e.StationID, e.Workspace, e.Address, e.Hash, e.Target, e.Window.Start.Unix(), e.Window.Expiry.Unix())
		}
	}
	for station := range marks {
		mark(station, known[station].EVSEs, known[station].Typed)
	}
	return marks
}

// due are the stations to be proven now, as they were proven last.
func (p *proofs) due(marks map[string]uint64, now time.Time) map[string]proved {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := map[string]proved{}
	for station, mark := range marks {
		old, known := p.of[station]
		over := slices.ContainsFunc(old.broken, func(b broken) bool { return !now.Before(b.Window.Expiry) })
		if !known || old.mark != mark || over || now.Sub(old.at) >= ProveEvery || now.Before(old.at) {
			due[station] = old
		}
	}
	return due
}

// keep remembers what came of it, and forgets stations of which nothing is wanted.
func (p *proofs) keep(after map[string]proved, marks map[string]uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for station, x := range after {
		p.of[station] = x
	}
	for station := range p.of {
		if _, wanted := marks[station]; !wanted {
			delete(p.of, station)
		}
	}
}

// driftOrder is by station, address, workspace and kind.
func driftOrder(a, b Drifted) int {
	return cmp.Or(strings.Compare(a.StationID, b.StationID), strings.Compare(a.Address, b.Address), strings.Compare(a.Workspace, b.Workspace),
		cmp.Compare(a.Kind, b.Kind), a.Window.Start.Compare(b.Window.Start))
}
