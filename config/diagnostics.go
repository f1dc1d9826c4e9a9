package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/lang"
)

// maxKept bounds what one load remembers; the rest is only counted. A file of
// 100,000 repeated arguments is 99,999 diagnostics of hcl's own.
const maxKept = 10_000

// Diagnostics collects what is wrong, with places, and keeps the sources needed
// to show them. Repeats (same code, summary and place) are counted, not kept:
// one wrong line of a for_each block is one diagnostic however many instances
// it has. Not safe for concurrent use.
type Diagnostics struct {
	sources *Sources
	list    hcl.Diagnostics
	seen    map[diagKey]*extra
	errors  int
	warns   int
	hidden  *strings.Replacer
}

type diagKey struct {
	code, summary, detail, file string
	start, end                  int
}

// extra travels in hcl.Diagnostic.Extra.
type extra struct {
	code    string
	address string
	repeats int  // further occurrences at the same place
	quiet   bool // strings in the snippet are masked
	inner   any
}

// UnwrapDiagnosticExtra gives hcl access to what it put there itself.
func (e *extra) UnwrapDiagnosticExtra() any { return e.inner }

// NewDiagnostics makes an empty collection; sources may be nil.
func NewDiagnostics(sources *Sources) *Diagnostics {
	return &Diagnostics{sources: sources, seen: map[diagKey]*extra{}}
}

// CodeOf gives the stable code of a diagnostic of this package, or "".
func CodeOf(d *hcl.Diagnostic) string {
	if e, ok := d.Extra.(*extra); ok {
		return e.code
	}
	return ""
}

// AddressOf gives the address that a diagnostic is about, or "".
func AddressOf(d *hcl.Diagnostic) string {
	if e, ok := d.Extra.(*extra); ok {
		return e.address
	}
	return ""
}

// Coded attaches a code and an address ("" for none) to a diagnostic made elsewhere.
func Coded(d *hcl.Diagnostic, code, address string) *hcl.Diagnostic {
	d.Extra = &extra{code: code, address: address, inner: d.Extra}
	return d
}

// Append adds diagnostics made elsewhere, such as findings about a plan.
func (ds *Diagnostics) Append(more ...*hcl.Diagnostic) {
	for _, d := range more {
		ds.add(d)
	}
}

// HasErrors reports whether there is an error among them.
func (ds *Diagnostics) HasErrors() bool { return ds.errors > 0 }

// Errors counts the distinct errors.
func (ds *Diagnostics) Errors() int { return ds.errors }

// Warnings counts the distinct warnings.
func (ds *Diagnostics) Warnings() int { return ds.warns }

// Len counts both, also those over the number that is kept.
func (ds *Diagnostics) Len() int { return ds.errors + ds.warns }

// All gives those that were kept: those without a place first, then by file
// and position.
func (ds *Diagnostics) All() hcl.Diagnostics {
	slices.SortStableFunc(ds.list, comparePlaces)
	return ds.list
}

func comparePlaces(a, b *hcl.Diagnostic) int {
	if a.Subject == nil || b.Subject == nil {
		return cmp.Compare(boolInt(a.Subject != nil), boolInt(b.Subject != nil))
	}
	return cmp.Or(
		strings.Compare(a.Subject.Filename, b.Subject.Filename),
		cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte),
		cmp.Compare(a.Subject.End.Byte, b.Subject.End.Byte),
		strings.Compare(a.Summary, b.Summary),
	)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (ds *Diagnostics) add(d *hcl.Diagnostic) {
	e, ok := d.Extra.(*extra)
	if !ok {
		e = &extra{inner: d.Extra}
		d.Extra = e
	}
	key := diagKey{code: e.code, summary: d.Summary}
	if !instanceOf(e.address) {
		key.detail = d.Detail // instances differ in detail, but one line is wrong
	}
	if d.Subject != nil {
		key.file, key.start, key.end = d.Subject.Filename, d.Subject.Start.Byte, d.Subject.End.Byte
	}
	if first, ok := ds.seen[key]; ok {
		first.repeats++
		return
	}
	if d.Severity == hcl.DiagError {
		ds.errors++
	} else {
		ds.warns++
	}
	if len(ds.seen) < 20*maxKept {
		ds.seen[key] = e
	}
	if len(ds.list) < maxKept {
		ds.list = append(ds.list, d)
	}
}

// problem is one thing wrong, before it becomes an hcl.Diagnostic.
type problem struct {
	code    string
	summary string
	detail  string
	subject *hcl.Range
	context *hcl.Range
	address string
	expr    hcl.Expression // its values are shown, unless sensitive
	ctx     *hcl.EvalContext
	quiet   bool // the line holds a secret: strings in it are masked
}

func (p problem) diagnostic(sev hcl.DiagnosticSeverity) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: sev, Summary: p.summary, Detail: p.detail, Subject: p.subject, Context: p.context,
		Expression: p.expr, EvalContext: p.ctx, Extra: &extra{code: p.code, address: p.address, quiet: p.quiet},
	}
}

func (l *loader) err(p problem)  { l.diags.add(p.diagnostic(hcl.DiagError)) }
func (l *loader) warn(p problem) { l.diags.add(p.diagnostic(hcl.DiagWarning)) }

// adopt takes over diagnostics of hcl under a code; the summaries of hcl tell
// unknown block types from unknown arguments. It reports whether there was an error.
func (l *loader) adopt(diags hcl.Diagnostics, code, address string) bool {
	for _, d := range diags {
		c := code
		switch {
		case d.Summary == "Unsupported block type":
			c = codeBlockType
		case lang.TooMuchWork(d):
			c = codeLimit
		}
		redact(d)
		l.improve(d)
		l.diags.add(Coded(d, c, address))
	}
	return diags.HasErrors()
}

// redact removes the cause from a failed function call that was given sensitive
// values: functions quote their arguments.
func redact(d *hcl.Diagnostic) {
	if d.Expression == nil || d.EvalContext == nil {
		return
	}
	if _, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); !ok {
		return
	}
	args := []hclsyntax.Expression{}
	if call, ok := d.Expression.(*hclsyntax.FunctionCallExpr); ok {
		args = call.Args
	} else if e, ok := d.Expression.(hclsyntax.Expression); ok {
		args = append(args, e)
	}
	for _, a := range args {
		v, _ := a.Value(d.EvalContext)
		if v.ContainsMarked() {
			d.Detail = "The function refused its arguments; the reason is not shown because one of them is sensitive."
			d.Extra = nil
			return
		}
	}
}

// improve says more about a name that does not exist than "this object does
// not have an attribute".
func (l *loader) improve(d *hcl.Diagnostic) {
	t, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok || d.Summary != "Unsupported attribute" || len(t.Traversal) < 2 {
		return
	}
	step, ok := t.Traversal[1].(hcl.TraverseAttr)
	if !ok {
		return
	}
	var known []string
	kind := map[string]string{"var": "variable", "local": "local value", "station": "station"}[t.Traversal.RootName()]
	switch kind {
	case "variable":
		known = names(l.variables)
	case "local value":
		known = names(l.locals)
	case "station":
		known = names(l.stations)
	default:
		return
	}
	if slices.Contains(known, step.Name) {
		return
	}
	d.Summary = "Reference to undeclared " + kind
	d.Detail = fmt.Sprintf("No %s %q is declared.%s", kind, step.Name, didYouMean(step.Name, known))
}

// scrub hides sensitive strings wherever they got into a text.
func (ds *Diagnostics) scrub(secrets []string) {
	if len(ds.list) == 0 || len(secrets) == 0 {
		return
	}
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		pairs = append(pairs, s, "(sensitive value)")
	}
	ds.hidden = strings.NewReplacer(pairs...)
	for _, d := range ds.list {
		d.Summary, d.Detail = ds.hidden.Replace(d.Summary), ds.hidden.Replace(d.Detail)
	}
}

// secrets are the strings inside sensitive variables, longest first; shorter
// ones than four characters would blank out ordinary words.
func (l *loader) secrets() []string {
	if l.diags.Len() == 0 {
		return nil
	}
	var out []string
	for _, v := range l.variables {
		if !v.sensitive || v.value == cty.NilVal {
			continue
		}
		bare, _ := v.value.UnmarkDeep()
		_ = cty.Walk(bare, func(_ cty.Path, x cty.Value) (bool, error) {
			if x.Type() == cty.String && x.IsKnown() && !x.IsNull() && len(x.AsString()) >= 4 {
				out = append(out, x.AsString())
			}
			return true, nil
		})
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return out
}
