package main

import (
	"bufio"
	"errors"
	"os"

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
func (c *cli) openView(f formats, stream bool) error {
	first := c.newView(f.json)
	if v, ok := first.(*jsonView); ok {
		v.stream = stream
	}
	if f.markdown {
		first = &markdownView{textView: c.newView(false).(*textView)}
	}
	c.view = first
	if f.json && f.markdown {
		return problemf(codeUsage, "--json and --markdown", "They exclude each other; --json-into FILE goes with --markdown.")
	}
	if f.into == "" {
		return nil
	}
	file, err := os.OpenFile(f.into, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return problemf(codeOutput, "The file cannot be written", "--json-into %s: %s.", f.into, reasonOf(err, f.into))
	}
	c.view = views{first, &jsonView{out: bufio.NewWriterSize(file, 64<<10), file: file, stream: stream}}
	return nil
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
