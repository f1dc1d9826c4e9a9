package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// The parts of books, for many stations at once: the parameter is a list of
// pairs, each a station and a time. The terms are those of the partial indexes.
const (
	stationRows = "SELECT s.id, s.serial, s.body FROM json_each(?) AS a CROSS JOIN station AS s ON s.id = a.value ->> 0"
	rowsOf      = "SELECT o.station_id, o.body FROM json_each(?) AS a CROSS JOIN occurrence AS o ON o.station_id = a.value ->> 0 WHERE "
	openRows    = rowsOf + "o.active = 1 AND o.phase <> 'scheduled'"
	dueRows     = rowsOf + "o.phase = 'scheduled' AND o.due <= a.value ->> 1"
	nextRows    = `SELECT a.value ->> 0, (SELECT min(due) FROM occurrence
		WHERE station_id = a.value ->> 0 AND phase = 'scheduled' AND due > a.value ->> 1) FROM json_each(?) AS a`
	ofRows   = "SELECT station_id, body FROM occurrence WHERE workspace = ? AND address = ? AND station_id = ?"
	nextUsed = "SELECT min(reservation_id) FROM ids WHERE reservation_id >= ?"
	byID     = "SELECT workspace, address FROM ids WHERE reservation_id = ? AND station_id = ?"
)

// shelf is books by station.
type shelf map[string]*reservation.Book

// moments are stations, and up to when the book of each is wanted.
type moments map[string]time.Time

// list is the parameter for the queries of books.
func (m moments) list() string {
	pairs := make([][2]any, 0, len(m))
	for _, id := range sortedKeys(m) {
		pairs = append(pairs, [2]any{id, ms(m[id])})
	}
	body, _ := json.Marshal(pairs) // strings and numbers never fail
	return string(body)
}

// loadBook assembles the loop's book of a station.
func loadBook(q querier, id string, now time.Time) (*reservation.Book, error) {
	books, err := loadBooks(q, moments{id: now})
	return books[id], err
}

// loadBooks assembles the loops' books of stations. What it costs is a few
// queries, however many there are, and what is in the books.
func loadBooks(q querier, at moments) (shelf, error) {
	books, known, list := shelf{}, moments{}, at.list()
	for id := range at {
		books[id] = reservation.NewBook(id)
	}
	err := each(q, stationRows, []any{list}, func(rows *sql.Rows) error {
		var id string
		var serial int64
		var body sql.RawBytes
		if err := rows.Scan(&id, &serial, &body); err != nil {
			return err
		}
		known[id], books[id].Serial = at[id], serial
		if err := json.Unmarshal(body, &books[id].Station); err != nil {
			return fmt.Errorf("station %s: %w", id, err)
		}
		return nil
	})
	if err != nil || len(known) == 0 { // a station has its row before it has occurrences
		return books, err
	}
	if err := books.take(q, nil, openRows, known.list()); err != nil {
		return nil, err
	}
	return books, books.extend(q, known)
}

// extend takes in what has come due and finds what will next.
func (books shelf) extend(q querier, at moments) error {
	list := at.list()
	if err := books.take(q, nil, dueRows, list); err != nil {
		return err
	}
	return each(q, nextRows, []any{list}, func(rows *sql.Rows) error {
		var id string
		var next sql.NullInt64
		err := rows.Scan(&id, &next)
		if b := books[id]; b != nil {
			b.NextDue = time.Time{}
			if next.Valid {
				b.NextDue = atMs(next.Int64)
			}
		}
		return err
	})
}

// take puts the occurrences of a query into their books, less those that these
// have, which may be further on than what is stored, and those that are not to
// be kept. nil: all are.
func (books shelf) take(q querier, keep func(*reservation.Book, *reservation.Occurrence) bool, text string, args ...any) error {
	type stored struct {
		book *reservation.Book
		body []byte
		o    *reservation.Occurrence
	}
	var all []stored
	err := each(q, text, args, func(rows *sql.Rows) error {
		var id string
		var body []byte
		err := rows.Scan(&id, &body)
		if b := books[id]; b != nil {
			all = append(all, stored{book: b, body: body})
		}
		return err
	})
	if err != nil {
		return err
	}
	err = inParallel(len(all), func(i int) (err error) {
		all[i].o, err = decode[reservation.Occurrence](all[i].body)
		return err
	})
	for _, s := range all {
		if err == nil && s.book.Find(s.o.Key) == nil && (keep == nil || keep(s.book, s.o)) {
			s.book.Put(s.o)
		}
	}
	return err
}

// load is a book that somebody waits for.
type load struct {
	station string
	now     time.Time
	book    *reservation.Book
	err     error
	done    chan struct{} // closed when book and err stand
}

// load has the writer bring a book up to now, so that no commit comes between.
func (w *writer) load(ctx context.Context, station string, now time.Time) (*reservation.Book, error) {
	l := &load{station: station, now: now, done: make(chan struct{})}
	if err := w.queue.load(ctx, l); err != nil {
		return nil, err
	}
	select {
	case <-l.done:
		return l.book, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bring gives those who wait their books: all together, for they come together
// when windows open at once. Where one is at fault, each is loaded alone.
func (w *writer) bring(loads []*load) {
	at := moments{}
	for _, l := range loads {
		if l.now.After(at[l.station]) {
			at[l.station] = l.now
		}
	}
	books, err := w.upTo(at)
	if err != nil && len(at) > 1 {
		for _, l := range loads {
			w.bring([]*load{l})
		}
		return
	}
	for _, l := range loads {
		l.book, l.err = books[l.station], err
		close(l.done)
	}
}

// upTo are the books of these stations, from memory where they are there.
func (w *writer) upTo(at moments) (shelf, error) {
	missing, behind, books := moments{}, moments{}, shelf{}
	for id, now := range at {
		switch b := w.db.cache.get(id); {
		case b == nil:
			missing[id] = now
		case covers(b, now):
			books[id] = b
		default:
			behind[id], books[id] = now, b.Clone()
		}
	}
	if len(behind) > 0 {
		if err := books.extend(w.c, behind); err != nil {
			return nil, err
		}
	}
	if len(missing) > 0 {
		loaded, err := loadBooks(w.c, missing)
		if err != nil {
			return nil, err
		}
		for id, b := range loaded {
			w.db.cache.remind(b)
			books[id] = b
		}
	}
	for _, b := range books {
		if b.Serial > 0 { // what is not stored would only fill the memory
			w.db.cache.put(b)
		}
	}
	return books, nil
}
