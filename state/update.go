package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

const (
	// maxMoved is how many books are derived again while others wait.
	maxMoved = 100
	// maxTries bounds starting over; the last try derives whatever moved.
	maxTries = 4
)

// Update stores a proposal, all or nothing, in one transaction that is prepared
// outside it. The error is reservation.ErrStale if the workspace's serial is
// not the changeset's any more, a reservation.FrozenError if the workspace is
// frozen, or what its Check said of a station's book. A
// book that moves meanwhile is checked and derived again. If ctx ends while the
// transaction runs, it is stored all the same.
func (db *DB) Update(ctx context.Context, c reservation.Changeset) ([]reservation.Event, error) {
	if db.w == nil {
		return nil, fmt.Errorf("state: update: %w", errReadOnly)
	}
	for try := 1; ; try++ {
		p, err := db.derive(ctx, c)
		if err == nil {
			err = db.w.store(ctx, p, try == maxTries)
		}
		if err == nil {
			return p.draft.result, nil
		}
		if !errors.Is(err, errMoved) || try == maxTries {
			return nil, fmt.Errorf("state: update %s: %w", c.Workspace, explain(err))
		}
	}
}

// proposal is a changeset on its way.
type proposal struct {
	set   reservation.Changeset
	at    time.Time
	mine  map[string][]reservation.Event // by station, as stored
	draft *draft
	rows  *rows
}

// derive does everything that needs no transaction: it loads, checks, folds and
// encodes.
func (db *DB) derive(ctx context.Context, c reservation.Changeset) (*proposal, error) {
	p := &proposal{set: c, mine: map[string][]reservation.Event{}}
	p.draft = &draft{fold: db.fold, now: toMs(time.Now())}
	for _, e := range c.Events {
		if e.Kind == reservation.Requested || e.Kind == reservation.Connected {
			return nil, fmt.Errorf("a proposal cannot hold a %s event", e.Kind)
		}
		if e.StationID != "" {
			p.mine[e.StationID] = append(p.mine[e.StationID], e)
		}
		if e.At.IsZero() {
			e.At = p.draft.now
		}
		if e.At.After(p.at) {
			p.at = e.At
		}
	}
	if err := db.snapshot(ctx, func(q querier) error { return p.fold(q) }); err != nil {
		return nil, err
	}
	var err error
	p.rows, err = encode(p.draft.pages, p.draft.lines, renamedBy(p.draft.lines))
	return p, err
}

// fold loads the books that the proposal touches and folds it into them.
func (p *proposal) fold(q querier) error {
	var serial int64
	err := scanOne(q, "SELECT serial FROM workspace WHERE name = ?", []any{p.set.Workspace}, &serial)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if serial != p.set.Serial {
		return fmt.Errorf("it is at %d, the proposal at %d: %w", serial, p.set.Serial, reservation.ErrStale)
	}
	d := p.draft
	d.q = q
	d.book = func(id string, at time.Time) (*reservation.Book, error) { return loadBook(q, id, at) }
	if d.pages, err = p.load(q); err != nil {
		return err
	}
	if p.set.Check != nil {
		for _, id := range sortedKeys(p.mine) {
			if err := p.set.Check(d.pages[id].book, p.mine[id]); err != nil {
				return err
			}
		}
	}
	return d.run(p.set.Events)
}

// load reads the books of all stations at once, with the occurrences of the
// proposal's addresses.
func (p *proposal) load(q querier) (map[string]*page, error) {
	ids := sortedKeys(p.mine)
	pages := make(map[string]*page, len(ids))
	at, addresses := moments{}, map[string][]string{} // by workspace
	for _, id := range ids {
		at[id], pages[id] = p.at, newPage(nil, p.at)
		pages[id].loaded = map[[2]string]bool{}
		for _, e := range p.mine[id] {
			for _, a := range addressesOf(e) {
				pages[id].loaded[[2]string{e.Workspace, a}] = true
				addresses[e.Workspace] = append(addresses[e.Workspace], a)
			}
		}
	}
	books, err := loadBooks(q, at)
	for id, b := range books {
		pages[id].book = b
	}
	asked := func(b *reservation.Book, o *reservation.Occurrence) bool { // an address may be at other stations too
		return pages[b.Station.ID].loaded[[2]string{o.Workspace, o.Address}]
	}
	for _, workspace := range sortedKeys(addresses) {
		if err == nil {
			err = books.take(q, asked, "SELECT station_id, body FROM occurrence WHERE workspace = ?"+
				" AND address IN (SELECT value FROM json_each(?))", workspace, list(addresses[workspace]))
		}
	}
	return pages, err
}

// store has the writer commit a proposal. With last it derives again whatever
// has moved; otherwise it gives up where that would keep others waiting.
func (w *writer) store(ctx context.Context, p *proposal, last bool) error {
	return w.queue.call(ctx, func() error {
		var seq int64
		err := w.transact(func() error {
			others, err := w.othersWrote()
			if err == nil && others {
				err = w.reread()
			}
			if err == nil {
				err = w.admit(p.set.Workspace)
			}
			if err == nil {
				err = w.bump(p.set)
			}
			if err == nil {
				err = w.settle(p, last)
			}
			if err == nil {
				seq, err = p.rows.write(w.c, w.count.seq)
			}
			return err
		})
		if err != nil {
			return err
		}
		p.draft.results(w.count.seq)
		w.count.seq = seq
		w.follow(p.draft.pages)
		w.db.tail.publish(seq, sortedKeys(p.draft.pages))
		return nil
	})
}

// admit refuses a proposal of a workspace that is frozen now. It is asked within
// the transaction, so that no freeze comes too late by a moment.
func (w *writer) admit(workspace string) error {
	all, err := frozen(w.c, workspace)
	if err != nil {
		return err
	}
	if by := (reservation.Meta{Frozen: all}).FrozenBy(workspace, time.Now()); by != nil {
		return by
	}
	return nil
}

// bump counts the workspace's serial on, if it is still the proposal's.
func (w *writer) bump(c reservation.Changeset) error {
	text, args := "UPDATE workspace SET serial = serial + 1 WHERE name = ? AND serial = ?", []any{c.Workspace, c.Serial}
	if c.Serial == 0 {
		text, args = "INSERT INTO workspace (name, serial) VALUES (?, 1) ON CONFLICT DO NOTHING", args[:1]
	}
	n, err := w.c.exec(text, args...)
	if err == nil && n == 0 {
		err = reservation.ErrStale
	}
	return err
}

// settle writes the stations' rows and derives again what stands on a book that
// has moved since.
func (w *writer) settle(p *proposal, last bool) error {
	moved, err := p.rows.writeStations(w.c)
	if err != nil || len(moved) == 0 {
		return err
	}
	if len(moved) > maxMoved && !last || len(p.draft.lines) != len(p.draft.own) { // a cascade spans books
		return errMoved
	}
	pages := map[string]*page{}
	for _, id := range moved {
		if pages[id], err = w.again(p, id); err != nil {
			return err
		}
		p.draft.pages[id] = pages[id]
	}
	r, err := encode(pages, nil, renamedBy(p.draft.lines))
	if err != nil {
		return err
	}
	of := func(w row) bool { return pages[w.station] != nil }
	p.rows.rows = append(slices.DeleteFunc(p.rows.rows, of), r.rows...)
	if moved, err = r.writeStations(w.c); err == nil && len(moved) > 0 {
		err = errMoved
	}
	return err
}

// again checks and folds one station's share of a proposal on its book of now.
func (w *writer) again(p *proposal, id string) (*page, error) {
	b, err := w.copyOf(id, p.at)
	if err != nil {
		return nil, err
	}
	pg := newPage(b, p.at)
	d := &draft{fold: w.db.fold, q: w.c, now: p.draft.now, count: w.count, pages: map[string]*page{id: pg}}
	for _, e := range p.mine[id] {
		for _, a := range addressesOf(e) {
			if err := d.needAddress(pg, e.Workspace, a); err != nil {
				return nil, err
			}
		}
	}
	if p.set.Check != nil {
		if err := p.set.Check(pg.book, p.mine[id]); err != nil {
			return nil, err
		}
	}
	if err := d.run(p.mine[id]); err != nil {
		return nil, err
	}
	if len(d.lines) != len(p.mine[id]) {
		return nil, errMoved
	}
	return pg, nil
}

// addressesOf are those whose occurrences a proposal's event may touch.
func addressesOf(e reservation.Event) []string {
	if from := e.Formerly(); from != "" {
		return []string{e.Address, from}
	}
	return []string{e.Address}
}

// follow brings the books in memory to what a proposal has stored. They may
// have come further in time than the proposal's, so these do not replace them.
func (w *writer) follow(pages map[string]*page) {
	for id, p := range pages {
		cached := w.db.cache.get(id)
		if cached == nil || !p.dirty() {
			continue
		}
		b := cached.Clone()
		for _, o := range p.occurrences {
			b.Put(o)
		}
		if p.station {
			queued := b.Station.QueuedAt
			b.Station = p.book.Station
			b.Station.QueuedAt = queued
		}
		b.Serial++
		b.Prune(p.at)
		w.db.cache.put(b)
	}
}
