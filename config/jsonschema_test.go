package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/santhosh-tekuri/jsonschema/v6"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// object is a JSON Schema, or a part of one.
type object = map[string]any

// kinds are the values that arguments take; what is not here takes any. A name
// may stand behind that of its block.
func kinds() map[string]object {
	template := object{"type": "string", "pattern": `[$%]\{`}
	or := func(s object) object { return object{"anyOf": []any{s, template}} }
	text, number, boolean := object{"type": []string{"string", "number"}}, object{"type": []string{"integer", "string"}}, object{"type": []string{"boolean", "string"}}
	duration := or(object{"type": "string", "pattern": "^([0-9.]+(d|h|m|s|ms|us|µs|ns))+$"})
	moment := or(object{"type": "string", "format": "date-time"})
	words := or(object{"type": "array", "items": object{"type": "string"}})
	date := object{"type": "string", "format": "date"}
	timeOfDay := object{"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}
	choice := func(words ...string) object { return or(object{"enum": words}) }
	token := or(object{"type": "object", "required": []string{"id_token", "type"}, "additionalProperties": false, "properties": object{
		"id_token": text, "type": text, "additional_info": object{"type": []string{"array", "string"}}}})
	reference := object{"type": "string"}
	return map[string]object{
		"required_version": text, "workspace": text, "server": text, "description": text, "error_message": text,
		"variable.type": reference, "condition": boolean, "sensitive": boolean, "nullable": boolean,
		"for_each": {"type": []string{"object", "array", "string"}}, "count": number,
		"id": text, "ocpp_version": text, "serial_number": text, "password": text, "connector_types": words,
		"station": text, "evse_id": number, "connector_type": text, "id_token": token, "group_id_token": token,
		"expiry_date_time": moment, "start_date_time": moment, "hold_for": duration, "lead_time": duration, "no_show_after": duration,
		"time_zone": text, "days": or(object{"type": "array", "items": object{"enum": []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}}}), "rrule": text,
		"start_date": or(date), "start_time": or(timeOfDay), "end_time": or(timeOfDay), "except_dates": or(object{"type": "array", "items": or(date)}),
		"prevent_cancel": boolean, "on_removed": choice("reserve_again", "report"), "on_used": choice("done", "hold_again"),
		"from": reference, "to": reference, "cancel": boolean, "reservation_id": number, "source": reference, "iterator": reference,
	}
}

// languageSchema is the JSON Schema of the JSON syntax, made from the schemas of
// the blocks and from docs/language.md.
func languageSchema(t *testing.T) object {
	text := languageText(t)
	defs, blocks, kinds := object{}, languageBlocks(), kinds()
	for name, schema := range blocks {
		rows, _ := tableOf(text, name)
		properties := object{"//": object{"description": "A comment."}}
		required := []string{}
		for _, a := range schema.Attributes {
			s := object{}
			for _, k := range []string{a.Name, name + "." + a.Name} {
				if kinds[k] != nil {
					s = kinds[k]
				}
			}
			if a.Required {
				required = append(required, a.Name)
			} else if len(s) > 0 {
				s = object{"anyOf": []any{s, object{"type": "null"}}}
			}
			properties[a.Name] = described(s, meaning(rows[a.Name]))
		}
		for _, b := range schema.Blocks {
			properties[b.Type] = described(nested(b), intro(text, b.Type))
		}
		open := name == "locals" || name == "module" || name == "content" // whose arguments have names of their own
		defs[name] = object{"title": name, "type": "object", "properties": properties, "required": required, "additionalProperties": open}
	}
	root := object{"//": object{"description": "A comment."}}
	for _, b := range rootSchema.Blocks {
		root[b.Type] = described(nested(b), intro(text, b.Type))
	}
	return object{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://github.com/resctl/resctl/blob/main/docs/schemas/configuration.schema.json",
		"title":       "resctl: configuration in JSON",
		"description": "A file *.hcl.json. Strings are templates: \"${…}\" stands for the value of an expression.",
		"type":        "object", "properties": root, "additionalProperties": false, "$defs": defs}
}

// described gives a schema a description of its own.
func described(s object, text string) object {
	out := object{}
	for k, v := range s {
		out[k] = v
	}
	if text != "" {
		out["description"] = text
	}
	return out
}

// nested is how blocks are written: by their labels, and as a list where there
// are several.
func nested(b hcl.BlockHeaderSchema) object {
	s := object{"$ref": "#/$defs/" + b.Type}
	for range b.LabelNames {
		s = severally(s)
		s = object{"type": "object", "additionalProperties": s}
	}
	return severally(s)
}

func severally(s object) object {
	return object{"anyOf": []any{s, object{"type": "array", "items": s}}}
}

// meaning is the second cell of a row.
func meaning(row string) string {
	cells := strings.Split(row, " | ")
	if len(cells) < 2 {
		return ""
	}
	return plainText(strings.TrimSuffix(cells[1], " |"))
}

// intro is the first paragraph below a heading.
func intro(text, heading string) string {
	_, section, _ := strings.Cut(text, "# "+heading+"\n\n")
	first, _, _ := strings.Cut(section, "\n\n")
	if strings.HasPrefix(first, "|") || strings.HasPrefix(first, "```") || strings.HasPrefix(first, "#") {
		return ""
	}
	return plainText(first)
}

func plainText(s string) string {
	s = regexp.MustCompile(`\[([^]]+)\]\([^)]+\)`).ReplaceAllString(s, "$1")
	return strings.TrimSpace(strings.ReplaceAll(strings.TrimSuffix(s, " (required)"), "\n", " "))
}

// TestConfigurationSchema holds docs/schemas/configuration.schema.json to the
// language; -update writes it anew.
func TestConfigurationSchema(t *testing.T) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(languageSchema(t)); err != nil {
		t.Fatal(err)
	}
	const path = "../docs/schemas/configuration.schema.json"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is not what the code says; go test ./config -run TestConfigurationSchema -update writes it anew (%v)", path, err)
	}
}

func compiledLanguage(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := json.Marshal(languageSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := errorsOf(err, c.AddResource("configuration.schema.json", raw)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("configuration.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func errorsOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestSameInJSON: what examples and documents say in HCL's own syntax says the
// same in JSON, and the schema takes it.
func TestSameInJSON(t *testing.T) {
	schema := compiledLanguage(t)
	for name, files := range configurations(t) {
		inJSON := map[string]string{}
		for file, text := range files {
			if !strings.HasSuffix(file, ".hcl") || strings.HasSuffix(file, ".server.hcl") {
				inJSON[file] = text
				continue
			}
			f, diags := hclsyntax.ParseConfig([]byte(text), file, hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(name, diags)
			}
			b, err := json.MarshalIndent(bodyInJSON(t, f.Bytes, f.Body.(*hclsyntax.Body)), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			inJSON[file+".json"] = string(b)
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
			if err := errorsOf(err, schema.Validate(v)); err != nil {
				t.Errorf("%s: %v\n%s", name, err, b)
			}
		}
		want, ds := Load(Options{Dir: write(t, files), Version: "0.3.1"})
		got, again := Load(Options{Dir: write(t, inJSON), Version: "0.3.1"})
		// What a document shows of modules cannot be loaded without them.
		if whole := strings.HasPrefix(name, "../examples"); ds.HasErrors() && whole || ds.Errors() != again.Errors() {
			t.Errorf("%s: %v %v", name, ds.All(), again.All())
			continue
		}
		if a, b := withoutSource(describeConfiguration(t, want)), withoutSource(describeConfiguration(t, got)); a != b {
			t.Errorf("%s: in JSON it says\n%s\nnot\n%s", name, b, a)
		}
	}
}

func withoutSource(s string) string {
	return regexp.MustCompile(`,"source":"[^"]*"|\([^ ()]+:\d+\)`).ReplaceAllString(s, "")
}

// configurations are those of examples and documents.
func configurations(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	for i, m := range regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(languageText(t), -1) {
		all["docs/language.md "+string(rune('a'+i))] = map[string]string{"main.hcl": m[1]}
	}
	for _, dir := range []string{"../examples", "../examples/minimal", "../examples/modules", "../examples/fleet"} {
		all[dir] = map[string]string{}
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "resctl.db") {
				return err
			}
			b, err := os.ReadFile(path)
			all[dir][strings.TrimPrefix(path, dir+"/")] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// bodyInJSON writes a body in the JSON syntax: constants as they are, other
// expressions as templates.
func bodyInJSON(t *testing.T, src []byte, body *hclsyntax.Body) object {
	out := object{}
	for name, a := range body.Attributes {
		text := string(a.Expr.Range().SliceBytes(src))
		v, diags := a.Expr.Value(nil)
		list, isList := a.Expr.(*hclsyntax.TupleConsExpr)
		switch {
		case name == "labels" && isList: // each of them is an expression
			var labels []string
			for _, e := range list.Exprs {
				labels = append(labels, "${"+string(e.Range().SliceBytes(src))+"}")
			}
			out[name] = labels
		case slices.Contains([]string{"type", "from", "to", "iterator"}, name): // which are read as they stand
			out[name] = text
		case !diags.HasErrors() && !strings.Contains(text, "$${"):
			b, err := ctyjson.Marshal(v, v.Type())
			if err != nil {
				t.Fatal(err)
			}
			out[name] = json.RawMessage(b)
		default:
			out[name] = "${" + text + "}"
		}
	}
	for _, b := range body.Blocks {
		at, key := out, b.Type
		for _, label := range b.Labels {
			if at[key] == nil {
				at[key] = object{}
			}
			at, key = at[key].(object), label
		}
		inner := bodyInJSON(t, src, b.Body)
		list, _ := at[key].([]any)
		if at[key] != nil && list == nil {
			list = []any{at[key]}
		}
		if at[key] == nil {
			at[key] = inner
		} else {
			at[key] = append(list, inner)
		}
	}
	return out
}
