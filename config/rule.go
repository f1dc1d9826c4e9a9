package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// rule is a condition that must hold, and what to say otherwise.
type rule struct {
	condition, message *hcl.Attribute
	refs               []hcl.Traversal
}

func newRule(attrs hcl.Attributes) rule {
	r := rule{condition: attrs["condition"], message: attrs["error_message"]}
	r.refs = append(r.condition.Expr.Variables(), r.message.Expr.Variables()...)
	return r
}

// hold reports a rule that does not hold, under a code and a summary.
func (s *scope) hold(r rule, code, summary string) {
	val, diags := r.condition.Expr.Value(s.ctx)
	if s.l.adopt(diags, codeExpression, s.address) {
		return
	}
	val, _ = val.Unmark()
	val, err := convert.Convert(val, cty.Bool)
	if err != nil || val.IsNull() {
		s.wrong(codeValue, "Invalid condition", "The condition must give true or false.", r.condition.Expr)
		return
	}
	if !val.IsKnown() || val.True() {
		return
	}
	text, marked, ok := s.rawText(r.message)
	switch {
	case ok && marked:
		s.wrong(codeSensitive, "Error message refers to sensitive values",
			"error_message is shown where the condition is false. Leave sensitive values out of it, or write nonsensitive(…) around what is no secret.", r.message.Expr)
		text = "The condition is false. What its error_message says is sensitive."
	case !ok:
		text = "The condition is false."
	}
	s.wrong(code, summary, text, r.condition.Expr)
}

// preconditions checks those of a lifecycle block, which may be nil. Each counts
// as an instance does: there may be many of both.
func (s *scope) preconditions(b *blockOf) {
	if b == nil {
		return
	}
	for _, r := range b.rules {
		if !s.l.spend(s, 1, r.condition.Expr.Range()) {
			return
		}
		s.hold(r, codePrecondition, "Precondition does not hold")
	}
}
