package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/resctl/resctl/reservation"
)

// The statements that write.
const (
	putLine = `INSERT INTO journal (seq, at, kind, station_id, workspace, address, reservation_id, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

	putOccurrence = `INSERT INTO occurrence (workspace, address, station_id, start, phase, reason, active, due, expiry,
			reservation_id, evse, connector_type, since, ever_held, moving, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET phase = excluded.phase, reason = excluded.reason, active = excluded.active,
			due = excluded.due, expiry = excluded.expiry, reservation_id = excluded.reservation_id,
			evse = excluded.evse, connector_type = excluded.connector_type, since = excluded.since,
			ever_held = excluded.ever_held, moving = excluded.moving, body = excluded.body`

	// An id stays with its station for ever; within it an occurrence whose
	// window start or address is edited takes it along.
	putID = `INSERT INTO ids (reservation_id, station_id, workspace, address, start) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET workspace = excluded.workspace, address = excluded.address, start = excluded.start
		WHERE station_id = excluded.station_id`

	putWanted = `INSERT INTO wanted (workspace, address, station_id, hash, evse, connector_type, start, expiry, recurs, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET station_id = excluded.station_id, hash = excluded.hash, evse = excluded.evse,
			connector_type = excluded.connector_type, start = excluded.start, expiry = excluded.expiry,
			recurs = excluded.recurs, body = excluded.body`
	// A move declares two changes of one address, in either order.
	dropWanted = `DELETE FROM wanted WHERE workspace = ? AND address = ? AND station_id = ?`

	putDeclaration = `INSERT INTO station_declaration (workspace, address, id, hash, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET id = excluded.id, hash = excluded.hash, body = excluded.body`
	dropDeclaration = `DELETE FROM station_declaration WHERE workspace = ? AND address = ? AND id = ?`

	putToken = `INSERT INTO token_declaration (workspace, address, body) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET body = excluded.body`
	dropToken = `DELETE FROM token_declaration WHERE workspace = ? AND address = ?`

	newStation  = `INSERT INTO station (id, serial, body) VALUES (?, 1, ?) ON CONFLICT DO NOTHING`
	bodyStation = `UPDATE station SET serial = serial + 1, body = ? WHERE id = ? AND serial = ?`
	bumpStation = `UPDATE station SET serial = serial + 1 WHERE id = ? AND serial = ?`

	putFrozen  = `INSERT INTO frozen (workspace, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body`
	dropFrozen = `DELETE FROM frozen WHERE workspace = ?`

	putCounters = `UPDATE meta SET next_id = ?, next_connection = ?`
)

// row is a statement with its arguments, all encoded.
type row struct {
	text string
	args []any
	// station is set where the row came of that station's book.
	station string
	id      int32 // a reservation id that the row claims for the station
}

// rows is everything that one transaction writes, encoded before it begins.
type rows struct {
	stations []stationRow
	rows     []row
	lines    []row // args less the sequence
}

type stationRow struct {
	id     string
	serial int64 // before
	row    row
}

// encode turns pages and lines into rows, in the order of the tables' keys.
// Addresses that are renamed take their past ids along.
func encode(pages map[string]*page, lines []reservation.Event, renamed map[[2]string]bool) (*rows, error) {
	r := &rows{lines: make([]row, len(lines))}
	var found []placed
	for _, id := range slices.Sorted(maps.Keys(pages)) {
		p := pages[id]
		if !p.dirty() {
			continue
		}
		s, err := encodeStation(p)
		if err != nil {
			return nil, err
		}
		r.stations = append(r.stations, s)
		for k, o := range p.occurrences {
			found = append(found, placed{k, id, o})
		}
	}
	slices.SortFunc(found, placed.compare)
	wanted := make([][]row, len(lines))
	occurrences := make([][]row, len(found))
	err := errors.Join(
		inParallel(len(lines), func(i int) (err error) {
			if r.lines[i], err = encodeLine(lines[i]); err == nil {
				wanted[i], err = encodeChange(lines[i])
			}
			return err
		}),
		inParallel(len(found), func(i int) (err error) {
			f := found[i]
			if occurrences[i], err = encodeOccurrence(f.station, f.o); renamed[[2]string{f.workspace, f.address}] {
				occurrences[i] = append(occurrences[i], pastIDs(f)...)
			}
			return err
		}))
	r.rows = slices.Concat(slices.Concat(wanted...), slices.Concat(occurrences...))
	return r, err
}

// placed is an occurrence with its full key.
type placed struct {
	rowKey
	station string
	o       *reservation.Occurrence
}

func (p placed) compare(q placed) int {
	return cmp.Or(cmp.Compare(p.workspace, q.workspace), cmp.Compare(p.address, q.address),
		cmp.Compare(p.station, q.station), cmp.Compare(p.start, q.start))
}

// inParallel runs f for every index, on all processors where that pays.
func inParallel(n int, f func(int) error) error {
	const chunk = 256
	if n <= chunk {
		for i := range n {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	var group sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n/chunk+1)
	errs := make([]error, workers)
	for w := range workers {
		group.Go(func() {
			for i := n * w / workers; i < n*(w+1)/workers && errs[w] == nil; i++ {
				errs[w] = f(i)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func encodeStation(p *page) (stationRow, error) {
	s := stationRow{id: p.book.Station.ID, serial: p.book.Serial}
	if s.serial > 0 && !p.station {
		s.row = row{text: bumpStation, args: []any{s.id, s.serial}}
		return s, nil
	}
	body, err := stationJSON(p.book.Station)
	if s.serial == 0 {
		s.row = row{text: newStation, args: []any{s.id, body}}
	} else {
		s.row = row{text: bodyStation, args: []any{body, s.id, s.serial}}
	}
	return s, err
}

// encodeLine leaves the sequence out of the body: it is known to the column.
func encodeLine(e reservation.Event) (row, error) {
	e.Seq = 0
	body, err := toJSON(e)
	return row{text: putLine, args: []any{int64(0), ms(e.At), string(e.Kind), e.StationID, e.Workspace, e.Address,
		e.ReservationID, body}}, err
}

func encodeOccurrence(station string, o *reservation.Occurrence) ([]row, error) {
	body, err := toJSON(o)
	target := o.Target()
	start := ms(o.Start)
	moving := o.Move != nil && !o.Move.Done && o.Move.From == station
	r := []row{{station: station, text: putOccurrence, args: []any{o.Workspace, o.Address, station, start, string(o.Phase), string(o.Reason),
		asInt(o.Active()), ms(o.Due), ms(o.Expiry()), o.ID, target.EVSE, target.ConnectorType, ms(o.Since),
		asInt(o.EverHeld), asInt(moving), body}}}
	if o.ID != 0 {
		r = append(r, row{station: station, text: putID, args: []any{o.ID, station, o.Workspace, o.Address, start}, id: o.ID})
	}
	return r, err
}

// renamedBy gives the addresses that have taken the place of others, with their
// workspaces.
func renamedBy(events []reservation.Event) map[[2]string]bool {
	all := map[[2]string]bool{}
	for _, e := range events {
		if e.Formerly() != "" {
			all[[2]string{e.Workspace, e.Address}] = true
			all[[2]string{e.Workspace, e.Formerly()}] = true // what was there may have changed places
		}
	}
	return all
}

// pastIDs take the ids of before along to a new address: they may still be
// reported on.
func pastIDs(p placed) (r []row) {
	for _, id := range p.o.Past {
		r = append(r, row{station: p.station, text: putID, args: []any{id, p.station, p.workspace, p.address, p.start}, id: id})
	}
	return r
}

// encodeChange is what an event does beside the books: to what is wanted, and to
// who may propose.
func encodeChange(e reservation.Event) ([]row, error) {
	c := e.Change
	switch {
	case e.Kind == reservation.Frozen:
		body, err := toJSON(e.Ordered())
		return []row{{text: putFrozen, args: []any{e.Workspace, body}}}, err
	case e.Kind == reservation.Unfrozen:
		return []row{{text: dropFrozen, args: []any{e.Workspace}}}, nil
	case e.Kind != reservation.Declared || c == nil:
		return nil, nil
	}
	if c.Setup != nil {
		return encodeSetup(c.Setup)
	}
	if c.Token != nil {
		return encodeToken(c.Token)
	}
	var r []row
	if b, a := c.Before, c.After; b != nil && (a == nil || a.Address != b.Address || a.Workspace != b.Workspace) {
		r = append(r, row{text: dropWanted, args: []any{b.Workspace, b.Address, b.StationID}})
	}
	if c.After == nil {
		return r, nil
	}
	w := c.After
	body, err := toJSON(w)
	return append(r, row{text: putWanted, args: []any{w.Workspace, w.Address, w.StationID, w.Declaration.Hash(),
		w.EVSE, w.ConnectorType, ms(w.Window.Start), ms(w.Window.Expiry), asInt(w.When.Schedule != nil), body}}), err
}

func encodeSetup(s *reservation.StationEdit) ([]row, error) {
	var r []row
	if b, a := s.Before, s.After; b != nil && (a == nil || a.Address != b.Address || a.Workspace != b.Workspace) {
		r = append(r, row{text: dropDeclaration, args: []any{b.Workspace, b.Address, b.ID}})
	}
	if s.After == nil {
		return r, nil
	}
	body, err := toJSON(s.After)
	return append(r, row{text: putDeclaration, args: []any{s.After.Workspace, s.After.Address, s.After.ID,
		s.After.Hash(), body}}), err
}

func encodeToken(t *reservation.TokenEdit) ([]row, error) {
	if t.After == nil {
		return []row{{text: dropToken, args: []any{t.Before.Workspace, t.Before.Address}}}, nil
	}
	body, err := toJSON(t.After)
	return []row{{text: putToken, args: []any{t.After.Workspace, t.After.Address, body}}}, err
}

// write runs everything but the stations' rows. It returns the last sequence.
func (r *rows) write(c *conn, seq int64) (int64, error) {
	for _, w := range r.rows {
		n, err := c.exec(w.text, w.args...)
		if err != nil {
			return seq, err
		}
		if w.id != 0 && n == 0 {
			return seq, fmt.Errorf("reservation id %d: it was used at another station than %s", w.id, w.station)
		}
	}
	for _, l := range r.lines {
		seq++
		l.args[0] = seq
		if _, err := c.exec(l.text, l.args...); err != nil {
			return seq, err
		}
	}
	return seq, nil
}

// writeStations runs the stations' rows and returns those whose book is not as
// it was when the rows were derived.
func (r *rows) writeStations(c *conn) (moved []string, err error) {
	for _, s := range r.stations {
		n, err := c.exec(s.row.text, s.row.args...)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			moved = append(moved, s.id)
		}
	}
	return moved, nil
}

func toJSON(v any) (string, error) {
	body, err := json.Marshal(v)
	return string(body), err
}

func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
