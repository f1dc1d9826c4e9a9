package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
)

// dynamicBlock is a block that stands for others, one for each element of a
// collection. Which they are is known for each instance of the block around it.
const dynamicBlock = "dynamic"

// plain is a schema without dynamic blocks: those have been replaced by then.
func plain(schema *hcl.BodySchema) *hcl.BodySchema {
	out := &hcl.BodySchema{Attributes: schema.Attributes}
	for _, b := range schema.Blocks {
		if b.Type != dynamicBlock {
			out.Blocks = append(out.Blocks, b)
		}
	}
	return out
}

// nestedSchema is that of a block in another, which decides whether there are
// dynamic blocks still.
func nestedSchema(typ string, outer *hcl.BodySchema) *hcl.BodySchema {
	for _, b := range outer.Blocks {
		if b.Type == dynamicBlock {
			return nestedSchemas[typ]
		}
	}
	return plain(nestedSchemas[typ])
}

// opened gives the block as one instance sees it; false after an error.
func (s *scope) opened(b *blockOf) (*blockOf, bool) {
	if !b.dynamic {
		return b, true
	}
	before := s.l.diags.Errors()
	raw := *b.Block
	raw.Body = dynblock.Expand(b.Body, s.ctx, dynblock.OptCheckForEach(s.checkDynamic))
	out := s.l.openBlock(&raw, plain(b.schema))
	return out, s.l.diags.Errors() == before
}

// reported stands for an error that has been reported, where hcl wants one.
type reported struct{}

// checkDynamic looks at a collection before blocks are made of it, for hcl
// would make as many as there are elements, and of marks and unknown values
// blocks that nobody can read.
func (s *scope) checkDynamic(v cty.Value, expr hcl.Expression, ctx *hcl.EvalContext) hcl.Diagnostics {
	stop := hcl.Diagnostics{{Severity: hcl.DiagError, Extra: reported{}}}
	at := &scope{l: s.l, ctx: ctx, address: s.address}
	if v.IsMarked() {
		at.wrong(codeSensitive, "Sensitive for_each", "for_each is sensitive, but how many blocks it makes is shown. Write nonsensitive(…) around what is no secret.", expr)
		return stop
	}
	switch {
	case !v.IsKnown():
		at.known(v, expr) // says so, unless it stems from what has been reported
		return stop
	case v.IsNull():
		at.wrong(codeRepetition, "Invalid for_each", "for_each is null. Use an empty list, [], for no blocks.", expr)
		return stop
	case !v.CanIterateElements():
		at.wrong(codeRepetition, "Invalid for_each", fmt.Sprintf("for_each in a dynamic block must be a list, a set or a map, not %s.", diag.Article(v.Type())), expr)
		return stop
	case !s.l.spend(s, v.LengthInt(), expr.Range()):
		return stop
	}
	return nil
}

// dynamicRefs are the references in a block that has dynamic ones.
func dynamicRefs(n dynblock.WalkVariablesNode, schema *hcl.BodySchema) []hcl.Traversal {
	refs, children := n.Visit(plain(schema))
	for _, c := range children {
		inner := nestedSchemas[c.BlockTypeName]
		switch c.BlockTypeName {
		case "evse":
			inner = evseSchema
		case "precondition":
			inner = validationSchema
		}
		if inner != nil {
			refs = append(refs, dynamicRefs(c.Node, inner)...)
		}
	}
	return refs
}
