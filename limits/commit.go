package limits

import (
	"context"
	"database/sql"
	"errors"
	"time"

	_ "modernc.org/sqlite" // registers "sqlite"
)

// Row is one statement with its arguments.
type Row struct {
	Text string
	Args []any
}

// Database is one connection, with the statements that it will be given.
type Database struct {
	db       *sql.DB
	c        *sql.Conn
	prepared map[string]*sql.Stmt
}

// Open prepares the statements of all groups.
func Open(ctx context.Context, path string, groups [][]Row) (*Database, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw&_txlock=immediate&_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		return nil, err
	}
	d := &Database{db: db, prepared: map[string]*sql.Stmt{}}
	if d.c, err = db.Conn(ctx); err == nil {
		err = d.prepare(ctx, groups)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close closes the file.
func (d *Database) Close() error {
	var err error
	if d.c != nil {
		err = d.c.Close()
	}
	return errors.Join(err, d.db.Close())
}

func (d *Database) prepare(ctx context.Context, groups [][]Row) error {
	add := func(text string) (err error) {
		if d.prepared[text] == nil {
			d.prepared[text], err = d.c.PrepareContext(ctx, text)
		}
		return err
	}
	err := errors.Join(add("BEGIN IMMEDIATE"), add("COMMIT"))
	for _, group := range groups {
		for _, r := range group {
			if err == nil {
				err = add(r.Text)
			}
		}
	}
	return err
}

// Commit runs rows as one durable transaction.
func (d *Database) Commit(rows []Row) error {
	if _, err := d.prepared["BEGIN IMMEDIATE"].Exec(); err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := d.prepared[r.Text].Exec(r.Args...); err != nil {
			return err
		}
	}
	_, err := d.prepared["COMMIT"].Exec()
	return err
}

// Replay runs groups of rows on a database, one durable transaction for each
// group, and returns how long that took. Statements are prepared before.
func Replay(ctx context.Context, path string, groups [][]Row) (took time.Duration, err error) {
	d, err := Open(ctx, path, groups)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	began := time.Now()
	for _, group := range groups {
		if err := d.Commit(group); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
