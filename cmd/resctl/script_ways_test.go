package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// ways are how the commands of a script reach what is stored, and the stations:
// over the file of the state, where apply simulates them, or through a serve, by
// its socket or as a server with a token, to which stations connect.
var ways = []string{"file", "socket", "server"}

// wayLine says in a script which ways it is run, and why not the others.
var wayLine = regexp.MustCompile(`(?m)^# ways: ([a-z, ]+): \S`)

// scriptsOf are the scripts that are run one way. With -short, as under the race
// detector, each runs one way only: as a server if it may, where most is going on
// at the same time.
func scriptsOf(t *testing.T, way string) (files []string) {
	all, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(all) == 0 {
		t.Fatal("no scripts:", err)
	}
	for _, file := range all {
		said := waysOf(t, read(t, file))
		if testing.Short() {
			said = said[len(said)-1:]
		}
		if slices.Contains(said, way) {
			files = append(files, file)
		}
	}
	return files
}

func waysOf(t *testing.T, script string) []string {
	said := wayLine.FindStringSubmatch(script)
	if said == nil {
		if strings.Contains(script, "\n# ways:") || strings.HasPrefix(script, "# ways:") {
			t.Error("write # ways: WAY, WAY: REASON")
		}
		return ways
	}
	some := strings.Split(said[1], ", ")
	for _, way := range some {
		if !slices.Contains(ways, way) {
			t.Errorf("there is no way %q", way)
		}
	}
	return some
}

// takeWay makes the commands of a script go one way. APPLY are the flags with
// which apply finds stations.
func takeWay(t *testing.T, env *testscript.Env, way string, notes string) error {
	script := read(t, "testdata/script/"+strings.TrimPrefix(filepath.Base(env.WorkDir), "script-")+".txtar")
	if len(waysOf(t, script)) > 1 {
		env.Setenv("WAY", way)
	}
	if way == "file" {
		env.Setenv("APPLY", "--simulate")
		return nil
	}
	env.Setenv("APPLY", "--wait=20s")
	env.Setenv("RAN", notes)
	dir := env.WorkDir
	if way == "server" {
		dir = env.T().(testing.TB).TempDir()
	}
	s, err := startServing(env, dir)
	if err != nil {
		return err
	}
	if way == "server" {
		env.Setenv("RESCTL_SERVER", s.api)
		env.Setenv("RESCTL_TOKEN", "token-of-tester")
	}
	env.Defer(func() {
		if err := s.stop(); err != nil {
			env.T().(testing.TB).Error(err)
		}
	})
	return nil
}

// servingProcess is a serve with the stations that its state knows.
type servingProcess struct {
	cmd      *exec.Cmd
	log      string // file
	stations string // URL
	api      string // URL
	fleet    *testFleet
}

// alike takes out of an output that is normal what differs from way to way, as
// it should: the place; the digest of a first plan, which needs a state; stations
// that are simulated by an apply come and go with it; and whose socket it is, is
// known to the kernel, whatever USER says.
var alike = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\bresctl\.db( · (simulated stations|via serve, pid N))?`), "PLACE"},
	{regexp.MustCompile(`http://127\.0\.0\.1:PORT( · via serve [^ ·,\n]+)?`), "PLACE"},
	{regexp.MustCompile(`  Digest DIGEST`), ""},
	{regexp.MustCompile(`(?m)^\S+: connected \(ocpp2\.0\.1\)\n`), ""},
	{regexp.MustCompile(`(?m)^WHEN  \S+  connection ended\n`), ""},
	{regexp.MustCompile(`(connected|offline) since`), "HERE since"},
	{regexp.MustCompile(` by tester \(token\)`), " by tester"},
}

func whicheverWay(text string) string {
	for _, a := range alike {
		text = a.pattern.ReplaceAllString(text, a.with)
	}
	if u, err := user.Current(); err == nil {
		text = strings.ReplaceAll(text, " by "+u.Username, " by tester")
	}
	return text
}

// untilSaid REGEXP ARGS: resctl is run until what it prints matches. What a
// station reports behind its answer may come behind the end of an apply.
func untilSaid(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	for end := time.Now().Add(patience); time.Now().Before(end); {
		ts.Check(ts.Exec("resctl", args[1:]...))
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("resctl %s does not come to say %s", strings.Join(args[1:], " "), args[0])
}

// tester is the token token-of-tester.
const tester = "tester=admin:c657e47d2f02b1da8014d87c4a9ab7bc31e164ccbbea61df85b1a9704207731c"

var (
	listening = regexp.MustCompile(`listening on (127\.0\.0\.1:\d+)`)
	apiIsAt   = regexp.MustCompile(`The API is at (http://127\.0\.0\.1:\d+)`)
)

func startServing(env *testscript.Env, dir string) (*servingProcess, error) {
	beside := env.T().(testing.TB).TempDir()
	state, out := filepath.Join(dir, "resctl.db"), filepath.Join(beside, "out")
	s := &servingProcess{log: filepath.Join(beside, "log")}
	s.cmd = exec.Command("resctl", "serve", "--listen", "127.0.0.1:0", "--state", state, "--quiet-period", "250ms",
		"--api", "127.0.0.1:0", "--api-token", tester)
	s.cmd.Dir, s.cmd.Env = beside, env.Vars
	outFile, err := os.Create(out)
	if err != nil {
		return nil, err
	}
	defer outFile.Close()
	logFile, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	s.cmd.Stdout, s.cmd.Stderr = outFile, logFile
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(patience); s.api == "" && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		b, err := os.ReadFile(out)
		if at := apiIsAt.FindSubmatch(b); err == nil && at != nil {
			s.api, s.stations = string(at[1]), "ws://"+string(listening.FindSubmatch(b)[1])+"/ocpp"
		}
	}
	if s.api != "" {
		s.fleet, err = followState(testFleet{state: state, url: s.stations, memories: filepath.Join(beside, "sim")})
	}
	if s.api == "" || err != nil {
		return nil, errors.Join(err, fmt.Errorf("serve does not begin: %s", s.said()), s.cmd.Process.Kill(), s.cmd.Wait())
	}
	return s, nil
}

func (s *servingProcess) said() string {
	b, _ := os.ReadFile(s.log)
	return string(b)
}

// stop lets serve drain while its stations are connected. It ends well, and has
// nothing to complain of.
func (s *servingProcess) stop() error {
	err := errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
	s.fleet.stop()
	said := s.said()
	if err != nil || strings.Contains(said, "level=ERROR") || strings.Contains(said, "panic:") || strings.Contains(said, "DATA RACE") {
		return errors.Join(err, fmt.Errorf("serve said:\n%s", said))
	}
	return nil
}

// notedMain is main, which notes in the file RAN which commands come to a good
// end on the state that a serve has.
func notedMain() {
	c := newCLI(os.Stdin, os.Stdout, os.Stderr, os.Environ())
	ctx, stop := interruptible(c.stderr)
	code := c.run(ctx, os.Args[1:])
	stop()
	if file := os.Getenv("RAN"); file != "" && code != exitError && c.state == "" {
		note(file, c.getenv("RESCTL_SERVER") != "")
	}
	os.Exit(code)
}

func note(file string, server bool) {
	root := newCLI(nil, nil, nil, nil).command()
	cmd, _, err := root.Find(longFlags(root, os.Args[1:]))
	if err != nil {
		return
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	_, err = fmt.Fprintf(f, "%t %s\n", server, strings.TrimPrefix(cmd.CommandPath(), "resctl "))
	if err := errors.Join(err, f.Close()); err != nil {
		panic(err)
	}
}

// local are the commands that no server has a part in, and why. Those of a file
// of the state work beside a serve, but not through a server on the network.
var local = map[string]string{
	"init": "writes files", "fmt": "writes files", "validate": "reads files", "output": "reads files",
	"simulate": "is the stations", "serve": "is the server", "restore": "puts another file in the place of the state",
	"version": "says what this program is", "help": "says how it is used",
	"completion": "is for a shell",
}

// allServed holds that each command has been run through a serve, by its socket
// and as a server.
func allServed(t *testing.T, ran string) {
	b, err := os.ReadFile(ran)
	if err != nil {
		t.Fatal(err)
	}
	noted := strings.Split(string(b), "\n")
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			check(sub)
		}
		name := strings.TrimPrefix(c.CommandPath(), "resctl ")
		if c.HasSubCommands() || c.Hidden || local[name] != "" {
			return
		}
		for server, how := range map[string]string{"false": "the socket", "true": "a server"} {
			if !slices.Contains(noted, server+" "+name) {
				t.Errorf("no script runs resctl %s through %s", name, how)
			}
		}
	}
	check(newCLI(nil, nil, nil, nil).command())
}
