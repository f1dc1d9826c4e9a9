package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
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
	schedules *reservation.Schedules
	useless   map[*reservation.Schedule][]string // exceptions that except nothing
	functions map[string]function.Function

	directories []*directory
	byPath      map[string]*directory
	chain       []*directory // those that are being read, the root first
	modules     []*module    // the root first
	broken      bool         // a directory could not be read

	byID      map[string]*declaredStation
	byFold    map[string]*declaredStation // by identity in lower case
	typos     map[string]string           // identity -> declared one it resembles, "" for none
	resembles map[string][]string
	instances int
	movings   []moving
	byAddress map[string]*reservation.Declaration
}

func newLoader(o Options) *loader {
	l := &loader{opts: o, limits: lang.DefaultLimits, byPath: map[string]*directory{}, byID: map[string]*declaredStation{}, byFold: map[string]*declaredStation{}}
	if o.limits != nil {
		l.limits = *o.limits
	}
	if l.opts.Dir == "" {
		l.opts.Dir = "."
	}
	src := diag.NewSources()
	l.diags = diag.New(src)
	l.cfg = &Configuration{Workspace: "default", Sources: src, ranges: map[string]*hcl.Range{}}
	l.schedules, l.useless = reservation.NewSchedules(), map[*reservation.Schedule][]string{}
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
	dir := l.readDirectory(".")
	if l.broken {
		return
	}
	l.readSettings(dir)
	for _, d := range l.directories {
		l.checkCalls(d)
	}
	m := l.newModule(dir, "")
	m.giveValues()
	m.evaluate()
	for _, d := range l.directories {
		l.readReservations(d)
	}
	for _, d := range l.directories {
		l.readMoved(d)
		l.readRemoved(d)
	}
	l.checkMoved()
	l.readImports(dir.blocks["import"], m.whole)
	l.finish()
}

// finish sorts what was declared.
func (l *loader) finish() {
	slices.SortFunc(l.cfg.Stations, func(a, b reservation.StationDeclaration) int { return CompareAddresses(a.Address, b.Address) })
	slices.SortFunc(l.cfg.Tokens, func(a, b reservation.TokenDeclaration) int { return CompareAddresses(a.Address, b.Address) })
	slices.SortFunc(l.cfg.Outputs, func(a, b Output) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(l.cfg.Reservations, func(a, b reservation.Declaration) int { return CompareAddresses(a.Address, b.Address) })
}
