package state

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// TestTwoHandles: a second writer loses nothing of the first, and neither folds
// into a book that has moved.
func TestTwoHandles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	handles := []*DB{mustOpenAt(t, path, Options{}), mustOpenAt(t, path, Options{})}
	w := declare(t, handles[0], "w", "S", 1)[0]
	const each = 100
	var group sync.WaitGroup
	seen := make([][]reservation.Event, 2)
	for i, db := range handles {
		group.Go(func() {
			for n := range each {
				e, err := db.Append(t.Context(), statetest.Connect("S"))
				if err == nil {
					seen[i] = append(seen[i], e...)
					_, err = db.Append(t.Context(), statetest.Report("S", i*each+n+1, reservation.Available))
				}
				if err == nil {
					e, err = db.Append(t.Context(), statetest.Request(w, e[0].Connection, 0))
				}
				if errors.Is(err, reservation.ErrOldConnection) || errors.Is(err, reservation.ErrOutdated) { // the other one came between
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				seen[i] = append(seen[i], e...)
			}
		})
	}
	group.Wait()
	connections, ids, lines := map[int64]bool{}, map[int32]bool{}, map[int64]bool{}
	for _, e := range append(seen[0], seen[1]...) {
		if lines[e.Seq] || e.Kind == reservation.Connected && connections[e.Connection] || e.Kind == reservation.Requested && ids[e.ReservationID] {
			t.Fatalf("twice: %+v", e)
		}
		lines[e.Seq], connections[e.Connection], ids[e.ReservationID] = true, true, true
	}
	stations, err := handles[0].Stations(t.Context())
	if err != nil || len(stations[0].Connectors) != 2*each || len(stations[0].Live) != 2*each {
		t.Errorf("%d connectors, %d sockets, %v", len(stations[0].Connectors), len(stations[0].Live), err)
	}
	for i, db := range handles { // a proposal counts on from what the other one wrote
		if _, err := handles[1-i].Append(t.Context(), statetest.Connect("S")); err != nil {
			t.Fatal(err)
		}
		set := reservation.Changeset{Workspace: "w", Serial: int64(i + 1), Events: []reservation.Event{statetest.Declare(w, w)}}
		if _, err := db.Update(t.Context(), set); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNotice: what another process has stored is noticed by those who wait here,
// and a request from before it is refused; that a station's queue was draining is
// remembered.
func TestNotice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	here, there := mustOpenAt(t, path, Options{}), mustOpenAt(t, path, Options{})
	connected, err := here.Append(t.Context(), statetest.Connect("S"))
	if err != nil {
		t.Fatal(err)
	}
	w := statetest.Want("w", "reservation.a", "S", 1, time.Now())
	if _, err := here.Update(t.Context(), reservation.Changeset{Workspace: "w", Events: []reservation.Event{statetest.Declare(nil, w)}}); err != nil {
		t.Fatal(err)
	}
	queued := statetest.Report("S", 1, reservation.Available)
	queued.Queued = true
	if _, err := here.Append(t.Context(), queued); err != nil {
		t.Fatal(err)
	}
	if err := here.Notice(t.Context()); err != nil {
		t.Fatal(err)
	}
	woken, stop := here.Wake("S")
	defer stop()
	any := 0
	defer here.OnCommit(func(stations ...string) {
		if len(stations) == 0 {
			any++
		}
	})()
	if _, err := there.Append(t.Context(), reservation.Event{Kind: reservation.Paused, StationID: "S"}); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Append(t.Context(), statetest.Request(w, connected[0].Connection, 0)); !errors.Is(err, reservation.ErrOutdated) {
		t.Errorf("a request to a paused station: %v", err)
	}
	if any != 1 {
		t.Errorf("whoever writes has noticed the others: that any station may be touched was said %d times", any)
	}
	if _, err := there.Append(t.Context(), reservation.Event{Kind: reservation.Resumed, StationID: "S"}); err != nil {
		t.Fatal(err)
	}
	if err := here.Notice(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-woken:
	default:
		t.Error("nobody was woken")
	}
	if any != 2 {
		t.Errorf("that any station may be touched was said %d times", any)
	}
	b, err := here.Book(t.Context(), "S", time.Now())
	if err != nil || b.Station.Paused != nil || b.Station.QueuedAt.IsZero() {
		t.Errorf("%+v %v", b.Station, err)
	}
}

// TestTrim: the book of a station that is silent is forgotten, and is the same
// when it is read again.
func TestTrim(t *testing.T) {
	db := mustOpen(t, Options{})
	declare(t, db, "w", "S", 3)
	queued := statetest.Report("S", 1, reservation.Available)
	queued.Queued = true
	connected, err := db.Append(t.Context(), statetest.Connect("S"), statetest.Connect("T"))
	if err == nil {
		queued.Connection = connected[0].Connection
		_, err = db.Append(t.Context(), queued)
	}
	if err != nil {
		t.Fatal(err)
	}
	book := func(station string) *reservation.Book {
		t.Helper()
		b, err := db.Book(t.Context(), station, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	trim := func() {
		t.Helper()
		if err := db.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s, other := book("S"), book("T")
	trim()
	if book("T") != other {
		t.Error("a book that was just used is forgotten")
	}
	trim()
	if book("T") != other {
		t.Error("a book that is used is forgotten")
	}
	again := book("S")
	if again == s {
		t.Error("a book that nobody asks for is kept")
	}
	if !reflect.DeepEqual(again, s) || again.Station.QueuedAt.IsZero() {
		t.Errorf("%+v is not %+v", again, s)
	}
}

// TestReadersBesideTheWriter: everything may be read while it is written.
func TestReadersBesideTheWriter(t *testing.T) {
	db := mustOpen(t, Options{})
	declare(t, db, "w", "S", 50)
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			var serial int64
			for {
				select {
				case <-done:
					return
				default:
				}
				b, err := db.Book(t.Context(), "S", time.Now())
				entries, err2 := db.Entries(t.Context(), "w")
				_, err3 := db.Meta(t.Context())
				if err := errors.Join(err, err2, err3); err != nil || len(entries) != 50 || b.Serial < serial {
					t.Errorf("%d entries, serial %d after %d, %v", len(entries), b.Serial, serial, err)
					return
				}
				serial = b.Serial
			}
		})
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 50 {
				status := []reservation.EVSEStatus{reservation.Available, reservation.Occupied}[i%2]
				if _, err := db.Append(t.Context(), statetest.Report("S", w, status)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	group.Wait()
}

// TestMovedBooks: between preparing a proposal and storing it, books move.
func TestMovedBooks(t *testing.T) {
	for _, stations := range []int{3, maxMoved + 20} {
		t.Run(fmt.Sprint(stations), func(t *testing.T) {
			db := mustOpen(t, Options{})
			before, after := reservation.Changeset{Workspace: "w"}, reservation.Changeset{Workspace: "w", Serial: 1}
			for i := range stations {
				w := statetest.Want("w", fmt.Sprintf("reservation.van[%d]", i), fmt.Sprint("S", i), 1, time.Now())
				later := statetest.Want("w", w.Address, w.StationID, 2, w.Window.Start)
				before.Events = append(before.Events, statetest.Declare(nil, w))
				after.Events = append(after.Events, statetest.Declare(w, later))
			}
			if _, err := db.Update(t.Context(), before); err != nil {
				t.Fatal(err)
			}
			checks := 0
			after.Check = func(b *reservation.Book, mine []reservation.Event) error {
				if checks++; len(b.Occurrences) != 1 || len(mine) != 1 {
					return fmt.Errorf("%d occurrences, %d events", len(b.Occurrences), len(mine))
				}
				return nil
			}
			p, err := db.derive(t.Context(), after)
			if err != nil {
				t.Fatal(err)
			}
			for i := range stations {
				if _, err := db.Append(t.Context(), statetest.Report(fmt.Sprint("S", i), 1, reservation.Available)); err != nil {
					t.Fatal(err)
				}
			}
			err = db.w.store(t.Context(), p, false)
			if stations > maxMoved {
				if !errors.Is(err, errMoved) {
					t.Fatal(err)
				}
				_, err = db.Update(t.Context(), after)
			}
			if err != nil || checks != 2*stations {
				t.Fatal(checks, err)
			}
			db.cache.clear()
			for i := range stations {
				b, err := db.Book(t.Context(), fmt.Sprint("S", i), time.Now())
				if err != nil || len(b.Occurrences) != 1 || b.Occurrences[0].Want.EVSE != 2 || len(b.Station.Connectors) != 1 {
					t.Fatalf("%+v, %v", b, err)
				}
			}
		})
	}
}

// TestDiskFull: nothing is half stored, and it goes on when there is space.
func TestDiskFull(t *testing.T) {
	db := mustOpen(t, Options{})
	limit := func(pages int) {
		t.Helper()
		err := db.w.queue.call(t.Context(), func() error {
			var now int
			return db.w.c.scan(fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, &now)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Append(t.Context(), statetest.Connect("S")); err != nil {
		t.Fatal(err)
	}
	limit(1)
	var err error
	last := int64(1)
	for i := 0; err == nil; i++ {
		var e []reservation.Event
		if e, err = db.Append(t.Context(), statetest.Report("S", i, reservation.Available)); err == nil {
			last = e[0].Seq
		}
	}
	if !strings.Contains(err.Error(), "free some disk space") || !errors.Is(err, ErrPassing) {
		t.Error(err)
	}
	set := reservation.Changeset{Workspace: "w"}
	for i := range 100 {
		set.Events = append(set.Events, statetest.Declare(nil, statetest.Want("w", fmt.Sprint("reservation.", i), "S", 1, time.Now())))
	}
	if _, err := db.Update(t.Context(), set); err == nil || !strings.Contains(err.Error(), "free some disk space") {
		t.Error(err)
	}
	limit(1 << 20)
	if e, err := db.Append(t.Context(), statetest.Connect("S")); err != nil || e[0].Seq != last+1 {
		t.Error(e, err)
	}
	if _, err := db.Update(t.Context(), set); err != nil {
		t.Error(err)
	}
}

// TestBookQueriesUseTheirIndexes: a book costs what is in it, not what is declared.
func TestBookQueriesUseTheirIndexes(t *testing.T) {
	db := mustOpen(t, Options{})
	for query, index := range map[string]string{openRows: "occurrence_open", dueRows: "occurrence_due", nextRows: "occurrence_due",
		stationRows: "sqlite_autoindex_station_1",
		"SELECT body FROM journal WHERE seq > 0 AND station_id <> '' AND station_id = ? ORDER BY seq LIMIT 9": "journal_station",
	} {
		n := strings.Count(query, "?")
		plan := ""
		err := each(onPool{t.Context(), db.read}, "EXPLAIN QUERY PLAN "+query, []any{"S", 1}[:n], func(rows *sql.Rows) error {
			var id, parent, unused int
			var detail string
			err := rows.Scan(&id, &parent, &unused, &detail)
			if !strings.HasPrefix(detail, "SCAN a VIRTUAL TABLE") { // the stations that are asked for
				plan += detail + "; "
			}
			return err
		})
		if err != nil || !strings.Contains(plan, index) || strings.Contains(plan, "SCAN") {
			t.Errorf("%s: %s %v", query, plan, err)
		}
	}
}

// TestFollowReadOnly: a follower of a file that another process writes.
func TestFollowReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	w := mustOpenAt(t, path, Options{})
	if _, err := w.Append(t.Context(), statetest.Connect("S")); err != nil {
		t.Fatal(err)
	}
	r := mustOpenAt(t, path, Options{ReadOnly: true})
	for e, err := range r.Events(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq == 2 {
			return
		}
		if _, err := w.Append(t.Context(), statetest.Connect("S")); err != nil {
			t.Fatal(err)
		}
	}
}
