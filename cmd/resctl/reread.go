package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/server"
)

// rereading is how serve takes its settings again, upon SIGHUP: all that can
// change while it runs, or nothing.
type rereading struct {
	w       *workplace
	watches *watches
	given   flagTexts // on the command line, which stays as it was
	began   flagTexts // all, as serve began
}

// read takes them, and logs what came of it.
func (r *rereading) read(ctx context.Context) {
	log := r.w.log
	next, texts, err := r.next()
	var use []func()
	if err == nil {
		use, err = r.prepare(ctx, next)
	}
	if err != nil {
		log.Error("settings could not be read again: the old ones stay", "error", harmless(err.Error()))
		return
	}
	for _, f := range use {
		f()
	}
	log.Info("settings were read again")
	for _, name := range r.fixed(next, texts) {
		log.Warn("a setting has changed that takes a restart: the old one stays", "setting", name)
	}
}

// next are the settings as they would be if serve began now.
func (r *rereading) next() (*serveFlags, flagTexts, error) {
	next, set := &serveFlags{}, pflag.NewFlagSet("serve", pflag.ContinueOnError)
	next.flags(set)
	set.String("state", "", "")
	for name, texts := range r.given {
		if set.Lookup(name) == nil {
			continue // a flag of every command
		}
		for _, text := range texts {
			if err := set.Set(name, text); err != nil {
				return nil, nil, err
			}
		}
	}
	if next.file != "" {
		file, ds := server.Load(next.file)
		if file == nil {
			first := ds.All()[0]
			return nil, nil, fmt.Errorf("%s (%s; %d in all: serve --check shows them)", diagnosed(first), diag.CodeOf(first), ds.Errors())
		}
		if err := next.fill(set, file, r.given); err != nil {
			return nil, nil, err
		}
	}
	_, err := next.settled()
	return next, flagsOf(set), err
}

// prepare gives what puts the new settings into their places. Nothing of it can
// fail.
func (r *rereading) prepare(ctx context.Context, next *serveFlags) (use []func(), err error) {
	watched, err := next.watch.settings()
	if err != nil {
		return nil, err
	}
	profile, err := next.security.settled()
	if err != nil {
		return nil, err
	}
	if c := r.w.credentials; c != nil && profile == r.w.security.Profile {
		put, err := c.Prepare(next.security.files)
		if err != nil {
			return nil, err
		}
		use = append(use, put, func() { r.w.log.Info("certificates were read again") })
	}
	if r.w.api != nil {
		put, err := r.w.api.prepare(next.api, next.insecure)
		if err != nil {
			return nil, err
		}
		use = append(use, put)
	}
	target, err := next.notify.target()
	if err != nil {
		return nil, err
	}
	return append(use, func() { r.w.herald.set(target, next.notify.grace) }, func() { r.watches.set(ctx, watched) }), nil
}

// fixed names the settings that differ and cannot change while serve runs.
func (r *rereading) fixed(next *serveFlags, texts flagTexts) (names []string) {
	for _, s := range fileSettings() {
		if !s.again && !slices.Equal(r.began[s.flag], texts[s.flag]) {
			names = append(names, s.name)
		}
	}
	const profile = "ocpp.security_profile" // certificates may change it as well
	if is, err := next.security.settled(); err == nil && is != r.w.security.Profile && !slices.Contains(names, profile) {
		names = append(names, profile)
	}
	return names
}

// diagnosed is a diagnostic in one line. One of a file that is not there has no line.
func diagnosed(d *hcl.Diagnostic) string {
	if d.Subject == nil {
		return d.Summary + ". " + d.Detail
	}
	return d.Error()
}
