package state

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/resctl/resctl/reservation"
)

// InUseError says where a token is still needed.
type InUseError struct{ Where []string }

// Error names the places.
func (e *InUseError) Error() string {
	return "the token is still used by " + strings.Join(e.Where, ", ")
}

// Erased says what became of a token.
type Erased struct {
	Fingerprint string
	Rows        int // that had it, the journal's lines among them
	Left        int // rows that have its characters elsewhere: in an address, or in a text
}

// tokenTables are the tables that may hold tokens.
var tokenTables = [...]string{"wanted", "occurrence", "station", "station_declaration", "token_declaration", "journal", "snapshot"}

// ErrNoToken says that nothing of a state has the token.
var ErrNoToken = errors.New("the state has no such token")

// TokenOf finds the token of a fingerprint. Several may have the same: then the
// characters have to be told.
func (db *DB) TokenOf(ctx context.Context, fingerprint string) (string, error) {
	m, err := db.Meta(ctx)
	if err != nil {
		return "", err
	}
	found := map[string]string{} // by what is compared
	for _, table := range tokenTables {
		err := each(onPool{ctx, db.read}, "SELECT body FROM "+table, nil, func(rows *sql.Rows) error {
			var body sql.RawBytes
			if err := rows.Scan(&body); err != nil {
				return err
			}
			return walkTokens(body, func(_, _ int, text string) {
				if (reservation.Token{IDToken: text}).Fingerprint(m.Secret) == fingerprint {
					found[strings.ToUpper(text)] = text
				}
			})
		})
		if err != nil {
			return "", fmt.Errorf("state: look for a token: %w", explain(err))
		}
	}
	switch len(found) {
	case 0:
		return "", ErrNoToken
	case 1:
		for _, token := range found {
			return token, nil
		}
	}
	return "", fmt.Errorf("%d tokens have the fingerprint %s", len(found), fingerprint)
}

// Erase replaces a token, in whatever case it is written, by a placeholder
// everywhere: in what was declared, in the books, in every line of the journal. Each
// spelling keeps one of its own, so that the journal still gives the same books.
// Then the file is written anew and its log emptied, so that no page of them has it
// any more. It is refused with an InUseError while something wanted or open has it.
// The caller holds the lock.
func (db *DB) Erase(ctx context.Context, token, by string, now time.Time) (Erased, error) {
	if db.w == nil {
		return Erased{}, fmt.Errorf("state: erase: %w", errReadOnly)
	}
	m, err := db.Meta(ctx)
	if err != nil {
		return Erased{}, err
	}
	e := &eraser{token: token, placeholders: map[string]string{}}
	if _, err := rand.Read(e.name[:]); err != nil {
		return Erased{}, err
	}
	done := Erased{Fingerprint: reservation.Token{IDToken: token}.Fingerprint(m.Secret)}
	err = db.w.exclusive(ctx, func(c *conn) (err error) {
		if err = e.inUse(c); err == nil {
			done.Rows, err = e.replaceAll(c)
		}
		if err == nil && done.Rows == 0 {
			err = ErrNoToken
		}
		return err
	})
	if errors.Is(err, ErrNoToken) { // an attempt before may have got no further
		err = errors.Join(err, db.w.queue.call(ctx, func() error { return scrub(db.w.c) }))
	}
	if err == nil {
		err = db.w.queue.call(ctx, db.w.reread)
	}
	if err == nil {
		_, err = db.Append(ctx, reservation.Event{At: now, Kind: reservation.Erased,
			Erasure: &reservation.Erasure{By: by, Fingerprint: done.Fingerprint, Rows: done.Rows}})
	}
	if err == nil {
		err = db.w.queue.call(ctx, func() error { return scrub(db.w.c) })
	}
	if err == nil {
		done.Left, err = e.left(ctx, db)
	}
	if err != nil {
		return done, fmt.Errorf("state: erase a token: %w", explain(err))
	}
	return done, nil
}

// eraser replaces one token.
type eraser struct {
	token        string
	name         [4]byte           // of the placeholder
	placeholders map[string]string // by spelling
}

// placeholder stands for one spelling of the token. All of them are equal when
// case is not looked at, as the spellings are.
func (e *eraser) placeholder(spelling string) string {
	if p, ok := e.placeholders[spelling]; ok {
		return p
	}
	p := []byte("erased-" + hex.EncodeToString(e.name[:]))
	for i := range 6 { // in the word erased
		if len(e.placeholders)>>i&1 == 1 {
			p[i] -= 'a' - 'A'
		}
	}
	e.placeholders[spelling] = string(p)
	return string(p)
}

func (e *eraser) same(text string) bool { return strings.EqualFold(text, e.token) }

// has reports whether a body has the token.
func (e *eraser) has(body []byte) (found bool, err error) {
	err = walkTokens(body, func(_, _ int, text string) { found = found || e.same(text) })
	return found, err
}

// inUse says where the token is needed.
func (e *eraser) inUse(c *conn) error {
	var where []string
	look := func(text string) error {
		return each(c, text, nil, func(rows *sql.Rows) error {
			var name string
			var body sql.RawBytes
			if err := rows.Scan(&name, &body); err != nil {
				return err
			}
			found, err := e.has(body)
			if found && (len(where) == 0 || where[len(where)-1] != name) {
				where = append(where, name)
			}
			return err
		})
	}
	err := errors.Join(
		look("SELECT address, body FROM wanted ORDER BY workspace, address"),
		look("SELECT address, body FROM occurrence WHERE active = 1 ORDER BY workspace, address"),
		look("SELECT address, body FROM token_declaration ORDER BY workspace, address"),
		look("SELECT 'a transaction at ' || id, body FROM station ORDER BY id"))
	if err == nil && len(where) > 0 {
		err = &InUseError{where}
	}
	return err
}

// replaceAll rewrites the rows that have the token, and says how many.
func (e *eraser) replaceAll(c *conn) (n int, err error) {
	for _, table := range tokenTables {
		changed := map[int64]string{}
		err := each(c, "SELECT rowid, body FROM "+table, nil, func(rows *sql.Rows) error {
			var id int64
			var body sql.RawBytes
			if err := rows.Scan(&id, &body); err != nil {
				return err
			}
			next, err := e.replace(body)
			if next != nil {
				changed[id] = string(next)
			}
			return err
		})
		if err != nil {
			return n, err
		}
		for id, body := range changed {
			if _, err := c.exec("UPDATE "+table+" SET body = ? WHERE rowid = ?", body, id); err != nil {
				return n, err
			}
		}
		n += len(changed)
	}
	return n, nil
}

// replace is a body without the token; nil: it never had it.
func (e *eraser) replace(body []byte) ([]byte, error) {
	var next []byte
	last := 0
	err := walkTokens(body, func(from, to int, text string) {
		if e.same(text) {
			quoted, _ := json.Marshal(e.placeholder(text)) // strings never fail
			next = append(append(next, body[last:from]...), quoted...)
			last = to
		}
	})
	if next != nil {
		next = append(next, body[last:]...)
	}
	return next, err
}

// left counts the rows that have the token's characters where they are no token.
func (e *eraser) left(ctx context.Context, db *DB) (n int, err error) {
	for _, table := range tokenTables {
		var here int
		text := "SELECT count(*) FROM " + table + " WHERE instr(upper(body), upper(?)) > 0"
		if err := scanOne(onPool{ctx, db.read}, text, []any{e.token}, &here); err != nil {
			return n, err
		}
		n += here
	}
	return n, nil
}

// walkTokens visits the strings of a body that are the characters of a token:
// those under id_token and additional_id_token, with where they stand.
func walkTokens(body []byte, visit func(from, to int, text string)) error {
	if !bytes.Contains(body, []byte(`id_token"`)) {
		return nil
	}
	w := walker{json.NewDecoder(bytes.NewReader(body)), body, visit}
	if err := w.value(""); err != nil {
		return fmt.Errorf("stored body: %w", err)
	}
	return nil
}

type walker struct {
	*json.Decoder
	body  []byte
	visit func(from, to int, text string)
}

// value walks through one value, which stands under a key.
func (w *walker) value(key string) error {
	before := int(w.InputOffset())
	t, err := w.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case string:
		if key == "id_token" || key == "additional_id_token" {
			from := before + bytes.IndexByte(w.body[before:], '"')
			w.visit(from, int(w.InputOffset()), t)
		}
		return nil
	case json.Delim:
		for w.More() {
			name := ""
			if t == '{' {
				k, err := w.Token()
				if err != nil {
					return err
				}
				name, _ = k.(string)
			}
			if err := w.value(name); err != nil {
				return err
			}
		}
		_, err = w.Token() // its end
	}
	return err
}

// scrub has no page of the file, and none of its log, that was ever replaced.
func scrub(c *conn) error {
	if _, err := c.exec("VACUUM"); err != nil {
		return err
	}
	var busy, pages, moved int
	if err := c.scan("PRAGMA wal_checkpoint(TRUNCATE)", nil, &busy, &pages, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("another process reads the state, so that its log could not be emptied; end it and try again")
	}
	return nil
}
