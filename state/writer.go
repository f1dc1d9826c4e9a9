package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// writer owns the connection that writes. Its goroutine commits what is queued.
type writer struct {
	db      *DB
	pool    *sql.DB
	c       *conn
	queue   *queue
	count   counters
	version int64 // of the file, as changed by others
	failing func() error
	ended   chan struct{} // nil until start; closed when the goroutine is gone
	stopped bool
}

func newWriter(db *DB, pool *sql.DB, c *sql.Conn) *writer {
	return &writer{db: db, pool: pool, c: &conn{c, map[string]*sql.Stmt{}}, queue: newQueue()}
}

func (w *writer) start() error {
	if err := w.anchor(); err != nil {
		return err
	}
	if err := w.reread(); err != nil {
		return err
	}
	w.ended = make(chan struct{})
	go w.loop()
	return nil
}

func (w *writer) stop() error {
	w.queue.close()
	if w.ended != nil {
		<-w.ended
	}
	if w.stopped {
		return nil
	}
	w.stopped = true
	return errors.Join(w.c.close(), w.pool.Close())
}

func (w *writer) loop() {
	defer close(w.ended)
	for {
		work, more := w.queue.take()
		if !more {
			return
		}
		for _, call := range work.calls {
			call()
		}
		if len(work.loads) > 0 {
			w.bring(work.loads)
		}
		w.commit(work.jobs)
	}
}

// Append stores events, all or none, and returns them as stored: with their
// sequence and time and, where they had none, a Requested ReserveNow's fresh
// reservation id and a Connected's connection number. When it returns they are
// on disk and folded into the books.
//
// Appends that wait together are committed together. An event that the fold
// refuses fails its own call only; a failed commit fails all and changes
// nothing. If ctx ends first, what is queued is stored all the same. Requests
// and answers overtake the observations of other stations, never of their own.
// A report that changes nothing that is stored is not: it returns at once, with
// sequence 0.
func (db *DB) Append(ctx context.Context, events ...reservation.Event) ([]reservation.Event, error) {
	if db.w == nil {
		return nil, fmt.Errorf("state: append: %w", errReadOnly)
	}
	j := newJob(events)
	if err := db.w.queue.put(ctx, j); err != nil {
		return nil, fmt.Errorf("state: append: %w", err)
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("state: append: it is queued and will be stored: %w", ctx.Err())
	}
	if j.err != nil {
		return nil, fmt.Errorf("state: append: %w", explain(j.err))
	}
	return j.result, nil
}

// commit stores a group. Where one job's rows are at fault, which the fold
// could not know, each is tried alone.
func (w *writer) commit(jobs []*job) {
	g, err := w.tryGroup(jobs)
	if err != nil && len(jobs) > 1 && ofRow(err) {
		for _, j := range jobs {
			if !j.finished() {
				w.commit([]*job{j})
			}
		}
		return
	}
	w.db.measured(jobs, err)
	for _, j := range jobs {
		if !j.finished() {
			j.finish(err)
		}
	}
	if err == nil && len(g.lines) > 0 {
		w.db.tail.publish(w.count.seq, g.touched())
	}
}

// tryGroup folds the jobs and commits what came of them.
func (w *writer) tryGroup(jobs []*job) (*group, error) {
	g, r, err := w.prepare(jobs)
	if err != nil || len(g.lines) == 0 {
		return g, err
	}
	err = w.transact(func() error {
		others, err := w.othersWrote()
		if err == nil && others {
			if err = w.reread(); err == nil {
				g, r, err = w.prepare(jobs)
			}
		}
		if err != nil {
			return err
		}
		return w.write(g, r)
	})
	if err != nil {
		return nil, err
	}
	w.count, w.count.free = g.count, 0
	w.keep(g.pages)
	return g, nil
}

// prepare folds the jobs and encodes what came of them.
func (w *writer) prepare(jobs []*job) (*group, *rows, error) {
	g := w.fold(jobs)
	r, err := encode(g.pages, g.lines, renamedBy(g.lines))
	return g, r, err
}

// transact runs f in a transaction, which it leaves committed or undone.
func (w *writer) transact(f func() error) error {
	err := w.c.begin()
	if err != nil {
		return err
	}
	if err = f(); err == nil {
		err = w.commitTx()
	}
	if err != nil {
		w.c.rollback()
	}
	return err
}

// commitTx ends the transaction; tests make it fail.
func (w *writer) commitTx() error {
	if w.failing != nil {
		if err := w.failing(); err != nil {
			return err
		}
	}
	return w.c.commit()
}

func (w *writer) write(g *group, r *rows) error {
	moved, err := r.writeStations(w.c)
	if err == nil && len(moved) > 0 {
		err = fmt.Errorf("station %s: its stored book is not the one in memory", moved[0])
	}
	if err != nil {
		return err
	}
	if g.count.seq, err = r.write(w.c, w.count.seq); err != nil {
		return err
	}
	if g.count.id != w.count.id || g.count.connection != w.count.connection {
		_, err = w.c.exec(putCounters, g.count.id, g.count.connection)
	}
	return err
}

// group is what several jobs make of the books together.
type group struct {
	pages map[string]*page
	lines []reservation.Event
	count counters
}

// fold runs every job on top of those before it. One that is refused leaves no
// trace; one that is quiet, on books that are stored, is done.
func (w *writer) fold(jobs []*job) *group {
	g := &group{pages: make(map[string]*page, len(jobs)), lines: make([]reservation.Event, 0, len(jobs)), count: w.count}
	now := time.Now()
	for _, j := range jobs {
		if j.finished() {
			continue
		}
		d := &draft{fold: w.db.fold, q: w.c, now: now, count: g.count}
		d.book = func(station string, at time.Time) (*reservation.Book, error) {
			if p := g.pages[station]; p != nil {
				return p.book.Clone(), nil
			}
			return w.copyOf(station, at)
		}
		if err := d.run(j.events); err != nil {
			j.finish(err)
			continue
		}
		j.result = d.results(w.count.seq + int64(len(g.lines)))
		quiet := len(d.lines) == 0 && !g.changes(d.pages)
		g.add(d)
		if quiet {
			w.keep(d.pages)
			j.finish(nil)
		}
	}
	return g
}

// copyOf is the stored book of a station, to be changed.
func (w *writer) copyOf(station string, at time.Time) (*reservation.Book, error) {
	if b := w.db.cache.get(station); b != nil {
		return b.Clone(), nil
	}
	b, err := loadBook(w.c, station, at)
	if err == nil {
		w.db.cache.remind(b)
	}
	return b, err
}

// results are the caller's events with their sequences, the first line of the
// draft following on last.
func (d *draft) results(last int64) []reservation.Event {
	for i, line := range d.own {
		if line >= 0 {
			d.result[i].Seq = last + int64(line) + 1
		}
	}
	return d.result
}

// changes reports whether one of the pages stands on what is not stored yet.
func (g *group) changes(pages map[string]*page) bool {
	for id := range pages {
		if p := g.pages[id]; p != nil && p.dirty() {
			return true
		}
	}
	return false
}

// add takes a draft over.
func (g *group) add(d *draft) {
	g.lines = append(g.lines, d.lines...)
	g.count = d.count
	for id, p := range d.pages {
		if before := g.pages[id]; before != nil {
			maps.Copy(before.occurrences, p.occurrences)
			p.occurrences = before.occurrences
			p.station = p.station || before.station
			if before.at.After(p.at) {
				p.at = before.at
			}
		}
		g.pages[id] = p
	}
}

// touched are the stations whose lines the group wrote.
func (g *group) touched() []string {
	seen := map[string]bool{}
	for i := range g.lines {
		seen[g.lines[i].StationID] = true
	}
	return slices.Collect(maps.Keys(seen))
}

// keep makes the pages the books of this process, after they were committed.
func (w *writer) keep(pages map[string]*page) {
	for _, p := range pages {
		w.db.cache.put(p.settle())
	}
}

// settle turns a page into the book that is stored now.
func (p *page) settle() *reservation.Book {
	b := p.book.Clone()
	if p.dirty() {
		b.Serial++
	}
	b.Prune(p.at)
	return b
}

// othersWrote reports whether another process has changed the file.
func (w *writer) othersWrote() (bool, error) {
	before := w.version
	err := w.c.scan("PRAGMA data_version", nil, &w.version)
	return w.version != before, err
}

// reread forgets what is in memory and counts on from what is stored. Everybody
// who waits is woken to look again.
func (w *writer) reread() error {
	w.db.cache.clear()
	if _, err := w.othersWrote(); err != nil {
		return err
	}
	err := w.c.scan(lastLine, nil, &w.count.seq)
	if err != nil {
		return err
	}
	w.db.tail.publishAll(w.count.seq)
	return w.c.scan("SELECT next_id, next_connection FROM meta", nil, &w.count.id, &w.count.connection)
}

func (j *job) finished() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// exclusive runs f as a transaction of its own, between two groups.
func (w *writer) exclusive(ctx context.Context, f func(*conn) error) error {
	return w.queue.call(ctx, func() error {
		return w.transact(func() error { return f(w.c) })
	})
}
