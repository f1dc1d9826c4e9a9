package main

import (
	"go/ast"
	"go/token"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// wording is what code and docs/json.md say of types and their keys: schemas
// are described by it, so that nothing is written twice.
type wording struct {
	titles   map[reflect.Type]string
	headings []string                     // of docs/json.md, then of docs/language.md, in order
	tables   map[string]map[string]string // by heading and key
	types    map[string]string            // comments, by "reservation.Station"
	fields   map[string]string            // comments, by "reservation.Station.Model"
	values   map[string][]any             // constants of a string type, in order
}

func newWording(t *testing.T) *wording {
	w := &wording{map[reflect.Type]string{}, nil, map[string]map[string]string{}, map[string]string{}, map[string]string{}, map[string][]any{}}
	text := read(t, top+"docs/json.md")
	for _, m := range regexp.MustCompile(`(?m)^##+ (.+)$`).FindAllStringSubmatch(text, -1) {
		w.table(text, m[1])
	}
	for _, h := range []string{"station", "evse", "reservation", "window", "activation", "lifecycle"} { // declarations keep the names of the language
		w.table(read(t, top+"docs/language.md"), h)
	}
	for heading, value := range documentedTypes() {
		w.titles[reflect.TypeOf(value)] = heading
	}
	eachFile(t, func(dir, path string, f *ast.File, _ *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") || dir == "kill" || dir == "bench" {
			return
		}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				w.read(f.Name.Name, g)
			}
		}
	})
	return w
}

func (w *wording) table(text, heading string) {
	w.headings, w.tables[heading] = append(w.headings, heading), map[string]string{}
	for _, row := range tableRows(text, heading) {
		for _, key := range inCode.FindAllStringSubmatch(row[0], -1) {
			w.tables[heading][key[1]] = strings.TrimSuffix(strings.TrimSpace(row[1]), " (required)")
		}
	}
}

// read takes the comments of types and their fields, and constants.
func (w *wording) read(pkg string, g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			name := pkg + "." + s.Name.Name
			w.types[name] = comment(s.Name.Name, s.Doc)
			if !g.Lparen.IsValid() {
				w.types[name] = comment(s.Name.Name, g.Doc)
			}
			w.types[name], _, _ = strings.Cut(w.types[name], ". ") // the rest is for who reads the code
			fields, ok := s.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range fields.Fields.List {
				for _, n := range f.Names {
					w.fields[name+"."+n.Name] = comment(n.Name, f.Comment, f.Doc)
				}
			}
		case *ast.ValueSpec:
			of, ok := s.Type.(*ast.Ident)
			for _, v := range s.Values {
				if lit, isLit := v.(*ast.BasicLit); ok && isLit && lit.Kind == token.STRING && lit.Value != `""` {
					text, _ := strconv.Unquote(lit.Value)
					w.values[pkg+"."+of.Name] = append(w.values[pkg+"."+of.Name], text)
				}
			}
		}
	}
}

// comment gives the first of the comments that there is, without the name at
// its beginning.
func comment(name string, from ...*ast.CommentGroup) string {
	for _, c := range from {
		text := strings.Join(strings.Fields(c.Text()), " ")
		for _, begin := range []string{name + ": ", name + " is ", name + " are ", name + " "} {
			if rest, ok := strings.CutPrefix(text, begin); ok {
				text = rest
				break
			}
		}
		text = forPeople.Replace(text)
		if text != "" {
			return text
		}
	}
	return ""
}

// forPeople says in words of JSON what comments say in words of Go.
var forPeople = strings.NewReplacer("nil: ", "missing: ", "Zero: ", "Missing: ", "; 0: ", "; missing: ", " ID ", " the id ", " ID,", " the id,", "under ID", "under the id", `("" : none yet)`, "(missing: none yet)")

// goName is a type as the source calls it: "reservation.Station".
func goName(t reflect.Type) string { return t.String() }

// title names a type as people meet it: by its heading in docs/json.md, or by
// the words of its name.
func (w *wording) title(t reflect.Type) string {
	if h := w.titles[t]; h != "" {
		return h
	}
	if other := map[string]string{"reservation.Change": "Recorded change", "reservation.Station": "Believed station", "reservation.EVSE": "Declared EVSE"}[goName(t)]; other != "" {
		return other
	}
	name := strings.TrimPrefix(strings.TrimPrefix(t.Name(), "json"), "JSON")
	words := regexp.MustCompile(`[A-Z]?[a-z0-9]+`).FindAllString(name, -1)
	return capital(strings.ToLower(strings.Join(words, " ")))
}

// key says what a key means: as the table of its type has it, or the comment of
// its field, or the table of common keys, or the language, of which declarations
// keep the names.
func (w *wording) key(owner, declaring reflect.Type, field, key string) string {
	texts := []string{w.fromTable(w.titles[owner], key), w.fromTable(w.titles[declaring], key), w.fields[goName(declaring)+"."+field]}
	for _, h := range w.headings {
		if rows := w.tables[w.titles[owner]]; h == "Common keys" || h == strings.ToLower(h) || strings.HasPrefix(rows[key], "as above") {
			texts = append(texts, w.fromTable(h, key))
		}
	}
	for _, text := range texts {
		if text != "" {
			return sentence(text)
		}
	}
	return ""
}

// fromTable is the meaning in a table, if it says more than where to look.
func (w *wording) fromTable(heading, key string) string {
	text := strings.TrimPrefix(strings.ReplaceAll(";"+w.tables[heading][key], "; see below", ""), ";")
	if text == "see below" || strings.HasPrefix(text, "as above") || strings.HasPrefix(text, "as below") {
		return ""
	}
	return unlinked.ReplaceAllString(text, "$1")
}

// sentence begins large and ends with a full stop.
func sentence(s string) string {
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	if first, _, _ := strings.Cut(s, " "); first == strings.ToLower(first) && !strings.ContainsAny(strings.TrimSuffix(first, ":"), "`_:+(") {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}
