package state

import "context"

// Notice looks whether another process has written, such as one with which an
// operator paused a station. If so, what is in memory is forgotten, and
// everybody who waits here is woken to look again.
func (db *DB) Notice(ctx context.Context) error {
	if db.w == nil {
		return errReadOnly
	}
	w := db.w
	return w.queue.call(ctx, func() error {
		others, err := w.othersWrote()
		if err != nil || !others {
			return err
		}
		return w.reread()
	})
}
