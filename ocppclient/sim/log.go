package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Log is a Memory for a whole fleet in one file, readable by its owner alone.
// Snapshots are appended, a line each, and those who wait for the disk wait
// for it together: a thousand stations do not need a thousand flushes. One
// process may have it open at a time.
type Log struct {
	mu      sync.Mutex // guards what follows
	flushed sync.Cond
	file    *os.File
	last    map[string]json.RawMessage
	size    int64 // of the file
	compact int64 // size at which it is rewritten
	written int64 // lines
	synced  int64 // lines that would survive a loss of power
	syncing bool
}

// entry is a line of a Log.
type entry struct {
	Station  string          `json:"station"`
	Snapshot json.RawMessage `json:"snapshot"`
}

// minCompact spares small files from being rewritten all the time.
const minCompact = 4 << 20

// OpenLog opens or makes the file, and rewrites it with the last snapshot of
// each station.
func OpenLog(path string) (*Log, error) {
	l := &Log{last: map[string]json.RawMessage{}}
	l.flushed.L = &l.mu
	b, err := os.ReadFile(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = l.read(b)
	}
	if err == nil {
		err = l.rewrite(path)
	}
	if err != nil {
		return nil, fmt.Errorf("memory: open %s: %w", path, err)
	}
	return l, nil
}

// read takes the lines in. A last one without its end was being written when
// the process died: nobody was promised it.
func (l *Log) read(b []byte) error {
	lines := bytes.SplitAfter(b, []byte("\n"))
	for i, line := range lines {
		if !bytes.HasSuffix(line, []byte("\n")) {
			return nil
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		l.last[e.Station] = e.Snapshot
	}
	return nil
}

// rewrite replaces the file by one without history; l.mu is held, or nobody else knows l.
func (l *Log) rewrite(path string) error {
	var all []byte
	for station, snapshot := range l.last {
		line, err := encodeLine(station, snapshot)
		if err != nil {
			return err
		}
		all = append(all, line...)
	}
	if err := write(path+".new", all, true); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	if err := flush(filepath.Dir(path)); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if l.file != nil {
		err = l.file.Close()
	}
	l.file, l.size, l.compact = file, int64(len(all)), max(minCompact, 4*int64(len(all)))
	return err
}

func encodeLine(station string, snapshot []byte) ([]byte, error) {
	b, err := json.Marshal(entry{station, snapshot})
	return append(b, '\n'), err
}

// Load returns the last snapshot of a station.
func (l *Log) Load(station string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.last[station]), nil
}

// Save appends a snapshot. Durable ones that come at the same time share a flush.
func (l *Log) Save(station string, snapshot []byte, durable bool) error {
	line, err := encodeLine(station, snapshot)
	if err != nil {
		return fmt.Errorf("memory: save: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > l.compact && !l.syncing {
		if err := l.rewrite(l.file.Name()); err != nil {
			return fmt.Errorf("memory: rewrite: %w", err)
		}
		l.synced = l.written
	}
	if _, err := l.file.Write(line); err != nil {
		err = errors.Join(err, l.file.Truncate(l.size)) // no half line before the next
		return fmt.Errorf("memory: save: %w", err)
	}
	l.last[station] = slices.Clone(snapshot)
	l.size += int64(len(line))
	l.written++
	if !durable {
		return nil
	}
	return l.flush(l.written)
}

// flush returns once that many lines would survive a loss of power; l.mu is
// held, and given up while the disk works.
func (l *Log) flush(line int64) error {
	for l.synced < line {
		if l.syncing {
			l.flushed.Wait()
			continue
		}
		l.syncing = true
		target := l.written
		l.mu.Unlock()
		err := l.file.Sync()
		l.mu.Lock()
		l.syncing = false
		l.flushed.Broadcast()
		if err != nil {
			return fmt.Errorf("memory: flush: %w", err)
		}
		l.synced = max(l.synced, target)
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
