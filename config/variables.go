package config

import (
	"fmt"

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
	rules     hcl.Blocks
	decl      hcl.Range
	value     cty.Value
}

func (l *loader) readVariables() {
	l.variables = map[string]*variable{}
	for _, b := range l.blocks["variable"] {
		name := b.Labels[0]
		if !l.checkLabel(b) {
			continue
		}
		if first, ok := l.variables[name]; ok {
			l.duplicate("variable "+diag.QuoteKey(name), b.DefRange, first.decl)
			continue
		}
		l.variables[name] = l.readVariable(b)
	}
	given := l.gatherValues()
	for _, name := range names(l.variables) {
		v := l.variables[name]
		v.value = l.resolve(v, given[name])
		if v.sensitive {
			v.value = v.value.Mark(lang.Sensitive)
		}
	}
}

func (l *loader) readVariable(b *hcl.Block) *variable {
	v := &variable{name: b.Labels[0], typ: cty.DynamicPseudoType, literal: true, nullable: true, decl: b.DefRange}
	content, diags := b.Body.Content(variableSchema)
	l.adopt(diags, codeArgument, "")
	v.rules = content.Blocks
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
		detail := pathError(err)
		if v.sensitive {
			detail = fmt.Sprintf("a value of type %s is needed", typeexpr.TypeString(v.typ))
		}
		l.err(problem{code: codeVariable, summary: "Invalid value for variable", subject: g.subject(v),
			detail: fmt.Sprintf("The value given to variable %q %s does not fit its type: %s.", v.name, g.from, detail)})
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

// validateVariables checks the validation rules before anything uses the values.
func (l *loader) validateVariables() {
	for _, name := range names(l.variables) {
		v := l.variables[name]
		for _, rule := range v.rules {
			content, diags := rule.Body.Content(validationSchema)
			if !l.adopt(diags, codeArgument, "") && v.value.IsKnown() {
				l.validate(v, content.Attributes["condition"], content.Attributes["error_message"])
			}
		}
	}
}

func (l *loader) validate(v *variable, condition, message *hcl.Attribute) {
	val, diags := condition.Expr.Value(l.base)
	if l.adopt(diags, codeExpression, "") {
		return
	}
	val, _ = val.Unmark()
	val, err := convert.Convert(val, cty.Bool)
	if err != nil || val.IsNull() {
		l.err(problem{code: codeValue, summary: "Invalid validation rule", subject: condition.Expr.Range().Ptr(), detail: "The condition must give true or false."})
		return
	}
	if !val.IsKnown() || val.True() {
		return
	}
	s := &scope{l: l, ctx: l.base}
	text := "The condition of the validation rule is false."
	if msg, marked, ok := s.rawText(message); ok && !marked {
		text = msg
	}
	l.err(problem{code: codeValidation, summary: fmt.Sprintf("Invalid value for variable %q", v.name), detail: text,
		subject: condition.Expr.Range().Ptr(), expr: condition.Expr, ctx: l.base})
}
