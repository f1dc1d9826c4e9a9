package state

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What callers branch on, beside reservation.ErrStale.
var (
	// ErrNewerSchema: a newer resctl wrote the file.
	ErrNewerSchema = errors.New("the state was written by a newer resctl; upgrade this one")
	// ErrOlderSchema: an older resctl wrote the file; what migrates can use it.
	ErrOlderSchema = errors.New("the state was written by an older resctl")
	// ErrLocked: another process holds the lock; see LockedError.
	ErrLocked = errors.New("the state is in use by another process")
	// ErrPassing: the disk or another process is in the way, and not what was to be
	// stored. Nothing was stored, and the same may be stored later.
	ErrPassing = errors.New("the state takes nothing now")
)

var (
	errClosed   = errors.New("the state is closed")
	errMoved    = errors.New("the stations' books keep changing; try again")
	errReadOnly = errors.New("the state was opened for reading only")
)

// explain adds to an error of SQLite what to do about it.
func explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	if isPassing(e.Code()) {
		err = passing{err}
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("not a SQLite file; choose another path or move it away: %w", err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("the file is damaged; restore a backup with resctl restore: %w", err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("nothing was stored; free some disk space and try again: %w", err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("nothing was stored; check the disk and the permissions beside the state: %w", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fmt.Errorf("cannot write; give this user write permission on the file and its directory: %w", err)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("cannot be opened; check that the directory exists and may be written by this user: %w", err)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("another process is writing and did not finish in time; try again: %w", err)
	}
	return err
}

// passing is an error that is ErrPassing as well.
type passing struct{ error }

func (p passing) Unwrap() error      { return p.error }
func (passing) Is(target error) bool { return target == ErrPassing }

// isPassing tells by the code of SQLite whether the same may be stored later.
func isPassing(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM:
		return true
	}
	return false
}

// ofRow reports whether an error may be due to one row of a group, and not to
// the database as a whole.
func ofRow(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return true
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return true
	}
	return false
}
