package state

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
)

// applicationID marks a SQLite file as a state of resctl ("resc").
const applicationID = 0x72657363

//go:embed schema/*.sql
var schema embed.FS

// migrations are the steps from each schema version to the next, in order.
func migrations() ([]string, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	var steps []string
	for _, name := range names {
		step, err := schema.ReadFile(name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, string(step))
	}
	return steps, nil
}

// found is what a file says of itself.
type found struct {
	application int64
	version     int
	tables      int
}

// inspect reads a file's marks on a connection that changes nothing, not even
// the journal mode: the file may be another program's.
func inspect(ctx context.Context, abs string) (found, error) {
	pool, err := sql.Open("sqlite", dsn(abs, reading))
	if err != nil {
		return found{}, err
	}
	defer pool.Close()
	tx, err := pool.BeginTx(ctx, nil) // another process may be making the file
	if err != nil {
		return found{}, err
	}
	f, err := inspectOn(ctx, tx)
	return f, errors.Join(err, tx.Rollback())
}

func inspectOn(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (f found, err error) {
	if err = q.QueryRowContext(ctx, "PRAGMA application_id").Scan(&f.application); err != nil {
		return f, err // what else is asked would say the same
	}
	err = errors.Join(
		q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&f.version),
		q.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&f.tables))
	return f, err
}

func (f found) empty() bool { return f == found{} }

// check decides whether the file may be opened.
func (f found) check(o Options, known int) error {
	switch {
	case f.empty() && !o.ReadOnly:
		return nil
	case f.empty():
		return fmt.Errorf("the file is empty: nothing was applied yet: %w", fs.ErrNotExist)
	case f.application != applicationID:
		return fmt.Errorf("a SQLite file of another program (application_id %#x); choose another path", f.application)
	case f.version > known:
		return fmt.Errorf("schema version %d, known up to %d: %w", f.version, known, ErrNewerSchema)
	case f.version < known && (o.ReadOnly || !o.Migrate):
		return fmt.Errorf("schema version %d is older than %d; resctl apply brings it forward, after a backup: %w", f.version, known, ErrOlderSchema)
	}
	return nil
}

// migrate brings the schema forward in one transaction. What was there before
// is copied first.
func migrate(ctx context.Context, abs string, c *sql.Conn, steps []string, firstID int32) error {
	f, err := inspectOn(ctx, c)
	if err != nil || f.version == len(steps) {
		return err
	}
	if !f.empty() {
		if err := appear(fmt.Sprintf("%s.bak-v%d", abs, f.version), func(part string) error { return vacuumInto(ctx, c, part) }); err != nil {
			return fmt.Errorf("backup before the migration: %w", err)
		}
	}
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if f, err = inspectOn(ctx, tx); err != nil { // another process may have been faster
		return err
	}
	for v := f.version; v < len(steps); v++ {
		if _, err := tx.ExecContext(ctx, steps[v]); err != nil {
			return fmt.Errorf("migrate to schema version %d: %w", v+1, err)
		}
	}
	if f.empty() {
		if err := initialise(ctx, tx, firstID); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps))); err != nil {
		return err
	}
	return tx.Commit()
}

// initialise gives a new state its name and where its ids start: far from those
// of other lineages, so that stations which served two of them mix up nothing.
func initialise(ctx context.Context, tx *sql.Tx, firstID int32) error {
	if firstID <= 0 {
		n, err := rand.Int(rand.Reader, big.NewInt(1<<10-1))
		if err != nil {
			return err
		}
		firstID = int32(n.Int64()+1) << 20
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO meta (one, lineage, secret, next_id, next_connection) VALUES (1, ?, ?, ?, 1)`,
		newName(), secret, firstID)
	return err
}

// newName is a lineage.
func newName() string {
	name := make([]byte, 16)
	rand.Read(name)
	return hex.EncodeToString(name)
}

// vacuumInto copies the database, as it is at one moment, into an empty file.
func vacuumInto(ctx context.Context, c *sql.Conn, part string) error {
	_, err := c.ExecContext(ctx, "VACUUM INTO ?", part)
	return err
}

// appear makes a file of what write does to an empty one, for its owner alone: it
// appears whole and on disk, or not at all.
func appear(to string, write func(part string) error) (err error) {
	part := to + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := create(part); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := write(part); err != nil {
		return err
	}
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(part, to), syncDirectory(to))
}
