package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/resctl/resctl/reconcile"
)

// planFile is a plan on disk: whole, with its tokens, so only its owner reads
// it. It is a document of its own, so that the masked output of plan --json
// cannot be taken for one.
type planFile struct {
	Version string          `json:"plan_file_version"`
	Resctl  string          `json:"resctl"`
	State   string          `json:"state,omitempty"` // the path, as it was given
	Plan    *reconcile.Plan `json:"plan"`
}

// writePlanFile replaces a file whole or not at all. Station passwords are
// salted and hashed before they are written.
func writePlanFile(path, state string, p *reconcile.Plan) error {
	kept := *p
	kept.Changes = append([]reconcile.Change(nil), p.Changes...)
	for i := range kept.Changes {
		if e := kept.Changes[i].Station; e != nil && e.After != nil {
			after := e.After.Salted()
			edit := *e
			edit.After = &after
			kept.Changes[i].Station = &edit
		}
	}
	b, err := json.Marshal(planFile{formatVersion, version, state, &kept})
	if err == nil {
		err = replaceFile(path, append(b, '\n'))
	}
	if err != nil {
		return problemf(codePlanFile, "The plan file cannot be written", "%s: %s.", path, reasonOf(err, path))
	}
	return nil
}

// replaceFile writes beside and renames; the file is its owner's alone. What is
// no file, such as /dev/null, stays what it is.
func replaceFile(path string, b []byte) error {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return errors.New("it is there, and not a regular file")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".resctl-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// maxPlanFile bounds what is read: a plan of 100,000 changes has 80 MB.
const maxPlanFile = 1 << 30

// readPlanFile reads a plan that --out has written.
func readPlanFile(path string) (*planFile, error) {
	st, err := os.Stat(path)
	if err == nil && (!st.Mode().IsRegular() || st.Size() > maxPlanFile) {
		err = errors.New("it is not a plan file")
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		detail := fmt.Sprintf("%s: %s.", path, reasonOf(err, path))
		if st != nil && st.IsDir() {
			detail = fmt.Sprintf("%s is a directory. apply takes a plan file; to work on another directory use -C %s.", path, shellWord(path))
		}
		return nil, &problem{codePlanFile, "The plan file cannot be read", detail}
	}
	return parsePlanFile(path, b)
}

func parsePlanFile(path string, b []byte) (*planFile, error) {
	var f planFile
	err := json.Unmarshal(b, &f)
	var printed struct {
		FormatVersion string `json:"format_version"`
	}
	_ = json.Unmarshal(b, &printed) // only to say what it is instead
	switch {
	case err == nil && f.Version == "" && printed.FormatVersion != "":
		return nil, problemf(codePlanFile, "This is not a plan file", "%s is what plan --json prints: its tokens are masked. Write a plan file with resctl plan --out FILE.", path)
	case err != nil || f.Version == "" || f.Plan == nil:
		return nil, problemf(codePlanFile, "This is not a plan file", "%s was not written by resctl plan --out.", path)
	case f.Version != formatVersion:
		return nil, problemf(codePlanFile, "A plan file of another version", "%s has version %s, and this resctl reads %s. Plan again.", path, f.Version, formatVersion)
	}
	return &f, nil
}

// reasonOf is the cause of an error without the path that is said beside it.
func reasonOf(err error, path string) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return lastCause(err.Error(), path)
}
