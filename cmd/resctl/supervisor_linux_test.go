package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// hearing is the socket of a supervisor.
func hearing(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// hear reads until a datagram is what is wanted, and gives all that came.
func hear(t *testing.T, l *net.UnixConn, want string) (all []string) {
	t.Helper()
	b := make([]byte, 1024)
	for {
		_ = l.SetReadDeadline(time.Now().Add(patience))
		n, err := l.Read(b)
		if err != nil {
			t.Fatalf("%q never came, but %q: %v", want, all, err)
		}
		if all = append(all, string(b[:n])); strings.HasPrefix(string(b[:n]), want) {
			return all
		}
	}
}

// TestSupervisor: systemd hears when stations can connect, that the process does
// not hang, when it reads again, and when it stops.
func TestSupervisor(t *testing.T) {
	dir := t.TempDir()
	l := hearing(t, filepath.Join(dir, "notify"))
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	env := []string{"NOTIFY_SOCKET=" + filepath.Join(dir, "notify"), "WATCHDOG_USEC=20000"}
	c := newCLI(nil, out, out, env)
	c.state, c.logLevel, c.logFormat = filepath.Join(dir, "resctl.db"), "info", "json"
	c.view = c.newView(false)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	var f serveFlags
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	f.flags(set)
	if err := set.Parse([]string{"--listen", "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	f.given, f.all = flagsGiven(set), flagsOf(set)
	go func() { ended <- c.serve(ctx, f) }()
	hear(t, l, "READY=1\nSTATUS=Stations connect to 127.0.0.1:")
	hear(t, l, "WATCHDOG=1")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	hear(t, l, "RELOADING=1")
	hear(t, l, "READY=1")
	hear(t, l, "WATCHDOG=1")
	stop()
	hear(t, l, "STOPPING=1")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if text := read(t, out.Name()); !strings.Contains(text, "settings were read again") {
		t.Error(text)
	}
}

func TestSupervisorInTheAbstract(t *testing.T) {
	name := "@resctl-test-" + filepath.Base(t.TempDir()) + "-" + time.Now().Format("150405.000000000")
	l := hearing(t, name)
	if err := (supervisor{socket: name}).tell("READY=1"); err != nil {
		t.Fatal(err)
	}
	hear(t, l, "READY=1")
	if err := (supervisor{}).tell("READY=1"); err != nil {
		t.Error("without a supervisor:", err)
	}
	of := func(env map[string]string) supervisor { return newSupervisor(func(n string) string { return env[n] }) }
	if s := of(map[string]string{"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}); s.watchdog != 0 {
		t.Error("another process is watched:", s)
	}
	if s := of(map[string]string{"WATCHDOG_USEC": "2000000"}); s.watchdog != 2*time.Second {
		t.Error(s)
	}
}

const unitFile = top + "packaging/systemd/resctl.service"

// TestUnit: the command of the unit is one that there is, and the unit gives
// it the time that it needs.
func TestUnit(t *testing.T) {
	unit := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Za-z]+)=(.*)$`).FindAllStringSubmatch(read(t, unitFile), -1) {
		unit[m[1]] = append(unit[m[1]], m[2])
	}
	if len(unit["ExecStart"]) != 1 {
		t.Fatal(unit)
	}
	args := strings.Fields(unit["ExecStart"][0])
	root := newCLI(nil, os.Stdout, os.Stderr, nil).command()
	cmd, flags, err := root.Find(args[1:])
	if err != nil || cmd.Name() != "serve" || args[0] != "/usr/local/bin/resctl" {
		t.Fatal(args, err)
	}
	if err := cmd.ParseFlags(flags); err != nil {
		t.Error(err)
	}
	for key, want := range map[string]string{"Type": "notify", "ExecReload": "kill -HUP $MAINPID", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
		"CapabilityBoundingSet": "", "MemoryDenyWriteExecute": "yes", "StateDirectory": "resctl", "DynamicUser": "yes"} {
		if !slices.Equal(unit[key], []string{want}) {
			t.Errorf("%s is %q", key, unit[key])
		}
	}
	stopping, err := time.ParseDuration(unit["TimeoutStopSec"][0])
	if err != nil || stopping < 30*time.Second { // sessions 10 s and 2 s, requests 5 s, the journal
		t.Errorf("TimeoutStopSec is %q, too short for what is under way", unit["TimeoutStopSec"])
	}
}

// TestUnitForSystemd has systemd itself look at the unit, where it is installed.
func TestUnitForSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("NO SYSTEMD: the unit is not verified by systemd-analyze (Debian: apt-get install systemd)")
		return
	}
	dir := t.TempDir()
	text := strings.ReplaceAll(read(t, unitFile), "/usr/local/bin/resctl", "/bin/true") // one that is there
	file := filepath.Join(dir, "resctl.service")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(analyze, "verify", file).CombinedOutput(); err != nil || strings.Contains(string(said), file) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, said)
	}
	if said, err := exec.Command(analyze, "security", "--offline=true", "--threshold=15", file).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, said)
	}
}

// TestAlertRules has Prometheus itself try the alerts, where it is installed.
func TestAlertRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("NO PROMTOOL: the alerts are not tried by promtool (Debian: apt-get install prometheus)")
		return
	}
	if said, err := exec.Command(promtool, "test", "rules", "testdata/alerts_test.yml").CombinedOutput(); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, said)
	}
}
