package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// node is a declaration in one module: its value is found when it is first
// needed, which puts everything into the order of its dependencies.
type node struct {
	*decl
	m     *module
	state int // unvisited, visiting, done
	value cty.Value

	instances []*module // of a module block, in the order of their keys
	byKey     map[string]*module
	expanded  bool
	composed  cty.Value
}

const (
	unvisited = iota
	visiting
	done
)

// maxChain bounds how many values depend on each other in a row.
const maxChain = 10_000

// address is what messages call a node: local.vans, module.depot.var.vans.
func (n *node) address() string { return n.m.prefix + n.kind + "." + n.name }

// evaluate evaluates what a node needs and then the node. The path is kept to
// name the members of a cycle.
func (n *node) evaluate(path []*node) {
	if n.state == done {
		return
	}
	path = append(path, n)
	if n.state == visiting {
		n.cycle(path)
		return
	}
	n.state = visiting
	if len(path) > maxChain {
		n.m.err(problem{code: codeLimit, summary: "Chain too long", detail: fmt.Sprintf("More than %d values depend on each other in a row.", maxChain), subject: n.rng.Ptr()})
	} else {
		n.value = n.compute(path)
	}
	n.state = done
}

func (n *node) compute(path []*node) cty.Value {
	if n.kind == "var" {
		return n.argument(path)
	}
	ctx := n.m.context(n.refs, path)
	switch n.kind {
	case "station":
		return n.m.readStation(n.block, ctx)
	case "token":
		return n.m.readToken(n.block, ctx)
	case "output":
		return n.m.readOutput(n, ctx)
	case "module":
		n.instantiate(ctx)
		return cty.DynamicVal
	}
	return n.sized(n.expr.Value(ctx))
}

// sized takes over the value of an expression unless it grew out of all proportion.
func (n *node) sized(v cty.Value, diags hcl.Diagnostics) cty.Value {
	if n.m.adopt(diags, codeExpression, n.address()) {
		return cty.DynamicVal
	}
	if err := n.m.limits.CheckSize(v); err != nil {
		n.m.err(problem{code: codeLimit, summary: "Value too large", detail: fmt.Sprintf("%s: %s.", n.address(), err), subject: n.rng.Ptr(), address: n.address()})
		return cty.DynamicVal
	}
	return v
}

func (n *node) cycle(path []*node) {
	words := make([]string, len(path))
	for i, x := range path {
		words[i] = x.address()
	}
	n.m.err(problem{code: codeCycle, summary: "Values depend on themselves", subject: n.rng.Ptr(), address: n.address(),
		detail: fmt.Sprintf("These depend on each other in a circle: %s.", circle(words))})
}

// circle writes a chain from where its last member appears first.
func circle(chain []string) string {
	last := chain[len(chain)-1]
	for chain[0] != last {
		chain = chain[1:]
	}
	if len(chain) > 12 {
		chain = append(chain[:11:11], "…", last)
	}
	return strings.Join(chain, " → ")
}
