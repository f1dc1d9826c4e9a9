package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

const guidePath = top + "docs/getting-started.md"

// TestGettingStarted does what docs/getting-started.md shows, line by line, at a
// terminal, and compares what comes out; -update writes it into the document.
//
// A console block is run. One below <!-- stays: NAME --> goes on running, and a
// block below <!-- more: NAME --> is what it says later. A diff block is an
// edit of main.hcl, an sh block tells the stations something. "…" stands for any lines. What stands behind "will be accepted:" is typed.
func TestGettingStarted(t *testing.T) {
	t.Parallel()
	g := newGuide(t)
	text := read(t, guidePath)
	block := regexp.MustCompile("(?s)(?:<!-- (stays|more): (\\w+) -->\n)?```(console|text|diff|sh)\n(.*?)```")
	var updated strings.Builder
	at := 0
	for _, m := range block.FindAllStringSubmatchIndex(text, -1) {
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		got := part(4)
		switch role := part(1) + part(3); role {
		case "diff":
			g.edit(got)
		case "sh":
			g.control(got)
		case "console":
			got = g.session(got)
		case "staysconsole":
			got = g.start(part(2), got)
		case "moretext":
			got = g.more(part(2), got)
		}
		updated.WriteString(text[at:m[8]] + got)
		at = m[9]
	}
	updated.WriteString(text[at:])
	if *update && updated.String() != text {
		if err := os.WriteFile(guidePath, []byte(updated.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if g.ran < 15 {
		t.Errorf("only %d commands were run", g.ran)
	}
}

// guide is somebody who reads the document and does what it says.
type guide struct {
	*testing.T
	dir   string // where he is
	bin   string // where go install puts things
	home  string // where he began to work: his directory
	code  int    // the exit code of the last command
	ports *strings.Replacer
	names *strings.Replacer // back
	stay  map[string]*staying
	ran   int
}

// staying is a command that goes on.
type staying struct {
	cmd  *exec.Cmd
	out  growing
	seen int // how much of out the document has shown
}

// fresh is what the document has not shown yet, without what depends on how
// long the reader takes: signs of life, and what is tried again in vain.
func (s *staying) fresh(names *strings.Replacer) string {
	all := names.Replace(s.out.String())
	var kept strings.Builder
	for _, line := range strings.SplitAfter(all, "\n") {
		vain := strings.Contains(line, "Occupied") && strings.Contains(kept.String(), line)
		if !vain && !strings.Contains(line, " settled; waiting for ") {
			kept.WriteString(line)
		}
	}
	return kept.String()[s.seen:]
}

func newGuide(t *testing.T) *guide {
	clone, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	g := &guide{T: t, dir: clone, bin: t.TempDir(), home: home, stay: map[string]*staying{}}
	var there, back []string
	for _, documented := range []string{"127.0.0.1:8887", "127.0.0.1:8090", "127.0.0.1:8880"} {
		ours := freeAddress(t)
		there, back = append(there, documented, ours), append(back, ours, documented)
	}
	g.ports, g.names = strings.NewReplacer(there...), strings.NewReplacer(back...)
	return g
}

// session runs the commands of a block one after the other.
func (g *guide) session(block string) string {
	var got strings.Builder
	for _, c := range strings.Split("\n"+block, "\n$ ")[1:] {
		line, want, _ := strings.Cut(c, "\n")
		out := g.run(line, want)
		want = strings.TrimSuffix(want, "\n") + "\n"
		if want == "\n" {
			want = ""
		}
		got.WriteString("$ " + line + "\n" + g.compare(line, out, want))
	}
	return got.String()
}

// compare keeps what is documented if it is what came, but for what differs
// from run to run.
func (g *guide) compare(what, got, want string) string {
	if matches(sameRun(got), sameRun(want)) {
		return want
	}
	if !*update {
		g.Errorf("%s\nprints now:\n%s\nand not:\n%s", what, got, want)
	}
	return got
}

// sameRun leaves out what differs from run to run: of a drawing, where in the day it is.
func sameRun(text string) string {
	text = regexp.MustCompile(`(?m)^ *│.*\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`reservation \d+`).ReplaceAllString(text, "reservation N")
	text = regexp.MustCompile(`█+|░+`).ReplaceAllString(text, "█")
	return orderless(normalized(text))
}

// orderless sorts the lines that follow each other about one station: which of two
// reservations it is asked for first says nothing.
func orderless(text string) string {
	lines := strings.SplitAfter(text, "\n")
	about := func(line string) bool { return strings.HasPrefix(line, "DEPOT-1: ") }
	for i := 0; i < len(lines); i++ {
		end := i
		for end < len(lines) && about(lines[end]) {
			end++
		}
		slices.Sort(lines[i:end])
		i = max(i, end-1)
	}
	return strings.Join(lines, "")
}

func (g *guide) run(line, want string) string {
	g.Helper()
	g.ran++
	if dir, ok := strings.CutPrefix(line, "cd "); ok {
		g.dir = filepath.Join(g.dir, dir)
		return ""
	}
	if strings.HasPrefix(line, "mkdir ") {
		g.dir = g.home // the clone stays as it is
	}
	var out bytes.Buffer
	cmd := g.command(line, &out)
	terminal := openTerminal(g.T)
	defer terminal.close()
	cmd.Stdin = terminal.line
	typed := regexp.MustCompile(`will be accepted: (\w+)`).FindStringSubmatch(want)
	if typed != nil {
		if _, err := fmt.Fprintln(terminal.keys, typed[1]); err != nil {
			g.Fatal(err)
		}
	}
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		g.Fatalf("%s: %v", line, err)
	}
	g.code = cmd.ProcessState.ExitCode()
	if g.code == 1 {
		g.Fatalf("%s:\n%s", line, out.String())
	}
	text := g.names.Replace(out.String())
	if typed != nil { // the terminal shows what is typed
		text = strings.Replace(text, "will be accepted: ", "will be accepted: "+typed[1]+"\n", 1)
	}
	return text
}

// command is a line as a shell reads it.
func (g *guide) command(line string, out interface{ Write([]byte) (int, error) }) *exec.Cmd {
	cmd := exec.Command("sh", "-c", fmt.Sprintf("(exit %d); %s", g.code, g.ports.Replace(line)))
	cmd.Dir, cmd.Stdout, cmd.Stderr = g.dir, out, out
	cmd.Env = append(os.Environ(), "TZ=UTC", "USER=tester", "GOBIN="+g.bin, "GOFLAGS=-buildvcs=false", "PATH="+g.bin+":"+os.Getenv("PATH"))
	return cmd
}

// start starts the one command of a block, and waits for what it says at first.
func (g *guide) start(name, block string) string {
	g.Helper()
	g.ran++
	line, want, _ := strings.Cut(strings.TrimPrefix(block, "$ "), "\n")
	s := &staying{}
	s.cmd = g.command("exec "+line, &s.out)
	if err := s.cmd.Start(); err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() {
		_ = s.cmd.Process.Signal(os.Interrupt)
		_ = s.cmd.Wait()
	})
	g.stay[name] = s
	return "$ " + line + "\n" + g.more(name, want)
}

// more waits until a command that goes on has said what is documented; to write
// that, until it has been silent for a while.
func (g *guide) more(name, want string) string {
	g.Helper()
	s := g.stay[name]
	fresh := func() string { return s.fresh(g.names) }
	last := time.Now()
	for text, end := fresh(), time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		now := fresh()
		if now != text {
			text, last = now, time.Now()
		}
		if !*update && matches(sameRun(text), sameRun(want)) || *update && text != "" && time.Since(last) > 2*time.Second {
			break
		}
	}
	got := fresh()
	s.seen += len(got)
	return g.compare("what stays: "+name, got, want)
}

// control tells the simulated station what happens to it.
func (g *guide) control(line string) {
	g.Helper()
	m := controlRequest.FindStringSubmatch(line)
	if m == nil {
		g.Fatalf("what is %s?", line)
	}
	if status, text, err := ask(http.MethodPost, g.ports.Replace("http://127.0.0.1:8090"+m[1]), m[2]); err != nil || status != http.StatusOK {
		g.Fatalf("%s: %d %s %v", line, status, text, err)
	}
}

// edit changes main.hcl as the lines of a diff say: what has + before it comes in
// the place of what has -, where the others stand.
func (g *guide) edit(diff string) {
	g.Helper()
	var before, after strings.Builder
	for _, line := range strings.SplitAfter(strings.TrimSuffix(diff, "\n"), "\n") {
		line = strings.TrimSuffix(line, "\n") + "\n"
		if line[0] != '+' {
			before.WriteString(line[1:])
		}
		if line[0] != '-' {
			after.WriteString(line[1:])
		}
	}
	path := filepath.Join(g.dir, "main.hcl")
	text := read(g.T, path)
	if strings.Count(text, before.String()) != 1 {
		g.Fatalf("main.hcl does not hold once:\n%s", before.String())
	}
	if err := os.WriteFile(path, []byte(strings.Replace(text, before.String(), after.String(), 1)), 0o600); err != nil {
		g.Fatal(err)
	}
}

// growing is what a process has written so far.
type growing struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *growing) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *growing) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// terminal is one without a screen: line is what a program reads, keys are typed.
type terminal struct{ keys, line *os.File }

func openTerminal(t *testing.T) terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number, locked uint32
	for request, value := range map[uintptr]*uint32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &locked} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, keys.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return terminal{keys, line}
}

func (t terminal) close() {
	_ = t.line.Close()
	_ = t.keys.Close()
}
