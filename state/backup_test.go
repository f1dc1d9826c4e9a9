package state

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// TestBackup: the copy is of one moment, though others write all the while.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	path, to := filepath.Join(dir, "resctl.db"), filepath.Join(dir, "copy")
	db := mustOpenAt(t, path, Options{})
	declare(t, db, "w", "S", 20)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := db.Append(t.Context(), statetest.Connect("S"), statetest.Connect("T")); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 5 {
		c, err := Backup(t.Context(), path, to, i > 0)
		if err != nil {
			t.Fatal(err)
		}
		copied, err := Open(t.Context(), to, Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		last, err := copied.Last(t.Context())
		if err != nil || last != c.Last || c.Serials["w"] != 1 || c.Size == 0 {
			t.Errorf("%+v, last %d, %v", c, last, err)
		}
		sameAsReplayed(t, copied)
		if err := copied.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	writing.Wait()
	if st, err := os.Stat(to); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
	if _, err := Backup(t.Context(), path, to, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	if _, err := Backup(t.Context(), path, path, true); err == nil {
		t.Error("over itself")
	}
}

// sameAsReplayed holds the books against the journal.
func sameAsReplayed(t *testing.T, db *DB) {
	t.Helper()
	all, err := db.Checkpoints(t.Context())
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, c := range all {
		books, err := db.BooksAt(t.Context(), c.Seq)
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range db.EventsUntil(t.Context(), Filter{After: c.Seq}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.StationID == "" {
				continue
			}
			if books[e.StationID] == nil {
				books[e.StationID] = reservation.NewBook(e.StationID)
			}
			if _, err := books[e.StationID].Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		sameAsStored(t, db, books)
	}
}

// sameAsStored holds whole books against all that is stored.
func sameAsStored(t *testing.T, db *DB, books map[string]*reservation.Book) {
	t.Helper()
	stations, err := db.Stations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range stations {
		if got, want := asJSON(t, books[s.ID].Station), asJSON(t, s); got != want {
			t.Errorf("the journal gives\n%s\nnot\n%s", got, want)
		}
		n += len(books[s.ID].Occurrences)
	}
	err = each(onPool{t.Context(), db.read}, "SELECT station_id, body FROM occurrence", nil, func(rows *sql.Rows) error {
		var station string
		var body []byte
		if err := rows.Scan(&station, &body); err != nil {
			return err
		}
		o, err := decode[reservation.Occurrence](body)
		if err != nil {
			return err
		}
		if got := books[station].Find(o.Key); got == nil || asJSON(t, got) != string(body) {
			t.Errorf("the journal gives\n%s\nnot\n%s", asJSON(t, got), body)
		}
		n--
		return nil
	})
	if err != nil || n != 0 {
		t.Errorf("the journal gives %d more occurrences than are stored, %v", n, err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	s, err := toJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRestore: a restored state believes nothing, uses no id again, takes no
// proposal, and is another one for whoever planned before; the one that was there
// is kept.
func TestRestore(t *testing.T) {
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "resctl.db"), filepath.Join(dir, "copy")
	db := mustOpenAt(t, path, Options{FirstReservationID: 1000})
	now := time.Now().UTC().Truncate(time.Millisecond)
	w, other := statetest.Want("w", "reservation.a", "S", 1, now), statetest.Want("w", "reservation.b", "S", 2, now)
	update := func(serial int64, e ...reservation.Event) {
		t.Helper()
		if _, err := db.Update(t.Context(), reservation.Changeset{Workspace: "w", Serial: serial, Events: e}); err != nil {
			t.Fatal(err)
		}
	}
	hold := func(w *reservation.Wanted) int32 {
		t.Helper()
		c := stored(t, db, statetest.Connect("S")).Connection
		id := stored(t, db, statetest.Request(w, c, 0)).ReservationID
		stored(t, db, statetest.Answer(w, c, id, reservation.AnswerAccepted))
		return id
	}
	update(0, statetest.Declare(nil, w))
	id := hold(w)
	stored(t, db, statetest.Report("S", 1, reservation.Reserved))
	if _, err := Backup(t.Context(), path, copied, false); err != nil {
		t.Fatal(err)
	}
	before, err := db.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	update(1, statetest.Declare(nil, other))
	since := hold(other)
	reader := mustOpenAt(t, path, Options{ReadOnly: true}) // somebody looks on: the log stays
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	aside, err := Restore(t.Context(), copied, path, reservation.Restoration{By: "ann", File: "copy", Lineage: before.Lineage}, now)
	if err != nil {
		t.Fatal(err)
	}
	db = mustOpenAt(t, path, Options{})
	after, err := db.Meta(t.Context())
	if err != nil || after.Lineage == before.Lineage || after.FrozenBy("w", time.Now()) == nil || after.Serials["w"] != 1 {
		t.Errorf("%+v %v", after, err)
	}
	b, err := db.Book(t.Context(), "S", now)
	if err != nil || len(b.Occurrences) != 1 {
		t.Fatal(b, err)
	}
	o := b.Occurrences[0]
	if o.ID != id || o.Phase != reservation.Unsure || o.Reason != reservation.BecauseRestored || b.Station.Online() || b.Station.BootAccepted || b.Station.Connectors != nil {
		t.Errorf("%+v at %+v", o, b.Station)
	}
	sameAsReplayed(t, db)
	fresh := statetest.Want("other", "reservation.c", "T", 1, now)
	stored(t, db, reservation.Event{Kind: reservation.Unfrozen, Workspace: reservation.AllWorkspaces})
	if _, err := db.Update(t.Context(), reservation.Changeset{Workspace: "other", Events: []reservation.Event{statetest.Declare(nil, fresh)}}); err != nil {
		t.Fatal(err)
	}
	c := stored(t, db, statetest.Connect("T")).Connection
	if next := stored(t, db, statetest.Request(fresh, c, 0)).ReservationID; next <= since || next < id+idsApart {
		t.Errorf("id %d after %d, of which the backup knew %d", next, since, id)
	}
	for _, old := range []*DB{reader, mustOpenAt(t, aside, Options{ReadOnly: true})} {
		if all, err := old.Wanted(t.Context(), "w"); err != nil || len(all) != 2 {
			t.Error(all, err)
		}
	}
}

func stored(t *testing.T, db *DB, e reservation.Event) reservation.Event {
	t.Helper()
	all, err := db.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// TestRestoreRefuses: what is no backup changes nothing.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "resctl.db")
	db := mustOpenAt(t, path, Options{})
	declare(t, db, "w", "S", 200)
	good := filepath.Join(dir, "good")
	if _, err := Backup(t.Context(), path, good, false); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte{}, whole...)
	for i := len(damaged) / 2; i < len(damaged)/2+5000; i++ {
		damaged[i] ^= 0x5a
	}
	newer := append([]byte{}, whole...)
	newer[63] = 99 // user_version, at 60 to 63 of the header
	foreign := append([]byte{}, whole...)
	foreign[68] = 1 // application_id, at 68 to 71
	was := read(t, path)
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"no SQLite file": {[]byte(strings.Repeat("no state at all. ", 100)), "not a SQLite file"},
		"empty":          {nil, "empty"},
		"damaged":        {damaged, "damaged"},
		"cut short":      {whole[:len(whole)/2], "damaged"},
		"newer":          {newer, "newer"},
		"of another":     {foreign, "another program"},
	} {
		from := filepath.Join(dir, "from")
		if err := os.WriteFile(from, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Restore(t.Context(), from, path, reservation.Restoration{}, time.Now())
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if read(t, path) != was {
			t.Errorf("%s: the state has changed", name)
		}
	}
	if _, err := Restore(t.Context(), path, path, reservation.Restoration{}, time.Now()); err == nil {
		t.Error("by itself")
	}
	left, err := filepath.Glob(path + ".*")
	if err != nil || len(left) > 0 {
		t.Error("left behind:", left, err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
