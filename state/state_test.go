package state

import (
	"path/filepath"
	"testing"

	"github.com/resctl/resctl/state/statetest"
)

// mustOpen opens a new state in a directory of the test's own.
func mustOpen(t testing.TB, o Options) *DB {
	t.Helper()
	return mustOpenAt(t, filepath.Join(t.TempDir(), "resctl.db"), o)
}

func mustOpenAt(t testing.TB, path string, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestSQLite(t *testing.T) {
	statetest.Exercise(t, func(t *testing.T) statetest.Store {
		db, err := Open(t.Context(), filepath.Join(t.TempDir(), "resctl.db"), Options{FirstReservationID: statetest.FirstReservationID})
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
