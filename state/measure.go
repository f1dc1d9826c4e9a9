package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Measure has f called for each Append that was stored, or that the disk
// refused: with how long it waited and what failed. f holds up the writer, so
// it is quick. What changed nothing, or was refused by the fold, is left out.
func (db *DB) Measure(f func(waited time.Duration, err error)) { db.meter.Store(&f) }

func (db *DB) measured(jobs []*job, err error) {
	f := db.meter.Load()
	if f == nil {
		return
	}
	now := time.Now()
	for _, j := range jobs {
		if !j.finished() {
			(*f)(now.Sub(j.asked), err)
		}
	}
}

// Queued is how many Appends wait for the writer.
func (db *DB) Queued() int {
	if db.w == nil {
		return 0
	}
	return len(db.w.queue.urgent) + len(db.w.queue.observed)
}

// Writable writes something that changes nothing, to disk and through the same
// writer as everything else.
func (db *DB) Writable(ctx context.Context) error {
	if db.w == nil {
		return errReadOnly
	}
	err := db.w.exclusive(ctx, func(c *conn) error {
		_, err := c.exec("UPDATE meta SET next_id = next_id")
		return err
	})
	if err != nil {
		return fmt.Errorf("state: write: %w", explain(err))
	}
	return nil
}

// Standing is where occurrences stand, and how many.
type Standing struct {
	Workspace string
	Phase     reservation.Phase // at the time that was asked for
	Dropped   bool              // by the station; still wanted, and its window is open
	Count     int
}

// Standings counts the occurrences by workspace and phase: all that are stored,
// also those that have ended. Of Dropped, those are counted that were dropped
// before a time. It reads every row, though not what is in it.
func (db *DB) Standings(ctx context.Context, now, droppedBefore time.Time) ([]Standing, error) {
	const text = `SELECT workspace, CASE WHEN phase = 'scheduled' AND due <= ?1 THEN 'pending' ELSE phase END,
		phase = 'removed' AND expiry > ?1 AND since <= ?2 AND EXISTS (SELECT 1 FROM wanted AS w WHERE w.workspace = o.workspace
			AND w.address = o.address AND w.station_id = o.station_id AND w.start = o.start),
		count(*) FROM occurrence AS o GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`
	var all []Standing
	err := each(onPool{ctx, db.read}, text, []any{ms(now), ms(droppedBefore)}, func(rows *sql.Rows) error {
		var s Standing
		err := rows.Scan(&s.Workspace, &s.Phase, &s.Dropped, &s.Count)
		all = append(all, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("state: count occurrences: %w", explain(err))
	}
	return all, nil
}
