package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/resctl/resctl/"

// room is what a package may import: other rooms, and modules of others.
type room struct {
	why    string
	rooms  []string
	others []string
	tests  []string // what its own tests may import besides, rooms and modules alike
}

// rooms are the only arrows that are permitted; ARCHITECTURE.md draws them. The
// tests of a package x_test may import any room.
func rooms() map[string]room {
	hcl := []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty"}
	return map[string]room{
		"reservation": {why: "the words that all rooms share depend on nobody", tests: []string{"github.com/teambition/rrule-go", "pgregory.net/rapid"}},
		"config": {why: "it reads a language, and knows neither stations nor storage",
			rooms: []string{"config/diag", "config/lang", "reservation"}, others: append(hcl, "github.com/agext/levenshtein"), tests: []string{"github.com/rogpeppe/go-internal", "github.com/santhosh-tekuri/jsonschema/v6"}},
		"config/diag": {why: "showing what is wrong takes no language", others: hcl},
		"config/lang": {why: "expressions know no blocks", others: append(hcl, "github.com/zclconf/go-cty-yaml")},
		"config/server": {why: "settings of one process, without the language of configurations",
			rooms: []string{"config/diag", "config/lang"}, others: hcl},
		"reconcile": {why: "decisions are pure: no sockets, no SQL", rooms: []string{"reconcile/fit", "reservation"}},
		"api":       {why: "server and client of one ledger, whatever that is made of", rooms: []string{"reconcile", "reservation"}, tests: []string{"github.com/santhosh-tekuri/jsonschema/v6"}},
		"reconcile/fit": {why: "the proof knows windows and EVSEs, and neither plans nor stored state",
			rooms: []string{"reservation"}, tests: []string{"pgregory.net/rapid"}},
		"state": {why: "it stores events, and the fold says what they mean",
			rooms: []string{"reservation"}, others: []string{"modernc.org/sqlite", "github.com/gofrs/flock"}, tests: []string{"state/statetest"}},
		"state/statetest": {why: "it says what any store is, whatever it is made of", rooms: []string{"reservation"}},
		"ocppclient": {why: "it moves frames, and knows neither plans nor storage",
			rooms: []string{"ocppclient/v201", "ocppclient/wire", "reservation"}, others: []string{"github.com/gorilla/websocket"}},
		"ocppclient/v201": {why: "messages and their meaning, without connections", rooms: []string{"ocppclient/wire", "reservation"}},
		"ocppclient/wire": {why: "frames, without versions"},
		"ocppclient/sim": {why: "stations have rules of their own, so that no mistake is made on both sides",
			rooms: []string{"ocppclient/v201", "ocppclient/wire"}, others: []string{"github.com/gorilla/websocket"}, tests: []string{"pgregory.net/rapid"}},
		"ocppclient/sim/control": {why: "it acts on stations, and knows of nobody else",
			rooms: []string{"ocppclient/sim", "ocppclient/v201", "ocppclient/wire"}},
		"web": {why: "a browser sees what it is given: it knows the API by its addresses alone", rooms: []string{"reservation"},
			tests: []string{"pgregory.net/rapid"}},
		"web/browser": {why: "it sees what a person would, of any page", others: []string{"github.com/gorilla/websocket"}},
		"watch":       {why: "it knows files, and neither what is in them nor what follows from it"},
		"notify":      {why: "it sends what it is told, and knows nothing of what that is"},
		"metrics":     {why: "it counts what it is told, and asks functions", rooms: []string{"reservation"}, others: []string{"github.com/prometheus/client_golang"}},
		"limits": {why: "it is what ours is held against, so nothing of ours is in it",
			others: append(hcl, "github.com/gorilla/websocket", "golang.org/x/sync", "modernc.org/sqlite")},
		"bench": {why: "it holds rooms against bare limits", tests: []string{"limits", "ocppclient", "reconcile", "reconcile/fit", "reservation", "state", "modernc.org/sqlite"}},
		"kill":  {why: "it kills the binary, and looks at state and stations from outside", tests: []string{"ocppclient/sim", "ocppclient/v201", "reservation", "state"}},
		"day": {why: "simulated stations live a day at the whole of it",
			tests: []string{"ocppclient", "ocppclient/sim", "ocppclient/v201", "reconcile", "reservation", "state"}},
		"scenarios": {why: "stations speak literal frames to the whole of it", tests: []string{"ocppclient", "reconcile", "reservation", "state", "github.com/gorilla/websocket"}},
		"cmd/resctl": {why: "the rooms meet here, through their front doors",
			rooms:  []string{"api", "config", "config/diag", "config/server", "metrics", "notify", "ocppclient", "ocppclient/sim", "ocppclient/sim/control", "ocppclient/v201", "reconcile", "reservation", "state", "watch", "web"},
			others: []string{"github.com/agext/levenshtein", "github.com/hashicorp/hcl/v2", "github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term"},
			tests:  []string{"config/lang", "web/browser", "github.com/rogpeppe/go-internal", "github.com/santhosh-tekuri/jsonschema/v6", "github.com/zclconf/go-cty", "github.com/zclconf/go-cty-yaml"}},
	}
}

// TestArrows: no room imports what it may not, and every arrow is used.
func TestArrows(t *testing.T) {
	table, used := rooms(), map[string]bool{}
	eachFile(t, func(dir, path string, f *ast.File, _ *token.FileSet) {
		r, known := table[dir]
		if !known {
			t.Errorf("%s is no room: it gets a line in rooms(), with what it may import and why, and a place in ARCHITECTURE.md", dir)
			return
		}
		test := strings.HasSuffix(path, "_test.go")
		for _, i := range f.Imports {
			to, _ := strconv.Unquote(i.Path.Value)
			to, ours := strings.CutPrefix(to, module)
			if first, _, _ := strings.Cut(to, "/"); !ours && !strings.Contains(first, ".") {
				continue // the standard library
			}
			if test && strings.HasSuffix(f.Name.Name, "_test") && ours {
				continue
			}
			arrow := permitted(r, to, ours, test)
			if arrow == "" {
				t.Errorf("%s imports %s, and %s may not: %s", path, to, dir, r.why)
			}
			used[dir+" ► "+arrow] = true
		}
	})
	for dir, r := range table {
		for _, to := range slices.Concat(r.rooms, r.others, r.tests) {
			if !used[dir+" ► "+to] {
				t.Errorf("the arrow from %s to %s is not used: it goes", dir, to)
			}
		}
	}
}

// permitted gives the arrow under which a package may be imported, or "".
func permitted(r room, to string, ours, test bool) string {
	arrows := r.others
	if ours {
		arrows = r.rooms
	}
	if test {
		arrows = slices.Concat(arrows, r.tests)
	}
	for _, a := range arrows {
		if to == a || !ours && strings.HasPrefix(to, a+"/") {
			return a
		}
	}
	return ""
}

// TestSizes: what is longer is missing a noun.
func TestSizes(t *testing.T) {
	const fileLines, functionLines = 400, 60
	eachFile(t, func(_, path string, f *ast.File, set *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		if n := set.Position(f.FileEnd).Line - 1; n > fileLines {
			t.Errorf("%s has %d lines, more than %d", path, n, fileLines)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				if n := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1; n > functionLines {
					t.Errorf("%s: %s has %d lines, more than %d", path, fn.Name.Name, n, functionLines)
				}
			}
		}
	})
}

// eachFile parses every Go file of the module. dir is its room.
func eachFile(t *testing.T, visit func(dir, path string, f *ast.File, set *token.FileSet)) {
	t.Helper()
	set := token.NewFileSet()
	err := fs.WalkDir(os.DirFS(top), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "." {
			if _, no := os.Stat(top + path + "/go.mod"); no == nil || strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir // another module
			}
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(set, top+path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err == nil {
			visit(filepath.ToSlash(filepath.Dir(path)), path, f, set)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
