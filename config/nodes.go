package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// node is a local value or a station block: what others may refer to, so it
// must be evaluated in the order of dependencies.
type node struct {
	name  string // "local.vans", "station.depot_a_01"
	expr  hcl.Expression
	block *blockOf // of a station
	deps  []*node
	state int // unvisited, visiting, done
	value cty.Value
	rng   hcl.Range
}

const (
	unvisited = iota
	visiting
	done
)

// collectNodes reads locals and station blocks without evaluating anything.
func (l *loader) collectNodes() {
	l.locals, l.stations = map[string]*node{}, map[string]*node{}
	for _, b := range l.blocks["locals"] {
		attrs, diags := b.Body.JustAttributes()
		l.adopt(diags, codeArgument, "")
		sorted := make([]*hcl.Attribute, 0, len(attrs))
		for _, a := range attrs {
			sorted = append(sorted, a)
		}
		slices.SortFunc(sorted, func(a, b *hcl.Attribute) int { return a.Range.Start.Byte - b.Range.Start.Byte })
		for _, a := range sorted {
			l.addNode(l.locals, a.Name, &node{name: "local." + a.Name, expr: a.Expr, rng: a.NameRange})
		}
	}
	for _, b := range l.blocks["station"] {
		if !l.checkLabel(b) {
			continue
		}
		n := &node{name: "station." + b.Labels[0], block: l.openBlock(b, stationSchema), rng: b.DefRange}
		l.addNode(l.stations, b.Labels[0], n)
	}
	for _, n := range l.nodes {
		n.deps = l.dependencies(n)
	}
}

func (l *loader) addNode(to map[string]*node, key string, n *node) {
	if first, ok := to[key]; ok {
		l.duplicate(n.name, n.rng, first.rng)
		return
	}
	n.value = cty.DynamicVal
	to[key] = n
	l.nodes = append(l.nodes, n)
}

// dependencies are the locals and stations that a node names.
func (l *loader) dependencies(n *node) []*node {
	var vars []hcl.Traversal
	if n.expr != nil {
		vars = n.expr.Variables()
	} else {
		for _, e := range n.block.expressions() {
			vars = append(vars, e.Variables()...)
		}
	}
	var out []*node
	for _, t := range vars {
		switch t.RootName() {
		case "local":
			out = append(out, named(l.locals, t)...)
		case "station":
			out = append(out, named(l.stations, t)...)
		}
	}
	return out
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

func (l *loader) evaluateNodes() {
	for _, n := range l.nodes {
		l.evaluateNode(n, nil)
	}
}

// evaluateNode evaluates what a node needs and then the node. The path is kept
// to name the members of a cycle.
func (l *loader) evaluateNode(n *node, path []*node) {
	if n.state == done {
		return
	}
	path = append(path, n)
	if n.state == visiting {
		l.cycle(path)
		return
	}
	n.state = visiting
	if len(path) > 10_000 {
		l.err(problem{code: codeLimit, summary: "Chain too long", detail: "More than 10000 local values depend on each other in a row.", subject: n.rng.Ptr()})
	} else {
		for _, d := range n.deps {
			l.evaluateNode(d, path)
		}
		l.evaluateOne(n)
	}
	n.state = done
}

func (l *loader) evaluateOne(n *node) {
	ctx := l.base.NewChild()
	ctx.Variables = map[string]cty.Value{"local": chosen(n.deps, "local."), "station": chosen(n.deps, "station.")}
	if n.block != nil {
		n.value = l.readStation(n, ctx)
		return
	}
	v, diags := n.expr.Value(ctx)
	if l.adopt(diags, codeExpression, n.name) {
		return
	}
	if err := l.limits.CheckSize(v); err != nil {
		l.err(problem{code: codeLimit, summary: "Value too large", detail: fmt.Sprintf("The local value %q: %s.", strings.TrimPrefix(n.name, "local."), err), subject: n.rng.Ptr(), address: n.name})
		return
	}
	n.value = v
}

// chosen makes the object of the nodes that are needed, not of all there are.
func chosen(deps []*node, prefix string) cty.Value {
	m := map[string]cty.Value{}
	for _, d := range deps {
		if name, ok := strings.CutPrefix(d.name, prefix); ok {
			m[name] = d.value
		}
	}
	return cty.ObjectVal(m)
}

func (l *loader) cycle(path []*node) {
	last := path[len(path)-1]
	start := slices.Index(path, last)
	var words []string
	for _, n := range path[start:] {
		words = append(words, n.name)
	}
	if len(words) > 12 {
		words = append(words[:11:11], "…", last.name)
	}
	l.err(problem{code: codeCycle, summary: "Values depend on themselves", subject: last.rng.Ptr(), address: last.name,
		detail: fmt.Sprintf("These depend on each other in a circle: %s.", strings.Join(words, " → "))})
}
