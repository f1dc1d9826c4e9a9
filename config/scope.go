package config

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/resctl/resctl/config/diag"
)

// scope is where the attributes of one block instance are evaluated. Its
// methods are the only way out of cty: an unknown, null or sensitive value
// never panics. They give false for a value that is absent (also null) or
// wrong; what is wrong has then been reported.
type scope struct {
	l       *loader
	ctx     *hcl.EvalContext
	address string
}

// blockOf is a block whose schema has been applied, once for all its instances.
type blockOf struct {
	*hcl.Block
	schema  *hcl.BodySchema
	attrs   hcl.Attributes
	nested  map[string]*blockOf
	many    []*blockOf // labelled nested blocks
	rules   []rule     // its precondition blocks
	source  string     // "fleet.hcl:41"
	dynamic bool       // some of its blocks differ from instance to instance
}

func (l *loader) openBlock(b *hcl.Block, schema *hcl.BodySchema) *blockOf {
	content, diags := b.Body.Content(schema)
	listBlocks(diags, schema)
	l.adopt(diags, codeArgument, address(b))
	out := &blockOf{Block: b, schema: schema, attrs: content.Attributes, nested: map[string]*blockOf{}}
	out.source = fmt.Sprintf("%s:%d", b.DefRange.Filename, b.DefRange.Start.Line)
	for _, n := range content.Blocks {
		l.openNested(out, n)
	}
	return out
}

func (l *loader) openNested(out *blockOf, n *hcl.Block) {
	first := out.nested[n.Type]
	switch {
	case n.Type == dynamicBlock:
		out.dynamic = true
	case n.Type == "precondition":
		content, diags := n.Body.Content(validationSchema)
		if !l.adopt(diags, codeArgument, address(out.Block)) {
			out.rules = append(out.rules, newRule(content.Attributes))
		}
	case len(n.Labels) > 0:
		out.many = append(out.many, l.openBlock(n, evseSchema))
	case first != nil:
		l.err(problem{code: codeArgument, summary: "Duplicate block", subject: n.DefRange.Ptr(), address: address(out.Block),
			detail: fmt.Sprintf("A %s has at most one %s block; the first is at %s.", out.Type, n.Type, first.source)})
	default:
		x := l.openBlock(n, nestedSchema(n.Type, out.schema))
		out.nested[n.Type], out.dynamic = x, out.dynamic || x.dynamic
	}
}

// listBlocks says which blocks there are where hcl has no better idea.
func listBlocks(diags hcl.Diagnostics, schema *hcl.BodySchema) {
	var known []string
	for _, b := range schema.Blocks {
		known = append(known, b.Type)
	}
	for _, d := range diags {
		if d.Summary == "Unsupported block type" && !strings.Contains(d.Detail, "Did you mean") && len(known) > 0 {
			d.Detail += " There are: " + list(known) + "."
		}
	}
}

// refs are what a block refers to.
func (b *blockOf) refs() []hcl.Traversal {
	if b.dynamic {
		return dynamicRefs(dynblock.WalkVariables(b.Body), b.schema)
	}
	var out []hcl.Traversal
	for _, e := range b.expressions() {
		out = append(out, e.Variables()...)
	}
	return out
}

// expressions of the block and those inside it.
func (b *blockOf) expressions() []hcl.Expression {
	var out []hcl.Expression
	for _, name := range names(b.attrs) {
		out = append(out, b.attrs[name].Expr)
	}
	for _, n := range b.many {
		out = append(out, n.expressions()...)
	}
	for _, r := range b.rules {
		out = append(out, r.condition.Expr, r.message.Expr)
	}
	for _, name := range names(b.nested) {
		out = append(out, b.nested[name].expressions()...)
	}
	return out
}

func address(b *hcl.Block) string {
	if len(b.Labels) == 0 || b.Type == "evse" {
		return ""
	}
	return b.Type + "." + b.Labels[0]
}

// checkLabel refuses names that no reference could spell.
func (l *loader) checkLabel(b *hcl.Block) bool {
	if hclsyntax.ValidIdentifier(b.Labels[0]) {
		return true
	}
	l.err(problem{code: codeArgument, summary: "Invalid name", subject: b.LabelRanges[0].Ptr(),
		detail: "A name starts with a letter and goes on with letters, digits, underscores and dashes."})
	return false
}

func (l *loader) duplicate(what string, again, first hcl.Range) {
	l.err(problem{code: codeDuplicate, summary: "Declared twice", subject: again.Ptr(),
		detail: fmt.Sprintf("%s is declared already, at %s:%d. Rename or remove one of them.", what, first.Filename, first.Start.Line)})
}

// wrong reports a value that does not do.
func (s *scope) wrong(code, summary, detail string, expr hcl.Expression) {
	s.l.err(problem{code: code, summary: summary, detail: detail, subject: expr.Range().Ptr(), address: s.address, expr: expr, ctx: s.ctx})
}

// value evaluates an attribute, which may be nil. The result is known and not
// null, and its outermost marks are gone; sensitive says whether it had any.
func (s *scope) value(a *hcl.Attribute) (v cty.Value, marked, ok bool) {
	if a == nil {
		return cty.NilVal, false, false
	}
	v, diags := a.Expr.Value(s.ctx)
	if len(diags) > 0 && s.l.adopt(diags, codeExpression, s.address) {
		return cty.NilVal, false, false
	}
	return s.known(v, a.Expr)
}

// need is value for what must not be null.
func (s *scope) need(a *hcl.Attribute) (v cty.Value, marked, ok bool) {
	v, diags := a.Expr.Value(s.ctx)
	if len(diags) > 0 && s.l.adopt(diags, codeExpression, s.address) {
		return cty.NilVal, false, false
	}
	if v.IsNull() {
		s.wrong(codeValue, "Unsuitable value", a.Name+" is null, but a value is needed.", a.Expr)
		return cty.NilVal, false, false
	}
	return s.known(v, a.Expr)
}

func (s *scope) known(v cty.Value, expr hcl.Expression) (bare cty.Value, marked, ok bool) {
	if v.IsMarked() {
		v, _ = v.Unmark()
		marked = true
	}
	if !v.IsKnown() {
		if !s.l.diags.HasErrors() { // otherwise it stems from what has been reported
			s.wrong(codeValue, "Unknown value", "This value cannot be known.", expr)
		}
		return cty.NilVal, marked, false
	}
	if v.IsNull() {
		return cty.NilVal, marked, false
	}
	return v, marked, true
}

// primitive converts as Terraform does: numbers and booleans may stand for text and back.
func (s *scope) primitive(v cty.Value, want cty.Type, name string, expr hcl.Expression) (cty.Value, bool) {
	if v.Type() == want {
		return v, true
	}
	if v.Type().IsPrimitiveType() {
		if out, err := convert.Convert(v, want); err == nil && out.IsKnown() && !out.IsNull() {
			return out, true
		}
	}
	s.wrong(codeValue, "Unsuitable value", fmt.Sprintf("%s must be a %s, not %s.", name, want.FriendlyName(), diag.Article(v.Type())), expr)
	return cty.NilVal, false
}

func (s *scope) text(a *hcl.Attribute) (string, bool) {
	out, _, ok := s.rawText(a)
	return out, ok
}

func (s *scope) rawText(a *hcl.Attribute) (text string, marked, ok bool) {
	v, marked, ok := s.value(a)
	if !ok {
		return "", marked, false
	}
	if v, ok = s.primitive(v, cty.String, a.Name, a.Expr); !ok {
		return "", marked, false
	}
	return v.AsString(), marked, true
}

func (s *scope) boolean(a *hcl.Attribute) (value, ok bool) {
	v, _, ok := s.value(a)
	if !ok {
		return false, false
	}
	if v, ok = s.primitive(v, cty.Bool, a.Name, a.Expr); !ok {
		return false, false
	}
	return v.True(), true
}

// whole reads a whole number within bounds; cty's numbers are 512-bit floats.
func (s *scope) whole(a *hcl.Attribute, code string, from, to int64) (int, bool) {
	v, _, ok := s.value(a)
	if !ok {
		return 0, false
	}
	if v, ok = s.primitive(v, cty.Number, a.Name, a.Expr); !ok {
		return 0, false
	}
	n, acc := v.AsBigFloat().Int64()
	if acc != big.Exact || n < from || n > to {
		s.wrong(code, "Number out of range", fmt.Sprintf("%s must be a whole number from %d to %d.", a.Name, from, to), a.Expr)
		return 0, false
	}
	return int(n), true
}

// words reads a list, tuple or set of strings, such as example.
func (s *scope) words(a *hcl.Attribute, example string) ([]string, bool) {
	v, _, ok := s.value(a)
	if !ok {
		return nil, false
	}
	t := v.Type()
	if !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		s.wrong(codeValue, "Unsuitable value", fmt.Sprintf(`%s must be a list of strings, such as [%q].`, a.Name, example), a.Expr)
		return nil, false
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		e, _, ok := s.known(e, a.Expr)
		if !ok {
			s.wrong(codeValue, "Unsuitable value", fmt.Sprintf("%s holds a null.", a.Name), a.Expr)
			return nil, false
		}
		if e, ok = s.primitive(e, cty.String, "an element of "+a.Name, a.Expr); !ok {
			return nil, false
		}
		out = append(out, e.AsString())
	}
	return out, true
}

// choice reads one of a few words.
func (s *scope) choice(a *hcl.Attribute, allowed ...string) (string, bool) {
	v, ok := s.text(a)
	if !ok {
		return "", false
	}
	for _, w := range allowed {
		if v == w {
			return v, true
		}
	}
	s.wrong(codeChoice, "Unknown choice", fmt.Sprintf("%s is one of %s.%s", a.Name, list(quoteAll(allowed)), didYouMean(v, allowed)), a.Expr)
	return "", false
}

func quoteAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = `"` + w + `"`
	}
	return out
}

// maxDuration is the longest that makes sense for a reservation.
const maxDuration = 366 * 24 * time.Hour

// duration reads a Go duration in whole seconds; days may be written too ("1d", "1d12h").
func (s *scope) duration(a *hcl.Attribute, least time.Duration) (time.Duration, bool) {
	text, ok := s.text(a)
	if !ok {
		return 0, false
	}
	d, err := ParseDuration(text)
	switch {
	case err != nil:
		s.wrong(codeDuration, "Invalid duration", fmt.Sprintf(`%s must be a duration, such as "8h", "10m", "1h30m" or "2d".`, a.Name), a.Expr)
	case d < least:
		s.wrong(codeDuration, "Invalid duration", fmt.Sprintf("%s must be at least %s.", a.Name, least), a.Expr)
	case d > maxDuration:
		s.wrong(codeDuration, "Invalid duration", fmt.Sprintf("%s must be at most 366 days.", a.Name), a.Expr)
	case d%time.Second != 0:
		s.wrong(codeDuration, "Invalid duration", fmt.Sprintf("%s must be in whole seconds: stations read no fractions.", a.Name), a.Expr)
	default:
		return d, true
	}
	return 0, false
}
