package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// How much is done while others wait.
const (
	cutLines   = 5_000
	freedPages = 1_000
)

// perCheckpoint is how many checkpoints there are in the time that is kept.
const perCheckpoint = 9

// dropEnded drops what has ended, as the checkpoint ?1 has it, and is as it was
// there. What stays: what is wanted, and the last of it that there was; what is
// one half of a move whose other half is not over; and whatever a line since may
// have looked at, so that a replay goes as it went. Its ids stay used.
const dropEnded = `DELETE FROM occurrence AS o WHERE active = 0
	AND EXISTS (SELECT 1 FROM snapshot s WHERE s.workspace = o.workspace AND s.address = o.address
		AND s.station_id = o.station_id AND s.start = o.start AND s.first <= ?1 AND s.gone IS NULL AND s.body = o.body)
	AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.workspace = o.workspace AND w.address = o.address AND (w.start = o.start
		OR NOT EXISTS (SELECT 1 FROM occurrence n WHERE n.workspace = o.workspace AND n.address = o.address AND n.start > o.start)))
	AND NOT EXISTS (SELECT 1 FROM occurrence a WHERE a.workspace = o.workspace AND a.address = o.address
		AND a.start = o.start AND a.active = 1)
	AND (o.workspace, o.address) NOT IN (SELECT workspace, address FROM journal
			WHERE seq > ?1 AND kind IN ('declared', 'renamed', 'released', 'superseded')
		UNION ALL SELECT workspace, coalesce(json_extract(body, '$.change.before.address'), '') FROM journal
			WHERE seq > ?1 AND kind = 'declared'
		UNION ALL SELECT workspace, coalesce(json_extract(body, '$.from'), '') FROM journal
			WHERE seq > ?1 AND kind = 'renamed')
	AND (o.workspace, o.address, o.start) NOT IN (SELECT i.workspace, i.address, i.start FROM ids i
		WHERE i.reservation_id IN (SELECT j.reservation_id FROM journal j WHERE j.seq > ?1))`

// No occurrence goes but by dropEnded.
const dropSnapshots = `DELETE FROM snapshot WHERE gone IS NULL AND address <> '' AND NOT EXISTS (
	SELECT 1 FROM occurrence o WHERE o.workspace = snapshot.workspace AND o.address = snapshot.address
		AND o.station_id = snapshot.station_id AND o.start = snapshot.start)`

// Retain cuts the journal at the newest checkpoint that is older than keep, and
// drops what had ended by then. It writes a checkpoint where the latest is not
// young enough to be cut at in time, so that it has to be called now and then; where
// nothing is due it costs nothing. Others write in between. If it ends early, the
// next call goes on.
func (db *DB) Retain(ctx context.Context, keep time.Duration, now time.Time) error {
	if db.w == nil {
		return fmt.Errorf("state: retain: %w", errReadOnly)
	}
	err := db.w.exclusive(ctx, func(c *conn) error {
		if err := checkpointInTime(c, keep, now); err != nil {
			return err
		}
		return cutAt(c, now.Add(-keep))
	})
	if err == nil {
		err = db.inSteps(ctx, cutSome)
	}
	if err == nil {
		err = db.inSteps(ctx, freeSome)
	}
	if err != nil {
		return fmt.Errorf("state: retain: %w", explain(err))
	}
	return nil
}

// inSteps has the writer run f until it says that it is done.
func (db *DB) inSteps(ctx context.Context, f func(*conn) (done bool, err error)) error {
	for done := false; !done; {
		err := db.w.queue.call(ctx, func() (err error) {
			done, err = f(db.w.c)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkpointInTime writes a checkpoint if there is something to keep, and the
// latest is old.
func checkpointInTime(c *conn, keep time.Duration, now time.Time) error {
	var seq, at, last int64
	err := c.scan("SELECT seq, at FROM checkpoint ORDER BY seq DESC LIMIT 1", nil, &seq, &at)
	if err == nil {
		err = c.scan(lastLine, nil, &last)
	}
	if err != nil || last == seq || now.Sub(atMs(at)) < keep/perCheckpoint {
		return err
	}
	return writeCheckpoint(c, reservation.RulesVersion, now)
}

// cutAt makes the newest checkpoint from before a time the first.
func cutAt(c *conn, before time.Time) error {
	old, err := checkpoints(c, "at <= ?", ms(before))
	if err != nil || len(old) < 2 {
		return err
	}
	base := old[len(old)-1].Seq
	for _, text := range []string{
		"UPDATE checkpoint SET cut = 1 WHERE seq = ?1",
		"DELETE FROM checkpoint WHERE seq < ?1",
		"DELETE FROM snapshot WHERE gone <= ?1",
		dropEnded,
	} {
		if _, err := c.exec(text, base); err != nil {
			return err
		}
	}
	_, err = c.exec(dropSnapshots)
	return err
}

// cutSome deletes lines from before the first checkpoint.
func cutSome(c *conn) (done bool, err error) {
	n, err := c.exec(`DELETE FROM journal WHERE seq IN (SELECT seq FROM journal
		WHERE seq <= (SELECT max(seq) FROM checkpoint WHERE cut = 1) ORDER BY seq LIMIT ?)`, cutLines)
	return n < cutLines, err
}

// freeSome gives pages back that nothing is on.
func freeSome(c *conn) (done bool, err error) {
	var before, after int
	if err := c.scan("PRAGMA freelist_count", nil, &before); err != nil || before == 0 {
		return true, err
	}
	if err := each(c, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", freedPages), nil, func(*sql.Rows) error { return nil }); err != nil {
		return true, err
	}
	err = c.scan("PRAGMA freelist_count", nil, &after)
	return after == 0 || after >= before, err
}

// Began is the checkpoint after which the journal begins; the zero one where
// nothing was ever cut.
func (db *DB) Began(ctx context.Context) (reservation.Checkpoint, error) {
	all, err := checkpoints(onPool{ctx, db.read}, "cut = 1")
	if err != nil {
		return reservation.Checkpoint{}, fmt.Errorf("state: where the journal begins: %w", explain(err))
	}
	if len(all) == 0 {
		return reservation.Checkpoint{}, nil
	}
	return all[0], nil
}
