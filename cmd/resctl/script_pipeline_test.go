package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/server"
)

// pipeline FILE JOB: does what the steps of a job of GitHub Actions or GitLab CI
// do, with what the file context says of the event. Actions are not run: they
// check out what is here, and set Go up. What the job writes goes to job.log.
func pipeline(ts *testscript.TestScript, fails bool, args []string) {
	text := ts.ReadFile(args[0])
	p := &pipe{ts: ts, file: decodeYAML(ts, text), job: args[1], log: &strings.Builder{}}
	p.context = contextOf(ts.ReadFile("context"))
	run := p.gitLab
	if strings.Contains(args[0], "workflows") {
		run = p.gitHub
	}
	err := run()
	ts.Check(os.WriteFile(ts.MkAbs("job.log"), []byte(p.log.String()), 0o600))
	ts.Logf("%s", p.log)
	var exit *exec.ExitError
	switch {
	case err == nil && fails:
		ts.Fatalf("the job succeeds")
	case err != nil && (!fails || !errors.As(err, &exit)):
		ts.Fatalf("the job fails: %v", err)
	}
}

// decodeYAML reads a document as JSON has it.
func decodeYAML(ts interface{ Fatalf(string, ...any) }, text string) map[string]any {
	text = strings.Replace(text, "\non:\n", "\n\"on\":\n", 1) // not the truth value that YAML 1.1 has under this name
	ty, err := yaml.Standard.ImpliedType([]byte(text))
	var v cty.Value
	if err == nil {
		v, err = yaml.Standard.Unmarshal([]byte(text), ty)
	}
	var b []byte
	if err == nil {
		b, err = ctyjson.Marshal(v, ty)
	}
	out := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		ts.Fatalf("YAML: %v", err)
	}
	return out
}

// contextOf reads lines NAME=VALUE; a later one wins.
func contextOf(text string) map[string]string {
	m := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			m[name] = value
		}
	}
	return m
}

// pipe is one job on its way.
type pipe struct {
	ts      *testscript.TestScript
	file    map[string]any
	job     string
	context map[string]string
	log     *strings.Builder
}

func object(x any) map[string]any { m, _ := x.(map[string]any); return m }
func list(x any) []any            { l, _ := x.([]any); return l }
func text(x any) string {
	if x == nil {
		return ""
	}
	return fmt.Sprint(x)
}

// shell runs a script with the variables of the job and nothing else.
func (p *pipe) shell(shell []string, script string, env map[string]string) error {
	all := map[string]string{"PATH": p.ts.Getenv("PATH"), "HOME": p.ts.Getenv("WORK"), "TZ": "UTC", "CI": "true"}
	maps.Copy(all, env)
	cmd := exec.Command(shell[0], append(shell[1:], script)...)
	cmd.Dir = p.ts.MkAbs(".")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		cmd.Env = append(cmd.Env, name+"="+all[name])
	}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	return cmd.Run()
}

// gitHub runs the steps of a job until one fails, and those that run even then.
func (p *pipe) gitHub() error {
	job := object(object(p.file["jobs"])[p.job])
	if job == nil {
		p.ts.Fatalf("there is no job %s", p.job)
	}
	if !p.holds(text(job["if"])) {
		p.log.WriteString("skipped\n")
		return nil
	}
	p.context["github.token"] = "github-" + p.job
	env := map[string]string{"GITHUB_API_URL": p.context["github.api_url"], "GITHUB_REPOSITORY": p.context["github.repository"],
		"GITHUB_SHA": p.context["github.sha"], "GITHUB_REF": p.context["github.ref"]}
	p.variables(env, p.file["env"])
	var failed error
	for _, s := range list(job["steps"]) {
		step := object(s)
		always := text(step["if"]) == "${{ !cancelled() }}"
		if step["run"] == nil || failed != nil && !always {
			continue
		}
		own := maps.Clone(env)
		p.variables(own, step["env"])
		fmt.Fprintf(p.log, "## %s\n", text(step["name"]))
		failed = errors.Join(failed, p.shell([]string{"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"}, text(step["run"]), own))
	}
	return failed
}

var expression = regexp.MustCompile(`\$\{\{ *([^}]*?) *\}\}`)

// variables adds what an env block says. What the context does not know is empty, as there.
func (p *pipe) variables(env map[string]string, block any) {
	for name, value := range object(block) {
		env[name] = expression.ReplaceAllStringFunc(text(value), func(e string) string {
			return p.context[expression.FindStringSubmatch(e)[1]]
		})
	}
}

// holds evaluates a == b && c != d.
func (p *pipe) holds(condition string) bool {
	if condition == "" {
		return true
	}
	for _, part := range strings.Split(condition, "&&") {
		a, b, ok := strings.Cut(part, "==")
		if !ok {
			p.ts.Fatalf("what does %q mean?", part)
		}
		if p.value(a) != p.value(b) {
			return false
		}
	}
	return true
}

func (p *pipe) value(s string) string {
	s = strings.TrimSpace(s)
	if word := strings.Trim(s, `'"`); word != s {
		return word
	}
	return p.context[strings.TrimPrefix(s, "$")]
}

// gitLab runs the scripts of a job in one shell, as a runner does.
func (p *pipe) gitLab() error {
	job := object(p.file[p.job])
	if job == nil {
		p.ts.Fatalf("there is no job %s", p.job)
	}
	if !slices.ContainsFunc(list(job["rules"]), func(r any) bool { return p.holds(text(object(r)["if"])) }) {
		p.log.WriteString("skipped\n")
		return nil
	}
	env := maps.Clone(p.context)
	for _, block := range []any{p.file["variables"], job["variables"]} {
		for name, value := range object(block) {
			if _, given := p.context[name]; !given { // by who runs it, which comes first
				env[name] = os.Expand(text(value), func(n string) string { return env[n] })
			}
		}
	}
	script := ""
	for _, line := range slices.Concat(list(object(p.file["default"])["before_script"]), list(job["script"])) {
		script += text(line) + "\n"
	}
	err := p.shell([]string{"sh", "-e", "-c"}, script, env)
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(list(object(job["allow_failure"])["exit_codes"]), any(float64(exit.ExitCode()))) {
		fmt.Fprintf(p.log, "allowed to fail with %d\n", exit.ExitCode())
		return nil
	}
	for _, path := range list(object(job["artifacts"])["paths"]) {
		if b, missing := os.ReadFile(p.ts.MkAbs(text(path))); missing == nil && err == nil {
			theForge(p.ts).keep(env["CI_MERGE_REQUEST_REF_PATH"], p.job, text(path), string(b))
		}
	}
	return err
}

// copyTree DIR: everything below a directory of this repository, dot files as well.
func copyTree(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.CopyFS(ts.MkAbs("."), os.DirFS(top+args[0])))
}

// TestPipelinesAreSafe: no expression stands in a script, where what somebody
// calls a branch would be run; actions are named by their commits; no job has
// more than it says; secrets stand in steps that need them.
func TestPipelinesAreSafe(t *testing.T) {
	path := top + "examples/gitops/.github/workflows/resctl.yml"
	file := decodeYAML(t, read(t, path))
	if p := object(file["permissions"]); p == nil || len(p) != 0 {
		t.Errorf("what no job asks for is permitted: %v", file["permissions"])
	}
	if on := object(file["on"]); on == nil || len(on) != 3 {
		t.Errorf("it runs on %v", file["on"])
	}
	pinned := regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`)
	for name, j := range object(file["jobs"]) {
		job := object(j)
		if object(job["permissions"]) == nil || job["env"] != nil {
			t.Errorf("%s has the permissions %v, and the environment %v", name, job["permissions"], job["env"])
		}
		for _, s := range list(job["steps"]) {
			step := object(s)
			if strings.Contains(text(step["run"]), "${{") {
				t.Errorf("%s, %s: an expression stands in a script", name, text(step["name"]))
			}
			if uses := text(step["uses"]); uses != "" && !pinned.MatchString(uses) {
				t.Errorf("%s uses %s, which may be another thing tomorrow", name, uses)
			}
		}
	}
	if !regexp.MustCompile(`(?m)RESCTL_VERSION: v\d+\.\d+\.\d+$`).MatchString(read(t, path)) {
		t.Error("the version of resctl is not pinned")
	}
	for _, f := range []string{path, top + "examples/gitops/.gitlab-ci.yml"} {
		for i, line := range strings.Split(read(t, f), "\n") {
			if regexp.MustCompile(`(TOKEN|PASSWORDS?): *[^$ ]`).MatchString(line) {
				t.Errorf("%s:%d: a secret stands in the repository: %s", filepath.Base(f), i+1, line)
			}
		}
	}
}

// TestPullExample: the server file follows what the service beside it writes.
func TestPullExample(t *testing.T) {
	dir := top + "examples/gitops/"
	file, ds := server.Load(dir + "pull/resctl.server.hcl")
	if ds.HasErrors() {
		t.Fatal(ds.All())
	}
	cfg, ds := config.Load(config.Options{Dir: dir, Version: version})
	if ds.HasErrors() {
		t.Fatal(ds.All())
	}
	unit := read(t, dir+"pull/git-sync.service")
	flag := func(name string) string {
		m := regexp.MustCompile(`--` + name + `=(\S+)`).FindStringSubmatch(unit)
		if m == nil {
			t.Fatalf("the service has no --%s", name)
		}
		return m[1]
	}
	if len(file.Watches) != 1 || file.Watches[0].Workspace != cfg.Workspace || file.Watches[0].Directory != flag("root")+"/"+flag("link") {
		t.Errorf("%v follow what the service puts at %s/%s for workspace %s", file.Watches, flag("root"), flag("link"), cfg.Workspace)
	}
}
