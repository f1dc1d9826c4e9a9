package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestReadme does what the README shows, in the order in which it shows it,
// and compares what comes out, apart from times, ids and digests. A line of "…"
// stands for any lines; a comment <!-- edit FILE OLD NEW --> is an edit that the
// text asks for; a command without output below it is only parsed.
func TestReadme(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(top+"examples")); err != nil {
		t.Fatal(err)
	}
	leftovers, _ := filepath.Glob(filepath.Join(dir, "resctl.db*"))
	for _, path := range leftovers { // of whoever has tried it here
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, m := range regexp.MustCompile("(?s)<!-- edit (.*?) -->|```console\n(.*?)```").FindAllStringSubmatch(read(t, top+"README.md"), -1) {
		if m[1] != "" {
			editDocumented(t, dir, m[1])
			continue
		}
		first, want, _ := strings.Cut(m[2], "\n")
		args := commandLine(t, first)
		if strings.TrimSpace(want) == "" {
			continue
		}
		for i := range args {
			args[i] = strings.Replace(args[i], "examples", dir, 1)
		}
		cmd := exec.Command("resctl", args...)
		cmd.Env = append(os.Environ(), "TZ=UTC")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		got := strings.ReplaceAll(string(out), dir, "examples")
		if !matches(normalized(got), normalized(want)) {
			t.Errorf("%s\nprints now:\n%s", first, got)
		}
		ran++
	}
	if ran != 3 {
		t.Errorf("%d commands were run, not 3", ran)
	}
}

func normalized(text string) string {
	for _, n := range normal {
		text = n.pattern.ReplaceAllString(text, n.with)
	}
	return text
}

// matches reports whether got is want, in which a line of "…" is any lines.
func matches(got, want string) bool {
	parts := strings.Split(want, "\n…\n")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile(`^` + strings.Join(parts, `\n(?s:.*)\n`) + `$`).MatchString(got)
}

// editDocumented replaces a text in a file of the examples: FILE "OLD" "NEW".
func editDocumented(t *testing.T, dir, what string) {
	t.Helper()
	m := regexp.MustCompile(`^examples/(\S+) ("[^"]*") ("[^"]*")$`).FindStringSubmatch(what)
	if m == nil {
		t.Fatalf("README.md: what is <!-- edit %s -->?", what)
	}
	from, _ := strconv.Unquote(m[2])
	to, _ := strconv.Unquote(m[3])
	path := filepath.Join(dir, m[1])
	text := read(t, path)
	if strings.Count(text, from) != 1 {
		t.Fatalf("%s does not hold %q once", m[1], from)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// commandLine reads a line that starts with "$ resctl" or "$ go run ./cmd/resctl",
// and checks that there are such a command and such flags.
func commandLine(t *testing.T, line string) []string {
	t.Helper()
	rest, ok := strings.CutPrefix(line, "$ resctl ")
	if !ok {
		rest, ok = strings.CutPrefix(line, "$ go run ./cmd/resctl ")
	}
	if !ok {
		t.Fatalf("a console block begins with a command of resctl, not with %q", line)
	}
	args := strings.Fields(rest)
	root := newCLI(os.Stdin, os.Stdout, os.Stderr, nil).command()
	cmd, flags, err := root.Find(args)
	if err == nil {
		err = cmd.ParseFlags(flags)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err != nil || cmd == root {
		t.Errorf("%s: %v", line, err)
	}
	return args
}

// ofTheShell are the lines of documents that are not resctl's.
var ofTheShell = regexp.MustCompile(`^\$ (cd \w+|mkdir \w+|echo \$\?|go install \./cmd/resctl)$`)

// TestDocumentedCommands: what documents tell people to type can be typed.
func TestDocumentedCommands(t *testing.T) {
	for _, path := range documents(t) {
		if filepath.Base(path) == "api.md" {
			continue // TestAPIGuide does it, in a shell
		}
		for _, m := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(read(t, path), -1) {
			for _, line := range strings.Split(m[1], "\n") {
				if strings.HasPrefix(line, "$ ") && !ofTheShell.MatchString(line) {
					commandLine(t, line)
				}
			}
		}
	}
}
