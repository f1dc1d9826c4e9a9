package state

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/resctl/resctl/reservation"
)

// pageSize is how many lines a follower reads at a time.
const pageSize = 500

// pollEvery is how often a follower of a state that another process writes
// looks for news.
const pollEvery = time.Second

// hub tells who waits that a commit has happened: the journal's last sequence
// and the stations it touched, nothing more. It never waits for anybody.
type hub struct {
	mu   sync.Mutex
	last int64
	subs map[string]map[chan struct{}]struct{} // by station; "": any
	told []*func(stations ...string)
}

func (h *hub) publish(last int64, stations []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = last
	for ch := range h.subs[""] {
		wake(ch)
	}
	for _, s := range stations {
		if s == "" {
			continue
		}
		for ch := range h.subs[s] {
			wake(ch)
		}
	}
	for _, f := range h.told {
		if len(stations) > 0 {
			(*f)(stations...)
		}
	}
}

// publishAll says that any station may have been touched.
func (h *hub) publishAll(last int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = last
	for _, of := range h.subs {
		for ch := range of {
			wake(ch)
		}
	}
	for _, f := range h.told {
		(*f)()
	}
}

func (h *hub) reached(seq int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last > seq
}

func (h *hub) subscribe(station string) (chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs == nil {
		h.subs = map[string]map[chan struct{}]struct{}{}
	}
	if h.subs[station] == nil {
		h.subs[station] = map[chan struct{}]struct{}{}
	}
	h.subs[station][ch] = struct{}{}
	return ch, func() { h.unsubscribe(station, ch) }
}

func (h *hub) unsubscribe(station string, ch chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs[station], ch)
	if len(h.subs[station]) == 0 {
		delete(h.subs, station)
	}
}

// Wake returns a channel that is signalled after every commit that touched the
// station, or, for "", any commit. Signals that nobody has taken yet are one.
// stop ends it.
func (db *DB) Wake(station string) (ch <-chan struct{}, stop func()) {
	return db.tail.subscribe(station)
}

// OnCommit calls f after every commit with the stations that it touched, some of
// which may be "", or with none where any may have been touched. It is called in
// the order of commits and keeps the next one waiting: it must return at once,
// and not call the state. stop ends it.
func (db *DB) OnCommit(f func(stations ...string)) (stop func()) {
	h, told := &db.tail, &f
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, told)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = slices.DeleteFunc(h.told, func(t *func(...string)) bool { return t == told })
	}
}

// lastLine counts lines that were cut as well.
const lastLine = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'journal'"

// Last is the journal's highest sequence.
func (db *DB) Last(ctx context.Context) (int64, error) {
	var last int64
	err := scanOne(onPool{ctx, db.read}, lastLine, nil, &last)
	if err != nil {
		return 0, fmt.Errorf("state: last sequence: %w", explain(err))
	}
	return last, nil
}

// Events yields the journal's lines after a sequence, first those stored, then
// each that follows, until ctx ends. An error ends it too. Every follower reads
// at its own pace and keeps nobody waiting.
func (db *DB) Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error] {
	return func(yield func(reservation.Event, error) bool) {
		ch, stop := db.Wake("")
		defer stop()
		for ctx.Err() == nil {
			page, err := db.page(ctx, Filter{After: after})
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(reservation.Event{}, err)
				return
			}
			for _, e := range page {
				if after = e.Seq; !yield(e, nil) {
					return
				}
			}
			if len(page) < pageSize {
				db.await(ctx, ch, after)
			}
		}
	}
}

// await returns when there may be lines after a sequence, or ctx has ended.
func (db *DB) await(ctx context.Context, ch <-chan struct{}, after int64) {
	if db.w == nil {
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
		}
		return
	}
	for !db.tail.reached(after) {
		select {
		case <-ch:
		case <-ctx.Done():
			return
		}
	}
}

// Filter selects lines of the journal. Zero fields select all.
type Filter struct {
	After, Until       int64 // sequences: After < seq <= Until; Until 0: no end
	Since              time.Time
	Station            string
	Workspace, Address string // Address needs Workspace
}

// EventsUntil yields the stored lines that a filter selects, and ends.
func (db *DB) EventsUntil(ctx context.Context, f Filter) iter.Seq2[reservation.Event, error] {
	return func(yield func(reservation.Event, error) bool) {
		for {
			page, err := db.page(ctx, f)
			if err != nil {
				yield(reservation.Event{}, err)
				return
			}
			for _, e := range page {
				if f.After = e.Seq; !yield(e, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

func (f Filter) where() (text string, args []any) {
	text, args = "seq > ?", []any{f.After}
	add := func(set bool, term string, arg any) {
		if set {
			text, args = text+" AND "+term, append(args, arg)
		}
	}
	add(f.Until > 0, "seq <= ?", f.Until)
	add(!f.Since.IsZero(), "at >= ?", ms(f.Since))
	add(f.Station != "", "station_id <> '' AND station_id = ?", f.Station)
	add(f.Workspace != "", "workspace = ?", f.Workspace)
	add(f.Address != "", "address <> '' AND address = ?", f.Address)
	return text, args
}

// LastProposals are the latest proposal of each workspace, as the journal has
// it: who, when, which revision.
func (db *DB) LastProposals(ctx context.Context) (map[string]reservation.Event, error) {
	const text = `SELECT seq, body FROM journal WHERE seq IN (SELECT max(seq) FROM journal WHERE kind = ? GROUP BY workspace)`
	last := map[string]reservation.Event{}
	page, err := db.lines(ctx, text, string(reservation.Proposed))
	if err != nil {
		return nil, fmt.Errorf("state: read proposals: %w", explain(err))
	}
	for _, e := range page {
		last[e.Workspace] = e
	}
	return last, nil
}

// page reads the next lines. No connection is kept between pages.
func (db *DB) page(ctx context.Context, f Filter) ([]reservation.Event, error) {
	where, args := f.where()
	text := fmt.Sprintf("SELECT seq, body FROM journal WHERE %s ORDER BY seq LIMIT %d", where, pageSize)
	page, err := db.lines(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("state: read journal after %d: %w", f.After, explain(err))
	}
	return page, nil
}

// lines reads the lines that a query selects by seq and body.
func (db *DB) lines(ctx context.Context, text string, args ...any) (page []reservation.Event, err error) {
	err = each(onPool{ctx, db.read}, text, args, func(rows *sql.Rows) error {
		var seq int64
		var body sql.RawBytes
		if err := rows.Scan(&seq, &body); err != nil {
			return err
		}
		e, err := decode[reservation.Event](body)
		if err == nil {
			e.Seq = seq
			page = append(page, *e)
		}
		return err
	})
	return page, err
}
