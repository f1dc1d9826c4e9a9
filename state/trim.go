package state

import (
	"context"
	"fmt"
)

// Trim lets go of memory that silence leaves behind: the books of stations that
// have been silent since the last call of it, what SQLite has cached, and idle
// connections. All of it is read again when it is asked for.
func (db *DB) Trim(ctx context.Context) error {
	db.cache.trim()
	db.read.SetMaxIdleConns(-1) // closes them
	db.read.SetMaxIdleConns(readers())
	if db.w == nil {
		return nil
	}
	err := db.w.queue.call(ctx, func() error {
		_, err := db.w.c.exec("PRAGMA shrink_memory")
		return err
	})
	if err != nil {
		return fmt.Errorf("state: trim: %w", explain(err))
	}
	return nil
}
