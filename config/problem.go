package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/lang"
)

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
	d := &hcl.Diagnostic{
		Severity: sev, Summary: p.summary, Detail: p.detail, Subject: p.subject, Context: p.context,
		Expression: p.expr, EvalContext: p.ctx,
	}
	if p.quiet {
		return diag.Quiet(d, p.code, p.address)
	}
	return diag.Coded(d, p.code, p.address)
}

func (l *loader) err(p problem)  { l.diags.Append(p.diagnostic(hcl.DiagError)) }
func (l *loader) warn(p problem) { l.diags.Append(p.diagnostic(hcl.DiagWarning)) }

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
		if _, known := d.Extra.(reported); known {
			continue
		}
		redact(d)
		translate(d)
		l.improve(d)
		l.diags.Append(diag.Coded(d, c, address))
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
	kind := map[string]string{"var": "variable", "local": "local value", "station": "station", "token": "token", "module": "module"}[t.Traversal.RootName()]
	known := l.directoryOf(t.SrcRange).named[t.Traversal.RootName()]
	if kind == "" {
		return
	}
	if x := known[step.Name]; x != nil {
		improveOutput(d, x, t.Traversal)
		return
	}
	d.Summary = "Reference to undeclared " + kind
	d.Detail = fmt.Sprintf("No %s %q is declared.%s", kind, step.Name, didYouMean(step.Name, names(known)))
}

// improveOutput does the same for the outputs of a module.
func improveOutput(d *hcl.Diagnostic, x *decl, t hcl.Traversal) {
	if x.kind != "module" || x.call.dir == nil {
		return
	}
	for _, step := range t[2:] {
		out, ok := step.(hcl.TraverseAttr)
		if !ok {
			continue // the key of an instance
		}
		if outputs := x.call.dir.named["output"]; outputs[out.Name] == nil {
			d.Summary = "Reference to undeclared output"
			d.Detail = fmt.Sprintf("%s declares no output %q.%s", quoteDir(x.call.dir.path), out.Name, didYouMean(out.Name, names(outputs)))
		}
		return
	}
}

// secrets are the strings inside sensitive variables, longest first; shorter
// ones than four characters would blank out ordinary words.
func (l *loader) secrets() []string {
	if l.diags.Len() == 0 {
		return nil
	}
	var out []string
	for _, m := range l.modules {
		for _, n := range m.nodes["var"] {
			if n.variable.sensitive {
				out = append(out, textsIn(n.value)...)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return out
}

// textsIn finds the strings in a value that are long enough to be hidden.
func textsIn(v cty.Value) (out []string) {
	bare, _ := v.UnmarkDeep()
	_ = cty.Walk(bare, func(_ cty.Path, x cty.Value) (bool, error) {
		if x.Type() == cty.String && x.IsKnown() && !x.IsNull() && len(x.AsString()) >= 4 {
			out = append(out, x.AsString())
		}
		return true, nil
	})
	return out
}
