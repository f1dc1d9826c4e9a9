package state

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

func TestFilesAreTheOwners(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a b#?%41.db")
	db := mustOpenAt(t, path, Options{})
	if _, err := db.Append(t.Context(), statetest.Connect("S")); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if st, err := f.Info(); err != nil || st.Mode().Perm() != 0o600 || !strings.HasPrefix(f.Name(), "a b#?%41.db") {
			t.Errorf("%s: %v, %v", f.Name(), st.Mode(), err)
		}
	}
}

func TestReadOnlyLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "resctl.db")
	if _, err := Open(t.Context(), path, Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Fatal(files)
	}
	w, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(t.Context(), statetest.Connect("S")); err != nil {
		t.Fatal(err)
	}
	beside := mustRead(t, path) // while another one writes
	if err := errors.Join(w.Close(), beside.Close()); err != nil {
		t.Fatal(err)
	}
	db := mustRead(t, path)
	if b, err := db.Book(t.Context(), "S", time.Now()); err != nil || !b.Station.Online() {
		t.Error(b, err)
	}
	if _, err := db.Append(t.Context(), statetest.Connect("S")); !errors.Is(err, errReadOnly) {
		t.Error(err)
	}
	if _, err := db.Update(t.Context(), reservation.Changeset{}); !errors.Is(err, errReadOnly) {
		t.Error(err)
	}
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Error(files)
	}
}

func mustRead(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestRefused(t *testing.T) {
	refused := func(t *testing.T, path, because string) {
		t.Helper()
		for _, o := range []Options{{}, {ReadOnly: true}, {Migrate: true}} {
			_, err := Open(t.Context(), path, o)
			if err == nil || !strings.Contains(err.Error(), because) || !strings.Contains(err.Error(), path) {
				t.Errorf("%+v: %v", o, err)
			}
		}
	}
	write := func(t *testing.T, mode fs.FileMode, body string) string {
		path := filepath.Join(t.TempDir(), "resctl.db")
		if err := os.WriteFile(path, []byte(body), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("what is no database", func(t *testing.T) {
		path := write(t, 0o600, strings.Repeat("station \"depot_a_01\" {}\n", 100))
		refused(t, path, "not a SQLite file")
	})
	t.Run("what others may read", func(t *testing.T) { refused(t, write(t, 0o644, ""), "chmod 600") })
	t.Run("a directory", func(t *testing.T) { refused(t, t.TempDir(), "not a regular file") })
	t.Run("another program's database, which stays as it is", func(t *testing.T) {
		path := write(t, 0o600, "")
		other, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Exec("CREATE TABLE t (a TEXT)"); err != nil {
			t.Fatal(err)
		}
		other.Close()
		before, _ := os.ReadFile(path)
		refused(t, path, "another program")
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Error("it was changed")
		}
	})
	t.Run("a newer schema", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "resctl.db")
		steps, _ := migrations()
		db, err := openWith(t.Context(), path, Options{}, append(steps, "CREATE TABLE later (a TEXT) STRICT"))
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		refused(t, path, "newer resctl")
		if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrNewerSchema) {
			t.Error(err)
		}
	})
	t.Run("a missing directory", func(t *testing.T) {
		refused(t, filepath.Join(t.TempDir(), "none", "resctl.db"), "no such file or directory")
	})
}

func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	declare(t, db, "w", "S", 300)
	db.Close()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4 * 4096; i < len(body); i++ {
		body[i] = 0xa5
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err = Open(t.Context(), path, Options{ReadOnly: true})
	if err == nil {
		_, err = db.Entries(t.Context(), "")
		db.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "restore a backup") {
		t.Error(err)
	}
}

func TestMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	steps, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	db := mustOpenAt(t, path, Options{})
	all := declare(t, db, "w", "S", 3)
	db.Close()

	next := append(steps, "ALTER TABLE station ADD COLUMN note TEXT NOT NULL DEFAULT ''")
	if _, err := openWith(t.Context(), path, Options{}, next); err == nil || !strings.Contains(err.Error(), "resctl apply") {
		t.Error(err)
	}
	if _, err := openWith(t.Context(), path, Options{ReadOnly: true, Migrate: true}, next); err == nil {
		t.Error("a reader migrated")
	}
	broken := append(next, "CREATE TABLE half (a TEXT) STRICT; CREATE TABEL other (a TEXT)")
	if _, err := openWith(t.Context(), path, Options{Migrate: true}, broken); err == nil || !strings.Contains(err.Error(), "schema version 3") {
		t.Error(err)
	}
	mustOpenAt(t, path, Options{}).Close() // it is as it was
	if db, err = openWith(t.Context(), path, Options{Migrate: true}, next); err != nil {
		t.Fatal(err)
	}
	got, err := db.Wanted(t.Context(), "w")
	if err != nil || len(got) != len(all) {
		t.Error(len(got), err)
	}
	db.Close()

	backup := path + ".bak-v1"
	if st, err := os.Stat(backup); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st, err)
	}
	old := mustOpenAt(t, backup, Options{})
	if got, err := old.Wanted(t.Context(), "w"); err != nil || len(got) != len(all) {
		t.Error(len(got), err)
	}
	if parts, _ := filepath.Glob(path + "*.part"); len(parts) > 0 {
		t.Error(parts)
	}
}

func TestFirstReservationID(t *testing.T) {
	for range 5 {
		db := mustOpen(t, Options{})
		if id := db.w.count.id; id%(1<<20) != 0 || id < 1<<20 || id >= 1<<30 {
			t.Errorf("ids start at %d", id)
		}
	}
	path := filepath.Join(t.TempDir(), "resctl.db")
	mustOpenAt(t, path, Options{FirstReservationID: 41}).Close()
	if id := mustOpenAt(t, path, Options{FirstReservationID: 77}).w.count.id; id != 41 {
		t.Errorf("ids go on at %d", id)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	first, err := AcquireLock(path)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.db")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		_, err = AcquireLock(name)
		var by *LockedError
		if !errors.Is(err, ErrLocked) || !errors.As(err, &by) || by.PID != os.Getpid() || time.Since(by.Since) > time.Minute {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := AcquireLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}
