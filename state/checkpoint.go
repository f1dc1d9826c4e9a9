package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// The statements of a checkpoint. What has not changed since the one before is
// not written again. Numbered parameters: 1 is its sequence.
const (
	putCheckpoint = `INSERT INTO checkpoint (seq, at, rules, cut) VALUES (?, ?, ?, 0)
		ON CONFLICT DO UPDATE SET at = excluded.at, rules = excluded.rules`

	endOccurrences = `UPDATE snapshot SET gone = ?1 WHERE gone IS NULL AND address <> '' AND NOT EXISTS (
		SELECT 1 FROM occurrence o WHERE o.workspace = snapshot.workspace AND o.address = snapshot.address
			AND o.station_id = snapshot.station_id AND o.start = snapshot.start AND o.body = snapshot.body)`
	endStations = `UPDATE snapshot SET gone = ?1 WHERE gone IS NULL AND workspace = '' AND address = '' AND NOT EXISTS (
		SELECT 1 FROM station s WHERE s.id = snapshot.station_id AND s.body = snapshot.body)`
	// Where the journal has not grown since, the one before is replaced.
	dropNever = `DELETE FROM snapshot WHERE gone <= first`

	keepOccurrences = `INSERT INTO snapshot (workspace, address, station_id, start, first, gone, body)
		SELECT workspace, address, station_id, start, ?1, NULL, body FROM occurrence o WHERE NOT EXISTS (
			SELECT 1 FROM snapshot s WHERE s.workspace = o.workspace AND s.address = o.address
				AND s.station_id = o.station_id AND s.start = o.start AND s.gone IS NULL)`
	keepStations = `INSERT INTO snapshot (workspace, address, station_id, start, first, gone, body)
		SELECT '', '', id, 0, ?1, NULL, body FROM station o WHERE NOT EXISTS (
			SELECT 1 FROM snapshot s WHERE s.workspace = '' AND s.address = '' AND s.station_id = o.id
				AND s.start = 0 AND s.gone IS NULL)`
)

// writeCheckpoint keeps all books as they are, in the transaction that is open.
func writeCheckpoint(c *conn, rules int, now time.Time) error {
	var seq int64
	if err := c.scan(lastLine, nil, &seq); err != nil {
		return err
	}
	if _, err := c.exec(putCheckpoint, seq, ms(now), rules); err != nil {
		return err
	}
	for _, text := range []string{endOccurrences, endStations} {
		if _, err := c.exec(text, seq); err != nil {
			return err
		}
	}
	if _, err := c.exec(dropNever); err != nil {
		return err
	}
	for _, text := range []string{keepOccurrences, keepStations} {
		if _, err := c.exec(text, seq); err != nil {
			return err
		}
	}
	return nil
}

// anchor writes a checkpoint where what follows is folded with other rules than
// what was before.
func (w *writer) anchor() error {
	var rules int
	err := w.c.scan("SELECT rules FROM checkpoint ORDER BY seq DESC LIMIT 1", nil, &rules)
	if err == nil && rules == reservation.RulesVersion {
		return nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return w.transact(func() error { return writeCheckpoint(w.c, reservation.RulesVersion, time.Now()) })
}

// Checkpoint keeps all books as they are now. A new state has one before its
// first line, and each version of the rules begins with one.
func (db *DB) Checkpoint(ctx context.Context, now time.Time) error {
	if db.w == nil {
		return fmt.Errorf("state: checkpoint: %w", errReadOnly)
	}
	err := db.w.exclusive(ctx, func(c *conn) error { return writeCheckpoint(c, reservation.RulesVersion, now) })
	if err != nil {
		return fmt.Errorf("state: checkpoint: %w", explain(err))
	}
	return nil
}

// Checkpoints are those that there are, the oldest first.
func (db *DB) Checkpoints(ctx context.Context) ([]reservation.Checkpoint, error) {
	all, err := checkpoints(onPool{ctx, db.read}, "TRUE")
	if err != nil {
		return nil, fmt.Errorf("state: read checkpoints: %w", explain(err))
	}
	return all, nil
}

func checkpoints(q querier, where string, args ...any) (all []reservation.Checkpoint, err error) {
	err = each(q, "SELECT seq, at, rules FROM checkpoint WHERE "+where+" ORDER BY seq", args, func(rows *sql.Rows) error {
		var c reservation.Checkpoint
		var at int64
		err := rows.Scan(&c.Seq, &at, &c.Rules)
		c.At = atMs(at)
		all = append(all, c)
		return err
	})
	return all, err
}

// BooksAt are the books of a checkpoint, by station, with all that was in them.
// The lines after it, folded into them with its rules, give those of the next.
func (db *DB) BooksAt(ctx context.Context, seq int64) (map[string]*reservation.Book, error) {
	const text = `SELECT station_id, address, body FROM snapshot WHERE first <= ?1 AND (gone IS NULL OR gone > ?1)`
	books := map[string]*reservation.Book{}
	err := each(onPool{ctx, db.read}, text, []any{seq}, func(rows *sql.Rows) error {
		var id, address string
		var body sql.RawBytes
		if err := rows.Scan(&id, &address, &body); err != nil {
			return err
		}
		if books[id] == nil {
			books[id] = reservation.NewBook(id)
		}
		if address == "" {
			s, err := decode[reservation.Station](body)
			if err == nil {
				books[id].Station = *s
			}
			return err
		}
		o, err := decode[reservation.Occurrence](body)
		if err == nil {
			books[id].Put(o)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("state: read the checkpoint at %d: %w", seq, explain(err))
	}
	return books, nil
}
