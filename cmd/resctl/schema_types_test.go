package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// ordered is a JSON object whose keys stay in order.
type ordered []pair

type pair struct {
	key   string
	value any
}

// MarshalJSON writes the members as they stand.
func (o ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i, m := range o {
		b.WriteByte("{,"[min(i, 1)])
		if err := e.Encode(m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := e.Encode(m.value); err != nil {
			return nil, err
		}
	}
	if len(o) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// schemaWriter makes the JSON Schema of what Go types are written as. A strict
// one knows every key and every value; those that are published leave room for
// what a later minor version adds.
type schemaWriter struct {
	t      *testing.T
	words  *wording
	strict bool
	defs   map[string]ordered
	types  map[string]reflect.Type // of defs
}

const schemaBase = "https://github.com/resctl/resctl/blob/main/docs/schemas/"

// document is the schema of a form.
func (s *schemaWriter) document(f form) ordered {
	s.defs, s.types = map[string]ordered{}, map[string]reflect.Type{}
	out := ordered{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"$id", schemaBase + f.name + ".schema.json"},
		{"title", "resctl: " + f.title}, {"description", f.about + " Unknown keys and values may appear in a later minor version of the format."}}
	if f.lines == nil {
		out = append(out, s.object(reflect.TypeOf(f.value))...)
	} else {
		out = append(out, s.lines(f.lines)...)
	}
	var defs ordered
	for _, title := range slices.Sorted(maps.Keys(s.defs)) {
		defs = append(defs, pair{title, s.defs[title]})
	}
	return append(out, pair{"$defs", defs})
}

// lines is the schema of one line of a stream; its type says which.
func (s *schemaWriter) lines(lines []line) ordered {
	var names []any
	var branches []ordered
	for _, l := range lines {
		names = append(names, l.kind)
		is := ordered{{"required", []string{"type"}}, {"properties", ordered{{"type", ordered{{"const", l.kind}}}}}}
		branches = append(branches, ordered{{"if", is}, {"then", s.def(reflect.TypeOf(l.value))}})
	}
	return ordered{{"type", "object"}, {"required", []string{"type"}},
		{"properties", ordered{{"type", append(ordered{{"description", "What the line is."}}, s.oneOf(names)...)}}}, {"allOf", branches}}
}

// object is the schema of a struct.
func (s *schemaWriter) object(t reflect.Type) ordered {
	var properties ordered
	required := []string{}
	s.properties(t, t, &properties, &required)
	out := ordered{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		out = append(out, pair{"required", required})
	}
	if s.strict {
		out = append(out, pair{"additionalProperties", false})
	}
	return out
}

// properties gathers the keys of a struct, with those of what it embeds.
func (s *schemaWriter) properties(owner, t reflect.Type, properties *ordered, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.properties(owner, indirect(f.Type), properties, required)
			continue
		case !f.IsExported() || name == "-" || slices.ContainsFunc(*properties, func(m pair) bool { return m.key == name }):
			continue
		}
		about := s.words.key(owner, t, f.Name, name)
		if name == "type" && s.types != nil && strings.HasSuffix(owner.Name(), "Line") {
			about = "What the line is."
		}
		if about == "" {
			s.t.Errorf("nothing says what %s means in %s: it gets a line in docs/json.md, or its field a comment", name, goName(t))
		}
		*properties = append(*properties, pair{name, append(ordered{{"description", about}}, s.field(t, f, name)...)})
		if !strings.Contains(options, "omit") {
			*required = append(*required, name)
		}
	}
}

// field is the schema of a key: of its type, unless more is known of it.
func (s *schemaWriter) field(t reflect.Type, f reflect.StructField, name string) ordered {
	if words := words()[goName(t)+"."+name]; words != nil {
		return s.oneOf(words)
	}
	code := ordered{{"type", "string"}, {"pattern", "^RC[0-9]{3}$"}}
	switch {
	case name == "format_version":
		return ordered{{"type", "string"}, {"pattern", `^1\.[0-9]+$`}}
	case name == "code" && t.Name() != "Snippet": // whose code is a line of source
		return code
	case name == "codes":
		return ordered{{"type", "array"}, {"items", code}}
	}
	out := s.of(f.Type)
	if options := f.Tag.Get("json"); f.Type.Kind() == reflect.Pointer && !strings.Contains(options, ",omit") { // it is written as null
		out = ordered{{"anyOf", []ordered{out, {{"type", "null"}}}}}
	}
	return out
}

// words are the values of strings whose Go type does not tell them.
func words() map[string][]any {
	symbols := []any{}
	for _, x := range []reconcile.Symbol{reconcile.Reserve, reconcile.Modify, reconcile.Replace, reconcile.Relocate, reconcile.Cancel, reconcile.Schedule} {
		symbols = append(symbols, x)
	}
	return map[string][]any{
		"reservation.Change.action":          symbols,
		"reservation.TransactionReport.type": {"Started", "Updated", "Ended"},
		"reservation.Lifecycle.on_removed":   {reservation.ReserveAgain, reservation.Report},
		"reservation.Lifecycle.on_used":      {reservation.Done, reservation.HoldAgain},
		"diag.JSONDiagnostic.severity":       {"error", "warning"},
		"main.stationAbout.reservations":     {reservation.SupportYes, reservation.SupportNo, "unknown"},
	}
}

// oneOf lists values; where nothing is strict, others may come.
func (s *schemaWriter) oneOf(values []any) ordered {
	if s.strict {
		return ordered{{"enum", values}}
	}
	return ordered{{"anyOf", []ordered{{{"enum", values}}, {{"type", "string"}}}}}
}

func indirect(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// of is the schema of a type.
func (s *schemaWriter) of(t reflect.Type) ordered {
	t = indirect(t)
	switch {
	case t == reflect.TypeFor[time.Time]():
		return ordered{{"type", "string"}, {"format", "date-time"}}
	case t == reflect.TypeFor[reservation.Duration]():
		return ordered{{"type", "string"}, {"pattern", `^-?([0-9.]+(h|m|s|ms|µs|ns))+$`}}
	case t.Kind() == reflect.String && s.words.values[goName(t)] != nil:
		return s.oneOf(s.words.values[goName(t)])
	}
	switch t.Kind() {
	case reflect.String:
		return ordered{{"type", "string"}}
	case reflect.Bool:
		return ordered{{"type", "boolean"}}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return ordered{{"type", "integer"}}
	case reflect.Float64:
		return ordered{{"type", "number"}}
	case reflect.Slice:
		return ordered{{"type", "array"}, {"items", s.of(t.Elem())}}
	case reflect.Map:
		return ordered{{"type", "object"}, {"additionalProperties", s.of(t.Elem())}}
	case reflect.Struct:
		return s.def(t)
	case reflect.Interface:
		return ordered{}
	}
	s.t.Errorf("nothing says how %s is written", t)
	return nil
}

// def names the schema of a struct, which stands apart.
func (s *schemaWriter) def(t reflect.Type) ordered {
	title := s.words.title(t)
	if before := s.types[title]; before != nil && before != t {
		s.t.Errorf("both %s and %s are called %q: title tells them apart", before, t, title)
	}
	if s.types[title] == nil {
		s.types[title] = t
		about := sentence(s.words.types[goName(t)])
		if about == "." {
			s.t.Errorf("nothing says what a %s is: it gets a comment", goName(t))
		}
		s.defs[title] = append(ordered{{"title", title}, {"description", about}}, s.object(t)...)
	}
	return ordered{{"$ref", "#/$defs/" + strings.ReplaceAll(title, " ", "%20")}}
}
