package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// module is a directory with values for its variables: the root, or one
// instance of a module block.
type module struct {
	*loader
	dir    *directory
	prefix string // of its addresses: "", or `module.depot["a"].`
	nodes  map[string]map[string]*node
	order  []*node          // in file order
	base   *hcl.EvalContext // functions, path and resctl
	whole  *hcl.EvalContext // and all that is declared; made when all of it is evaluated

	parent *module // whose arguments give the variables their values; nil of the root
	call   *call
	each   map[string]cty.Value // "each" or "count" in these arguments
	depth  int
}

func (l *loader) newModule(d *directory, prefix string) *module {
	m := &module{loader: l, dir: d, prefix: prefix, nodes: make(map[string]map[string]*node, len(d.named))}
	m.order = make([]*node, 0, len(d.decls))
	for kind, all := range d.named {
		m.nodes[kind] = make(map[string]*node, len(all))
	}
	for _, x := range d.decls {
		n := &node{decl: x, m: m, value: cty.DynamicVal}
		m.nodes[x.kind][x.name] = n
		m.order = append(m.order, n)
	}
	m.base = &hcl.EvalContext{
		Functions: l.functions,
		Variables: map[string]cty.Value{
			"path":   cty.ObjectVal(map[string]cty.Value{"root": cty.StringVal("."), "module": cty.StringVal(d.path)}),
			"resctl": cty.ObjectVal(map[string]cty.Value{"workspace": cty.StringVal(l.cfg.Workspace)}),
		},
	}
	l.modules = append(l.modules, m)
	d.modules = append(d.modules, m)
	return m
}

// evaluate gives everything in the module its value, and all in the modules
// that it calls.
func (m *module) evaluate() {
	for _, n := range m.order {
		if n.kind == "var" {
			n.evaluate(nil)
		}
	}
	m.validateVariables()
	for _, n := range m.order {
		n.evaluate(nil)
	}
	for _, n := range m.order {
		for _, child := range n.instances {
			child.evaluate()
		}
	}
	m.whole = m.context(everything, nil)
}

// everything refers to all that is declared.
var everything = []hcl.Traversal{
	{hcl.TraverseRoot{Name: "var"}}, {hcl.TraverseRoot{Name: "local"}}, {hcl.TraverseRoot{Name: "station"}},
	{hcl.TraverseRoot{Name: "token"}}, {hcl.TraverseRoot{Name: "module"}},
}

// context evaluates what references name, and makes a context of just that.
func (m *module) context(refs []hcl.Traversal, path []*node) *hcl.EvalContext {
	parts := map[string]*part{"var": {}, "local": {}, "station": {}, "token": {}, "module": {}}
	for _, t := range refs {
		kind := t.RootName()
		p := parts[kind]
		if p == nil {
			continue // each, path, a name that a for expression makes, or none at all
		}
		for _, n := range named(m.nodes[kind], t) {
			n.evaluate(path)
			if kind == "module" {
				n.ask(p.at(n.name), t, path)
			} else {
				p.at(n.name).whole = n.value
			}
		}
	}
	ctx := m.base.NewChild()
	ctx.Variables = make(map[string]cty.Value, len(parts))
	for kind, p := range parts {
		ctx.Variables[kind] = p.value()
	}
	return ctx
}

// named gives the node that a traversal names, or all where it is not said
// (local["x"], values(station)).
func named(nodes map[string]*node, t hcl.Traversal) []*node {
	if len(t) > 1 {
		if step, ok := t[1].(hcl.TraverseAttr); ok {
			if n := nodes[step.Name]; n != nil {
				return []*node{n}
			}
			return nil
		}
	}
	out := make([]*node, 0, len(nodes))
	for _, k := range names(nodes) {
		out = append(out, nodes[k])
	}
	return out
}

// part is a value, or an object of what was asked for by name.
type part struct {
	whole cty.Value
	of    map[string]*part
}

func (p *part) at(name string) *part {
	if p.of == nil {
		p.of = map[string]*part{}
	}
	if p.of[name] == nil {
		p.of[name] = &part{}
	}
	return p.of[name]
}

func (p *part) value() cty.Value {
	if p.whole != cty.NilVal {
		return p.whole
	}
	m := make(map[string]cty.Value, len(p.of))
	for name, x := range p.of {
		m[name] = x.value()
	}
	return cty.ObjectVal(m)
}

// ask evaluates what a reference needs of a module's outputs: one of them where
// it says which, so that modules may use each other as long as no value
// depends on itself.
func (n *node) ask(p *part, t hcl.Traversal, path []*node) {
	rest := t[min(2, len(t)):]
	switch {
	case len(rest) == 0 || len(n.instances) == 0:
	case n.block.attrs["for_each"] != nil:
		step, ok := rest[0].(hcl.TraverseIndex)
		if !ok || step.Key.Type() != cty.String {
			break
		}
		if child := n.byKey[step.Key.AsString()]; child != nil {
			child.output(p.at(step.Key.AsString()), rest[1:], path)
			return
		}
	case n.block.attrs["count"] == nil:
		n.instances[0].output(p, rest, path)
		return
	}
	p.whole = n.compose(path)
}

// output evaluates the output that a reference names, or all.
func (m *module) output(p *part, rest hcl.Traversal, path []*node) {
	if len(rest) > 0 {
		if step, ok := rest[0].(hcl.TraverseAttr); ok {
			if n := m.nodes["output"][step.Name]; n != nil {
				n.evaluate(path)
				p.at(n.name).whole = n.value
			}
			return
		}
	}
	p.whole = m.outputs(path)
}

func (m *module) outputs(path []*node) cty.Value {
	out := make(map[string]cty.Value, len(m.nodes["output"]))
	for name, n := range m.nodes["output"] {
		n.evaluate(path)
		out[name] = n.value
	}
	return cty.ObjectVal(out)
}

// compose makes the value of a module block from all outputs of all its
// instances, once.
func (n *node) compose(path []*node) cty.Value {
	if n.composed != cty.NilVal {
		return n.composed
	}
	if !n.expanded {
		return cty.DynamicVal // reported
	}
	byKey, list := map[string]cty.Value{}, []cty.Value{}
	for _, child := range n.instances {
		list = append(list, child.outputs(path))
	}
	for key, child := range n.byKey {
		byKey[key] = child.outputs(path)
	}
	switch {
	case n.block.attrs["for_each"] != nil:
		n.composed = cty.ObjectVal(byKey)
	case n.block.attrs["count"] != nil:
		n.composed = cty.TupleVal(list)
	case len(list) > 0:
		n.composed = list[0]
	default:
		return cty.DynamicVal
	}
	return n.composed
}

// instantiate makes a module of each instance of a module block.
func (n *node) instantiate(ctx *hcl.EvalContext) {
	m := n.m
	if n.call.dir == nil {
		return // reported
	}
	if m.depth >= m.limits.ModuleDepth {
		m.err(problem{code: codeLimit, summary: "Modules nested too deeply", subject: n.rng.Ptr(), address: n.address(),
			detail: fmt.Sprintf("Modules call modules more than %d levels deep.", m.limits.ModuleDepth)})
		return
	}
	n.byKey = map[string]*module{}
	over := false
	n.expanded = m.expand(n.block, ctx, func(in *instance) {
		if over = over || len(m.modules) > m.limits.Modules; over {
			m.err(problem{code: codeLimit, summary: "Too many modules", subject: n.rng.Ptr(), address: n.address(),
				detail: fmt.Sprintf("Directories are used as modules more than %d times.", m.limits.Modules)})
			return
		}
		child := m.newModule(n.call.dir, in.address+".")
		child.parent, child.call, child.depth = m, n.call, m.depth+1
		if in.key != cty.NilVal {
			child.each = in.ctx.Variables
		}
		n.instances = append(n.instances, child)
		if in.key != cty.NilVal && in.key.Type() == cty.String {
			n.byKey[in.key.AsString()] = child
		}
		m.cfg.ranges[in.address] = &n.rng
	}) && !over
}
