package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/lang"
)

// Inputs that kill or stall hcl's parser, or would eat all memory, end in a
// diagnostic, and soon.
func TestHostile(t *testing.T) {
	n := 100_000 // what kills an unguarded parser
	rep := strings.Repeat
	local := func(expr string) map[string]string {
		return map[string]string{"main.hcl": "locals {\n  x = " + expr + "\n}\n"}
	}
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"brackets", local(rep("[", n) + rep("]", n)), codeLimit},
		{"open brackets", local(rep("[", n)), codeLimit},
		{"brackets after a broken string", local("\"\n" + rep("[", n)), codeSyntax},
		{"parentheses", local(rep("(", n) + "1" + rep(")", n)), codeLimit},
		{"templates", local(rep(`"${`, n) + "1" + rep(`}"`, n)), codeLimit},
		{"directives", local("\"" + rep("%{ if true }", n) + "\""), codeLimit},
		{"blocks", map[string]string{"main.hcl": rep("a {\n", n) + rep("}\n", n)}, codeLimit},
		{"negations", local(rep("!", 1_000_000) + "true"), codeLimit},
		{"minus", local(rep("- ", 1_000_000) + "1"), codeLimit},
		{"conditionals", local(rep("true ? 1 : ", n) + "1"), codeLimit},
		{"sum", local("1" + rep("+1", n)), codeLimit},
		{"indexes", local("a" + rep("[b]", n)), codeLimit},
		{"splats", local("a" + rep("[*]", n)), codeLimit},
		{"heredoc", local("<<EOT\n" + rep("line\n", n) + "EOT\n"), codeLimit},
		{"heredoc without end", local("<<EOT\n" + rep("line\n", n)), codeLimit},
		{"heredoc with templates", local("<<EOT\n" + rep("${1}\n", n) + "EOT\n"), codeLimit},
		{"many arguments twice", map[string]string{"main.hcl": rep("x = 1\n", n)}, codeSyntax},
		{"many stray blocks", map[string]string{"main.hcl": rep("x {}\n", 10_000)}, codeBlockType},
		{"JSON objects", map[string]string{"a.hcl.json": rep(`{"a":`, n) + "1" + rep("}", n)}, codeSyntax},
		{"JSON objects below Go's limit", map[string]string{"a.hcl.json": rep(`{"a":`, 5000) + "1" + rep("}", 5000)}, codeLimit},
		{"JSON templates", map[string]string{"a.hcl.json": `{"locals":{"a":"` + rep("${[", n) + `"}}`}, codeLimit},
		{"NUL", map[string]string{"main.hcl": "locals {\x00}"}, codeFile},
		{"not UTF-8", map[string]string{"main.hcl": "locals {\xff}"}, codeFile},
		{"nested for", local(`[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]`), codeLimit},
		{"nested for inside try", local(`try([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]], 1)`), codeLimit},
		{"nested for in JSON", map[string]string{"a.hcl.json": `{"locals":{"a":"${[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]}"}}`}, codeLimit},
		{"nested try", local(rep("try(", 100) + "1" + rep(")", 100)), ""},
		{"long range", local(`range(1e9)`), codeExpression},
		{"product", local(`setproduct(range(1000), range(1000), range(1000))`), codeExpression},
		{"wide format", local(`format("%999999999d", 1)`), codeExpression},
		{"doubling", map[string]string{"main.hcl": doubling(60)}, codeLimit},
		{"replace", local(`replace(` + `join("", [for i in range(1000) : "` + rep("a", 1000) + `"])` + `, "a", "` + rep("b", 100) + `")`), codeExpression},
		{"huge exponent", local(`"${1e99999999}"`), ""},
		{"count", map[string]string{"main.hcl": "reservation \"a\" {\n count = 1e9\n station = \"A\"\n id_token = {}\n hold_for = \"1h\"\n}\n"}, codeRepetition},
		{"instances", map[string]string{"main.hcl": "reservation \"a\" {\n for_each = toset([for n in range(1000) : tostring(n)])\n station = \"A\"\n id_token = { id_token = \"A\", type = \"Central\" }\n hold_for = \"1h\"\n}\n"}, codeLimit},
		{"JSON in a string", local(`jsondecode(file("deep.json"))`), codeExpression},
		{"YAML in a string", local(`yamldecode(file("deep.json"))`), codeExpression},
		{"YAML aliases", local(`yamldecode(file("laughs.yaml"))`), codeExpression},
		{"deep template file", local(`templatefile("deep.tpl", {})`), codeExpression},
		{"dynamic", map[string]string{"main.hcl": "station \"s\" {\n  dynamic \"evse\" {\n    for_each = range(1000)\n    labels = [evse.value + 1]\n    content {}\n  }\n}\n"}, codeLimit},
		{"dynamic in dynamic", map[string]string{"main.hcl": bombs(30)}, codeLimit},
		{"preconditions", map[string]string{"main.hcl": preconditions(100)}, codeLimit},
		{"modules", modules(`module "m" {` + "\n source = \"./m\"\n count = 800\n}\n"), codeLimit},
		{"module blocks", modules(moduleBlocks(10_000)), codeLimit},
		{"modules that double", doublingModules(18), codeLimit},
		{"modules in modules", deepModules(100), codeLimit},
		{"modules that call themselves", map[string]string{"main.hcl": "module \"a\" {\n source = \"./a\"\n}\n", "a/main.hcl": "module \"b\" {\n source = \"../b\"\n}\n", "b/main.hcl": "module \"a\" {\n source = \"../a\"\n}\n"}, codeCycle},
		{"outputs through modules", chainOfModules(200), ""},
		{"files", manyFiles(200), codeExpression},
		{"moves in a circle", map[string]string{"main.hcl": moves(20_000)}, codeMoved},
		{"rule of 10,000 days", scheduled(`rrule = "FREQ=MONTHLY;BYDAY=` + rep("MO,", 10_000) + `SU"`), codeSchedule},
		{"list of 10,000 days", scheduled(`days = [` + rep(`"MO", `, 10_000) + `"SU"]`), ""},
		{"interval of none", scheduled(`rrule = "FREQ=DAILY;INTERVAL=0"`), codeSchedule},
		{"interval of ages", scheduled(`rrule = "FREQ=YEARLY;INTERVAL=99999999999999999999"`), codeSchedule},
		{"rule that never comes", scheduled(`rrule = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"`), codeSchedule},
		{"rule that hardly comes", scheduled("rrule = \"FREQ=YEARLY;INTERVAL=9999;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO\"\n start_date = \"2026-01-01\"\n"), codeSchedule},
		{"rule for ever", scheduled(`rrule = "FREQ=DAILY;UNTIL=99991231T235959Z"`), ""},
		{"exceptions without end", scheduled(`days = ["MO"]` + "\n except_dates = [for n in range(1000) : \"2026-12-25\"]\n"), codeException},
		{"10,000 exceptions", scheduled("days = [\"MO\"]\n except_dates = [" + dates(10_000) + "]\n"), codeException},
		{"10,001 exceptions", scheduled("days = [\"MO\"]\n except_dates = [" + dates(10_001) + "]\n"), codeSchedule},
		{"long exception", scheduled("days = [\"MO\"]\n except_dates = [\"" + rep("2026", n) + "\"]\n"), codeSchedule},
		{"zone outside", zoned("../etc/passwd"), codeSchedule},
		{"zone of the machine", zoned("Local"), codeSchedule},
		{"zone in a file", zoned("/etc/localtime"), codeSchedule},
		{"long zone", zoned(rep("Europe/", n)), codeSchedule},
		{"wrong zones", map[string]string{"main.hcl": "reservation \"a\" {\n for_each = toset([for n in range(800) : \"Europe/Amsterd${n}\"])\n station = \"A\"\n id_token = { id_token = \"A\", type = \"Central\" }\n" +
			" schedule {\n time_zone = each.key\n days = [\"MO\"]\n start_time = \"22:00\"\n end_time = \"06:00\"\n }\n}\n"}, codeSchedule},
		{"chain of locals", map[string]string{"main.hcl": chain(20_000)}, codeLimit},
	}
	extra := map[string]string{"deep.json": rep("[", n) + rep("]", n), "laughs.yaml": laughs(), "deep.tpl": rep(`${"`, n)}
	limits := lang.DefaultLimits
	limits.Instances, limits.ValueSize, limits.ForSteps, limits.Files, limits.Modules = 900, 1<<20, 200_000, 100, 300
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, tt.files)
			for name, content := range extra {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			_, diags := Load(Options{Dir: dir, limits: &limits})
			out := text(diags)
			if d := time.Since(start); d > 30*time.Second {
				t.Errorf("took %s", d)
			}
			if len(out) > 100_000 {
				t.Errorf("printed %d bytes", len(out))
			}
			if !hasCode(diags, tt.want) {
				t.Errorf("want %q, got:\n%.2000s", tt.want, out)
			}
		})
	}
}

// scheduled is a reservation that comes back, and what more its schedule says.
func scheduled(more string) map[string]string { return schedule("Europe/Amsterdam", more) }

func zoned(zone string) map[string]string { return schedule(zone, `days = ["MO"]`) }

func schedule(zone, more string) map[string]string {
	return map[string]string{"main.hcl": "reservation \"a\" {\n station = \"A\"\n id_token = { id_token = \"A\", type = \"Central\" }\n schedule {\n" +
		" time_zone = \"" + zone + "\"\n start_time = \"22:00\"\n end_time = \"06:00\"\n " + more + "\n }\n}\n"}
}

// dates are n of them in a row, written for a list.
func dates(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(time.Date(2026, 1, i+1, 0, 0, 0, 0, time.UTC).Format(`"2006-01-02", `))
	}
	return b.String()
}

func hasCode(ds *diag.Diagnostics, code string) bool {
	if code == "" {
		return ds.Len() == 0
	}
	for _, d := range ds.All() {
		if diag.CodeOf(d) == code {
			return true
		}
	}
	return false
}

func doubling(n int) string {
	var b strings.Builder
	b.WriteString("locals {\n  x0 = \"aaaaaaaa\"\n")
	for i := range n {
		fmt.Fprintf(&b, "  x%d = \"${local.x%d}${local.x%d}\"\n", i+1, i, i)
	}
	return b.String() + "}\n"
}

func chain(n int) string {
	var b strings.Builder
	b.WriteString("locals {\n")
	for i := range n {
		fmt.Fprintf(&b, "  x%d = local.x%d\n", i, i+1)
	}
	fmt.Fprintf(&b, "  x%d = 1\n}\n", n)
	return b.String()
}

func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 30 {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i, i, i, i, i)
	}
	return b.String()
}

// Files that would block, or that lead outside, are refused.
func TestFilesStayInside(t *testing.T) {
	dir := write(t, map[string]string{"in/main.hcl": "", "in/vans.csv": "a\n1\n", "secret.txt": "do not read", "in/sub/x.txt": "x"})
	in := filepath.Join(dir, "in")
	for _, err := range []error{
		os.Symlink("../secret.txt", filepath.Join(in, "link.txt")),
		os.Symlink("vans.csv", filepath.Join(in, "inner.csv")),
		os.Symlink("..", filepath.Join(in, "up")),
		syscall.Mkfifo(filepath.Join(in, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]string{
		`file("../secret.txt")`:                     "outside",
		`file("link.txt")`:                          "outside",
		`file("up/secret.txt")`:                     "outside",
		`file("/etc/passwd")`:                       "absolute",
		`file("sub")`:                               "regular",
		`file("pipe")`:                              "regular",
		`file("none")`:                              "does not exist",
		`file("a\u0000b")`:                          "NUL",
		`fileset("..", "*")`:                        "inside",
		`templatefile("link.txt", {})`:              "outside",
		`file(sensitive("vans.csv"))`:               "sensitive",
		`csvdecode(file("${path.root}/inner.csv"))`: "",
		`fileset(path.module, "**/*.txt")`:          "",
	}
	for expr, want := range tests {
		if err := os.WriteFile(filepath.Join(in, "main.hcl"), []byte("locals {\n  x = "+expr+"\n}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, diags := Load(Options{Dir: in})
		if out := text(diags); want == "" && out != "" || !strings.Contains(out, want) {
			t.Errorf("%s: want %q, got:\n%s", expr, want, out)
		}
	}
}

func bombs(n int) string {
	return "reservation \"r\" {\n  for_each = toset([for n in range(" + fmt.Sprint(n) + ") : tostring(n)])\n  station = \"A\"\n  id_token = { id_token = \"A\", type = \"Central\" }\n  hold_for = \"1h\"\n" +
		"  dynamic \"lifecycle\" {\n    for_each = [1]\n    content {\n      dynamic \"precondition\" {\n        for_each = range(100)\n        content {\n          condition = true\n          error_message = \"x\"\n        }\n      }\n    }\n  }\n}\n"
}

func preconditions(n int) string {
	return "reservation \"r\" {\n  count = 100\n  station = \"A\"\n  id_token = { id_token = \"A\", type = \"Central\" }\n  hold_for = \"1h\"\n  lifecycle {\n" +
		strings.Repeat("    precondition {\n      condition = true\n      error_message = \"x\"\n    }\n", n) + "  }\n}\n"
}

func modules(main string) map[string]string {
	return map[string]string{"main.hcl": main, "m/main.hcl": "variable \"v\" {\n  default = 1\n}\noutput \"o\" {\n  value = var.v\n}\n"}
}

func moduleBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "module \"m%d\" {\n  source = \"./m\"\n}\n", i)
	}
	return b.String()
}

// chainOfModules passes a value through n modules.
func chainOfModules(n int) map[string]string {
	var b strings.Builder
	b.WriteString("locals {\n  start = 0\n}\n")
	for i := range n {
		v := "local.start"
		if i > 0 {
			v = fmt.Sprintf("module.m%d.o", i-1)
		}
		fmt.Fprintf(&b, "module \"m%d\" {\n  source = \"./m\"\n  v = %s\n}\n", i, v)
	}
	return modules(b.String())
}

// doublingModules are n directories each of which calls the next one twice.
func doublingModules(n int) map[string]string {
	files := map[string]string{"main.hcl": "module \"a\" {\n  source = \"./m0\"\n}\n"}
	for i := range n {
		call := fmt.Sprintf(" {\n  source = \"../m%d\"\n}\n", i+1)
		files[fmt.Sprintf("m%d/main.hcl", i)] = "module \"a\"" + call + "module \"b\"" + call
	}
	files[fmt.Sprintf("m%d/main.hcl", n)] = "output \"o\" {\n  value = 1\n}\n"
	return files
}

func deepModules(n int) map[string]string {
	files, dir := map[string]string{}, ""
	for range n {
		files[dir+"main.hcl"] = "module \"m\" {\n  source = \"./m\"\n}\n"
		dir += "m/"
	}
	files[dir+"main.hcl"] = "output \"o\" {\n  value = 1\n}\n"
	return files
}

func manyFiles(n int) map[string]string {
	files := map[string]string{"main.hcl": "locals {\n  all = [for f in fileset(\".\", \"*.txt\") : file(f)]\n}\n"}
	for i := range n {
		files[fmt.Sprintf("%d.txt", i)] = "x"
	}
	return files
}

func moves(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "moved {\n  from = reservation.r%d\n  to   = reservation.r%d\n}\n", i, (i+1)%n)
	}
	return b.String()
}

// As many modules as are allowed, each of which needs the one before, take seconds.
func TestManyModules(t *testing.T) {
	start := time.Now()
	mustLoad(t, Options{Dir: write(t, chainOfModules(4900))})
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %s", d)
	}
}

// A directory outside is no module, by whatever name.
func TestModulesStayInside(t *testing.T) {
	dir := write(t, map[string]string{"in/m/main.hcl": "output \"o\" {\n  value = file(\"${path.module}/x.txt\")\n}\n", "in/m/x.txt": "x", "out/main.hcl": "output \"o\" {\n  value = 1\n}\n"})
	in := filepath.Join(dir, "in")
	for _, err := range []error{
		os.Symlink("../out", filepath.Join(in, "link")),
		os.Symlink("m", filepath.Join(in, "same")),
		os.Symlink("../m", filepath.Join(in, "m", "self")),
		os.Symlink("loop", filepath.Join(in, "loop")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for source, want := range map[string]string{
		"../out": "outside", "./link": "outside", "./m/../../out": "outside", "./loop": "Module cannot be read", "./m\\u0000": "Module cannot be read",
		"./same": "", "./m": "", "./m/self": "",
	} {
		if err := os.WriteFile(filepath.Join(in, "main.hcl"), []byte("module \"m\" {\n  source = \""+source+"\"\n}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, diags := Load(Options{Dir: in})
		if out := text(diags); want == "" && out != "" || !strings.Contains(out, want) {
			t.Errorf("%s: want %q, got:\n%s", source, want, out)
		}
	}
	// A directory that calls itself by another name is found by what it is.
	if err := os.WriteFile(filepath.Join(in, "main.hcl"), []byte("module \"m\" {\n  source = \"./m\"\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "m", "main.hcl"), []byte("module \"m\" {\n  source = \"./self\"\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, diags := Load(Options{Dir: in}); !hasCode(diags, codeCycle) {
		t.Error(text(diags))
	}
}
