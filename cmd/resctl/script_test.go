package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
)

var update = flag.Bool("update", false, "write what the scripts printed into them")

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0))) // scripts wait for processes, most of the time; -parallel wins
	testscript.Main(m, map[string]func(){"resctl": notedMain, "station": stationMain, "http": httpMain, "hook": hookMain})
}

// TestScripts runs the program as people do, every script the ways it says. It
// has a directory of its own; cmp compares what norm has made of the output.
func TestScripts(t *testing.T) {
	forms, ran := newSchemas(t), filepath.Join(t.TempDir(), "ran")
	if !strings.Contains(flag.Lookup("test.run").Value.String(), "/") { // all of them run
		t.Cleanup(func() {
			forms.allHeld(t)
			if !testing.Short() {
				allServed(t, ran)
			}
		})
	}
	for _, way := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			runScripts(t, way, forms, ran)
		})
	}
}

func runScripts(t *testing.T, way string, forms *schemas, ran string) {
	if way != "file" && runtime.GOOS == "windows" {
		t.Skip("serve cannot be asked to end there")
	}
	files := scriptsOf(t, way)
	if len(files) == 0 {
		t.Skip("with -short each script runs one way, and none this one")
	}
	testscript.Run(t, testscript.Params{
		Files: files, UpdateScripts: *update && way == "file",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("IN_TEN_DAYS", time.Now().UTC().AddDate(0, 0, 10).Format(time.DateOnly))
			env.Setenv("USER", "tester")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // with -race every process would end a second later
			env.Values[forgeKey{}] = &fakeForge{Pulls: []map[string]any{}, artifacts: map[string]string{}}
			return takeWay(t, env, way, ran)
		},
		Condition: func(cond string) (bool, error) {
			if slices.Contains(ways, cond) {
				return cond == way, nil
			}
			return false, fmt.Errorf("there is no condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"norm": norm, "until": untilSaid, "waitfor": waitFor, "freeport": freePort, "opening": opening, "copydir": copyDir, "edit": edit, "mode": mode, "said": said, "header": header,
			"schema": forms.script, "certificates": certificates, "measured": measured, "pipeline": pipeline, "forge": forge, "copytree": copyTree,
		},
	})
}

// normal takes out of an output what differs from run to run.
var normal = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2} \d\d:\d\d(:\d\d)?( [A-Z]{3,4})?`), "NOW"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "WHEN"},
	{regexp.MustCompile(`(today |[A-Z][a-z]{2} |\d{1,2} [A-Z][a-z]{2} (\d{4} )?)?\b\d\d:\d\d\b`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)`), "TIMESTAMP"},
	{regexp.MustCompile(`#[0-9a-f]{4}\b`), "#ffff"},
	{regexp.MustCompile(`[0-9a-f]{4}(-[0-9a-f]{4}){3}`), "DIGEST"},
	{regexp.MustCompile(`(at the latest|opens in|asked for in|since|pending|offline|canceling) \d+ [dhms]( \d+ [hm])?`), "$1 A WHILE"},
	{regexp.MustCompile(`\(\d+ [ms]( \d+ s)? left\)`), "(A WHILE left)"},
	{regexp.MustCompile(`since TIME \(\d+ [dhms]( \d+ [hm])?\)`), "since TIME (A WHILE)"},
	{regexp.MustCompile(`id \d+`), "id N"},
	{regexp.MustCompile(`Process \d+`), "Process N"},
	{regexp.MustCompile(`pid \d+`), "pid N"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`(\S)  +`), "$1  "},
}

// norm [-sort] FROM TO: what FROM (a file, stdout, stderr) says apart from
// times, ids, digests, ports and the width of columns.
func norm(ts *testscript.TestScript, _ bool, args []string) {
	sorted := args[0] == "-sort"
	if sorted {
		args = args[1:]
	}
	text := normalized(ts.ReadFile(args[0]))
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "$WORK")
	if ts.Getenv("WAY") != "" {
		text = whicheverWay(text)
	}
	if sorted {
		lines := strings.SplitAfter(text, "\n")
		slices.Sort(lines)
		text = strings.Join(lines, "")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// patience is how long a script waits for a process.
const patience = 20 * time.Second

// waitFor FILE REGEXP: until the file is there and matches.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(b) {
			return
		}
	}
	ts.Fatalf("%s does not match %s", args[0], args[1])
}

// freePort NAME: the variable names a port of this machine that is free.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	address, err := unused()
	ts.Check(err)
	_, port, err := net.SplitHostPort(address)
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// opening FILE DURATION: what the file calls START is that long from now.
func opening(ts *testscript.TestScript, _ bool, args []string) {
	in, err := time.ParseDuration(args[1])
	ts.Check(err)
	edit(ts, false, []string{args[0], "START", time.Now().Add(in).UTC().Format(time.RFC3339)})
}

// copyDir NAME: the configuration of that name under examples, or examples itself.
func copyDir(ts *testscript.TestScript, _ bool, args []string) {
	from, err := os.OpenRoot("../../" + args[0])
	ts.Check(err)
	defer from.Close()
	for _, e := range entriesOf(ts, "../../"+args[0]) {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), "resctl.db") {
			b, err := from.ReadFile(e.Name())
			ts.Check(err)
			ts.Check(os.WriteFile(ts.MkAbs(e.Name()), b, 0o600))
		}
	}
}

func entriesOf(ts *testscript.TestScript, dir string) []os.DirEntry {
	all, err := os.ReadDir(dir)
	ts.Check(err)
	return all
}

// edit FILE OLD NEW: replaces a text that must be there.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

// mode FILE MODE: the permissions of a file are these.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	st, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", st.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// stationMain is a station with two EVSEs: station URL ID [no-reservations].
func stationMain() {
	c := sim.Config{ID: os.Args[2], Serial: "SN-1", Vendor: "Acme\x1b[31m", Model: "One"}
	for id := 1; id <= 2; id++ {
		c.EVSEs = append(c.EVSEs, sim.EVSE{ID: id, Connectors: []v201.ConnectorType{"cCCS2"}})
	}
	c.Quirks.ReservationsNotImplemented = slices.Contains(os.Args[3:], "no-reservations")
	client, err := sim.NewClient(sim.ClientConfig{Station: c, URL: os.Args[1], MinBackOff: 20 * time.Millisecond, MaxBackOff: 100 * time.Millisecond, Password: os.Getenv("STATION_PASSWORD")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if slices.Contains(os.Args[3:], "taken") { // by somebody else, before we came
		_ = client.Do(func(m *sim.Machine, now time.Time) []sim.Message {
			m.Boot(now)
			m.BootAnswered(now, "Accepted")
			_, _, _ = m.Handle(now, "ReserveNow", []byte(`{"id":77,"expiryDateTime":"2037-12-01T00:00:00Z","idToken":{"idToken":"STRANGER","type":"Central"},"evseId":1}`))
			return m.Reboot(now, true)
		})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	_ = client.Run(ctx)
	fmt.Println(client.Calls())
}
