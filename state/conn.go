package state

import (
	"context"
	"database/sql"
	"errors"
)

// querier is what loading needs of a connection or a transaction.
type querier interface {
	query(q string, args ...any) (*sql.Rows, error)
}

// conn is the connection that writes; the writer's goroutine alone uses it. It
// keeps its statements. Nothing on it is ever cancelled.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

func (c *conn) prepare(q string) (*sql.Stmt, error) {
	if s := c.stmts[q]; s != nil {
		return s, nil
	}
	s, err := c.c.PrepareContext(context.Background(), q)
	if err == nil {
		c.stmts[q] = s
	}
	return s, err
}

// close gives the connection back without its statements: with one left open
// SQLite would keep the file, and its log would stay behind.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

func (c *conn) query(q string, args ...any) (*sql.Rows, error) {
	s, err := c.prepare(q)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// exec runs a statement and returns how many rows it changed.
func (c *conn) exec(q string, args ...any) (int64, error) {
	s, err := c.prepare(q)
	if err != nil {
		return 0, err
	}
	r, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// scan reads the first row into dst.
func (c *conn) scan(q string, args []any, dst ...any) error { return scanOne(c, q, args, dst...) }

// begin starts a writing transaction; it holds the file's write lock at once.
func (c *conn) begin() error {
	_, err := c.exec("BEGIN IMMEDIATE")
	return err
}

func (c *conn) commit() error {
	_, err := c.exec("COMMIT")
	return err
}

// rollback ends a transaction of which SQLite may have rid itself already.
func (c *conn) rollback() { _, _ = c.exec("ROLLBACK") }

// onPool is a querier over the readers' pool, or over one snapshot of it.
type onPool struct {
	ctx context.Context
	db  interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}
}

func (p onPool) query(q string, args ...any) (*sql.Rows, error) {
	return p.db.QueryContext(p.ctx, q, args...)
}

// scanOne reads the first row into dst; sql.ErrNoRows where there is none.
func scanOne(q querier, text string, args []any, dst ...any) error {
	found := false
	err := each(q, text, args, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(dst...)
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return err
}

// each visits the rows of a query.
func each(q querier, text string, args []any, visit func(*sql.Rows) error) (err error) {
	rows, err := q.query(text, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
