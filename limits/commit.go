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

// Replay runs groups of rows on a database, one durable transaction for each
// group, and returns how long that took. Statements are prepared before.
func Replay(ctx context.Context, path string, groups [][]Row) (took time.Duration, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw&_txlock=immediate&_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	prepared, err := prepare(ctx, c, groups)
	if err != nil {
		return 0, err
	}
	begin, commit := prepared["BEGIN IMMEDIATE"], prepared["COMMIT"]
	began := time.Now()
	for _, group := range groups {
		if _, err := begin.Exec(); err != nil {
			return 0, err
		}
		for _, r := range group {
			if _, err := prepared[r.Text].Exec(r.Args...); err != nil {
				return 0, err
			}
		}
		if _, err := commit.Exec(); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

func prepare(ctx context.Context, c *sql.Conn, groups [][]Row) (map[string]*sql.Stmt, error) {
	prepared := map[string]*sql.Stmt{}
	add := func(text string) (err error) {
		if prepared[text] == nil {
			prepared[text], err = c.PrepareContext(ctx, text)
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
	return prepared, err
}
