package config

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/resctl/resctl/config/lang"
)

// readOutput evaluates an output. Those of the root are part of the
// configuration; those of a module are what its module block stands for.
func (m *module) readOutput(n *node, ctx *hcl.EvalContext) cty.Value {
	s := &scope{l: m.loader, ctx: ctx, address: n.address()}
	literal := &scope{l: m.loader, address: n.address()}
	a := n.block.attrs["value"]
	if a == nil {
		return cty.DynamicVal // reported
	}
	for _, r := range n.block.rules {
		s.hold(r, codePrecondition, "Precondition of an output does not hold")
	}
	o := Output{Name: n.name, Range: n.rng}
	o.Description, _ = literal.text(n.block.attrs["description"])
	o.Sensitive, _ = literal.boolean(n.block.attrs["sensitive"])
	v := n.sized(a.Expr.Value(ctx))
	if m.parent != nil {
		if o.Sensitive {
			return v.Mark(lang.Sensitive)
		}
		return v
	}
	if v.ContainsMarked() && !o.Sensitive {
		s.wrong(codeSensitive, "Output refers to sensitive values",
			"The value of this output comes from sensitive values, and outputs are shown. Write sensitive = true if that is meant, or nonsensitive(…) around what is no secret.", a.Expr)
		return v
	}
	o.Value, _ = v.UnmarkDeep()
	if !o.Value.IsWhollyKnown() && !m.diags.HasErrors() { // otherwise it stems from what has been reported
		s.wrong(codeValue, "Unknown value", "This value cannot be known.", a.Expr)
	}
	m.cfg.Outputs = append(m.cfg.Outputs, o)
	return v
}

// Text is the value as HCL writes it.
func (o Output) Text() string {
	return string(hclwrite.Format(hclwrite.TokensForValue(o.Value).Bytes()))
}

// JSON gives the type of the value as Terraform writes types, and the value.
func (o Output) JSON() (typ, value json.RawMessage, err error) {
	if typ, err = ctyjson.MarshalType(o.Value.Type()); err != nil {
		return nil, nil, fmt.Errorf("output %s: write its type: %w", o.Name, err)
	}
	if value, err = ctyjson.Marshal(o.Value, o.Value.Type()); err != nil {
		return nil, nil, fmt.Errorf("output %s: write its value: %w", o.Name, err)
	}
	return typ, value, nil
}

// Raw is the value as plain text; false if it is null or no text, number or boolean.
func (o Output) Raw() (string, bool) {
	v, err := convert.Convert(o.Value, cty.String)
	if err != nil || v.IsNull() || !o.Value.Type().IsPrimitiveType() {
		return "", false
	}
	return v.AsString(), true
}
