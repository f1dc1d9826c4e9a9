package config

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
)

// instance is one copy of a block.
type instance struct {
	scope
	key    cty.Value   // string of for_each, number of count, NilVal of a single block
	common *scheduleOf // what instances of a reservation share
}

// expand calls do for every instance of a block. The collection is evaluated
// once; each instance gets one small context of its own, which diagnostics keep.
// It reports whether the block is repeated by for_each or count, and whether
// that could be evaluated.
func (m *module) expand(b *blockOf, ctx *hcl.EvalContext, do func(*instance)) bool {
	each, count := b.attrs["for_each"], b.attrs["count"]
	l := m.loader
	s := &scope{l: l, ctx: ctx, address: m.prefix + address(b.Block)}
	switch {
	case each != nil && count != nil:
		s.wrong(codeRepetition, "Both for_each and count", "A block is repeated by for_each or by count, not by both.", count.Expr)
		return false
	case each != nil:
		return l.expandEach(s, each, do)
	case count != nil:
		return l.expandCount(s, count, do)
	}
	if l.spend(s, 1, b.DefRange) {
		do(&instance{scope: *s})
	}
	return true
}

func (l *loader) spend(s *scope, n int, at hcl.Range) bool {
	if l.instances += n; l.instances <= l.limits.Instances {
		return true
	}
	l.err(problem{code: codeLimit, summary: "Too many instances", subject: at.Ptr(), address: s.address,
		detail: fmt.Sprintf("The configuration declares more than %d instances.", l.limits.Instances)})
	return false
}

func (l *loader) expandEach(s *scope, a *hcl.Attribute, do func(*instance)) bool {
	v, ok := l.eachCollection(s, a)
	if !ok || !l.spend(s, v.LengthInt(), a.Expr.Range()) {
		return false
	}
	set := v.Type().IsSetType()
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if set {
			k = e
		}
		if k, _ = k.Unmark(); k.IsNull() || !k.IsKnown() {
			s.wrong(codeRepetition, "Invalid for_each", "The set holds a null.", a.Expr)
			return false
		}
		ctx := s.ctx.NewChild()
		ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": e})}
		do(&instance{scope: scope{l, ctx, s.address + "[" + diag.QuoteKey(k.AsString()) + "]"}, key: k})
	}
	return true
}

// eachCollection evaluates for_each: a map, an object or a set of strings.
func (l *loader) eachCollection(s *scope, a *hcl.Attribute) (cty.Value, bool) {
	v, diags := a.Expr.Value(s.ctx)
	if l.adopt(diags, codeExpression, s.address) {
		return v, false
	}
	if v.IsMarked() {
		s.wrong(codeSensitive, "Sensitive for_each",
			"for_each is sensitive, but its keys become part of addresses, which are shown. If the keys are no secret, write for_each = toset(nonsensitive(keys(…))) and look the values up by each.key.", a.Expr)
		return v, false
	}
	if v.IsKnown() && v.IsNull() {
		s.wrong(codeRepetition, "Invalid for_each", "for_each is null. Use an empty map, {}, for no instances.", a.Expr)
		return v, false
	}
	if v, _, ok := s.known(v, a.Expr); !ok {
		return v, false
	}
	t := v.Type()
	if t.IsSetType() && !v.IsWhollyKnown() && l.diags.HasErrors() {
		return v, false // it stems from what has been reported
	}
	switch {
	case t.IsMapType(), t.IsObjectType(), t.IsSetType() && t.ElementType() == cty.String, t.IsSetType() && v.LengthInt() == 0:
		return v, true
	}
	hint := ""
	if t.IsListType() || t.IsTupleType() {
		hint = " Write toset(…) around a list of strings, or make a map: { for x in …: x.name => x }."
	}
	s.wrong(codeRepetition, "Invalid for_each", fmt.Sprintf("for_each must be a map or a set of strings, not %s.%s", diag.Article(t), hint), a.Expr)
	return v, false
}

func (l *loader) expandCount(s *scope, a *hcl.Attribute, do func(*instance)) bool {
	v, diags := a.Expr.Value(s.ctx)
	if l.adopt(diags, codeExpression, s.address) {
		return false
	}
	if v.IsMarked() {
		s.wrong(codeSensitive, "Sensitive count", "count is sensitive, but how many instances there are is shown. Write nonsensitive(…) around what is no secret.", a.Expr)
		return false
	}
	if v.IsKnown() && v.IsNull() {
		s.wrong(codeRepetition, "Invalid count", "count is null. Use 0 for no instances.", a.Expr)
		return false
	}
	n, ok := s.whole(a, codeRepetition, 0, int64(l.limits.Instances))
	if !ok || !l.spend(s, n, a.Expr.Range()) {
		return false
	}
	for i := range n {
		ctx := s.ctx.NewChild()
		k := cty.NumberIntVal(int64(i))
		ctx.Variables = map[string]cty.Value{"count": cty.ObjectVal(map[string]cty.Value{"index": k})}
		do(&instance{scope: scope{l, ctx, s.address + "[" + strconv.Itoa(i) + "]"}, key: k})
	}
	return true
}

// repeated reads every instance of a block and gives what references to it see:
// a map for for_each, a list for count, the value itself of a single block.
// Where the instances are of different types (typ is dynamic) it is an object
// or a tuple.
func (m *module) repeated(b *blockOf, ctx *hcl.EvalContext, typ cty.Type, read func(*instance) cty.Value) cty.Value {
	byKey := map[string]cty.Value{}
	var inOrder []cty.Value
	ok := m.expand(b, ctx, func(in *instance) {
		v := read(in)
		inOrder = append(inOrder, v)
		if in.key != cty.NilVal && in.key.Type() == cty.String {
			byKey[in.key.AsString()] = v
		}
	})
	each, count := b.attrs["for_each"], b.attrs["count"]
	same := typ != cty.DynamicPseudoType
	switch {
	case !ok || each == nil && count == nil && len(inOrder) == 0:
		return cty.DynamicVal
	case each == nil && count == nil:
		return inOrder[0]
	case each != nil && !same:
		return cty.ObjectVal(byKey)
	case each != nil && len(byKey) == 0:
		return cty.MapValEmpty(typ)
	case each != nil:
		return cty.MapVal(byKey)
	case !same:
		return cty.TupleVal(inOrder)
	case len(inOrder) == 0:
		return cty.ListValEmpty(typ)
	}
	return cty.ListVal(inOrder)
}
