package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/state"
)

const childVar = "RESCTL_BENCH_CHILD" // a role, as JSON

// role is what another process of this binary is there for.
type role struct {
	Fleet string // URL to which stations connect
	N     int    // of stations
	EVSEs int    // of each

	State string        // to be served; "": a bare endpoint
	TLS   string        // directory of a certificate; "": none
	Pings time.Duration // of what serves the state; 0: none
}

// child is such a process. It answers each line with one of JSON.
type child struct {
	tb  testing.TB
	in  io.Writer
	out *bufio.Reader
}

func startChild(tb testing.TB, r role) *child {
	tb.Helper()
	config, _ := json.Marshal(r)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+string(config))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &child{tb, in, bufio.NewReader(out)}
}

// ask has the child do something and reads what came of it.
func (c *child) ask(what string, into any) {
	c.tb.Helper()
	fmt.Fprintln(c.in, what)
	line, err := c.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, into)
	}
	if err != nil {
		c.tb.Fatalf("%s: %v: %s", what, err, line)
	}
}

// beChild does what it is asked until its stdin ends.
func beChild(config string) {
	var r role
	err := json.Unmarshal([]byte(config), &r)
	var do func(what string) any
	switch {
	case err != nil:
	case r.Fleet != "":
		do = r.fleet()
	default:
		do, err = r.server()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		_ = out.Encode(do(lines.Text()))
	}
}

// fleet are stations.
func (r role) fleet() func(string) any {
	f := limits.NewFleet(context.Background(), r.Fleet, r.N, r.EVSEs)
	return func(what string) any {
		switch what {
		case "boot":
			f.Booted()
			return true
		case "heal":
			return f.Heal(20 * time.Millisecond)
		}
		return f.Heard()
	}
}

// server serves a state, or is bare.
func (r role) server() (func(string) any, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	url := "ws://" + l.Addr().String()
	var secure *tls.Config
	if r.TLS != "" {
		url = "wss://" + l.Addr().String()
		c, err := ocppclient.LoadCredentials(ocppclient.CredentialFiles{
			Certificates: []string{r.TLS + "/server.pem"}, Keys: []string{r.TLS + "/server.key"}})
		if err != nil {
			return nil, err
		}
		secure = c.TLS()
	}
	rest := func() {}
	if r.State != "" {
		rest, err = r.serve(l, secure)
	} else {
		if secure != nil {
			l = tls.NewListener(l, secure)
		}
		go func() { _ = limits.Idle(l, nil) }()
	}
	return func(what string) any {
		switch what {
		case "url":
			return url
		case "cpu":
			return processor()
		}
		return usageNow(rest)
	}, err
}

// serve returns what the program does after some minutes of silence.
func (r role) serve(l net.Listener, secure *tls.Config) (rest func(), err error) {
	db, err := state.Open(context.Background(), r.State, state.Options{FirstReservationID: 1 << 20})
	if err != nil {
		return nil, err
	}
	all, err := db.Stations(context.Background())
	if err != nil {
		return nil, err
	}
	known := map[string]string{} // the roster: its names are the only ones that are kept
	for i := range all {
		id := strings.Clone(all[i].ID)
		known[id] = id
	}
	all = nil
	_, err = serve(db, l, settings(), func(c *ocppclient.Config) {
		c.PingInterval = -1
		if r.Pings > 0 {
			c.PingInterval = r.Pings
		}
		if secure != nil {
			c.Security = ocppclient.Security{Profile: ocppclient.ProfileTLS, TLS: secure}
		}
		c.Admit = func(_ context.Context, id string) (ocppclient.Admission, error) {
			a := ocppclient.Admission{Known: true, Identity: known[id]}
			if secure != nil {
				a.CheckPassword = func([]byte) bool { return true }
			}
			return a, nil
		}
	})
	return func() { _, _ = db.Trim(context.Background()), db.Trim(context.Background()) }, err
}

// usage is what a process uses, in bytes, once nothing is left to collect.
type usage struct {
	Resident   int `json:"resident"`
	Heap       int `json:"heap"`   // of it, objects
	Stacks     int `json:"stacks"` // and stacks
	Goroutines int `json:"goroutines"`
}

func usageNow(rest func()) usage {
	rest()
	for range 4 { // a stack shrinks by half each time
		runtime.GC()
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{Resident: resident(), Heap: int(m.HeapAlloc), Stacks: int(m.StackInuse), Goroutines: runtime.NumGoroutine()}
}

// processor is how long this process has been running on one.
func processor() time.Duration {
	var sum syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &sum)
	return time.Duration(sum.Utime.Nano() + sum.Stime.Nano())
}

// resident is what Linux counts as in memory of this process.
func resident() int {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kilobytes int
	_, _ = fmt.Sscan(rest, &kilobytes)
	return kilobytes << 10
}
