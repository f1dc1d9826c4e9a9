package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Options say how a state is opened. The zero Options create what is missing
// and refuse a schema that is older or newer.
type Options struct {
	ReadOnly bool // nothing is created or written
	Migrate  bool // an older schema is brought forward, after a backup
	Fold     reservation.Fold
	// FirstReservationID is where a new state's ids start; 0: at random.
	FirstReservationID int32
}

// DB is an open state. Its methods may be called from any goroutine.
type DB struct {
	path  string
	fold  reservation.Fold
	read  *sql.DB
	tail  hub
	cache cache
	meter atomic.Pointer[func(time.Duration, error)]
	w     *writer // nil: read-only
}

// Open opens the state at path. Without ReadOnly a missing file is made, with
// mode 0600; with it the error is fs.ErrNotExist.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	steps, err := migrations()
	if err != nil {
		return nil, err
	}
	return openWith(ctx, path, o, steps)
}

func openWith(ctx context.Context, path string, o Options, steps []string) (*DB, error) {
	db, err := open(ctx, path, o, steps)
	if err != nil {
		return nil, fmt.Errorf("state: open %s: %w", path, explain(err))
	}
	return db, nil
}

func open(ctx context.Context, path string, o Options, steps []string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if err := create(abs); err != nil {
			return nil, err
		}
	}
	if err := checkFile(abs); err != nil {
		return nil, err
	}
	found, err := inspect(ctx, abs)
	if err != nil {
		return nil, err
	}
	if err := found.check(o, len(steps)); err != nil {
		return nil, err
	}
	db := &DB{path: abs, fold: o.Fold}
	if err := db.connect(ctx, o, steps); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// connect opens the connections, brings the schema forward, starts the writer.
func (db *DB) connect(ctx context.Context, o Options, steps []string) error {
	var err error
	if !o.ReadOnly {
		pool, err := sql.Open("sqlite", dsn(db.path, writing))
		if err != nil {
			return err
		}
		pool.SetMaxOpenConns(1)
		c, err := pool.Conn(ctx)
		if err != nil {
			return errors.Join(err, pool.Close())
		}
		db.w = newWriter(db, pool, c)
		if err := migrate(ctx, db.path, c, steps, o.FirstReservationID); err != nil {
			return err
		}
	}
	if db.read, err = sql.Open("sqlite", dsn(db.path, reading)); err != nil {
		return err
	}
	db.read.SetMaxOpenConns(readers())
	db.read.SetMaxIdleConns(readers())
	if db.w != nil {
		return db.w.start()
	}
	return db.read.PingContext(ctx)
}

// readers is how many connections read at a time.
func readers() int { return max(4, runtime.NumCPU()) }

// Close waits for what is queued to be committed and closes the file.
func (db *DB) Close() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close()) // first, so that the writer is the last to leave
	}
	if db.w != nil {
		errs = append(errs, db.w.stop())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("state: close %s: %w", db.path, err)
	}
	return nil
}

// Settings are typed, so that SQLite's driver refuses a misspelt one. Writing
// transactions take their lock at once: one that began by reading and finds
// that it must wait would fail, whatever the timeout.
const (
	writing = "mode=rw&_txlock=immediate&_busy_timeout=5000&_auto_vacuum=INCREMENTAL&_journal_mode=WAL&_synchronous=FULL" +
		"&_foreign_keys=1&_dqs=0&_defensive=1&_error_rc=1"
	// A reader opens read-write, where it may, so that the last one to leave
	// removes the files that the log needs.
	reading = "mode=rw&_busy_timeout=5000&_query_only=1&_dqs=0&_error_rc=1"
	// VACUUM INTO counts as writing, though it only reads here.
	copying = "mode=rw&_busy_timeout=5000&_dqs=0&_error_rc=1"
	looking = "mode=ro&_busy_timeout=5000&_query_only=1&_dqs=0&_error_rc=1"
)

func dsn(abs, settings string) string {
	switch {
	case writable(abs):
	case settings == reading:
		settings = looking
	case settings == copying:
		settings = strings.Replace(copying, "mode=rw", "mode=ro", 1)
	}
	escape := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")
	return "file:" + escape.Replace(filepath.ToSlash(abs)) + "?" + settings
}

func writable(abs string) bool {
	st, err := os.Stat(abs)
	return err == nil && st.Mode().Perm()&0o200 != 0
}

// create makes an empty file that only its owner may read: it will hold
// tokens. SQLite gives the files beside it the same mode.
func create(abs string) error {
	f, err := os.OpenFile(abs, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// checkFile looks at the file without opening it: closing a file that SQLite
// has open elsewhere in this process would drop SQLite's locks.
func checkFile(abs string) error {
	st, err := os.Stat(abs)
	switch {
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return errors.New("not a regular file; name a file, such as resctl.db")
	case runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may read it (mode %04o), and it holds tokens; run chmod 600 on it", st.Mode().Perm())
	}
	return nil
}
