package config

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/lang"
)

// call is a module block: a directory, and arguments for its variables.
type call struct {
	block  *blockOf
	dir    *directory // nil: reported
	args   map[string]argument
	repeat []hcl.Traversal // what for_each or count depends on
}

// argument is what a module block gives to one variable.
type argument struct {
	*hcl.Attribute
	refs []hcl.Traversal
}

// noArguments are Terraform's that have no meaning here.
var noArguments = map[string]string{
	"version":    "A module is a local directory, and has no version. Remove this argument.",
	"providers":  "There are no providers. Remove this argument.",
	"depends_on": "Modules do not wait for each other: nothing is sent while a configuration is read. Remove this argument.",
}

// reservedNames cannot be variables: a module block has another use for them.
var reservedNames = []string{"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"}

// readCall opens a module block. Whether its arguments are those that the
// directory asks for is checked when that has been read.
func (l *loader) readCall(d *directory, b *hcl.Block) *call {
	attrs, diags := b.Body.JustAttributes()
	l.adopt(diags, codeArgument, address(b))
	c := &call{block: &blockOf{Block: b, attrs: attrs, source: position(b.DefRange)}, args: map[string]argument{}}
	for _, a := range inOrder(attrs) {
		switch a.Name {
		case "source":
		case "for_each", "count":
			c.repeat = append(c.repeat, a.Expr.Variables()...)
		default:
			if msg := noArguments[a.Name]; msg != "" {
				l.err(problem{code: codeModule, summary: "No such argument of a module", detail: msg, subject: a.NameRange.Ptr(), address: address(b)})
				continue
			}
			c.args[a.Name] = argument{a, a.Expr.Variables()}
		}
	}
	if attrs["source"] == nil {
		l.err(problem{code: codeArgument, summary: "Missing required argument", subject: b.DefRange.Ptr(), address: address(b),
			detail: `A module block says where its directory is: source = "./depot-b".`})
		return c
	}
	if name, ok := l.sourcePath(d, attrs["source"], address(b)); ok {
		c.dir = l.called(d, name, attrs["source"], address(b))
	}
	return c
}

// sourcePath reads a source, relative to the directory whose module block it is.
func (l *loader) sourcePath(d *directory, a *hcl.Attribute, address string) (string, bool) {
	s := &scope{l: l, address: address}
	if len(a.Expr.Variables()) > 0 {
		s.wrong(codeModule, "Not a literal", "source is read before variables and locals exist; write the text itself.", a.Expr)
		return "", false
	}
	before := l.diags.Errors()
	text, ok := s.text(a)
	if !ok && l.diags.Errors() > before {
		return "", false
	}
	clean := path.Join(d.path, text)
	switch {
	case text != "." && text != ".." && !strings.HasPrefix(text, "./") && !strings.HasPrefix(text, "../"):
		s.wrong(codeModule, "Not a local directory", fmt.Sprintf("The source %q begins with neither ./ nor ../. Modules are local directories only, such as \"./depot-b\": there is no registry, and nothing is downloaded.", text), a.Expr)
	case clean == ".." || strings.HasPrefix(clean, "../"):
		s.wrong(codeFile, "Directory outside", fmt.Sprintf("The source %q leads outside the directory of the configuration. Keep modules inside it.", text), a.Expr)
	default:
		return clean, true
	}
	return "", false
}

// called gives the directory that a module block names, which is read once. A
// directory that is still being read calls itself.
func (l *loader) called(d *directory, name string, a *hcl.Attribute, address string) *directory {
	s := &scope{l: l, address: address}
	info, _, err := l.files.Directory(name)
	if err != nil {
		s.wrong(codeFile, "Module cannot be read", fmt.Sprintf("The directory %q: %s.", name, err), a.Expr)
		return nil
	}
	for i, on := range l.chain { // by identity: a symbolic link has many names
		if os.SameFile(info, on.info) {
			words := []string{}
			for _, x := range l.chain[i:] {
				words = append(words, quoteDir(x.path))
			}
			s.wrong(codeCycle, "Modules call themselves", fmt.Sprintf("These directories call each other in a circle: %s.", circle(append(words, quoteDir(on.path)))), a.Expr)
			return nil
		}
	}
	if len(l.chain) > l.limits.ModuleDepth {
		s.wrong(codeLimit, "Modules nested too deeply", fmt.Sprintf("Modules call modules more than %d levels deep.", l.limits.ModuleDepth), a.Expr)
		return nil
	}
	if known, ok := l.byPath[name]; ok {
		return known
	}
	return l.readDirectory(name)
}

func quoteDir(name string) string {
	if name == "." {
		return "the root directory"
	}
	return "./" + name
}

// checkCalls holds the arguments of all module blocks against the variables of
// what they call.
func (l *loader) checkCalls(d *directory) {
	for _, x := range d.decls {
		if x.kind == "module" && x.call.dir != nil {
			l.checkArguments(x.call, "module."+x.name)
		}
	}
}

func (l *loader) checkArguments(c *call, address string) {
	vars := c.dir.named["var"]
	for _, name := range names(c.args) {
		if vars[name] == nil {
			l.err(problem{code: codeArgument, summary: "Unsupported argument", subject: c.args[name].NameRange.Ptr(), address: address,
				detail: fmt.Sprintf("%s declares no variable %q.%s", quoteDir(c.dir.path), name, didYouMean(name, names(vars)))})
		}
	}
	var missing []string
	for _, name := range names(vars) {
		if _, given := c.args[name]; !given && vars[name].variable.def == cty.NilVal {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		l.err(problem{code: codeArgument, summary: "Missing required argument", subject: c.block.DefRange.Ptr(), address: address,
			detail: fmt.Sprintf("%s has variables without a default, and this block gives no value to %s.", quoteDir(c.dir.path), list(missing))})
	}
}

// argument gives a variable of a module the value that the module block has for
// it, or its default.
func (n *node) argument(path []*node) cty.Value {
	m, v := n.m, n.variable
	a, given := m.call.args[n.name]
	value := v.def
	if given {
		ctx := m.parent.context(a.refs, path)
		if m.each != nil {
			ctx = ctx.NewChild()
			ctx.Variables = m.each
		}
		value = n.converted(a.Expr.Value(ctx))
	}
	if value == cty.NilVal {
		return cty.DynamicVal // reported
	}
	if v.sensitive {
		return value.Mark(lang.Sensitive)
	}
	return value
}

// converted fits the value of an argument to the type of its variable.
func (n *node) converted(value cty.Value, diags hcl.Diagnostics) cty.Value {
	v, a := n.variable, n.m.call.args[n.name]
	address := strings.TrimSuffix(n.m.prefix, ".")
	if n.m.adopt(diags, codeExpression, address) {
		return cty.NilVal
	}
	bad := func(detail string) cty.Value {
		n.m.err(problem{code: codeVariable, summary: "Invalid value for variable", subject: a.Expr.Range().Ptr(), address: address, quiet: v.sensitive, detail: detail})
		return cty.NilVal
	}
	if value.IsNull() && !v.nullable {
		if v.def != cty.NilVal {
			return v.def
		}
		return bad(fmt.Sprintf("Variable %q is given null, but it has nullable = false.", v.name))
	}
	out, err := v.convert(value)
	if err != nil {
		return bad(fmt.Sprintf("The value given to variable %q does not fit its type: %s.", v.name, v.mismatch(err)))
	}
	return n.sized(out, nil)
}

// reserved refuses variables that no module block could give a value to.
func (l *loader) reserved(b *hcl.Block) {
	if slices.Contains(reservedNames, b.Labels[0]) {
		l.err(problem{code: codeArgument, summary: "Invalid name", subject: b.LabelRanges[0].Ptr(),
			detail: fmt.Sprintf("A variable cannot be called %q: in a module block that argument has another meaning.", b.Labels[0])})
	}
}
