package config

import (
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/lang"
	"github.com/resctl/resctl/reservation"
)

// Options say what to load and with which inputs. Load reads nothing else.
type Options struct {
	Dir     string       // the root directory; "" is the current one
	Inputs  []Input      // --var and --var-file in command-line order; the last one wins
	Env     []string     // as os.Environ gives it; only RESCTL_VAR_name=value counts
	Version string       // of resctl, for required_version; "" or "dev" satisfies everything
	limits  *lang.Limits // for tests; nil: lang.DefaultLimits
}

// Input is one --var or --var-file; exactly one field is set.
type Input struct {
	Var  string // name=value
	File string // a path as given, relative to the caller's directory
}

// Load reads a directory. The diagnostics are never nil; with errors in them
// the configuration is nil.
func Load(o Options) (cfg *Configuration, diags *diag.Diagnostics) {
	l := newLoader(o)
	defer func() {
		if r := recover(); r != nil { // a defect here or in a library must not cost the serving process
			l.err(problem{code: codeInternal, summary: "Internal error", detail: fmt.Sprintf("Loading failed: %v. This is a defect in resctl; please report it.", redactPanic(r))})
			cfg, diags = nil, l.diags
		}
	}()
	l.run()
	l.diags.Hide(l.secrets())
	if l.diags.HasErrors() {
		return nil, l.diags
	}
	return l.cfg, l.diags
}

// redactPanic keeps the kind of a panic but not values that it may print.
func redactPanic(r any) string {
	if e, ok := r.(error); ok {
		return fmt.Sprintf("%T", e)
	}
	if s, ok := r.(string); ok && len(s) < 80 {
		return s
	}
	return fmt.Sprintf("%T", r)
}

// loader carries one Load from file to file. Each phase needs the one before.
type loader struct {
	opts      Options
	limits    lang.Limits
	cfg       *Configuration
	diags     *diag.Diagnostics
	files     *lang.Files
	work      *lang.Budget
	functions map[string]function.Function
	bodies    []hcl.Body

	blocks    map[string][]*hcl.Block // by type, in file order
	variables map[string]*variable
	locals    map[string]*node
	stations  map[string]*node
	nodes     []*node // locals and stations in file order
	base      *hcl.EvalContext
	root      *hcl.EvalContext // everything a reservation can refer to

	byID      map[string]*declaredStation
	byFold    map[string]*declaredStation // by identity in lower case
	typos     map[string]string           // identity -> declared one it resembles, "" for none
	resembles map[string][]string
	instances int
	movings   []moving
	byAddress map[string]*reservation.Declaration
}

func newLoader(o Options) *loader {
	l := &loader{opts: o, limits: lang.DefaultLimits, blocks: map[string][]*hcl.Block{}, byID: map[string]*declaredStation{}, byFold: map[string]*declaredStation{}}
	if o.limits != nil {
		l.limits = *o.limits
	}
	if l.opts.Dir == "" {
		l.opts.Dir = "."
	}
	src := diag.NewSources()
	l.diags = diag.New(src)
	l.cfg = &Configuration{Workspace: "default", Sources: src, ranges: map[string]*hcl.Range{}}
	l.work = lang.NewBudget(l.limits.ForSteps)
	return l
}

func (l *loader) run() {
	root, err := os.OpenRoot(l.opts.Dir)
	if err != nil {
		l.err(problem{code: codeFile, summary: "Directory cannot be read", detail: fmt.Sprintf("The directory %q: %s.", l.opts.Dir, lang.Reason(err))})
		return
	}
	defer root.Close()
	l.files = lang.NewFiles(root, l.limits)
	l.functions = lang.Functions(l.files, l.work, l.limits)
	if !l.readDirectory() {
		return
	}
	l.collectBlocks()
	l.readSettings()
	l.readVariables()
	l.buildBase()
	l.validateVariables()
	l.collectNodes()
	l.evaluateNodes()
	l.buildRoot()
	l.readReservations()
	l.readMoved(l.blocks["moved"], "")
	l.readRemoved(l.blocks["removed"], "", l.root)
	l.checkMoved()
	l.readImports(l.blocks["import"], l.root)
	l.blocks = nil // the syntax trees are not needed any more
	l.finish()
}

// collectBlocks sorts the blocks of all files by type and lets go of the files.
func (l *loader) collectBlocks() {
	for _, body := range l.bodies {
		content, diags := body.Content(rootSchema)
		listBlocks(diags, rootSchema)
		l.adopt(diags, codeArgument, "")
		for _, b := range content.Blocks {
			l.blocks[b.Type] = append(l.blocks[b.Type], b)
		}
	}
	l.bodies = nil
}

// buildBase makes the context of everything that comes before locals.
func (l *loader) buildBase() {
	vars := make(map[string]cty.Value, len(l.variables))
	for name, v := range l.variables {
		vars[name] = v.value
	}
	l.base = &hcl.EvalContext{
		Functions: l.functions,
		Variables: map[string]cty.Value{
			"var":    cty.ObjectVal(vars),
			"path":   cty.ObjectVal(map[string]cty.Value{"root": cty.StringVal("."), "module": cty.StringVal(".")}),
			"resctl": cty.ObjectVal(map[string]cty.Value{"workspace": cty.StringVal(l.cfg.Workspace)}),
		},
	}
}

// buildRoot adds locals and stations: once per load, never per instance.
func (l *loader) buildRoot() {
	l.root = l.base.NewChild()
	l.root.Variables = map[string]cty.Value{
		"local":   objectOf(l.locals),
		"station": objectOf(l.stations),
	}
}

func objectOf(nodes map[string]*node) cty.Value {
	m := make(map[string]cty.Value, len(nodes))
	for name, n := range nodes {
		m[name] = n.value
	}
	return cty.ObjectVal(m)
}

// finish sorts what was declared.
func (l *loader) finish() {
	slices.SortFunc(l.cfg.Stations, func(a, b reservation.StationDeclaration) int { return CompareAddresses(a.Address, b.Address) })
	slices.SortFunc(l.cfg.Reservations, func(a, b reservation.Declaration) int { return CompareAddresses(a.Address, b.Address) })
}
