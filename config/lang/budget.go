package lang

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const (
	tooMuchWork  = "Too much work"
	tooManySteps = "The for expressions of this configuration run over too many elements." // try() passes only the detail on
)

// TooMuchWork reports whether a diagnostic is about an exhausted budget.
func TooMuchWork(d *hcl.Diagnostic) bool {
	return strings.HasPrefix(d.Summary, tooMuchWork) || strings.Contains(d.Detail, tooManySteps)
}

// Budget bounds how many elements all for expressions and splats of one load
// run over: nested ones multiply, and nothing in hcl stops them.
type Budget struct{ left int }

// NewBudget allows that many elements.
func NewBudget(steps int) *Budget { return &Budget{left: steps} }

// Watch puts the budget into the expressions of a parsed file. Files without
// for and splat, nearly all, are not walked.
func (w *Budget) Watch(body hcl.Body, src []byte) {
	node, ok := body.(*hclsyntax.Body)
	if !ok || countFor(src) == 0 && !bytes.Contains(src, []byte("*")) {
		return
	}
	_ = hclsyntax.Walk(node, walker{w})
}

// Expression does the same for one expression.
func (w *Budget) Expression(e hclsyntax.Expression) hclsyntax.Expression {
	_ = hclsyntax.Walk(e, walker{w})
	return e
}

// walker replaces the collections that are run over by counted ones.
type walker struct{ w *Budget }

func (v walker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch e := n.(type) {
	case *hclsyntax.ForExpr:
		e.CollExpr = v.w.count(e.CollExpr)
	case *hclsyntax.SplatExpr:
		e.Source = v.w.count(e.Source)
	}
	return nil
}

// count wraps a collection. The parentheses in between let later walks, which
// look for references, see the collection as a child of what replaced it.
func (w *Budget) count(e hclsyntax.Expression) hclsyntax.Expression {
	return counted{&hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}, w}
}

func (v walker) Exit(hclsyntax.Node) hcl.Diagnostics { return nil }

// counted is a collection whose elements cost.
type counted struct {
	hclsyntax.Expression
	w *Budget
}

func (c counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if c.w.left < 0 {
		return cty.DynamicVal, hcl.Diagnostics{c.tooMuch()} // whatever runs still ends soon
	}
	v, diags := c.Expression.Value(ctx)
	if bare, _ := v.Unmark(); bare.IsKnown() && !bare.IsNull() && bare.CanIterateElements() {
		c.w.left -= 1 + bare.LengthInt()
	}
	if c.w.left < 0 {
		return cty.DynamicVal, append(diags, c.tooMuch())
	}
	return v, diags
}

func (c counted) tooMuch() *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: tooMuchWork, Subject: c.Range().Ptr(),
		Detail: tooManySteps + " Nested ones multiply: prepare the data once, in a local value.",
	}
}

// countFor counts the keyword for; for_each and names that end in for do not count.
func countFor(src []byte) int {
	n := 0
	for i := 0; ; {
		j := bytes.Index(src[i:], []byte("for"))
		if j < 0 {
			return n
		}
		i += j + 3
		before, after := byte(' '), byte(' ')
		if i > 3 {
			before = src[i-4]
		}
		if i < len(src) {
			after = src[i]
		}
		if !identByte(before) && !identByte(after) {
			n++
		}
	}
}

func identByte(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// CheckSize refuses values that grew out of all proportion, such as strings
// that are doubled again and again.
func (s Limits) CheckSize(v cty.Value) error {
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() {
		return nil
	}
	if v.Type() == cty.String {
		if n := len(v.AsString()); n > s.ValueSize {
			return fmt.Errorf("the text has %d bytes; at most %d are allowed", n, s.ValueSize)
		}
	} else if v.CanIterateElements() && v.LengthInt() > s.Elements {
		return fmt.Errorf("the collection has %d elements; at most %d are allowed", v.LengthInt(), s.Elements)
	}
	return nil
}
