package watch_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/resctl/resctl/watch"
)

// write makes files below a directory; a name that ends in "->" is a link.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(dir, strings.TrimSuffix(name, "->"))
		err := os.MkdirAll(filepath.Dir(at), 0o700)
		if strings.HasSuffix(name, "->") {
			err = errors.Join(err, os.Symlink(text, at))
		} else {
			err = errors.Join(err, os.WriteFile(at, []byte(text), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func look(t testing.TB, dir string) watch.Tree {
	t.Helper()
	tree, err := watch.Look(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestFingerprint: what a configuration could read changes it, and nothing else does.
func TestFingerprint(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(t *testing.T, dir string)
		differs bool
	}{
		"nothing":               {func(*testing.T, string) {}, false},
		"content":               {func(t *testing.T, d string) { write(t, d, map[string]string{"main.hcl": "other"}) }, true},
		"same content again":    {func(t *testing.T, d string) { write(t, d, map[string]string{"main.hcl": "main"}) }, false},
		"a file of a module":    {func(t *testing.T, d string) { write(t, d, map[string]string{"depot/vans.csv": "2"}) }, true},
		"a new file":            {func(t *testing.T, d string) { write(t, d, map[string]string{"new.txt": ""}) }, true},
		"a file less":           {func(t *testing.T, d string) { check(t, os.Remove(filepath.Join(d, "main.hcl"))) }, true},
		"another name":          {func(t *testing.T, d string) { check(t, os.Rename(d+"/main.hcl", d+"/mein.hcl")) }, true},
		"content that moves on": {func(t *testing.T, d string) { write(t, d, map[string]string{"a": "bc", "ab": "c"}) }, true},
		"what a link leads to":  {func(t *testing.T, d string) { write(t, d, map[string]string{".kept/cards": "2"}) }, true},
		"another link": {func(t *testing.T, d string) {
			check(t, os.Remove(d+"/cards"))
			write(t, d, map[string]string{"cards->": ".kept/../.kept/cards"})
		}, true},
		"a dot file":         {func(t *testing.T, d string) { write(t, d, map[string]string{".main.hcl.swp": "x"}) }, false},
		"the repository":     {func(t *testing.T, d string) { write(t, d, map[string]string{".git/index": "x"}) }, false},
		"a link outside":     {func(t *testing.T, d string) { write(t, d, map[string]string{"out->": "/etc/hostname"}) }, true},
		"a link in a circle": {func(t *testing.T, d string) { write(t, d, map[string]string{"depot/up->": ".."}) }, true},
		"an empty directory": {func(t *testing.T, d string) { check(t, os.Mkdir(d+"/empty", 0o700)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{"main.hcl": "main", "depot/vans.csv": "1", ".kept/cards": "1", "cards->": ".kept/cards", "a": "b", "ab": "cc"})
			before := look(t, dir)
			c.change(t, dir)
			if got := look(t, dir).Fingerprint != before.Fingerprint; got != c.differs {
				t.Errorf("it differs: %v, want %v", got, c.differs)
			}
			if before.Still() == c.differs {
				t.Errorf("it is still what it was: %v", !c.differs)
			}
		})
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestIgnored: a state beside the configuration is written all the time.
func TestIgnored(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"main.hcl": "main", "resctl.db": "1"})
	ignore := func(p string) bool { return strings.HasPrefix(filepath.Base(p), "resctl.db") }
	before, err := watch.Look(dir, ignore)
	check(t, err)
	write(t, dir, map[string]string{"resctl.db": "2", "resctl.db-wal": "x"})
	after, err := watch.Look(dir, ignore)
	check(t, err)
	if before.Fingerprint != after.Fingerprint || !before.Still() {
		t.Error("what is ignored counts")
	}
}

// TestLookFails says which directory, and why.
func TestLookFails(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"file": ""})
	if _, err := watch.Look(dir+"/none", nil); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Errorf("a directory that is not there: %v", err)
	}
	if _, err := watch.Look(dir+"/file", nil); err == nil {
		t.Error("a file is taken for a directory")
	}
	deep := dir
	for range 70 {
		deep += "/d"
	}
	check(t, os.MkdirAll(deep, 0o700))
	if _, err := watch.Look(dir, nil); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("a directory without a bottom: %v", err)
	}
}

// TestSwap: the links of git-sync and of the kubelet are resolved once. What was
// read stays one tree, until that is taken away.
func TestSwap(t *testing.T) {
	const one, two = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	for name, c := range map[string]struct {
		files         map[string]string
		watched, link string
		to            string // after the swap
		revisions     [2]string
	}{
		"git-sync": {map[string]string{".worktrees/" + one + "/depot/main.hcl": "1", ".worktrees/" + two + "/depot/main.hcl": "2", "current->": ".worktrees/" + one},
			"current/depot", "current", ".worktrees/" + two, [2]string{one, two}},
		"releases": {map[string]string{"releases/41/main.hcl": "1", "releases/42/main.hcl": "2", "current->": "releases/41"},
			"current", "current", "releases/42", [2]string{"41", "42"}},
		"ConfigMap": {map[string]string{"v/..2026_01/main.hcl": "1", "v/..2026_02/main.hcl": "2", "v/..data->": "..2026_01", "v/main.hcl->": "..data/main.hcl"},
			"v", "v/..data", "..2026_02", [2]string{"2026_01", "2026_02"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.files)
			first := look(t, filepath.Join(dir, c.watched))
			check(t, os.Symlink(c.to, dir+"/new"))
			check(t, os.Rename(dir+"/new", filepath.Join(dir, c.link)))
			second := look(t, filepath.Join(dir, c.watched))
			if first.Fingerprint == second.Fingerprint || first.Dir == second.Dir {
				t.Error("the swap was not seen")
			}
			if got := [2]string{first.Revision, second.Revision}; got != c.revisions {
				t.Errorf("revisions %v, want %v", got, c.revisions)
			}
			if b, err := os.ReadFile(first.Dir + "/main.hcl"); string(b) != "1" || !first.Still() {
				t.Errorf("the first tree is %q now: %v", b, err)
			}
			check(t, os.RemoveAll(first.Dir))
			if first.Still() {
				t.Error("a tree that is gone is still what it was")
			}
			if got := look(t, filepath.Join(dir, c.watched)); got.Fingerprint != second.Fingerprint {
				t.Error("the second one does not stand alone")
			}
		})
	}
}

// TestRevision reads what git writes, without git.
func TestRevision(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef01234567"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":         {nil, ""},
		"a branch":     {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": id + "\n"}, id},
		"packed":       {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "# pack-refs with: peeled\nffff456789abcdef0123456789abcdef01234567 refs/heads/main2\n" + id + " refs/heads/main\n^ffff456789abcdef0123456789abcdef01234567\n"}, id},
		"detached":     {map[string]string{".git/HEAD": id + "\n"}, id},
		"a work tree":  {map[string]string{".git": "gitdir: ../repo/worktrees/x\n", "../repo/worktrees/x/HEAD": "ref: refs/heads/b\n", "../repo/worktrees/x/commondir": "../..\n", "../repo/refs/heads/b": id + "\n"}, id},
		"unborn":       {map[string]string{".git/HEAD": "ref: refs/heads/main\n"}, ""},
		"no reference": {map[string]string{".git/HEAD": "ref: ../../secret\n", "secret": id}, ""},
		"nonsense":     {map[string]string{".git": "no"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "checkout")
			write(t, dir, map[string]string{"depot/main.hcl": ""})
			write(t, dir, c.files)
			if got := look(t, dir+"/depot").Revision; got != c.want {
				t.Errorf("revision %q, want %q", got, c.want)
			}
		})
	}
}
