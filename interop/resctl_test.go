package interop

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Exit codes of resctl.
const (
	exitDone    = 0
	exitChanges = 2
	exitWaits   = 4
)

// workdir is a configuration and its state.
type workdir struct {
	t   *testing.T
	dir string
}

func newWorkdir(t *testing.T, blocks ...string) *workdir {
	t.Helper()
	w := &workdir{t, t.TempDir()}
	w.declare(blocks...)
	return w
}

// declare replaces the configuration.
func (w *workdir) declare(blocks ...string) {
	w.t.Helper()
	text := strings.Join(blocks, "\n")
	if err := os.WriteFile(filepath.Join(w.dir, "main.hcl"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// resctl runs a command to its end.
func (w *workdir) resctl(args ...string) (stdout string, code int) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), binary, append(args, "--chdir", w.dir)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("resctl %v: %v", args, err)
	}
	if code = cmd.ProcessState.ExitCode(); code == 1 {
		w.t.Fatalf("resctl %v: exit 1\n%s%s", args, &out, &errs)
	}
	return out.String(), code
}

// shown is what the tests need of show --json.
type shown struct {
	Reservations []held  `json:"reservations"`
	Stations     []known `json:"stations"`
}

type held struct {
	Address       string `json:"address"`
	StationID     string `json:"station_id"`
	ReservationID int    `json:"reservation_id"`
	Phase         string `json:"phase"`
	Reason        string `json:"reason"`
	Held          bool   `json:"held"`
	Window        window `json:"window"`
}

type window struct{ Start, Expiry time.Time }

type known struct {
	ID        string `json:"id"`
	Connected bool   `json:"connected"`
	Protocol  string `json:"protocol"`
	Model     string `json:"model"`
	Vendor    string `json:"vendor"`
	Serial    string `json:"serial_number"`
}

// plan is what the tests need of plan --json.
type plan struct {
	Changes     []json.RawMessage `json:"changes"`
	Outstanding []struct {
		Address string `json:"address"`
		Phase   string `json:"phase"`
		Reason  string `json:"reason"`
		Info    string `json:"info"`
	} `json:"outstanding"`
}

func read[T any](w *workdir, command string) (v T) {
	w.t.Helper()
	out, _ := w.resctl(command, "--json")
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		w.t.Fatalf("%s --json: %v\n%s", command, err, out)
	}
	return v
}

// now is where a reservation stands.
func (w *workdir) now(name string) held {
	w.t.Helper()
	for _, r := range read[shown](w, "show").Reservations {
		if r.Address == "reservation."+name {
			return r
		}
	}
	return held{}
}

// until waits for a reservation to come where it is wanted.
func (w *workdir) until(name, what string, there func(held) bool) held {
	w.t.Helper()
	var last held
	poll(w.t, name+": "+what, func() bool { last = w.now(name); return there(last) }, func() any { return last })
	return last
}

func (w *workdir) untilPhase(name, phase string) held {
	w.t.Helper()
	return w.until(name, phase, func(r held) bool { return r.Phase == phase })
}

// poll asks until the answer is yes, or patience is at its end.
func poll(t *testing.T, what string, yes func() bool, last func() any) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not in time; last: %+v", what, last())
		}
	}
}

// applying is an apply --listen that runs.
type applying struct {
	w       *workdir
	cmd     *exec.Cmd
	out     *output
	address string
	ended   chan struct{}
}

// apply starts one, and returns once it listens: on a port that the kernel chose.
func (w *workdir) apply(args ...string) *applying {
	w.t.Helper()
	args = append([]string{"apply", "--chdir", w.dir, "--listen", "127.0.0.1:0", "--auto-approve", "--quiet-period", "50ms",
		"--wait", "30s", "--allow-empty", "--log-level", "info"}, args...)
	a := &applying{w: w, cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	a.out = &output{listening: make(chan string, 1)}
	a.cmd.Stdout, a.cmd.Stderr = a.out, a.out
	if err := a.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = a.cmd.Wait(); close(a.ended) }()
	w.t.Cleanup(a.kill)
	select {
	case a.address = <-a.out.listening:
	case <-a.ended:
		w.t.Fatalf("apply ended:\n%s", a.out)
	case <-time.After(patience):
		w.t.Fatalf("apply does not listen:\n%s", a.out)
	}
	return a
}

// kill ends what a test left; a failed one shows what it printed.
func (a *applying) kill() {
	select {
	case <-a.ended:
	default:
		_ = a.cmd.Process.Kill()
		<-a.ended
	}
	if a.w.t.Failed() {
		a.w.t.Logf("resctl %v:\n%s", a.cmd.Args[1:], a.out)
	}
}

// done waits for its end.
func (a *applying) done(code int) {
	a.w.t.Helper()
	select {
	case <-a.ended:
	case <-time.After(2 * patience):
		a.w.t.Fatal("apply does not end")
	}
	if got := a.cmd.ProcessState.ExitCode(); got != code {
		a.w.t.Fatalf("apply: exit %d, want %d", got, code)
	}
}

// stop interrupts it, as Ctrl-C does.
func (a *applying) stop() {
	a.w.t.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGINT); err != nil {
		a.w.t.Fatal(err)
	}
	select {
	case <-a.ended:
	case <-time.After(patience):
		a.w.t.Fatal("apply does not end when it is interrupted")
	}
}

// output gathers what a process writes, and finds the address in it.
type output struct {
	mu        sync.Mutex
	text      bytes.Buffer
	told      bool
	listening chan string
}

var listensOn = regexp.MustCompile(`listening on ([0-9.]+:[0-9]+)`)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if m := listensOn.FindSubmatch(o.text.Bytes()); m != nil && !o.told {
		o.told = true
		o.listening <- string(m[1])
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
