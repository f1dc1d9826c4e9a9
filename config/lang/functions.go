package lang

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/ext/customdecode"
	yaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// mark is a private type, so that no library can mistake it for its own.
type mark string

// Sensitive marks values that must not be shown.
const Sensitive = mark("sensitive")

// environment is what functions may reach.
type environment struct {
	files    *Files
	work     *Budget
	limits   Limits
	template map[string]function.Function // what templatefile offers: all but itself, so no recursion
}

// Functions is what expressions can call. Nothing in it reads the clock, the
// environment or the network, and file functions stay below the root.
func Functions(files *Files, work *Budget, limits Limits) map[string]function.Function {
	l := &environment{files: files, work: work, limits: limits}
	t := map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc,
		"signum": stdlib.SignumFunc, "sum": sumFunc,

		"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
		"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
		"replace": replaceFunc, "split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc,
		"title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,
		"startswith": compareFunc(strings.HasPrefix), "endswith": compareFunc(strings.HasSuffix), "strcontains": compareFunc(strings.Contains),

		"alltrue": everyFunc(true), "anytrue": everyFunc(false),
		"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc, "length": lengthFunc,
		"lookup": stdlib.LookupFunc, "merge": stdlib.MergeFunc, "one": oneFunc, "range": stdlib.RangeFunc,
		"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc, "setproduct": stdlib.SetProductFunc,
		"setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "tostring": stdlib.MakeToFunc(cty.String),
		"tonumber": stdlib.MakeToFunc(cty.Number), "tobool": stdlib.MakeToFunc(cty.Bool),
		"try": tryFunc, "can": canFunc, "sensitive": markFunc(true), "nonsensitive": markFunc(false),

		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"yamldecode": yaml.YAMLDecodeFunc,
		"formatdate": stdlib.FormatDateFunc, "timeadd": timeaddFunc, "timecmp": timecmpFunc,

		"file": l.fileFunc(), "fileset": l.filesetFunc(),
	}
	for name, check := range argumentLimits(l.limits) {
		t[name] = limited(t[name], check)
	}
	l.template = t
	all := maps.Clone(t)
	all["templatefile"] = l.templatefileFunc()
	return all
}

// tryFunc evaluates each argument once. (hcl's own evaluates twice, which
// nested calls turn into a power of two.)
var tryFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "expressions", Type: customdecode.ExpressionClosureType},
	Type:     function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if len(args) == 0 {
			return cty.NilVal, errors.New("at least one argument is required")
		}
		for _, a := range args {
			closure := customdecode.ExpressionClosureFromVal(a)
			v, diags := closure.Value()
			if !diags.HasErrors() {
				return v, nil
			}
			if err := workError(diags); err != nil {
				return cty.NilVal, err
			}
		}
		return cty.NilVal, errors.New("no argument could be evaluated")
	},
})

var canFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "expression", Type: customdecode.ExpressionClosureType}},
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		closure := customdecode.ExpressionClosureFromVal(args[0])
		_, diags := closure.Value()
		if err := workError(diags); err != nil {
			return cty.NilVal, err
		}
		return cty.BoolVal(!diags.HasErrors()), nil
	},
})

func markFunc(on bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowNull: true, AllowMarked: true, AllowDynamicType: true}},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, marks := args[0].Unmark()
			delete(marks, Sensitive)
			if on {
				return v.WithMarks(marks).Mark(Sensitive), nil
			}
			return v.WithMarks(marks), nil
		},
	})
}

// oneFunc gives the only element of a list or set, or null of an empty one.
var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v := args[0]
		if t := v.Type(); !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
			return cty.NilVal, function.NewArgErrorf(0, "must be a list, set or tuple with at most one element")
		}
		switch v.LengthInt() {
		case 0:
			return cty.NullVal(cty.DynamicPseudoType), nil
		case 1:
			it := v.ElementIterator()
			it.Next()
			_, e := it.Element()
			return e, nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "must have at most one element, not %d", v.LengthInt())
	},
})

// lengthFunc counts the elements of a collection or the characters of a string.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v := args[0]
		switch {
		case v.Type() == cty.String:
			return stdlib.Strlen(v)
		case v.CanIterateElements():
			return cty.NumberIntVal(int64(v.LengthInt())), nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "must be a string, a list, a set or a map")
	},
})

var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
			return cty.NilVal, function.NewArgErrorf(0, "must be a list, set or tuple of numbers")
		}
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, e := it.Element()
			n, err := convert.Convert(e, cty.Number)
			if err != nil || n.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "must hold only numbers")
			}
			total = total.Add(n)
		}
		return total, nil
	},
})

// everyFunc is alltrue (want true) or anytrue (want false).
func everyFunc(want bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				_, e := it.Element()
				if !e.IsKnown() {
					return cty.UnknownVal(cty.Bool), nil
				}
				if (!e.IsNull() && e.True()) != want {
					return cty.BoolVal(!want), nil
				}
			}
			return cty.BoolVal(want), nil
		},
	})
}

func compareFunc(is func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(is(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// replaceFunc takes a pattern between slashes as a regular expression.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "substr", Type: cty.String}, {Name: "replace", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		pattern := args[1].AsString()
		if len(pattern) > 1 && strings.HasPrefix(pattern, "/") && strings.HasSuffix(pattern, "/") {
			return stdlib.RegexReplace(args[0], cty.StringVal(pattern[1:len(pattern)-1]), args[2])
		}
		return stdlib.Replace(args[0], args[1], args[2])
	},
})

func timestamp(args []cty.Value, i int) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, args[i].AsString())
	if err != nil {
		return t, function.NewArgErrorf(i, `not a time such as "2026-11-22T22:00:00+01:00"`)
	}
	return t, nil
}

// timeaddFunc adds a duration ("8h", "-10m", "1d") to a time.
var timeaddFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "timestamp", Type: cty.String}, {Name: "duration", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		t, err := timestamp(args, 0)
		if err != nil {
			return cty.NilVal, err
		}
		d, err := ParseDuration(args[1].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(1, `not a duration such as "8h" or "-10m"`)
		}
		return cty.StringVal(t.Add(d).Format(time.RFC3339)), nil
	},
})

// timecmpFunc gives -1, 0 or 1.
var timecmpFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "a", Type: cty.String}, {Name: "b", Type: cty.String}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		a, err := timestamp(args, 0)
		if err != nil {
			return cty.NilVal, err
		}
		b, err := timestamp(args, 1)
		if err != nil {
			return cty.NilVal, err
		}
		return cty.NumberIntVal(int64(a.Compare(b))), nil
	},
})

// limited puts a check of the arguments before a function.
func limited(f function.Function, check func([]cty.Value) error) function.Function {
	params := f.Params()
	return function.New(&function.Spec{
		Description: f.Description(), Params: params, VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := checkKnown(args, check); err != nil {
				return cty.DynamicPseudoType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

func checkKnown(args []cty.Value, check func([]cty.Value) error) error {
	bare := make([]cty.Value, len(args))
	for i, a := range args {
		a, _ = a.UnmarkDeep()
		if !a.IsWhollyKnown() || a.IsNull() {
			return nil
		}
		bare[i] = a
	}
	return check(bare)
}

var wideVerb = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{5}`)

// argumentLimits refuse calls whose result would be out of all proportion.
func argumentLimits(limits Limits) map[string]func([]cty.Value) error {
	text := func(v cty.Value) int {
		if v.Type() == cty.String {
			return len(v.AsString())
		}
		return 0
	}
	size := func(n int) error {
		if n > limits.ValueSize {
			return fmt.Errorf("the result would be longer than %d bytes", limits.ValueSize)
		}
		return nil
	}
	format := func(a []cty.Value) error {
		if len(a) > 0 && a[0].Type() == cty.String && wideVerb.MatchString(a[0].AsString()) {
			return errors.New("a width over 9999 is not allowed")
		}
		return nil
	}
	nested := func(a []cty.Value) error {
		if len(a) == 0 {
			return nil
		}
		return decodable(text(a[0]), a[0], limits)
	}
	return map[string]func([]cty.Value) error{
		"format": format, "formatlist": format,
		"jsondecode": nested, "yamldecode": yamlLimit(limits),
		"replace": func(a []cty.Value) error {
			n := strings.Count(a[0].AsString(), a[1].AsString())
			if p := a[1].AsString(); len(p) > 1 && p[0] == '/' {
				n = len(a[0].AsString()) + 1
			}
			return size(text(a[0]) + n*text(a[2]))
		},
		"join": func(a []cty.Value) error {
			n := 0
			for _, l := range a[1:] {
				if l.CanIterateElements() {
					n += l.LengthInt()
				}
			}
			return size(n * text(a[0]))
		},
		"indent": func(a []cty.Value) error {
			if n, _ := a[0].AsBigFloat().Int64(); n > 1000 {
				return errors.New("more than 1000 spaces are not allowed")
			}
			return nil
		},
		"setproduct": limits.product,
	}
}

func (s Limits) product(sets []cty.Value) error {
	n := 1
	for _, l := range sets {
		if l.CanIterateElements() {
			if n *= max(l.LengthInt(), 1); n > s.Elements {
				return fmt.Errorf("the result would have more than %d elements", s.Elements)
			}
		}
	}
	return nil
}
