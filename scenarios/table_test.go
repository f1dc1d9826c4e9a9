package scenarios

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	row      = regexp.MustCompile(`(?m)^\| (\d\d) \|(.*)\|$`)
	named    = regexp.MustCompile("`([a-z0-9/]+)\\.(Test[A-Za-z0-9]+)(?:/([a-z0-9_]+))?`")
	waits    = regexp.MustCompile(`waits for OCPP (1\.6|2\.1)`)
	numbered = regexp.MustCompile(`^TestScenario(\d\d)(?:And(\d\d))?`)
)

const scenarios = 46

// TestEveryScenarioHasARow holds docs/scenarios.md: each scenario has a row with
// the tests that show it, which exist, or with the version of OCPP for which it
// waits; and each scenario's test is in its row.
func TestEveryScenarioHasARow(t *testing.T) {
	b, err := os.ReadFile("../docs/scenarios.md")
	must(t, err)
	rows := map[string]string{}
	for i, m := range row.FindAllStringSubmatch(string(b), -1) {
		if want := fmt.Sprintf("%02d", i+1); m[1] != want {
			t.Fatalf("row %d is of scenario %s", i+1, m[1])
		}
		rows[m[1]] = m[2]
		tests := named.FindAllStringSubmatch(m[2], -1)
		if len(tests) == 0 && !waits.MatchString(m[2]) {
			t.Errorf("scenario %s names neither a test nor a version of OCPP that it waits for", m[1])
		}
		for _, test := range tests {
			if !exists(t, test[1], test[2], test[3]) {
				t.Errorf("scenario %s: there is no %s", m[1], test[0])
			}
		}
	}
	_, stories, _ := strings.Cut(string(b), "## Stories")
	for _, test := range named.FindAllStringSubmatch(stories, -1) {
		if !exists(t, test[1], test[2], test[3]) {
			t.Errorf("a story names %s, which is not there", test[0])
		}
	}
	if len(rows) != scenarios {
		t.Errorf("%d rows, want %d", len(rows), scenarios)
	}
	for name := range tests(t, "scenarios") {
		if strings.HasPrefix(name, "TestStory") && !strings.Contains(string(b), "`scenarios."+name+"`") {
			t.Errorf("the stories leave out %s", name)
		}
		m := numbered.FindStringSubmatch(name)
		for i := 1; i < len(m) && m[i] != ""; i++ {
			if !strings.Contains(rows[m[i]], "`scenarios."+name+"`") {
				t.Errorf("the row of scenario %s leaves out %s", m[i], name)
			}
		}
	}
}

// exists reports whether a room has a test; a part is the name of a script.
func exists(t *testing.T, room, test, part string) bool {
	t.Helper()
	if part != "" {
		if _, err := os.Stat(filepath.Join("..", room, "testdata/script", part+".txtar")); err != nil {
			return false
		}
	}
	return tests(t, room)[test]
}

// tests are the names of a room's tests.
func tests(t *testing.T, room string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", room, "*_test.go"))
	must(t, err)
	names := map[string]bool{}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		must(t, err)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}
