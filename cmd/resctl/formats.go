package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reservation"
)

// formats say how a command writes things down.
type formats struct {
	json, markdown bool
	into           string // a file for JSON, besides what is on the screen
}

func (f *formats) intoFlag(s *pflag.FlagSet) {
	s.StringVar(&f.into, "json-into", "", "write JSON to `FILE` as well, with text on the screen")
}

// openView makes the view of a command in its formats. stream: JSON is lines.
// files are those of other flags.
func (c *cli) openView(f formats, stream bool, files ...string) error {
	first := c.newView(f.json)
	if v, ok := first.(*jsonView); ok {
		v.stream = stream
	}
	if f.markdown {
		first = &markdownView{textView: c.newView(false).(*textView)}
	}
	c.view = first
	if f.json && f.markdown {
		return problemf(codeUsage, "--json and --markdown", "They exclude each other; where there is --json-into FILE, it goes with --markdown.")
	}
	if f.into == "" {
		return nil
	}
	for _, other := range append(files, c.statePath()) {
		if sameFile(f.into, other) {
			return problemf(codeOutput, "The file is in use", "--json-into %s names the file %s, which has another use.", f.into, other)
		}
	}
	second, err := openInto(f.into, stream)
	if err != nil {
		return intoProblem(f.into, err)
	}
	c.view = views{first, second}
	return nil
}

func intoProblem(path string, err error) *problem {
	return problemf(codeOutput, "The file cannot be written", "--json-into %s: %s.", path, reasonOf(err, path))
}

// sameFile reports whether two paths lead to one file, or would.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	if err == nil && err2 == nil {
		return os.SameFile(x, y)
	}
	return filepath.Clean(a) == filepath.Clean(b)
}

// openInto opens the file of --json-into. A stream is written as it comes, so
// that it says how far a process came that was killed. A document replaces the
// file whole or not at all, unless it is a pipe or a device.
func openInto(path string, stream bool) (*jsonView, error) {
	st, err := os.Stat(path)
	if there := err == nil; stream || there && !st.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, err
		}
		return &jsonView{out: bufio.NewWriterSize(file, 64<<10), stream: stream, done: file.Close, path: path}, nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := writable(filepath.Dir(path)); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	return &jsonView{out: bufio.NewWriter(&b), done: func() error { return replaceFile(path, b.Bytes()) }, path: path}, nil
}

// writable reports why a directory takes no file, before there is one to write.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".resctl-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// views writes one thing in several formats.
type views []view

var _ view = views(nil)

// Diagnostics shows what is wrong, in all of them.
func (all views) Diagnostics(ds *diag.Diagnostics) {
	for _, v := range all {
		v.Diagnostics(ds)
	}
}

// Plan shows a plan in all of them.
func (all views) Plan(p *planned) {
	for _, v := range all {
		v.Plan(p)
	}
}

// State shows a state in all of them.
func (all views) State(s *stored) {
	for _, v := range all {
		v.State(s)
	}
}

// Event shows an event in all of them.
func (all views) Event(e reservation.Event) {
	for _, v := range all {
		v.Event(e)
	}
}

// Progress shows in all of them how far it is.
func (all views) Progress(p progress) {
	for _, v := range all {
		v.Progress(p)
	}
}

// Outcome tells the end in all of them.
func (all views) Outcome(o *outcome) {
	for _, v := range all {
		v.Outcome(o)
	}
}

// About shows a document in all of them.
func (all views) About(x any) {
	for _, v := range all {
		v.About(x)
	}
}

// Close ends all of them.
func (all views) Close() error {
	var errs []error
	for _, v := range all {
		errs = append(errs, v.Close())
	}
	return errors.Join(errs...)
}
