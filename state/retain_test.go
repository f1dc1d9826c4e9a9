package state

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

const (
	day  = 24 * time.Hour
	kept = 90 * day
)

func retain(t *testing.T, db *DB, now time.Time) {
	t.Helper()
	if err := db.Retain(t.Context(), kept, now); err != nil {
		t.Fatal(err)
	}
}

func checkpointAt(t testing.TB, db *DB, now time.Time) {
	t.Helper()
	if err := db.Checkpoint(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

// useUp has a window held and used.
func useUp(t *testing.T, db *DB, w *reservation.Wanted, connection int64) (id int32) {
	t.Helper()
	id = stored(t, db, statetest.Request(w, connection, 0)).ReservationID
	stored(t, db, statetest.Answer(w, connection, id, reservation.AnswerAccepted))
	stored(t, db, used(w, id, "Started"))
	stored(t, db, used(w, id, "Ended"))
	return id
}

// used is a transaction with a reservation's id.
func used(w *reservation.Wanted, id int32, kind string) reservation.Event {
	return reservation.Event{Kind: reservation.Transaction, StationID: w.StationID, ReservationID: id,
		Transaction: &reservation.TransactionReport{ID: "T" + w.Address, Type: kind, EVSE: w.EVSE, IDToken: &w.IDToken}}
}

// TestRetainDropsWhatHasEnded: and keeps what is wanted, what is open, what was
// spoken of since, and every id.
func TestRetainDropsWhatHasEnded(t *testing.T) {
	db := mustOpen(t, Options{FirstReservationID: 1000})
	now := time.Now().UTC().Truncate(time.Second)
	want := map[string]*reservation.Wanted{}
	var first, drop []reservation.Event
	for i, name := range []string{"gone", "wanted", "open", "again", "late"} {
		w := statetest.Want("w", "reservation."+name, "S", i+1, now)
		want[name] = w
		first = append(first, statetest.Declare(nil, w))
		if name != "wanted" {
			drop = append(drop, statetest.Declare(w, nil))
		}
	}
	propose := func(serial int64, e ...reservation.Event) {
		t.Helper()
		if _, err := db.Update(t.Context(), reservation.Changeset{Workspace: "w", Serial: serial, Events: e}); err != nil {
			t.Fatal(err)
		}
	}
	propose(0, first...)
	c := stored(t, db, statetest.Connect("S")).Connection
	ids := map[string]int32{}
	for _, name := range []string{"gone", "wanted", "again", "late"} {
		ids[name] = useUp(t, db, want[name], c)
	}
	open := stored(t, db, statetest.Request(want["open"], c, 0))
	stored(t, db, statetest.Answer(want["open"], c, open.ReservationID, reservation.AnswerAccepted))
	propose(1, drop...)
	checkpointAt(t, db, now.Add(time.Hour))
	later := statetest.Want("w", "reservation.again", "S", 4, now.Add(100*day))
	propose(2, statetest.Declare(nil, later))
	stored(t, db, used(want["late"], ids["late"], "Started"))
	left := func(name string) int {
		t.Helper()
		all, err := db.Occurrences(t.Context(), "w", "reservation."+name)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	retain(t, db, now.Add(kept)) // the checkpoint is an hour too young
	if n := left("gone"); n != 1 {
		t.Fatalf("too early: %d left", n)
	}
	retain(t, db, now.Add(kept+2*time.Hour))
	for name, n := range map[string]int{"gone": 0, "wanted": 1, "open": 1, "again": 2, "late": 1} {
		if got := left(name); got != n {
			t.Errorf("%s: %d occurrences are left, not %d", name, got, n)
		}
	}
	var station string
	if err := scanOne(onPool{t.Context(), db.read}, "SELECT station_id FROM ids WHERE reservation_id = ?", []any{ids["gone"]}, &station); err != nil || station != "S" {
		t.Errorf("its id: %q %v", station, err)
	}
	sameAsReplayed(t, db)
	// A late word of what was dropped is no trouble.
	stored(t, db, used(want["gone"], ids["gone"], "Started"))
	sameAsReplayed(t, db)
}

// TestRetainReturnsPages: the file is smaller after a cut.
func TestRetainReturnsPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	db := mustOpenAt(t, path, Options{})
	now := time.Now()
	for range 40 {
		var events []reservation.Event
		for i := range 300 {
			events = append(events, statetest.Report("S", 1, []reservation.EVSEStatus{reservation.Available, reservation.Occupied}[i%2]))
		}
		if _, err := db.Append(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
	}
	checkpointAt(t, db, now)
	pages := func() (n int) {
		t.Helper()
		if err := scanOne(onPool{t.Context(), db.read}, "PRAGMA page_count", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := pages()
	retain(t, db, now.Add(kept+time.Hour))
	if after := pages(); after*4 > before {
		t.Errorf("%d pages, were %d", after, before)
	}
	if n, err := db.Last(t.Context()); err != nil || n != 12_000 {
		t.Error(n, err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	copied, err := Backup(t.Context(), path, to, false)
	if err != nil || copied.Last != 12_000 {
		t.Errorf("%+v %v", copied, err)
	}
	back := mustOpenAt(t, to, Options{})
	here, err := db.Checkpoints(t.Context())
	there, err2 := back.Checkpoints(t.Context())
	if err != nil || err2 != nil || len(here) == 0 || len(there) != len(here) || there[0] != here[0] {
		t.Errorf("%v %v, %v %v", here, err, there, err2)
	}
	if err := os.Remove(to); err != nil {
		t.Error(err)
	}
}

// TestRetainGoesOn: a cut that ended half way is ended by the next.
func TestRetainGoesOn(t *testing.T) {
	db := mustOpen(t, Options{})
	now := time.Now()
	for range 10 {
		stored(t, db, statetest.Connect("S"))
	}
	checkpointAt(t, db, now)
	stored(t, db, statetest.Connect("S"))
	later := now.Add(kept + time.Hour)
	if err := db.w.exclusive(t.Context(), func(c *conn) error { return cutAt(c, later.Add(-kept)) }); err != nil {
		t.Fatal(err)
	}
	sameAsReplayed(t, db)
	retain(t, db, later)
	n := 0
	for range db.EventsUntil(t.Context(), Filter{}) {
		n++
	}
	if n != 1 {
		t.Errorf("%d lines are left", n)
	}
	sameAsReplayed(t, db)
}

// TestOtherRules: a state that was written by other rules has a checkpoint where
// these begin.
func TestOtherRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	db := mustOpenAt(t, path, Options{})
	stored(t, db, statetest.Connect("S"))
	stored(t, db, statetest.Report("S", 1, reservation.Available))
	err := db.w.exclusive(t.Context(), func(c *conn) error {
		_, err := c.exec("UPDATE checkpoint SET rules = ?", reservation.RulesVersion+1)
		return err
	})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // once is enough
		db = mustOpenAt(t, path, Options{})
		all, err := db.Checkpoints(t.Context())
		if err != nil || len(all) != 2 || all[1].Seq != 2 || all[1].Rules != reservation.RulesVersion {
			t.Fatalf("%+v %v", all, err)
		}
		books, err := db.BooksAt(t.Context(), 2)
		if err != nil || len(books["S"].Station.Connectors) != 1 {
			t.Errorf("%+v %v", books, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
