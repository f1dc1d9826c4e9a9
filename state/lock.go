package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Lock is held while stations may connect: one process at a time speaks to
// them. The system takes it back when the process dies, however it dies.
type Lock struct{ f *flock.Flock }

// Holder is who holds a lock.
type Holder struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

// LockedError says who holds the lock; it is an ErrLocked.
type LockedError struct {
	Path string
	Holder
}

// Error names the process and since when it holds the lock.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("lock %s: %v", e.Path, ErrLocked)
	}
	return fmt.Sprintf("lock %s: %v: pid %d since %s", e.Path, ErrLocked, e.PID, e.Since.Format(time.RFC3339))
}

// Unwrap returns ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

// AcquireLock takes the lock that lies beside the state at path, or fails with
// a LockedError. The file stays when the lock is released: removing it would
// let two processes lock two files of one name.
func AcquireLock(path string) (*Lock, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // two names of one state have one lock
	}
	path += ".lock"
	l := &Lock{flock.New(path, flock.SetPermissions(0o600))}
	got, err := l.f.TryLock()
	if err != nil {
		return nil, fmt.Errorf("state: lock %s: %w", path, err)
	}
	if !got {
		return nil, fmt.Errorf("state: %w", &LockedError{path, readHolder(path)})
	}
	me, err := json.Marshal(Holder{os.Getpid(), time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = os.WriteFile(path, append(me, '\n'), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("state: lock %s: %w", path, errors.Join(err, l.Release()))
	}
	return l, nil
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.f.Unlock() }

// readHolder reads what the holder wrote; it may be just about to.
func readHolder(path string) Holder {
	var h Holder
	if body, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(body, &h)
	}
	return h
}
