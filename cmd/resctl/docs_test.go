package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/lang"
	"github.com/resctl/resctl/config/server"
	"github.com/resctl/resctl/notify"
	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

const top = "../../"

func documents(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(top + "*.md")
	more, err2 := filepath.Glob(top + "docs/*.md")
	if err != nil || err2 != nil || len(all) == 0 || len(more) == 0 {
		t.Fatal("no documents", err, err2)
	}
	return append(all, more...)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestGenerated holds what documents say of the code against the code; -update
// writes it anew. Such a part stands between <!-- NAME --> and <!-- end -->.
func TestGenerated(t *testing.T) {
	parts := map[string]string{"rules": rulesText(), "codes": codesText(), "functions": functionsText(t), "left out": leftOutText(t), "quirks": quirksText()}
	root := newCLI(nil, os.Stdout, os.Stderr, nil).command()
	parts["flags"] = flagsText(root.PersistentFlags())
	parts["settings"] = settingsText(root)
	for _, c := range below(root) {
		parts["flags"+strings.TrimPrefix(c.CommandPath(), root.Name())] = flagsText(c.LocalNonPersistentFlags())
	}
	used := map[string]bool{"flags help": true}
	for _, path := range documents(t) {
		text := read(t, path)
		want := marked.ReplaceAllStringFunc(text, func(part string) string {
			name := marked.FindStringSubmatch(part)[1]
			if _, ok := parts[name]; !ok {
				t.Errorf("%s: nothing is generated under the name %q", path, name)
			}
			used[name] = true
			return "<!-- " + name + " -->\n" + parts[name] + "<!-- end -->"
		})
		if text == want {
			continue
		}
		if !*update {
			t.Errorf("%s is not what the code says; go test ./cmd/resctl -run TestGenerated -update writes it anew", path)
		} else if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name := range parts {
		if !used[name] {
			t.Errorf("no document has <!-- %s -->", name)
		}
	}
}

var marked = regexp.MustCompile(`(?s)<!-- ([a-z]+(?: [a-z]+){0,2}) -->\n.*?<!-- end -->`)

func rulesText() string {
	var b strings.Builder
	b.WriteString("| event | rules, in order |\n|---|---|\n")
	for _, kind := range reservation.Kinds() {
		var names []string
		for _, r := range reservation.Rules() {
			if slices.Contains(r.Kinds, kind) {
				names = append(names, r.Name)
			}
		}
		if len(names) > 0 {
			fmt.Fprintf(&b, "| `%s` | %s |\n", kind, strings.Join(names, "; "))
		}
	}
	return b.String()
}

// allCodes are those of every room, in order.
func allCodes() []reconcile.Code {
	all := slices.Concat(reconcile.Codes(), Codes(), api.Codes())
	for _, c := range config.Codes() {
		all = append(all, reconcile.Code(c))
	}
	for _, c := range server.Codes() {
		all = append(all, reconcile.Code(c))
	}
	slices.SortFunc(all, func(a, b reconcile.Code) int { return strings.Compare(a.Code, b.Code) })
	return all
}

func codesText() string {
	headings := map[string]string{"1": "What happens to something held", "2": "What does not fit", "3": "Time", "4": "Stations",
		"5": "The language, and the server file", "6": "Commands and the state", "7": "Proposals"}
	var b strings.Builder
	last := ""
	for _, c := range allCodes() {
		if h := c.Code[2:3]; h != last {
			last = h
			fmt.Fprintf(&b, "\n## RC%sxx: %s\n\n| code | | meaning | what to do |\n|---|---|---|---|\n", h, headings[h])
		}
		row := fmt.Sprintf("| %s | %s | %s | %s |", c.Code, capital(c.Title), cell(c.Meaning), cell(c.Remedy))
		b.WriteString(row + "\n")
	}
	return b.String() + "\n"
}

func quirksText() string {
	var b strings.Builder
	b.WriteString("| `--quirk` | the station |\n|---|---|\n")
	for _, k := range sim.QuirkNames() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", cell(k.String()), k.Meaning)
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func flagsText(flags *pflag.FlagSet) string {
	var b strings.Builder
	b.WriteString("| flag | what |\n|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		flag := "--" + f.Name
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand + ", " + flag
		}
		if name != "" {
			flag += " " + strings.ToUpper(name)
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", flag, cell(usage))
	})
	return b.String()
}

func functionsText(t *testing.T) string {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	limits := lang.DefaultLimits
	names := slices.Sorted(maps.Keys(lang.Functions(lang.NewFiles(root, limits), lang.NewBudget(1), limits)))
	return "`" + strings.Join(names, "` `") + "`\n"
}

// TestCodesExplained: every code that the source names is explained, once.
func TestCodesExplained(t *testing.T) {
	known := map[string]bool{}
	for _, c := range allCodes() {
		if known[c.Code] || c.Title == "" || c.Meaning == "" || c.Remedy == "" {
			t.Errorf("%s is explained twice, or not in full", c.Code)
		}
		known[c.Code] = true
	}
	pattern := regexp.MustCompile(`"(RC\d{3})"`)
	for _, dir := range []string{"api", "cmd/resctl", "config", "config/lang", "config/server", "reconcile", "state", "ocppclient", "reservation"} {
		files, _ := filepath.Glob(top + dir + "/*.go")
		for _, path := range files {
			for _, m := range pattern.FindAllStringSubmatch(read(t, path), -1) {
				if !known[m[1]] && !strings.HasSuffix(path, "_test.go") {
					t.Errorf("%s: %s is not explained", path, m[1])
				}
			}
		}
	}
}

// documentedTypes are what docs/json.md has a table of, by its heading.
func documentedTypes() map[string]any {
	return map[string]any{
		"Plan": jsonPlan{}, "Change": reconcile.Change{}, "Outstanding": reconcile.Outstanding{}, "Finding": reconcile.Finding{}, "Member": reconcile.Member{},
		"Summary": reconcile.Summary{}, "State": jsonState{}, "Reservation": jsonReservation{}, "Station": jsonStation{}, "Foreign": reconcile.Foreign{},
		"Apply summary": outcome{}, "Event": reservation.Event{}, "Addresses": addressList{}, "Address": addressLine{}, "One address": kept{}, "Everything": pulled{},
		"Timeline": timeline{}, "Timeline row": row{}, "Bar": bar{}, "Part": part{}, "Drift": driftReport{}, "Drifted": driftAbout{}, "Watched directory": watchAbout{}, "Why": story{}, "Applied": applied{}, "Workspaces": workspaceList{}, "Workspace in full": workspaceAbout{}, "Stations": stationList{}, "Station in full": stationAbout{}, "EVSE": evseAbout{}, "Open transaction": transactionAbout{},
		"Notifications": notify.Document{}, "Notification": notify.Notice{},
		"Failure": failure{}, "Validation": validation{}, "Outputs": outputList{}, "Output": outputAbout{}, "Diagnostic": diag.JSONDiagnostic{}, "Version": versions{}, "Serve check": checkup{}, "Check": checkLine{},
		"Declaration": reservation.Declaration{}, "Token": reservation.Token{}, "Range": diag.JSONRange{}, "Position": diag.JSONPosition{}, "Snippet": diag.Snippet{},
	}
}

// TestJSONKeys holds the tables of docs/json.md against the types that are written.
func TestJSONKeys(t *testing.T) {
	text := read(t, top+"docs/json.md")
	for heading, value := range documentedTypes() {
		documented := firstColumn(text, heading)
		written := keysOf(reflect.TypeOf(value))
		for _, k := range written {
			if !slices.Contains(documented, k) {
				t.Errorf("docs/json.md, %s: the key %s is missing", heading, k)
			}
		}
		for _, k := range documented {
			if !slices.Contains(written, k) {
				t.Errorf("docs/json.md, %s: nothing writes the key %s", heading, k)
			}
		}
	}
}

// firstColumn gives the words in code style of a table's first column, below a heading.
func firstColumn(text, heading string) (words []string) {
	for _, row := range tableRows(text, heading) {
		for _, m := range inCode.FindAllStringSubmatch(row[0], -1) {
			words = append(words, m[1])
		}
	}
	return words
}

// tableRows gives the cells of the tables below a heading.
func tableRows(text, heading string) (rows [][]string) {
	_, section, _ := strings.Cut(text, "# "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n#")
	for _, line := range strings.Split(section, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			rows = append(rows, cells[1:])
		}
	}
	return rows
}

var (
	inCode   = regexp.MustCompile("`([^`]+)`")
	unlinked = regexp.MustCompile(`\[([^]]+)\]\([^)]+\)`)
)

// keysOf lists the JSON keys of a struct, with those of what it embeds.
func keysOf(t reflect.Type) (keys []string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			keys = append(keys, keysOf(f.Type)...)
		case f.IsExported() && name != "-":
			keys = append(keys, name)
		}
	}
	return keys
}

// TestLinks: what documents point to is there.
func TestLinks(t *testing.T) {
	for _, path := range documents(t) {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(read(t, path), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s points to %s, which is not there", path, m[1])
			}
		}
	}
}

// TestDocumentedConfigurations loads every configuration that a document shows.
// One that begins with a comment like "# depot/main.hcl" is a module, which the
// others of the document find there.
func TestDocumentedConfigurations(t *testing.T) {
	module := regexp.MustCompile(`^# (\S+)/main\.hcl\n`)
	for _, path := range documents(t) {
		if filepath.Base(path) == "server.md" {
			continue // TestDocumentedServerFiles
		}
		all := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(read(t, path), -1)
		for i, m := range all {
			if module.MatchString(m[1]) {
				continue
			}
			dir := t.TempDir()
			for _, m := range all {
				if at := module.FindStringSubmatch(m[1]); at != nil {
					if err := errors.Join(os.MkdirAll(filepath.Join(dir, at[1]), 0o700), os.WriteFile(filepath.Join(dir, at[1], "main.hcl"), []byte(m[1]), 0o600)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(m[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, ds := config.Load(config.Options{Dir: dir, Version: version})
			if ds.Len() > 0 || cfg == nil {
				t.Errorf("%s, configuration %d: %v", path, i+1, ds.All())
			}
		}
	}
}
