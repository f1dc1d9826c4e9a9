package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Meta is what the state knows of itself.
func (db *DB) Meta(ctx context.Context) (reservation.Meta, error) {
	m := reservation.Meta{Serials: map[string]int64{}}
	err := db.snapshot(ctx, func(q querier) error {
		var simulated sql.NullBool
		err := scanOne(q, "SELECT lineage, secret, simulated FROM meta", nil, &m.Lineage, &m.Secret, &simulated)
		if err != nil {
			return err
		}
		if simulated.Valid {
			m.Simulated = &simulated.Bool
		}
		if m.Frozen, err = frozen(q, ""); err != nil {
			return err
		}
		return each(q, "SELECT name, serial FROM workspace", nil, func(rows *sql.Rows) error {
			var name string
			var serial int64
			err := rows.Scan(&name, &serial)
			m.Serials[name] = serial
			return err
		})
	})
	if err != nil {
		return reservation.Meta{}, fmt.Errorf("state: read meta: %w", explain(err))
	}
	return m, nil
}

// frozen reads the freezes that may concern a workspace; "": all there are.
func frozen(q querier, workspace string) (map[string]reservation.Halt, error) {
	all := map[string]reservation.Halt{}
	err := each(q, "SELECT workspace, body FROM frozen WHERE ?1 = '' OR workspace IN (?1, ?2)",
		[]any{workspace, reservation.AllWorkspaces}, func(rows *sql.Rows) error {
			var name string
			var body sql.RawBytes
			if err := rows.Scan(&name, &body); err != nil {
				return err
			}
			h, err := decode[reservation.Halt](body)
			if err == nil {
				all[name] = *h
			}
			return err
		})
	return all, err
}

// Mark says whether the stations of this state are simulated. The first call
// decides; one that says otherwise later is refused.
func (db *DB) Mark(ctx context.Context, simulated bool) error {
	if db.w == nil {
		return fmt.Errorf("state: mark: %w", errReadOnly)
	}
	err := db.w.exclusive(ctx, func(c *conn) error {
		var was sql.NullBool
		if err := c.scan("SELECT simulated FROM meta", nil, &was); err != nil {
			return err
		}
		if was.Valid && was.Bool != simulated {
			return fmt.Errorf("it has met %s stations and cannot meet %s ones; use another --state",
				kindOf(was.Bool), kindOf(simulated))
		}
		_, err := c.exec("UPDATE meta SET simulated = ?", asInt(simulated))
		return err
	})
	if err != nil {
		return fmt.Errorf("state: mark: %w", explain(err))
	}
	return nil
}

func kindOf(simulated bool) string {
	if simulated {
		return "simulated"
	}
	return "real"
}

// Book is the loop's book of a station: what is open or due at now, and when
// the next will be, or earlier, where that was withdrawn. It is shared: whoever
// wants to change it clones it. A station of which nothing is known has an
// empty one. Once it was asked for at a later time, such as that of the next
// window, it may hold what is due by then: nothing is to be read then.
func (db *DB) Book(ctx context.Context, station string, now time.Time) (*reservation.Book, error) {
	b := db.cache.get(station)
	if b != nil && covers(b, now) {
		return b, nil
	}
	var err error
	if db.w == nil {
		err = db.snapshot(ctx, func(q querier) (err error) {
			b, err = loadBook(q, station, now)
			return err
		})
	} else {
		b, err = db.w.load(ctx, station, now)
	}
	if err != nil {
		return nil, fmt.Errorf("state: book of %s: %w", station, explain(err))
	}
	return b, nil
}

// Wanted returns what is wanted at the given addresses of a workspace, or, with
// none given, at all of them, sorted by address. What is not wanted is left out.
func (db *DB) Wanted(ctx context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error) {
	text, args := "SELECT body FROM wanted WHERE workspace = ?", []any{workspace}
	if len(addresses) > 0 {
		text, args = text+" AND address IN (SELECT value FROM json_each(?))", append(args, list(addresses))
	}
	all, err := bodies[reservation.Wanted](onPool{ctx, db.read}, text, args...)
	if err != nil {
		return nil, fmt.Errorf("state: read wanted of %s: %w", workspace, explain(err))
	}
	slices.SortFunc(all, func(a, b reservation.Wanted) int { return cmp.Compare(a.Address, b.Address) })
	return all, nil
}

// Stations returns what is believed of every station, sorted by identity.
func (db *DB) Stations(ctx context.Context) ([]reservation.Station, error) {
	all, err := bodies[reservation.Station](onPool{ctx, db.read}, "SELECT body FROM station ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("state: read stations: %w", explain(err))
	}
	return all, nil
}

// StationDeclarations returns the station blocks of a workspace, or, for "", of
// all, sorted by workspace and address.
func (db *DB) StationDeclarations(ctx context.Context, workspace string) ([]reservation.StationDeclaration, error) {
	all, err := bodies[reservation.StationDeclaration](onPool{ctx, db.read},
		"SELECT body FROM station_declaration WHERE ?1 = '' OR workspace = ?1 ORDER BY workspace, address", workspace)
	if err != nil {
		return nil, fmt.Errorf("state: read station declarations: %w", explain(err))
	}
	return all, nil
}

// TokenDeclarations returns the token blocks of a workspace, or, for "", of all,
// sorted by workspace and address.
func (db *DB) TokenDeclarations(ctx context.Context, workspace string) ([]reservation.TokenDeclaration, error) {
	all, err := bodies[reservation.TokenDeclaration](onPool{ctx, db.read},
		"SELECT body FROM token_declaration WHERE ?1 = '' OR workspace = ?1 ORDER BY workspace, address", workspace)
	if err != nil {
		return nil, fmt.Errorf("state: read token declarations: %w", explain(err))
	}
	return all, nil
}

// Occurrences returns everything known of addresses, at every station, sorted by
// address, station and start.
func (db *DB) Occurrences(ctx context.Context, workspace string, addresses ...string) ([]reservation.Placed, error) {
	all, err := standingAt(onPool{ctx, db.read}, `SELECT station_id, body FROM occurrence WHERE workspace = ?
		AND address IN (SELECT value FROM json_each(?)) ORDER BY address, station_id, start`, workspace, list(addresses))
	if err != nil {
		return nil, fmt.Errorf("state: read occurrences of %s: %w", workspace, explain(err))
	}
	return all, nil
}

// Over returns what has ended at some stations, and what nothing is to be done
// about any more: their late reports may still name it. Sorted by station.
func (db *DB) Over(ctx context.Context, stations ...string) ([]reservation.Placed, error) {
	all, err := standingAt(onPool{ctx, db.read}, `SELECT station_id, body FROM occurrence WHERE active = 0
		AND station_id IN (SELECT value FROM json_each(?)) ORDER BY station_id, workspace, address, start`, list(stations))
	if err != nil {
		return nil, fmt.Errorf("state: read what has ended: %w", explain(err))
	}
	return all, nil
}

func standingAt(q querier, text string, args ...any) ([]reservation.Placed, error) {
	var all []reservation.Placed
	err := each(q, text, args, func(rows *sql.Rows) error {
		var station string
		var body sql.RawBytes
		if err := rows.Scan(&station, &body); err != nil {
			return err
		}
		o, err := decode[reservation.Occurrence](body)
		all = append(all, reservation.Placed{StationID: station, Occurrence: o})
		return err
	})
	return all, err
}

func bodies[T any](q querier, text string, args ...any) ([]T, error) {
	var all []T
	err := each(q, text, args, func(rows *sql.Rows) error {
		var body sql.RawBytes
		if err := rows.Scan(&body); err != nil {
			return err
		}
		v, err := decode[T](body)
		if err == nil {
			all = append(all, *v)
		}
		return err
	})
	return all, err
}

// snapshot runs f on one connection that sees one state of the database.
func (db *DB) snapshot(ctx context.Context, f func(querier) error) error {
	tx, err := db.read.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return errors.Join(f(onPool{ctx, tx}), tx.Rollback())
}
