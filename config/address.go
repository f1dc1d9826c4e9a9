package config

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
)

// place is an address as a moved, removed or import block writes it: it names
// something by its form and is never evaluated.
type place struct {
	text  string // in the form that addresses have: module.x["a"].reservation.van[0]
	kind  string // of what it names: "module", "reservation", "station" or "token"
	keyed bool   // it ends in ["…"] or [n]
	rng   hcl.Range
}

// place reads an address below a module, whose prefix it gets.
func (l *loader) place(a *hcl.Attribute, prefix string, kinds ...string) (place, bool) {
	t, diags := hcl.AbsTraversalForExpr(a.Expr)
	p := place{rng: a.Expr.Range()}
	ok := !diags.HasErrors()
	var b strings.Builder
	b.WriteString(prefix)
	for ok && len(t) > 0 {
		t, ok = p.step(&b, t)
	}
	p.text = b.String()
	if ok && slices.Contains(kinds, p.kind) {
		return p, true
	}
	l.err(problem{code: codeMoved, summary: "Invalid address", subject: p.rng.Ptr(),
		detail: fmt.Sprintf(`%s must be the address of a %s, without quotes, such as reservation.van, reservation.van["12"] or module.depot.reservation.van.`, a.Name, either(kinds))})
	return p, false
}

// either joins words for a choice: "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	return strings.TrimPrefix(strings.Join(words[:last], ", ")+" or "+words[last], " or ")
}

// step reads one kind, its name and, if there is one, its key. Only what is in
// a module goes on after that.
func (p *place) step(b *strings.Builder, t hcl.Traversal) (rest hcl.Traversal, ok bool) {
	switch s := t[0].(type) {
	case hcl.TraverseRoot:
		p.kind = s.Name
	case hcl.TraverseAttr:
		p.kind = s.Name
		b.WriteByte('.')
	}
	if len(t) < 2 {
		return nil, false
	}
	name, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		return nil, false
	}
	b.WriteString(p.kind + "." + name.Name)
	p.keyed, t = false, t[2:]
	if len(t) > 0 {
		if i, is := t[0].(hcl.TraverseIndex); is {
			key, ok := keyText(i.Key)
			if !ok {
				return nil, false
			}
			b.WriteString(key)
			p.keyed, t = true, t[1:]
		}
	}
	return t, len(t) == 0 || p.kind == "module"
}

// keyText writes an instance key with its brackets.
func keyText(k cty.Value) (string, bool) {
	switch k.Type() {
	case cty.String:
		return "[" + diag.QuoteKey(k.AsString()) + "]", true
	case cty.Number:
		n, acc := k.AsBigFloat().Uint64()
		return fmt.Sprintf("[%d]", n), acc == big.Exact
	}
	return "", false
}
