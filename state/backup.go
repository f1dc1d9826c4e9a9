package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Copied says what a backup holds.
type Copied struct {
	Size    int64 // bytes
	Lineage string
	Serials map[string]int64 // by workspace
	Last    int64            // the journal's
}

// Backup copies the state at path to a file of its own, of one moment, while
// others write. The file appears whole and verified, on disk, with mode 0600, or
// not at all. One that is there is replaced only with force, and the state itself
// never. The error is fs.ErrExist where force is missing.
func Backup(ctx context.Context, path, to string, force bool) (Copied, error) {
	c, err := backUp(ctx, path, to, force)
	if err != nil {
		return c, fmt.Errorf("state: backup %s: %w", to, explain(err))
	}
	return c, nil
}

func backUp(ctx context.Context, path, to string, force bool) (Copied, error) {
	abs, err := checkedFile(ctx, path)
	if err != nil {
		return Copied{}, err
	}
	if err := vacant(to, abs, force); err != nil {
		return Copied{}, err
	}
	pool, err := sql.Open("sqlite", dsn(abs, copying))
	if err != nil {
		return Copied{}, err
	}
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return Copied{}, err
	}
	defer conn.Close()
	return copyTo(ctx, to, func(part string) error { return vacuumInto(ctx, conn, part) })
}

// Receive writes a backup that comes from elsewhere to a file of its own, as Backup
// does: whole and verified, or not at all. fetch is called once it is known that
// the file may be written; what it gives is closed.
func Receive(ctx context.Context, to string, force bool, fetch func() (io.ReadCloser, error)) (Copied, error) {
	if err := vacant(to, "", force); err != nil {
		return Copied{}, fmt.Errorf("state: backup %s: %w", to, err)
	}
	from, err := fetch()
	if err != nil {
		return Copied{}, err
	}
	defer from.Close()
	c, err := copyTo(ctx, to, func(part string) error {
		f, err := os.OpenFile(part, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, from)
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return c, fmt.Errorf("state: backup %s: %w", to, explain(err))
	}
	return c, nil
}

// vacant refuses to write to what is there, without force, and to the state.
func vacant(to, state string, force bool) error {
	switch there, err := os.Stat(to); {
	case err == nil && state != "" && sameFile(state, there):
		return errors.New("it is the state itself; choose another path")
	case err == nil && !there.Mode().IsRegular():
		return errors.New("it is there, and no regular file; choose another path")
	case err == nil && !force:
		return fs.ErrExist
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if _, err := os.Stat(filepath.Dir(to)); errors.Is(err, fs.ErrNotExist) { // nothing is wrong with the state
		return errors.New("its directory is not there")
	}
	return nil
}

// copyTo has a copy appear at a path, and tells what is in it.
func copyTo(ctx context.Context, to string, write func(part string) error) (made Copied, err error) {
	err = appear(to, func(part string) (err error) {
		if err = write(part); err == nil {
			made, err = inspectCopy(ctx, part)
		}
		return err
	})
	return made, err
}

// checkedFile is the absolute path of a state that this version can read.
func checkedFile(ctx context.Context, path string) (abs string, err error) {
	if abs, err = filepath.Abs(path); err != nil {
		return "", err
	}
	if err := checkFile(abs); err != nil {
		return "", err
	}
	steps, err := migrations()
	if err != nil {
		return "", err
	}
	found, err := inspect(ctx, abs)
	if err != nil {
		return "", err
	}
	if found.version < len(steps) && !found.empty() {
		found.version = len(steps) // an older one can be copied, and brought forward
	}
	return abs, found.check(Options{ReadOnly: true}, len(steps))
}

func sameFile(path string, other os.FileInfo) bool {
	st, err := os.Stat(path)
	return err == nil && os.SameFile(st, other)
}

// inspectCopy holds a copy against itself, and tells what is in it.
func inspectCopy(ctx context.Context, path string) (c Copied, err error) {
	pool, err := sql.Open("sqlite", dsn(path, reading))
	if err != nil {
		return c, err
	}
	defer pool.Close()
	q := onPool{ctx, pool}
	if err := intact(q); err != nil {
		return c, err
	}
	c.Serials = map[string]int64{}
	err = errors.Join(
		scanOne(q, "SELECT lineage FROM meta", nil, &c.Lineage),
		scanOne(q, lastLine, nil, &c.Last),
		each(q, "SELECT name, serial FROM workspace", nil, func(rows *sql.Rows) error {
			var name string
			var serial int64
			err := rows.Scan(&name, &serial)
			c.Serials[name] = serial
			return err
		}))
	if st, err2 := os.Stat(path); err == nil && err2 == nil {
		c.Size = st.Size()
	}
	return c, err
}

// intact has SQLite look through all of a file.
func intact(q querier) error {
	var said string
	if err := scanOne(q, "PRAGMA integrity_check(1)", nil, &said); err != nil {
		return err
	}
	if said != "ok" {
		return fmt.Errorf("the file is damaged: %s", said)
	}
	return nil
}

// idsApart is how far the ids of a restored state are from those of the backup:
// whatever was asked for since is below them.
const idsApart = 1 << 24

// Restore puts a backup in the place of the state at path, for which the caller
// holds the lock. What is there is moved aside, under the name that it returns; ""
// where there was nothing. The restored state has a lineage of its own, ids far
// above those of the backup, no belief that is not in doubt, and is frozen as a
// whole. If it fails, nothing has changed.
func Restore(ctx context.Context, from, path string, r reservation.Restoration, now time.Time) (aside string, err error) {
	aside, err = restore(ctx, from, path, r, now)
	if err != nil {
		return "", fmt.Errorf("state: restore %s: %w", from, explain(err))
	}
	return aside, nil
}

func restore(ctx context.Context, from, path string, r reservation.Restoration, now time.Time) (aside string, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	source, err := checkedFile(ctx, from)
	if err != nil {
		return "", err
	}
	if there, err := os.Stat(abs); err == nil && sameFile(source, there) {
		return "", errors.New("it is the state itself; name a backup")
	}
	next := abs + ".restoring"
	defer func() {
		left, _ := filepath.Glob(next + "*") // of a failure, or of bringing an older schema forward
		for _, name := range left {
			_ = os.Remove(name)
		}
	}()
	if _, err := backUp(ctx, source, next, true); err != nil {
		return "", err
	}
	if err := rebirth(ctx, next, r, now); err != nil {
		return "", err
	}
	return replace(ctx, abs, next, now)
}

// rebirth makes a state of its own of a copy.
func rebirth(ctx context.Context, path string, r reservation.Restoration, now time.Time) (err error) {
	db, err := Open(ctx, path, Options{Migrate: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.w.exclusive(ctx, newLineage); err != nil {
		return err
	}
	if err := db.w.queue.call(ctx, db.w.reread); err != nil {
		return err
	}
	stations, err := db.Stations(ctx)
	if err != nil {
		return err
	}
	events := []reservation.Event{{At: now, Kind: reservation.Restored, Restored: &r}}
	for _, s := range stations {
		for _, connection := range s.Live {
			events = append(events, reservation.Event{At: now, Kind: reservation.Disconnected, StationID: s.ID, Connection: connection})
		}
		events = append(events, reservation.Event{At: now, Kind: reservation.Restored, StationID: s.ID})
	}
	events = append(events, reservation.Event{At: now, Kind: reservation.Frozen, Workspace: reservation.AllWorkspaces,
		Halt: &reservation.Halt{By: r.By, Reason: "restored from " + r.File}})
	_, err = db.Append(ctx, events...)
	return err
}

// newLineage gives the state another name, and ids that were not used since.
func newLineage(c *conn) error {
	var highest, next int64
	err := c.scan("SELECT (SELECT coalesce(max(reservation_id), 0) FROM ids), next_id FROM meta", nil, &highest, &next)
	if err != nil {
		return err
	}
	if next = max(highest, next-1) + idsApart; next > math.MaxInt32 {
		return errors.New("its reservation ids end below 2^31; start a new state")
	}
	_, err = c.exec("UPDATE meta SET lineage = ?, next_id = ?", newName(), next)
	return err
}

// replace puts a file in the place of the state, which is kept under another
// name. There is a state at path at every moment.
func replace(ctx context.Context, path, next string, now time.Time) (aside string, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", errors.Join(os.Rename(next, path), syncDirectory(path))
	}
	if db, err := Open(ctx, path, Options{}); err == nil { // closing it empties its log into the file
		if err := db.Close(); err != nil {
			return "", err
		}
	}
	aside = path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	if _, err := os.Lstat(aside); err == nil {
		return "", fmt.Errorf("%s is there already; try again in a second", aside)
	}
	// A log that is left, of a state that is damaged, must not meet the new file.
	for _, beside := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+beside, aside+beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := os.Link(path, aside); err != nil { // not every file system has links
		if err := os.Rename(path, aside); err != nil {
			return "", err
		}
	}
	return aside, errors.Join(os.Rename(next, path), syncDirectory(path))
}

// syncDirectory has the names beside a file on disk.
func syncDirectory(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
		err = nil // Windows has no such thing
	}
	return errors.Join(err, d.Close())
}
