package state

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/resctl/resctl/state/statetest"
)

// crashAt names, for the child, the state that it writes until it is killed.
const crashAt = "RESCTL_STATE_CRASH"

// TestCrash kills a process that writes, and cuts its journal: what it was told to
// be stored is there, or was cut, the books are those of the journal from any
// checkpoint, and the lock is free.
func TestCrash(t *testing.T) {
	if path := os.Getenv(crashAt); path != "" {
		writeUntilKilled(t, path)
		return
	}
	path := filepath.Join(t.TempDir(), "resctl.db")
	told := map[int64]string{}
	for round := range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestCrash$")
		child.Env = append(os.Environ(), crashAt+"="+path)
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var seq int64
			var station string
			if _, err := fmt.Sscanf(lines.Text(), "stored %d %s", &seq, &station); err == nil {
				told[seq] = station
			}
			if n == 200+100*round {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		child.Wait()
		afterCrash(t, path, told)
	}
}

func writeUntilKilled(t *testing.T, path string) {
	if _, err := AcquireLock(path); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for w := range 8 {
		station := fmt.Sprint("S", w%3)
		group.Go(func() {
			for {
				got, err := db.Append(t.Context(), statetest.Connect(station))
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Printf("stored %d %s\n", got[0].Seq, station)
			}
		})
	}
	group.Go(func() {
		for {
			now := time.Now()
			err := db.Checkpoint(t.Context(), now)
			if err == nil {
				err = db.Retain(t.Context(), 100*time.Millisecond, now)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	group.Wait()
}

func afterCrash(t *testing.T, path string, told map[int64]string) {
	t.Helper()
	lock, err := AcquireLock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	began, err := db.Began(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored := map[int64]string{}
	for e, err := range db.EventsUntil(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		stored[e.Seq] = e.StationID
	}
	for seq, station := range told {
		if seq > began.Seq && stored[seq] != station {
			t.Errorf("line %d of %s is lost", seq, station)
		}
	}
	sameAsReplayed(t, db)
	var ok string
	if err := scanOne(onPool{t.Context(), db.read}, "PRAGMA integrity_check", nil, &ok); err != nil || ok != "ok" {
		t.Error(ok, err)
	}
}
