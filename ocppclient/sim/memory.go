package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Memory keeps the snapshots of stations beyond the life of the process. It
// is used by many stations at a time.
type Memory interface {
	// Load returns the snapshot of a station, nil where there is none.
	Load(station string) ([]byte, error)
	// Save replaces the snapshot whole or not at all. Durable: it returns once
	// the snapshot would survive a loss of power.
	Save(station string, snapshot []byte, durable bool) error
}

// Directory is a Memory with one file for each station, readable by its owner
// alone, for tokens are in it. The directory is made when first needed.
type Directory string

func (d Directory) path(station string) string {
	return filepath.Join(string(d), "station-"+url.PathEscape(station)+".json")
}

// Load reads the file of a station.
func (d Directory) Load(station string) ([]byte, error) {
	b, err := os.ReadFile(d.path(station))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("memory: load: %w", err)
	}
	return b, nil
}

// Save writes a file beside the old one and renames it.
func (d Directory) Save(station string, snapshot []byte, durable bool) error {
	path := d.path(station)
	err := write(path+".new", snapshot, durable)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(string(d), 0o700); err == nil {
			err = write(path+".new", snapshot, durable)
		}
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil && durable {
		err = flush(string(d))
	}
	if err != nil {
		return fmt.Errorf("memory: save: %w", err)
	}
	return nil
}

func write(path string, b []byte, durable bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// flush makes a rename durable.
func flush(directory string) error {
	f, err := os.Open(directory)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
