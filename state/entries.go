package state

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/resctl/resctl/reservation"
)

// Entries returns a line for every address of a workspace, or, for "", of all:
// what is wanted of it and where the occurrence of its window stands.
// What is no longer wanted somewhere has a line, without a hash, as long as an
// occurrence there is active. Sorted by workspace, address, station.
//
// Target and Window are the declaration's where there is one, otherwise, and
// of a schedule, the occurrence's. Nothing is decoded: only columns are read.
func (db *DB) Entries(ctx context.Context, workspace string) ([]reservation.Entry, error) {
	found := map[place]*standing{}
	err := db.snapshot(ctx, func(q querier) error {
		if err := readWanted(q, workspace, found); err != nil {
			return err
		}
		return readStandings(q, workspace, found)
	})
	if err != nil {
		return nil, fmt.Errorf("state: read entries: %w", explain(err))
	}
	sorted := slices.SortedFunc(maps.Values(found), (*standing).compare)
	all := make([]reservation.Entry, 0, len(sorted))
	for _, s := range sorted {
		if s.Hash != "" || s.active {
			all = append(all, s.Entry)
		}
	}
	return all, nil
}

// place is an address at a station.
type place struct{ workspace, address, station string }

// standing is an entry on its way.
type standing struct {
	reservation.Entry
	active bool  // of the occurrence it shows
	start  int64 // of the occurrence it shows
	shown  bool
}

func (s *standing) compare(o *standing) int {
	if c := strings.Compare(s.Workspace, o.Workspace); c != 0 {
		return c
	}
	if c := strings.Compare(s.Address, o.Address); c != 0 {
		return c
	}
	return strings.Compare(s.StationID, o.StationID)
}

func readWanted(q querier, workspace string, found map[place]*standing) error {
	const text = `SELECT workspace, address, station_id, hash, evse, connector_type, start, expiry, recurs FROM wanted`
	where, args := ofWorkspace(workspace)
	return each(q, text+where, args, func(rows *sql.Rows) error {
		var e reservation.Entry
		var start, expiry int64
		err := rows.Scan(&e.Workspace, &e.Address, &e.StationID, &e.Hash, &e.Target.EVSE, &e.Target.ConnectorType,
			&start, &expiry, &e.Recurs)
		e.Window = reservation.Window{Start: atMs(start), Expiry: atMs(expiry)}
		found[place{e.Workspace, e.Address, e.StationID}] = &standing{Entry: e}
		return err
	})
}

func readStandings(q querier, workspace string, found map[place]*standing) error {
	const text = `SELECT workspace, address, station_id, start, expiry, phase, reason, active,
		reservation_id, evse, connector_type, since, ever_held, moving FROM occurrence`
	where, args := ofWorkspace(workspace)
	return each(q, text+where, args, func(rows *sql.Rows) error {
		var s standing
		var expiry, since int64
		err := rows.Scan(&s.Workspace, &s.Address, &s.StationID, &s.start, &expiry, &s.Phase, &s.Reason, &s.active,
			&s.ID, &s.Target.EVSE, &s.Target.ConnectorType, &since, &s.EverHeld, &s.Moving)
		if err != nil {
			return err
		}
		s.Since = atMs(since)
		s.Window = reservation.Window{Start: atMs(s.start), Expiry: atMs(expiry)}
		k := place{s.Workspace, s.Address, s.StationID}
		if known := found[k]; known != nil {
			known.show(s)
			return nil
		}
		s.shown = true
		found[k] = &s
		return nil
	})
}

// show takes over an occurrence if it is the one to be shown: that of the
// wanted window or, where nothing is wanted any more, the latest that is active.
func (s *standing) show(o standing) {
	takes := !s.shown || o.start > s.start
	if s.Recurs {
		takes = !s.shown || reservation.Foremost(o.Phase, o.Window.Start, s.Phase, s.Window.Start)
	} else if s.Hash != "" {
		takes = o.start == ms(s.Window.Start)
	} else if o.active != s.active {
		takes = o.active
	}
	if !takes {
		return
	}
	s.Phase, s.Reason, s.Since, s.ID, s.EverHeld, s.Moving = o.Phase, o.Reason, o.Since, o.ID, o.EverHeld, o.Moving
	s.active, s.start, s.shown = o.active, o.start, true
	if s.Recurs {
		s.Window = o.Window
	}
	if s.Hash == "" {
		s.Target, s.Window = o.Target, o.Window
	}
}

func ofWorkspace(workspace string) (string, []any) {
	if workspace == "" {
		return "", nil
	}
	return " WHERE workspace = ?", []any{workspace}
}
