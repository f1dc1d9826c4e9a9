package state

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/resctl/resctl/reservation"
)

// maxCascade bounds how far one event may reach from book to book.
const maxCascade = 8

// counters are what only the writer may count on.
type counters struct {
	seq        int64 // the journal's last
	id         int64 // the next reservation id
	connection int64 // the next
	free       int64 // up to here ids are known to be free; 0 but within a group
}

// rowKey names an occurrence among a station's.
type rowKey struct {
	workspace, address string
	start              int64
}

func keyOf(k reservation.Key) rowKey { return rowKey{k.Workspace, k.Address, ms(k.Start)} }

// page is one station's book on its way, with what differs from the store.
type page struct {
	book        *reservation.Book // ours to change; Serial as stored
	at          time.Time         // of the last event
	occurrences map[rowKey]*reservation.Occurrence
	station     bool
	loaded      map[[2]string]bool // addresses that are in the book whole
}

func newPage(b *reservation.Book, at time.Time) *page {
	return &page{book: b, at: at, occurrences: map[rowKey]*reservation.Occurrence{}}
}

func (p *page) dirty() bool { return p.station || len(p.occurrences) > 0 }

// absorb notes what the fold has changed in b.
func (p *page) absorb(b *reservation.Book) (changed bool) {
	occurrences, station := b.Changes()
	for _, o := range occurrences {
		p.occurrences[keyOf(o.Key)] = o
	}
	p.station = p.station || station
	return station || len(occurrences) > 0
}

// draft is what one caller's events make of the books. Nothing of it shows
// until it is taken over whole.
type draft struct {
	fold   reservation.Fold
	q      querier
	book   func(station string, at time.Time) (*reservation.Book, error) // a copy, to be changed
	now    time.Time
	count  counters
	pages  map[string]*page
	lines  []reservation.Event // in the journal's order
	own    []int               // per event of the caller: its line, or -1
	result []reservation.Event
	fresh  int32 // the last id that was given: nobody knows it yet
}

// run folds the caller's events, and what follows from them.
func (d *draft) run(events []reservation.Event) error {
	if d.pages == nil {
		d.pages = map[string]*page{}
	}
	for i := range events {
		if err := d.add(events[i]); err != nil {
			return err
		}
	}
	for _, p := range d.pages {
		p.absorb(p.book)
	}
	return nil
}

func (d *draft) add(e reservation.Event) error {
	e, err := d.stamp(e)
	if err != nil {
		return err
	}
	d.own = append(d.own, len(d.lines))
	d.result = append(d.result, e)
	quiet, err := d.apply(e, 0)
	if quiet {
		d.own[len(d.own)-1] = -1
	}
	return err
}

// stamp gives an event what only the journal can.
func (d *draft) stamp(e reservation.Event) (reservation.Event, error) {
	if e.At.IsZero() {
		e.At = d.now
	}
	e.Seq, e.At, e.Start = 0, toMs(e.At), toMs(e.Start)
	if e.Kind == reservation.Connected && e.Connection == 0 {
		e.Connection = d.count.connection
		d.count.connection++
	}
	if e.Kind == reservation.Requested && e.ReservationID == 0 && e.Call != nil && e.Call.Kind == reservation.ReserveNow {
		id, err := d.freshID()
		if err != nil {
			return e, err
		}
		e.ReservationID, d.fresh = id, id
	}
	return e, nil
}

// freshID is the next id that was never used, by us or, as far as the journal
// knows, by anybody at one of our stations. A group looks once how far they go.
func (d *draft) freshID() (int32, error) {
	for d.count.id > 0 && d.count.id <= math.MaxInt32 {
		if d.count.id < d.count.free {
			d.count.id++
			return int32(d.count.id - 1), nil
		}
		var used sql.NullInt64
		if err := scanOne(d.q, nextUsed, []any{d.count.id}, &used); err != nil {
			return 0, err
		}
		switch {
		case !used.Valid:
			d.count.free = math.MaxInt32 + 1
		case used.Int64 == d.count.id:
			d.count.id++
		default:
			d.count.free = used.Int64
		}
	}
	return 0, errors.New("reservation id: all below 2^31 are used; start a new state")
}

// apply folds one event into its station's book, notes its line, and does the
// same with its cascade. A report that changes nothing that is stored is quiet:
// it has no line.
func (d *draft) apply(e reservation.Event, depth int) (quiet bool, err error) {
	if depth > maxCascade {
		return false, fmt.Errorf("%s %s: the cascade of one event does not end", e.Kind, e.Address)
	}
	var cascade []reservation.Event
	if e.StationID != "" {
		p, err := d.page(e)
		if err != nil {
			return false, err
		}
		if cascade, quiet, err = p.apply(d.fold, e); err != nil || quiet {
			return quiet, err
		}
	}
	d.lines = append(d.lines, e)
	for _, c := range cascade {
		if c, err = d.stamp(c); err != nil {
			return false, err
		}
		if _, err := d.apply(c, depth+1); err != nil {
			return false, err
		}
	}
	return false, nil
}

// apply calls the fold. A report gets a copy of the book, which shows whether
// it changed anything. A fold that panics fails the event, not the process.
func (p *page) apply(fold reservation.Fold, e reservation.Event) (cascade []reservation.Event, quiet bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: malformed event: %v", e.Kind, r)
		}
	}()
	if !mayBeQuiet(e.Kind) {
		cascade, err = fold.Apply(p.book, e)
		return cascade, false, err
	}
	p.absorb(p.book)
	next := p.book.Clone()
	if cascade, err = fold.Apply(next, e); err != nil {
		return nil, false, err
	}
	quiet = !p.absorb(next) && len(cascade) == 0
	p.book = next
	return cascade, quiet, nil
}

func mayBeQuiet(k reservation.Kind) bool {
	switch k {
	case reservation.Status, reservation.Transaction, reservation.Reported, reservation.Booted:
		return true
	}
	return false
}

// page is the station's book with all in it that the event may touch.
func (d *draft) page(e reservation.Event) (*page, error) {
	p := d.pages[e.StationID]
	if p == nil {
		b, err := d.book(e.StationID, e.At)
		if err != nil {
			return nil, err
		}
		p = newPage(b, e.At)
		d.pages[e.StationID] = p
	}
	if e.At.After(p.at) {
		p.at = e.At
	}
	if !covers(p.book, p.at) {
		if err := (shelf{e.StationID: p.book}).extend(d.q, moments{e.StationID: p.at}); err != nil {
			return nil, err
		}
	}
	return p, d.need(p, e)
}

// need loads the occurrences of the event's address, where its own is not in
// the book, and those of the address that has or had its reservation id.
func (d *draft) need(p *page, e reservation.Event) error {
	whole := e.Kind == reservation.Declared || p.book.Find(e.Key()) == nil
	if e.Address != "" && whole {
		if err := d.needAddress(p, e.Workspace, e.Address); err != nil {
			return err
		}
	}
	if from := e.Formerly(); from != "" {
		if err := d.needAddress(p, e.Workspace, from); err != nil {
			return err
		}
	}
	if e.Kind == reservation.Declared || e.ReservationID == 0 || e.ReservationID == d.fresh || p.book.ByID(e.ReservationID) != nil {
		return nil
	}
	var workspace, address string
	err := scanOne(d.q, byID, []any{e.ReservationID, e.StationID}, &workspace, &address)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // not ours
	}
	if err != nil {
		return err
	}
	return d.needAddress(p, workspace, address)
}

func (d *draft) needAddress(p *page, workspace, address string) error {
	k := [2]string{workspace, address}
	if p.loaded[k] || p.book.Serial == 0 { // what is not stored has nothing to load
		return nil
	}
	if p.loaded == nil {
		p.loaded = map[[2]string]bool{}
	}
	p.loaded[k] = true
	return shelf{p.book.Station.ID: p.book}.take(d.q, nil, ofRows, workspace, address, p.book.Station.ID)
}

func toMs(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}
