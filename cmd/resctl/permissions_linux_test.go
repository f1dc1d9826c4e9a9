package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPermissions: what may not be read or written is said, with what to do. Root
// may do everything, so who runs tests as root sends somebody else.
func TestPermissions(t *testing.T) {
	t.Parallel()
	dir, resctl := forAnybody(t)
	say := func(where string, args ...string) string {
		cmd := exec.Command(resctl, args...)
		cmd.Dir = filepath.Join(dir, where)
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		var failed *exec.ExitError
		if !errors.As(err, &failed) || failed.ExitCode() != exitError {
			t.Errorf("%v in %s: %v\n%s", args, where, err, out)
		}
		return string(out)
	}
	for _, c := range []struct {
		where string
		args  []string
		want  string
	}{
		{"mine", []string{"show"}, "RC606 resctl.db: permission denied. It holds tokens, and is for its owner alone: run resctl as its owner"},
		{"mine", []string{"plan"}, "RC606 permission denied"},
		{"mine", []string{"apply", "--simulate", "--auto-approve"}, "RC606 run resctl as its owner"},
		{"fixed", []string{"apply", "--simulate", "--auto-approve"}, "RC606 resctl.db: permission denied. The file and its directory must be writable for this user"},
		{"fixed", []string{"plan", "--out", "x.plan"}, "RC610 x.plan: permission denied"},
		{"fixed", []string{"fmt"}, "permission denied"},
		{"empty", []string{"init", "--starter"}, "RC622 main.hcl: permission denied"},
		{"hidden", []string{"plan"}, `RC502 The file "main.hcl": permission denied`},
		{"closed", []string{"-C", "../shut", "plan"}, "RC502 permission denied"},
	} {
		got := say(c.where, c.args...)
		code, want, coded := strings.Cut(c.want, " ")
		if !coded || !strings.HasPrefix(code, "RC") {
			code, want = "", c.want
		}
		if !strings.Contains(got, code) || !strings.Contains(got, want) {
			t.Errorf("%v in %s says\n%s\nwant %s", c.args, c.where, got, c.want)
		}
	}
}

// forAnybody makes directories that any user reaches, and the program there.
func forAnybody(t *testing.T) (dir, resctl string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "resctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	resctl = filepath.Join(dir, "resctl") // by this name the test binary is resctl
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(dir, 0o755))
	program, err := os.ReadFile(self)
	must(err)
	must(os.WriteFile(resctl, program, 0o755))
	must(os.Chmod(resctl, 0o755))
	config := read(t, top+"examples/minimal/main.hcl")
	for name, mode := range map[string]os.FileMode{"mine": 0o777, "fixed": 0o555, "empty": 0o555, "hidden": 0o777, "closed": 0o755, "shut": 0} {
		d := filepath.Join(dir, name)
		must(os.Mkdir(d, 0o700))
		if name != "empty" {
			file, text := filepath.Join(d, "main.hcl"), config
			if name == "fixed" {
				text += "\n\nlocals{}\n" // not in its form
			}
			must(os.WriteFile(file, []byte(text), 0o644))
			must(os.Chmod(file, 0o644))
			if name == "hidden" {
				must(os.Chmod(file, 0))
			}
		}
		if name == "mine" {
			must(os.WriteFile(filepath.Join(d, "resctl.db"), nil, 0))
		}
		must(os.Chmod(d, mode))
		t.Cleanup(func() { _ = os.Chmod(d, 0o700) }) // so that it can be removed
	}
	return dir, resctl
}
