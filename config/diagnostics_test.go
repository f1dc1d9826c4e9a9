package config

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/config/diag"
)

// Each code constant is in the table, and each line of the table is a constant
// that something reports.
func TestCodesMatchTable(t *testing.T) {
	declared, used := map[string]string{}, map[string]int{}
	paths, _ := filepath.Glob("*.go")
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.ValueSpec:
				if strings.HasPrefix(x.Names[0].Name, "code") && len(x.Values) == 1 {
					if lit, ok := x.Values[0].(*ast.BasicLit); ok {
						declared[x.Names[0].Name] = strings.Trim(lit.Value, `"`)
					}
				}
			case *ast.Ident:
				used[x.Name]++
			}
			return true
		})
	}
	seen := map[string]bool{}
	for _, c := range Codes() {
		if seen[c.Code] || c.Title == "" || c.Meaning == "" || c.Remedy == "" {
			t.Errorf("%s: repeated, or not explained", c.Code)
		}
		seen[c.Code] = true
	}
	for name, code := range declared {
		if !seen[code] {
			t.Errorf("%s (%s) is not in the table", name, code)
		}
		if used[name] < 3 { // its declaration, the table, and a report
			t.Errorf("%s (%s) is never reported", name, code)
		}
	}
	if len(seen) != len(declared) {
		t.Errorf("%d codes in the table, %d declared", len(seen), len(declared))
	}
}

// Every diagnostic has a code, and none shows a secret, in text or JSON.
func TestNoSecretShows(t *testing.T) {
	dir := write(t, map[string]string{"main.hcl": `
variable "secret" {
  sensitive = true
  default   = { key = "hunter2-secret" }
}
locals {
  a = tonumber(var.secret.key)
  b = file(var.secret.key)
  c = { x = 1 }[var.secret.key]
  d = "hunter2-secret" + 1
}
station "s" {
  password = "literal-secret"
}
reservation "r" {
  for_each = toset(["a", "b"])
  station  = "S"
  id_token = { id_token = "secret token", type = "${var.secret.key}" }
  hold_for = var.secret.key
}
reservation "t" {
  station  = var.secret.key
  id_token = { id_token = "literal-secret ", type = "Central" }
  hold_for = "8h"
}
`})
	_, diags := Load(Options{Dir: dir})
	j, err := json.MarshalIndent(diags, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	out := textOf(diags, diag.TextOptions{Max: -1, Color: true}) + string(j)
	for _, secret := range []string{"hunter2", "literal-secret", "secret token"} {
		if strings.Contains(out, secret) {
			t.Errorf("%s shows in:\n%s", secret, out)
		}
	}
	for _, d := range diags.All() {
		if diag.CodeOf(d) == "" {
			t.Errorf("no code: %s", d.Summary)
		}
	}
}

func TestJSONShape(t *testing.T) {
	dir := write(t, map[string]string{"main.hcl": "reservation \"van\" {\n  for_each = { a = 1 }\n  station  = \"S\"\n  id_token = { id_token = \"T\", type = \"Central\" }\n  hold_for = \"8h${each.value}\"\n}\n"})
	_, diags := Load(Options{Dir: dir})
	got, err := json.Marshal(diags)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"severity":"error","code":"RC311","summary":"Invalid duration","detail":"hold_for must be a duration, such as \"8h\", \"10m\", \"1h30m\" or \"2d\".",` +
		`"address":"reservation.van[\"a\"]","range":{"filename":"main.hcl","start":{"line":5,"column":14,"byte":123},"end":{"line":5,"column":31,"byte":140}},` +
		`"snippet":{"context":"reservation \"van\"","code":"  hold_for = \"8h${each.value}\"","start_line":5,"highlight_start_offset":13,"highlight_end_offset":30,"values":[{"traversal":"each.value","statement":"is 1"}]}}]`
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// Codes and addresses survive, findings of others can be added.
func TestFindings(t *testing.T) {
	cfg := mustLoad(t, Options{Dir: "../examples"})
	rng, ok := cfg.RangeOf(`reservation.van["12"]`)
	if !ok || rng.Filename != "vans.hcl" {
		t.Error(rng, ok)
	}
	if _, ok := cfg.RangeOf("reservation.none"); ok {
		t.Error("an address that does not exist has a place")
	}
	ds := diag.New(cfg.Sources)
	ds.Append(diag.Coded(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Overlap", Detail: "Two windows.", Subject: &rng}, "RC201", `reservation.van["12"]`))
	if out := text(ds); !strings.Contains(out, "Warning: Overlap  [RC201]") || !strings.Contains(out, `reservation "van" {`) {
		t.Error(out)
	}
}

func TestCompareAddresses(t *testing.T) {
	want := []string{`a.van`, `a.van2`, `a.van10`, `a.van["02"]`, `a.van["2"]`, `a.van["10"]`, `a.van["x"]`, `a.van[2]`, `a.van[10]`,
		`a.x.module`, `reservation.mz`, `reservation.van`, `station.module`, `station.z`,
		`module.a.reservation.van["2"]`, `module.a.reservation.van["10"]`, `module.a.station.s`, `module.a.module.b.reservation.a`,
		`module.a2.reservation.a`, `module.a10.reservation.a`, `module.a["2"].reservation.a`, `module.a["10"].reservation.a`, `module.b.station.a`, `module.b.module.a.station.a`}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareAddresses)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, a := range got {
		for _, b := range got {
			if CompareAddresses(a, b) != -CompareAddresses(b, a) || (a != b) != (CompareAddresses(a, b) != 0) {
				t.Errorf("%s and %s", a, b)
			}
		}
	}
}

func TestOrderDoesNotDependOnRuns(t *testing.T) {
	first := ""
	for range 3 {
		cfg := mustLoad(t, Options{Dir: "../examples"})
		if s := describeConfiguration(t, cfg); first == "" {
			first = s
		} else if s != first {
			t.Fatal("two loads differ")
		}
	}
}

func TestDevelopmentVersionSatisfiesAll(t *testing.T) {
	dir := write(t, map[string]string{"main.hcl": "resctl {\n  required_version = \">= 99\"\n}\n"})
	mustLoad(t, Options{Dir: dir, Version: "dev"})
	if err := os.Remove(filepath.Join(dir, "main.hcl")); err != nil {
		t.Fatal(err)
	}
	if _, diags := Load(Options{Dir: dir}); !hasCode(diags, codeFile) {
		t.Error("an empty directory is not reported")
	}
	if _, diags := Load(Options{Dir: filepath.Join(dir, "none")}); !hasCode(diags, codeFile) {
		t.Error("a missing directory is not reported")
	}
}

func TestConstraints(t *testing.T) {
	tests := map[string]string{"1.2.3": "= 1.2.3", "1.2.4": "~> 1.2.3", "1.9": "~> 1.2", "0.1.0-rc1": ">= 0.1", "2.0": "> 1.9, < 3", "1.0.0": "!= 1.0.1", "v3": "3"}
	for version, text := range tests {
		cs, err := parseConstraints(text)
		v, _, verr := parseVersion(version)
		if err != nil || verr != nil || !slices.ContainsFunc(cs, func(c constraint) bool { return c.allows(v) }) {
			t.Errorf("%s does not satisfy %s", version, text)
		}
	}
	for version, text := range map[string]string{"1.3.0": "~> 1.2.3", "2.0": "~> 1.2", "1.2.2": "~> 1.2.3", "1.0": "> 1.0"} {
		cs, _ := parseConstraints(text)
		v, _, _ := parseVersion(version)
		if cs[0].allows(v) {
			t.Errorf("%s satisfies %s", version, text)
		}
	}
	for _, text := range []string{"", "x", "=> 1", ">= 1,", "1.2.3.4", ">= -1"} {
		if _, err := parseConstraints(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
