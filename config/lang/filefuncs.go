package lang

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxWalk bounds how many files fileset looks at.
const maxWalk = 100_000

func pathParam() function.Parameter {
	return function.Parameter{Name: "path", Type: cty.String, AllowMarked: true}
}

// text reads a file for a function. A path that came from a sensitive value is refused:
// the message would show it.
func (l *environment) textFile(v cty.Value) (string, error) {
	if v.IsMarked() {
		return "", function.NewArgErrorf(0, "the path must not be sensitive")
	}
	name := v.AsString()
	b, err := l.files.Get(name)
	if err != nil {
		return "", function.NewArgErrorf(0, "cannot read %q: %s", name, err)
	}
	if !utf8.Valid(b) {
		return "", function.NewArgErrorf(0, "%q is not UTF-8 text", name)
	}
	return string(b), nil
}

func (l *environment) fileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{pathParam()},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := l.textFile(args[0])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(text), nil
		},
	})
}

// templatefileFunc renders a file with an object of variables, nothing else.
func (l *environment) templatefileFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{pathParam(), {Name: "vars", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := l.textFile(args[0])
			if err != nil {
				return cty.NilVal, err
			}
			if t := args[1].Type(); !t.IsObjectType() && !t.IsMapType() {
				return cty.NilVal, function.NewArgErrorf(1, "must be an object")
			}
			return l.render(args[0].AsString(), text, args[1].AsValueMap())
		},
	})
}

func (l *environment) render(name, text string, vars map[string]cty.Value) (cty.Value, error) {
	if v := CheckSource([]byte(text), true, l.limits); v != nil {
		return cty.NilVal, function.NewArgErrorf(0, "%q: %s", name, v.Detail)
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, function.NewArgErrorf(0, "%s", firstError(diags))
	}
	l.work.Expression(expr)
	ctx := &hcl.EvalContext{Variables: vars, Functions: l.template}
	v, diags := expr.Value(ctx)
	if err := workError(diags); err != nil {
		return cty.NilVal, err
	}
	if diags.HasErrors() {
		return cty.NilVal, function.NewArgErrorf(0, "%s", firstError(diags))
	}
	return v, l.limits.CheckSize(v)
}

func firstError(diags hcl.Diagnostics) string {
	d := diags.Errs()[0].(*hcl.Diagnostic)
	where := ""
	if d.Subject != nil {
		where = fmt.Sprintf("%s line %d: ", d.Subject.Filename, d.Subject.Start.Line)
	}
	return where + d.Summary + ": " + d.Detail
}

// workError finds the one error that try and can must not swallow.
func workError(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if TooMuchWork(d) {
			return errors.New(d.Detail)
		}
	}
	return nil
}

// filesetFunc lists the files below a directory that match a pattern, with
// slashes, "**" for any number of directories; sorted as sets are.
func (l *environment) filesetFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{pathParam(), {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if args[0].IsMarked() {
				return cty.NilVal, function.NewArgErrorf(0, "the path must not be sensitive")
			}
			return l.fileset(path.Clean(args[0].AsString()), args[1].AsString())
		},
	})
}

func (l *environment) fileset(dir, pattern string) (cty.Value, error) {
	if !fs.ValidPath(dir) {
		return cty.NilVal, function.NewArgErrorf(0, "must be a directory inside the configuration's")
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return cty.NilVal, function.NewArgErrorf(1, "is not a valid pattern")
	}
	var out []cty.Value
	seen := 0
	want := strings.Split(path.Clean(pattern), "/")
	err := fs.WalkDir(l.files.FS(), dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > maxWalk {
			return fmt.Errorf("there are more than %d files", maxWalk)
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		if dir == "." {
			rel = name
		}
		if e.Type().IsRegular() && matchPath(want, strings.Split(rel, "/")) {
			out = append(out, cty.StringVal(rel))
		}
		return nil
	})
	if err != nil {
		return cty.NilVal, function.NewArgErrorf(0, "cannot list %q: %s", dir, Reason(err))
	}
	if len(out) == 0 {
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(out), nil
}

func matchPath(pattern, name []string) bool {
	pattern = slices.CompactFunc(slices.Clone(pattern), func(a, b string) bool { return a == "**" && b == "**" })
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		for i := 0; i <= len(name); i++ {
			if matchPath(pattern[1:], name[i:]) {
				return true
			}
		}
		return false
	}
	if len(name) == 0 {
		return false
	}
	ok, _ := path.Match(pattern[0], name[0])
	return ok && matchPath(pattern[1:], name[1:])
}

// decodable refuses JSON text that is nested so deeply that decoding recurses
// without end.
func decodable(n int, v cty.Value, limits Limits) error {
	if n > limits.FileSize {
		return fmt.Errorf("the text is longer than %d bytes", limits.FileSize)
	}
	depth, quoted := 0, false
	text := v.AsString()
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limits.Depth {
				return fmt.Errorf("the text is nested more than %d levels deep", limits.Depth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// yamlLimit refuses YAML whose aliases could multiply, and deep nesting.
func yamlLimit(limits Limits) func([]cty.Value) error {
	return func(a []cty.Value) error {
		if a[0].Type() != cty.String {
			return nil
		}
		text := a[0].AsString()
		if strings.Count(text, "[")+strings.Count(text, "{") > limits.Depth {
			if err := decodable(len(text), a[0], limits); err != nil {
				return err
			}
		}
		aliases, anchors := 0, strings.Contains(text, "&")
		for line := range strings.SplitSeq(text, "\n") {
			indent := len(line) - len(strings.TrimLeft(line, " -?:"))
			if indent > 2*limits.Depth {
				return fmt.Errorf("the text is nested more than %d levels deep", limits.Depth)
			}
			if anchors {
				aliases += strings.Count(line, "*")
			}
		}
		if aliases > 100 || len(text) > limits.FileSize {
			return errors.New("the text has more than 100 aliases, or is too long")
		}
		return nil
	}
}
