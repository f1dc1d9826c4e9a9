package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// maxSocketPath is what an address of a Unix socket holds everywhere.
const maxSocketPath = 103

// SocketOf is where the process that serves a state listens: beside its file,
// whatever name of it was given.
func SocketOf(state string) string {
	if real, err := filepath.EvalSymlinks(state); err == nil {
		state = real
	}
	return state + ".sock"
}

// Listen opens a socket that its owner alone can open. The caller holds the lock
// of the state, so what lies there is of a process that is dead.
func Listen(path string) (net.Listener, error) {
	if st, err := os.Lstat(path); err == nil && st.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("api: listen on %s: there is something else; move it away", path)
	}
	// Nobody may come in before the mode is set, so it begins in a directory of its own.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".r")
	if err != nil {
		return nil, fmt.Errorf("api: listen on %s: %w", path, err)
	}
	defer os.RemoveAll(dir)
	first := filepath.Join(dir, "s")
	if longer := max(len(first), len(path)); longer > maxSocketPath {
		return nil, fmt.Errorf("api: listen on %s: a socket's path has at most %d bytes; choose a shorter path for the state", path, maxSocketPath)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: first, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("api: listen on %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	if err = os.Chmod(first, 0o600); err == nil {
		err = os.Rename(first, path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("api: listen on %s: %w", path, err), l.Close())
	}
	return &door{l, path}, nil
}

// door is a listener that takes its socket away when it closes.
type door struct {
	*net.UnixListener
	path string
}

func (d *door) Close() error {
	err := d.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err // and the path may be another's by now
	}
	return errors.Join(err, os.Remove(d.path))
}
