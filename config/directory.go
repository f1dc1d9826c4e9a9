package config

import (
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/config/diag"
)

// directory is what the files of one directory declare, before anything of it
// is evaluated: it is read once, however many modules are made of it.
type directory struct {
	path    string // relative to the root, which is "."
	info    fs.FileInfo
	blocks  map[string][]*hcl.Block     // by type, in file order
	decls   []*decl                     // what has a value, in file order
	named   map[string]map[string]*decl // by kind and name
	modules []*module                   // made of it
}

// decl is what has a value: others refer to it, or it is an output.
type decl struct {
	kind     string // "var", "local", "station", "token", "module" or "output"
	name     string
	rng      hcl.Range
	expr     hcl.Expression  // of a local value
	block    *blockOf        // of all but variables and local values
	variable *variable       // of a variable
	call     *call           // of a module
	refs     []hcl.Traversal // what its value depends on
}

// directoryOf is where a place lies; an empty directory for what is in no file.
func (l *loader) directoryOf(r hcl.Range) *directory {
	if d := l.byPath[path.Dir(r.Filename)]; d != nil {
		return d
	}
	return &directory{}
}

// readDirectory reads a directory and those that its module blocks name. What
// cannot be read is broken: nothing is evaluated then.
func (l *loader) readDirectory(name string) *directory {
	d := l.openDirectory(name)
	if d == nil {
		l.broken = true
		return nil
	}
	l.chain = append(l.chain, d)
	l.collect(d)
	l.chain = l.chain[:len(l.chain)-1]
	return d
}

// openDirectory reads the files of a directory. It gives nil after an error that
// makes going on senseless: after a syntax error the rest would only complain
// about what the broken file declares.
func (l *loader) openDirectory(name string) *directory {
	info, entries, err := l.files.Directory(name)
	if err != nil {
		l.err(problem{code: codeFile, summary: "Directory cannot be read", detail: fmt.Sprintf("The directory %q: %s.", path.Join(l.opts.Dir, name), err)})
		return nil
	}
	d := &directory{path: name, info: info, blocks: map[string][]*hcl.Block{}, named: map[string]map[string]*decl{}}
	l.directories = append(l.directories, d)
	l.byPath[name] = d
	var bodies []hcl.Body
	before, count := l.diags.Errors(), 0
	for _, e := range entries {
		if !configFile(e.Name()) || e.IsDir() {
			continue
		}
		count++
		if body := l.parseFile(path.Join(name, e.Name())); body != nil {
			bodies = append(bodies, body)
		}
	}
	if count == 0 {
		remedy := "Write one, or name another directory."
		if name == "." {
			remedy = "resctl init writes one to start from; --chdir names another directory."
		}
		l.err(problem{code: codeFile, summary: "No configuration files",
			detail: fmt.Sprintf("The directory %q has no *.hcl or *.hcl.json file. %s", path.Join(l.opts.Dir, name), remedy)})
	}
	if l.diags.Errors() > before {
		return nil
	}
	l.sortBlocks(d, bodies)
	return d
}

// sortBlocks sorts the blocks of all files by type, and lets go of the files.
func (l *loader) sortBlocks(d *directory, bodies []hcl.Body) {
	for _, body := range bodies {
		content, diags := body.Content(rootSchema)
		listBlocks(diags, rootSchema)
		l.adopt(diags, codeArgument, "")
		for _, b := range content.Blocks {
			if msg := rootOnly[b.Type]; msg != "" && d.path != "." {
				l.err(problem{code: codeModule, summary: "Not in a module", subject: b.DefRange.Ptr(), detail: msg})
				continue
			}
			d.blocks[b.Type] = append(d.blocks[b.Type], b)
		}
	}
}

// rootOnly are blocks that say something of the configuration as a whole.
var rootOnly = map[string]string{
	"resctl": "A resctl block stands in the root directory only: it says where the whole configuration belongs.",
	"import": "An import block stands in the root directory only; it may name a reservation in a module, such as module.depot.reservation.van.",
}

// collect finds what has a value, without evaluating anything.
func (l *loader) collect(d *directory) {
	for _, b := range d.blocks["variable"] {
		if l.checkLabel(b) {
			l.declare(d, &decl{kind: "var", name: b.Labels[0], rng: b.DefRange, variable: l.readVariable(b)})
		}
	}
	for _, b := range d.blocks["locals"] {
		l.collectLocals(d, b)
	}
	for _, kind := range []string{"station", "token", "output", "module"} {
		for _, b := range d.blocks[kind] {
			if !l.checkLabel(b) {
				continue
			}
			n := &decl{kind: kind, name: b.Labels[0], rng: b.DefRange}
			if kind == "module" {
				n.call = l.readCall(d, b)
				n.block, n.refs = n.call.block, n.call.repeat
			} else {
				n.block = l.openBlock(b, nodeSchemas[kind])
				n.refs = n.block.refs()
			}
			l.declare(d, n)
		}
	}
}

func (l *loader) collectLocals(d *directory, b *hcl.Block) {
	attrs, diags := b.Body.JustAttributes()
	l.adopt(diags, codeArgument, "")
	for _, a := range inOrder(attrs) {
		l.declare(d, &decl{kind: "local", name: a.Name, rng: a.NameRange, expr: a.Expr, refs: a.Expr.Variables()})
	}
}

// inOrder gives attributes as they stand in their file.
func inOrder(attrs hcl.Attributes) []*hcl.Attribute {
	out := make([]*hcl.Attribute, 0, len(attrs))
	for _, a := range attrs {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *hcl.Attribute) int { return a.Range.Start.Byte - b.Range.Start.Byte })
	return out
}

func (l *loader) declare(d *directory, n *decl) {
	if d.named[n.kind] == nil {
		d.named[n.kind] = map[string]*decl{}
	}
	if first, ok := d.named[n.kind][n.name]; ok {
		what := n.kind + "." + n.name
		if n.kind == "var" {
			what = "variable " + diag.QuoteKey(n.name)
		}
		l.duplicate(what, n.rng, first.rng)
		return
	}
	d.named[n.kind][n.name] = n
	d.decls = append(d.decls, n)
}
