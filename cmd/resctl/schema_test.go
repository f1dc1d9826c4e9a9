package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/resctl/resctl/notify"
)

// form is one thing that is written for programs: a document or, with lines, a
// stream of them.
type form struct {
	name  string // of its file in docs/schemas
	title string // also its heading in docs/json.md
	about string
	value any
	lines []line
}

// line is one type of line of a stream.
type line struct {
	kind  string
	value any
}

// forms are all of them. The first paragraph of each section says which command writes it.
func forms(t *testing.T) []form {
	first, event := line{"version", versionLine{}}, line{"event", eventLine{}}
	all := []form{
		{name: "plan", title: "Plan", value: jsonPlan{}},
		{name: "state", title: "State", value: jsonState{}},
		{name: "state-list", title: "Addresses", value: addressList{}},
		{name: "state-show", title: "One address", value: kept{}},
		{name: "state-pull", title: "Everything", value: pulled{}},
		{name: "timeline", title: "Timeline", value: timeline{}},
		{name: "drift", title: "Drift", value: driftReport{}},
		{name: "notifications", title: "Notifications", value: notify.Document{}},
		{name: "why", title: "Why", value: story{}},
		{name: "workspaces", title: "Workspaces", value: workspaceList{}},
		{name: "orders", title: "Orders", value: orderList{}},
		{name: "backup", title: "Backup", value: backedUp{}},
		{name: "restore", title: "Restore", value: putBack{}},
		{name: "token-erase", title: "Erasure", value: erased{}},
		{name: "stations", title: "Stations", value: stationList{}},
		{name: "validate", title: "Validation", value: validation{}},
		{name: "output", title: "Outputs", value: outputList{}},
		{name: "version", title: "Version", value: versions{}},
		{name: "serve-check", title: "Serve check", value: checkup{}},
		{name: "failure", title: "Failure", value: failure{}},
		{name: "apply", title: "Apply stream", lines: []line{first, {"plan", plannedLine{}}, {"diagnostic", diagnosticLine{}}, event,
			{"progress", progressLine{}}, {"summary", outcomeLine{}}}},
		{name: "events", title: "Events", lines: []line{first, event}},
	}
	text := read(t, top+"docs/json.md")
	for i := range all {
		_, section, _ := strings.Cut(text, "# "+all[i].title+"\n\n")
		all[i].about, _, _ = strings.Cut(section, "\n\n")
		all[i].about = strings.Join(strings.Fields(unlinked.ReplaceAllString(all[i].about, "$1")), " ")
	}
	return all
}

// schemas hold outputs to their forms, and note which keys they have seen.
type schemas struct {
	forms     map[string]form
	strict    map[string]map[string]any
	published map[string]*jsonschema.Schema
	exact     map[string]*jsonschema.Schema

	mu      sync.Mutex
	reached map[string]bool // "Change.address"
	held    map[string]bool // forms
}

func newSchemas(t *testing.T) *schemas {
	t.Helper()
	s := &schemas{map[string]form{}, map[string]map[string]any{}, map[string]*jsonschema.Schema{}, map[string]*jsonschema.Schema{}, sync.Mutex{}, map[string]bool{}, map[string]bool{}}
	w := newWording(t)
	for _, f := range forms(t) {
		s.forms[f.name] = f
		s.published[f.name], _ = compiled(t, (&schemaWriter{t: t, words: w}).document(f))
		s.exact[f.name], s.strict[f.name] = compiled(t, (&schemaWriter{t: t, words: w, strict: true}).document(f))
	}
	return s
}

func compiled(t *testing.T, schema any) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	b, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", raw); err != nil {
		t.Fatal(err)
	}
	out, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return out, raw.(map[string]any)
}

// hold holds one output to its form: what is published takes it, and the strict
// form knows every key and value of it.
func (s *schemas) hold(name string, output []byte) error {
	parts := [][]byte{output}
	if s.forms[name].lines != nil {
		parts = bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	}
	for _, part := range parts {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(part))
		if err != nil {
			return err
		}
		if err := s.published[name].Validate(v); err != nil {
			return err
		}
		if err := s.exact[name].Validate(v); err != nil {
			return err
		}
		s.mu.Lock()
		s.held[name] = true
		s.note(s.strict[name], s.strict[name], s.forms[name].title, v)
		s.mu.Unlock()
	}
	return nil
}

// note remembers the keys of a value.
func (s *schemas) note(root, schema map[string]any, owner string, v any) {
	if ref, ok := schema["$ref"].(string); ok {
		owner = strings.ReplaceAll(strings.TrimPrefix(ref, "#/$defs/"), "%20", " ")
		schema = root["$defs"].(map[string]any)[owner].(map[string]any)
	}
	switch v := v.(type) {
	case []any:
		items, _ := schema["items"].(map[string]any)
		for _, x := range v {
			s.note(root, items, owner, x)
		}
	case map[string]any:
		branches, _ := schema["allOf"].([]any)
		for i, b := range branches {
			if s.forms["apply"].lines[i].kind == v["type"] {
				s.note(root, b.(map[string]any)["then"].(map[string]any), owner, v)
				return
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		each, _ := schema["additionalProperties"].(map[string]any)
		for key, x := range v {
			if p, ok := properties[key].(map[string]any); ok {
				s.reached[owner+"."+key] = true
				s.note(root, p, owner, x)
			} else if each != nil {
				s.note(root, each, owner, x)
			}
		}
	}
}

// unreached lists the keys of all forms that no output had.
func (s *schemas) unreached() (keys []string) {
	note := func(owner string, schema any) {
		properties, _ := schema.(map[string]any)["properties"].(map[string]any)
		for key := range properties {
			if name := owner + "." + key; !s.reached[name] && !slices.Contains(keys, name) {
				keys = append(keys, name)
			}
		}
	}
	for name, f := range s.forms {
		if f.lines == nil {
			note(f.title, s.strict[name])
		}
		for title, def := range s.strict[name]["$defs"].(map[string]any) {
			note(title, def)
		}
	}
	slices.Sort(keys)
	return keys
}

// allHeld reports the forms of which there was no output.
func (s *schemas) allHeld(t *testing.T) {
	for name := range s.forms {
		if !s.held[name] {
			t.Errorf("no script holds an output to the schema %s: schema %s FILE does", name, name)
		}
	}
}

// script is the command schema NAME FILE of scripts: the file is of that form.
func (s *schemas) script(ts *testscript.TestScript, _ bool, args []string) {
	if _, ok := s.forms[args[0]]; !ok {
		ts.Fatalf("no form is called %s", args[0])
	}
	ts.Check(s.hold(args[0], []byte(ts.ReadFile(args[1]))))
}

// TestGeneratedSchemas holds docs/schemas to the types that are written; -update
// writes them anew.
func TestGeneratedSchemas(t *testing.T) {
	w, files := newWording(t), []string{"configuration.schema.json"} // which the room config writes
	for _, f := range forms(t) {
		if f.about == "" {
			t.Errorf("docs/json.md has no section %s", f.title)
		}
		compact, err := json.Marshal((&schemaWriter{t: t, words: w}).document(f))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_ = json.Indent(&b, compact, "", "  ")
		b.WriteByte('\n')
		generated(t, top+"docs/schemas/"+f.name+".schema.json", b.String())
		files = append(files, f.name+".schema.json")
		if !strings.Contains(read(t, top+"docs/json.md"), "(schemas/"+f.name+".schema.json)") {
			t.Errorf("docs/json.md does not point to the schema %s", f.name)
		}
	}
	there, err := filepath.Glob(top + "docs/schemas/*")
	for _, path := range there {
		if !slices.Contains(files, filepath.Base(path)) || err != nil {
			t.Errorf("%s is the schema of nothing: it goes", path)
		}
	}
}

// generated holds a file to what the code says; -update writes it anew.
func generated(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what the code says; go test ./cmd/resctl -run TestGenerated -update writes it anew (%v)", path, err)
	}
}

// TestSchemasRefuse: what is published lets additions pass and nothing else; the
// strict form lets nothing pass.
func TestSchemasRefuse(t *testing.T) {
	s := newSchemas(t)
	good := read(t, "testdata/plan.json.golden")
	for change, passes := range map[[2]string]bool{
		{`"serial":0`, `"serial":0,"later":1`}:             true,
		{`"action":"»"`, `"action":"?"`}:                   true,
		{`"serial":0`, `"serial":"0"`}:                     false,
		{`"serial":0,`, ``}:                                false,
		{`"2026-11-22T18:48:00Z"`, `"2026-11-22 18:48"`}:   false,
		{`"format_version":"1.0"`, `"format_version":"2"`}: false,
		{`"held":false`, `"held":null`}:                    false,
		{`"codes":["RC102"]`, `"codes":["102"]`}:           false,
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == good {
			t.Fatal(change, err)
		}
		if err := s.published["plan"].Validate(v); (err == nil) != passes {
			t.Errorf("%s: %v", change[1], err)
		}
		if s.exact["plan"].Validate(v) == nil {
			t.Errorf("%s: the strict form lets it pass", change[1])
		}
	}
	if s.hold("events", []byte(`{"type":"event","event":{"at":"2026-11-22T18:48:00Z"}}`)) == nil {
		t.Error("an event without a kind passes")
	}
}

// TestGoldenJSON: every golden file of JSON is of the form that its name says.
func TestGoldenJSON(t *testing.T) {
	s := newSchemas(t)
	files, err := filepath.Glob("testdata/*.json*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, path := range files {
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		b, err := os.ReadFile(path)
		if err == nil {
			err = s.hold(name, b)
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
