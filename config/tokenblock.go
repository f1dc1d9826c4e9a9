package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/reservation"
)

// readToken evaluates a token block, declares its instances and gives the value
// that references to it have: what it declares, with the marks that it has.
func (m *module) readToken(b *blockOf, ctx *hcl.EvalContext) cty.Value {
	return m.repeated(b, ctx, cty.DynamicPseudoType, func(in *instance) cty.Value {
		before := m.diags.Errors()
		d := reservation.TokenDeclaration{Address: in.address, Workspace: m.cfg.Workspace, Source: b.source}
		d.IDToken, _ = in.token(b.attrs["id_token"], "")
		if group, ok := in.token(b.attrs["group_id_token"], ""); ok {
			d.GroupIDToken = &group
		}
		if m.diags.Errors() > before || d.IDToken.Type == "" {
			return cty.DynamicVal
		}
		m.cfg.Tokens = append(m.cfg.Tokens, d)
		m.cfg.ranges[d.Address] = &b.DefRange
		return in.exported(b, "id_token", "group_id_token")
	})
}

// exported is an object of attributes that have been read without error.
func (s *scope) exported(b *blockOf, attrs ...string) cty.Value {
	out := map[string]cty.Value{}
	for _, name := range attrs {
		out[name] = cty.NullVal(cty.DynamicPseudoType)
		if a := b.attrs[name]; a != nil {
			out[name], _ = a.Expr.Value(s.ctx)
		}
	}
	return cty.ObjectVal(out)
}
