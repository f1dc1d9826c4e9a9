package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/lang"
)

// variable is one variable block and, after readVariables, its value.
type variable struct {
	name      string
	typ       cty.Type
	literal   bool // text from --var and the environment is the value itself
	defaults  *typeexpr.Defaults
	def       cty.Value // NilVal: required
	sensitive bool
	nullable  bool
	rules     []rule
	decl      hcl.Range
}

// giveValues gives the variables of the root their values.
func (m *module) giveValues() {
	given := m.gatherValues(m.dir)
	for _, name := range names(m.nodes["var"]) {
		n := m.nodes["var"][name]
		n.value, n.state = m.resolve(n.variable, given[name]), done
		if n.variable.sensitive {
			n.value = n.value.Mark(lang.Sensitive)
		}
	}
}

func (l *loader) readVariable(b *hcl.Block) *variable {
	v := &variable{name: b.Labels[0], typ: cty.DynamicPseudoType, literal: true, nullable: true, decl: b.DefRange}
	content, diags := b.Body.Content(variableSchema)
	l.adopt(diags, codeArgument, "")
	l.reserved(b)
	for _, x := range content.Blocks {
		if content, diags := x.Body.Content(validationSchema); !l.adopt(diags, codeArgument, "") {
			v.rules = append(v.rules, newRule(content.Attributes))
		}
	}
	if a := content.Attributes["type"]; a != nil {
		l.readType(v, a)
	}
	s := &scope{l: l, ctx: nil}
	if a := content.Attributes["sensitive"]; a != nil {
		v.sensitive, _ = s.boolean(a)
	}
	if a := content.Attributes["nullable"]; a != nil {
		if n, ok := s.boolean(a); ok {
			v.nullable = n
		}
	}
	if a := content.Attributes["description"]; a != nil {
		s.text(a)
	}
	if a := content.Attributes["default"]; a != nil {
		l.readDefault(v, a)
	}
	return v
}

func (l *loader) readType(v *variable, a *hcl.Attribute) {
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
	if l.adopt(diags, codeVariable, "") {
		return
	}
	v.typ, v.defaults, v.literal = ty, defaults, ty.IsPrimitiveType()
}

func (l *loader) readDefault(v *variable, a *hcl.Attribute) {
	v.def = cty.DynamicVal
	val, diags := a.Expr.Value(nil)
	if l.adopt(diags, codeExpression, "") {
		return
	}
	if val.IsNull() && !v.nullable {
		l.err(problem{code: codeVariable, summary: "Invalid default", subject: a.Expr.Range().Ptr(),
			detail: fmt.Sprintf("The default of variable %q is null, but the variable has nullable = false.", v.name)})
		return
	}
	if val, err := v.convert(val); err != nil {
		subject := a.Expr.Range()
		if v.sensitive {
			subject, err = a.NameRange, fmt.Errorf("a value of type %s is needed", typeexpr.TypeString(v.typ))
		}
		l.err(problem{code: codeVariable, summary: "Invalid default", subject: &subject, quiet: v.sensitive,
			detail: fmt.Sprintf("The default of variable %q does not fit its type: %s.", v.name, pathError(err))})
	} else {
		v.def = val
	}
}

func (v *variable) convert(val cty.Value) (cty.Value, error) {
	if v.defaults != nil && !val.IsNull() {
		val = v.defaults.Apply(val)
	}
	return convert.Convert(val, v.typ)
}

// mismatch says why a value does not fit, of a sensitive one only what would.
func (v *variable) mismatch(err error) string {
	if v.sensitive {
		return fmt.Sprintf("a value of type %s is needed", typeexpr.TypeString(v.typ))
	}
	return pathError(err)
}

// pathError says where inside a value a conversion failed.
func pathError(err error) string {
	pe, ok := err.(cty.PathError)
	if !ok || len(pe.Path) == 0 {
		return err.Error()
	}
	out := ""
	for _, step := range pe.Path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			out += "." + s.Name
		case cty.IndexStep:
			out += "[" + diag.IndexText(s.Key) + "]"
		}
	}
	return "at " + out + ": " + err.Error()
}

// resolve gives a variable its value: what was given last, or the default.
func (l *loader) resolve(v *variable, g *given) cty.Value {
	if g == nil {
		if v.def == cty.NilVal {
			l.err(problem{code: codeMissing, summary: "No value for required variable", subject: v.decl.Ptr(),
				detail: fmt.Sprintf("Variable %q has no default and was given no value. Give it with --var %[1]s=…, in a file named by --var-file or called *.auto.hclvars, or in the environment as RESCTL_VAR_%[1]s.", v.name)})
			return cty.DynamicVal
		}
		return v.def
	}
	val, ok := l.evaluateGiven(v, g)
	if !ok {
		return cty.DynamicVal
	}
	if val.IsNull() && !v.nullable {
		if v.def != cty.NilVal {
			return v.def
		}
		l.err(problem{code: codeVariable, summary: "Invalid value for variable", subject: g.subject(v),
			detail: fmt.Sprintf("Variable %q is given null %s, but it has nullable = false.", v.name, g.from)})
		return cty.DynamicVal
	}
	out, err := v.convert(val)
	if err != nil {
		l.err(problem{code: codeVariable, summary: "Invalid value for variable", subject: g.subject(v),
			detail: fmt.Sprintf("The value given to variable %q %s does not fit its type: %s.", v.name, g.from, v.mismatch(err))})
		return cty.DynamicVal
	}
	return out
}

// evaluateGiven turns what was given into a value. Text is the value itself for
// primitive types, so that quotes are not needed, and an expression otherwise.
func (l *loader) evaluateGiven(v *variable, g *given) (cty.Value, bool) {
	if g.expr == nil && v.literal {
		return cty.StringVal(g.text), true
	}
	expr := g.expr
	if expr == nil {
		name := "<value for " + v.name + ">"
		if viol := lang.CheckSource([]byte(g.text), false, l.limits); viol != nil || lang.BadText([]byte(g.text)) >= 0 {
			l.err(problem{code: codeLimit, summary: "Invalid value for variable", detail: fmt.Sprintf("The value given to variable %q %s is too deeply nested, or no text.", v.name, g.from)})
			return cty.NilVal, false
		}
		parsed, diags := hclsyntax.ParseExpression([]byte(g.text), name, hcl.InitialPos)
		if diags.HasErrors() {
			l.err(problem{code: codeVariable, summary: "Invalid value for variable",
				detail: fmt.Sprintf("The value given to variable %q %s is not a valid expression. Its type is %s, so write it as in HCL, such as '{ a = \"b\" }' or '[\"a\"]'.", v.name, g.from, typeexpr.TypeString(v.typ))})
			return cty.NilVal, false
		}
		expr = l.work.Expression(parsed)
	}
	val, diags := expr.Value(nil)
	if v.sensitive && diags.HasErrors() {
		l.err(problem{code: codeExpression, summary: "Invalid value for variable", subject: g.subject(v),
			detail: fmt.Sprintf("The value given to variable %q %s cannot be evaluated; the reason is not shown because the variable is sensitive.", v.name, g.from)})
		return cty.NilVal, false
	}
	return val, !l.adopt(diags, codeExpression, "")
}

// validateVariables checks the validation rules, before most things use the values.
func (m *module) validateVariables() {
	for _, n := range m.order {
		if n.kind != "var" || !n.value.IsKnown() {
			continue
		}
		for _, r := range n.variable.rules {
			summary := fmt.Sprintf("Invalid value for variable %q", n.name)
			s := &scope{l: m.loader, ctx: m.context(r.refs, nil), address: strings.TrimSuffix(m.prefix, ".")}
			s.hold(r, codeValidation, summary)
		}
	}
}
