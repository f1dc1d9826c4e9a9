package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/state"
)

// releases has a directory for each release, with what it wrote.
const releases = "../../state/testdata/releases"

var release = flag.String("release", "", "write the state and the plan of a release, such as v0.1, from the configuration that is there")

// The end of the window that the plan of a release changes, as it is and as planned.
const (
	endsAs     = `"2037-01-01T10:00:00Z"`
	endsAsPlan = `"2037-01-01T11:00:00Z"`
)

// TestReleases: what each release wrote is read, planned against and applied to,
// and is migrated only where its schema is older.
func TestReleases(t *testing.T) {
	if *release != "" {
		writeRelease(t, filepath.Join(releases, *release))
	}
	all, err := filepath.Glob(releases + "/v*")
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, from := range all {
		t.Run(filepath.Base(from), func(t *testing.T) { useRelease(t, from) })
	}
}

func useRelease(t *testing.T, from string) {
	dir := t.TempDir()
	for _, name := range []string{"main.hcl", "state.db", "next.plan"} {
		copyFile(t, filepath.Join(from, name), filepath.Join(dir, name))
	}
	says := func(want string, args ...string) {
		t.Helper()
		if got := program(t, dir, args...); !strings.Contains(got, want) {
			t.Errorf("resctl %s: %q is missing in\n%s", strings.Join(args, " "), want, got)
		}
	}
	says("reservation.later", "state", "list")
	says("Accepted", "events", "--station", "DEPOT-1")
	says("No changes. What is declared is what is stored.", "plan")
	says("~ later", "show", filepath.Join(dir, "next.plan"))
	says("Stored.", "apply", "--simulate", "--wait", "0s", filepath.Join(dir, "next.plan"))
	old, err := filepath.Glob(filepath.Join(dir, "state.db.bak-v*"))
	if err != nil || len(old) > 0 && filepath.Base(from) == "v0.1" {
		t.Errorf("migrated: %v %v", old, err)
	}
}

// TestJournalBegins: what reads the journal says that its beginning is cut.
func TestJournalBegins(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"main.hcl", "state.db"} {
		copyFile(t, filepath.Join(releases, "v0.1", name), filepath.Join(dir, name))
	}
	const begins = "The journal begins "
	for _, args := range [][]string{{"events"}, {"why", "later"}, {"why", "now"}} {
		if got := program(t, dir, args...); strings.Contains(got, begins) {
			t.Errorf("resctl %s, of a journal that is whole:\n%s", strings.Join(args, " "), got)
		}
		if got := program(t, dir, append(args, "--json")...); strings.Contains(got, "journal_begins") {
			t.Errorf("resctl %s --json, of a journal that is whole:\n%s", strings.Join(args, " "), got)
		}
	}
	db, err := state.Open(t.Context(), filepath.Join(dir, "state.db"), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = errors.Join(db.Checkpoint(t.Context(), now), db.Retain(t.Context(), retention, now.Add(retention+time.Hour)), db.Close())
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"events"}, {"events", "--since", "2h"}, {"why", "later"}, {"why", "now"}} {
		if got := program(t, dir, args...); strings.Count(got, begins) != 1 || !strings.Contains(got, "; what was before is cut.") {
			t.Errorf("resctl %s:\n%s", strings.Join(args, " "), got)
		}
		if got := program(t, dir, append(args, "--json")...); strings.Count(got, `"journal_begins":"`+now.UTC().Format("2006-01-02T")) != 1 {
			t.Errorf("resctl %s --json:\n%s", strings.Join(args, " "), got)
		}
	}
	for _, args := range [][]string{{"plan"}, {"workspace", "list"}, {"timeline"}, {"state", "list"}} {
		program(t, dir, args...)
	}
}

// writeRelease makes what this version writes of the configuration in a directory.
func writeRelease(t *testing.T, to string) {
	t.Helper()
	dir := t.TempDir()
	main := filepath.Join(dir, "main.hcl")
	copyFile(t, filepath.Join(to, "main.hcl"), main)
	program(t, dir, "apply", "--simulate", "--auto-approve")
	text, err := os.ReadFile(main)
	if err == nil {
		err = os.WriteFile(main, []byte(strings.Replace(string(text), endsAs, endsAsPlan, 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	program(t, dir, "plan", "--out", filepath.Join(dir, "next.plan"))
	for _, name := range []string{"state.db", "next.plan"} {
		copyFile(t, filepath.Join(dir, name), filepath.Join(to, name))
	}
}

// program runs resctl on the configuration and the state in a directory, and gives
// what it printed. It has to end well.
func program(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	c := newCLI(in, out, out, []string{"USER=tester", "TZ=UTC"})
	code := c.run(t.Context(), append([]string{"-C", dir, "--state", filepath.Join(dir, "state.db")}, args...))
	text, err := os.ReadFile(out.Name())
	if err != nil || code != exitOK {
		t.Fatalf("resctl %s: %d %v\n%s", strings.Join(args, " "), code, err, text)
	}
	return string(text)
}

// copyFile makes a copy that only its owner may read: git knows no such mode.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
