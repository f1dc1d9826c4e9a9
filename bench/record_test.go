package bench

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"modernc.org/sqlite"

	"github.com/resctl/resctl/limits"
)

// recorder takes down every row that is written, group by group, so that the
// limit can write the same ones.
type recorder struct {
	mu     sync.Mutex
	on     bool
	err    error
	open   []limits.Row
	groups [][]limits.Row
}

// theRecorder is attached to every connection of this process: SQLite's driver
// has no narrower hook.
var theRecorder = sync.OnceValue(func() *recorder {
	r := &recorder{}
	sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, _ string) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.on {
			c.(sqlite.HookRegisterer).RegisterPreUpdateHook(r.row)
			c.(sqlite.HookRegisterer).RegisterCommitHook(r.commit)
		}
		return nil
	})
	return r
})

// record attaches the recorder to the databases that open opens.
func record(open func()) *recorder {
	r := theRecorder()
	r.mu.Lock()
	r.on, r.open, r.groups, r.err = true, nil, nil, nil
	r.mu.Unlock()
	open()
	r.mu.Lock()
	r.on = false
	r.mu.Unlock()
	return r
}

// forget drops what was recorded so far.
func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open, r.groups, r.err = nil, nil, nil
}

func (r *recorder) take(tb testing.TB) [][]limits.Row {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		tb.Fatal(r.err)
	}
	return r.groups
}

func (r *recorder) commit() int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups, r.open = append(r.groups, r.open), nil
	return 0
}

func (r *recorder) row(d sqlite.SQLitePreUpdateData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	is := make([]any, d.Count())
	was := make([]any, d.Count())
	if d.Op == opDelete {
		r.fail(d.Old(was...))
	} else {
		r.fail(d.New(is...))
	}
	if d.Op == opUpdate {
		r.fail(d.Old(was...))
	}
	row, err := statement(d.TableName, d.Op, was, is)
	r.fail(err)
	r.open = append(r.open, row)
}

func (r *recorder) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

const (
	opDelete = 9
	opInsert = 18
	opUpdate = 23
)

// statement is the one by which the product wrote a row. The texts are copies:
// TestTheLimitWritesTheSame notices where they differ in effect.
func statement(table string, op int32, was, is []any) (limits.Row, error) {
	switch {
	case table == "journal" && op == opInsert:
		return limits.Row{Text: `INSERT INTO journal (seq, at, kind, station_id, workspace, address, reservation_id, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, Args: is}, nil
	case table == "occurrence" && op != opDelete:
		return limits.Row{Text: `INSERT INTO occurrence (workspace, address, station_id, start, phase, reason, active, due, expiry,
				reservation_id, evse, connector_type, since, ever_held, moving, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET phase = excluded.phase, reason = excluded.reason, active = excluded.active,
				due = excluded.due, expiry = excluded.expiry, reservation_id = excluded.reservation_id,
				evse = excluded.evse, connector_type = excluded.connector_type, since = excluded.since,
				ever_held = excluded.ever_held, moving = excluded.moving, body = excluded.body`, Args: is}, nil
	case table == "ids" && op != opDelete:
		return limits.Row{Text: `INSERT INTO ids (reservation_id, station_id, workspace, address, start) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET workspace = excluded.workspace, address = excluded.address, start = excluded.start
			WHERE station_id = excluded.station_id`, Args: is}, nil
	case table == "wanted" && op != opDelete:
		return limits.Row{Text: `INSERT INTO wanted (workspace, address, station_id, hash, evse, connector_type, start, expiry, recurs, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET station_id = excluded.station_id, hash = excluded.hash, evse = excluded.evse,
				connector_type = excluded.connector_type, start = excluded.start, expiry = excluded.expiry,
				recurs = excluded.recurs, body = excluded.body`, Args: is}, nil
	case table == "station" && op == opInsert:
		return limits.Row{Text: `INSERT INTO station (id, serial, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, Args: is}, nil
	case table == "station" && op == opUpdate && reflect.DeepEqual(was[2], is[2]):
		return limits.Row{Text: `UPDATE station SET serial = serial + 1 WHERE id = ? AND serial = ?`, Args: []any{is[0], was[1]}}, nil
	case table == "station" && op == opUpdate:
		return limits.Row{Text: `UPDATE station SET serial = serial + 1, body = ? WHERE id = ? AND serial = ?`, Args: []any{is[2], is[0], was[1]}}, nil
	case table == "meta" && op == opUpdate:
		return limits.Row{Text: `UPDATE meta SET next_id = ?, next_connection = ?`, Args: is[4:6]}, nil
	case table == "workspace" && op == opInsert:
		return limits.Row{Text: `INSERT INTO workspace (name, serial) VALUES (?, ?) ON CONFLICT DO NOTHING`, Args: is}, nil
	case table == "workspace" && op == opUpdate:
		return limits.Row{Text: `UPDATE workspace SET serial = serial + 1 WHERE name = ? AND serial = ?`, Args: []any{is[0], was[1]}}, nil
	}
	return limits.Row{}, fmt.Errorf("record: %s: operation %d is new here", table, op)
}
