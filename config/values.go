package config

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/config/lang"
)

// given is the value that one variable was given, and by whom.
type given struct {
	expr hcl.Expression // from a file
	text string         // from --var or the environment
	from string         // "by --var", "in prod.hclvars"
	rng  *hcl.Range
}

// subject is where to point: the value in its file, else the declaration.
func (g *given) subject(v *variable) *hcl.Range {
	if g.rng != nil {
		return g.rng
	}
	return v.decl.Ptr()
}

// gatherValues collects what was given, the strongest last: environment,
// *.auto.hclvars in name order, then --var and --var-file as they come.
func (l *loader) gatherValues(d *directory) map[string]*given {
	out := map[string]*given{}
	for _, kv := range l.opts.Env {
		name, value, ok := strings.Cut(kv, "=")
		if name, is := strings.CutPrefix(name, "RESCTL_VAR_"); ok && is && d.named["var"][name] != nil {
			out[name] = &given{text: value, from: "by the environment"}
		}
	}
	for _, name := range l.autoFiles() {
		if b, err := l.files.Get(name); err != nil {
			l.err(problem{code: codeFile, summary: "Variable file cannot be read", detail: fmt.Sprintf("The file %q: %s.", name, err)})
		} else {
			l.fileValues(d, out, name, b)
		}
	}
	for _, in := range l.opts.Inputs {
		if in.File != "" {
			l.inputFile(d, out, in.File)
		} else {
			l.inputVar(d, out, in.Var)
		}
	}
	return out
}

func (l *loader) autoFiles() []string {
	entries, err := fs.ReadDir(l.files.FS(), ".")
	if err != nil {
		return nil // readDirectory has just read it
	}
	var out []string
	for _, e := range entries {
		n := e.Name()
		if !e.IsDir() && !strings.HasPrefix(n, ".") && (strings.HasSuffix(n, ".auto.hclvars") || strings.HasSuffix(n, ".auto.hclvars.json")) {
			out = append(out, n)
		}
	}
	return out
}

// inputFile reads a --var-file: the one path that the caller, not the
// configuration, chooses; so it may lie anywhere.
func (l *loader) inputFile(d *directory, out map[string]*given, name string) {
	b, err := readRegular(name, l.limits.FileSize)
	if err != nil {
		l.err(problem{code: codeFile, summary: "Variable file cannot be read", detail: fmt.Sprintf("The file %q given by --var-file: %s.", name, lang.Reason(err))})
		return
	}
	l.fileValues(d, out, name, b)
}

func readRegular(name string, limit int) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, lang.ErrNotRegular // pipes are welcome: --var-file <(decrypt …)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return lang.ReadLimited(f, limit)
}

func (l *loader) fileValues(d *directory, out map[string]*given, name string, b []byte) {
	body := l.parse(name, b, true)
	if body == nil {
		return
	}
	attrs, diags := body.JustAttributes()
	l.adopt(diags, codeArgument, "")
	var unknown []*hcl.Attribute
	for _, a := range attrs {
		if d.named["var"][a.Name] == nil {
			unknown = append(unknown, a)
			continue
		}
		out[a.Name] = &given{expr: a.Expr, from: "in " + name, rng: a.Expr.Range().Ptr()}
	}
	slices.SortFunc(unknown, func(a, b *hcl.Attribute) int { return a.Range.Start.Byte - b.Range.Start.Byte })
	for _, a := range unknown {
		l.warn(problem{code: codeUndeclared, summary: "Value for undeclared variable", subject: a.NameRange.Ptr(),
			detail: fmt.Sprintf("%s gives a value to %q, but no variable of that name is declared.%s", name, a.Name, didYouMean(a.Name, names(d.named["var"])))})
	}
}

func (l *loader) inputVar(d *directory, out map[string]*given, arg string) {
	name, value, ok := strings.Cut(arg, "=")
	name = strings.TrimSpace(name)
	if !ok {
		l.err(problem{code: codeArgument, summary: "Invalid --var", detail: "--var needs a name and a value with an equals sign between them, such as --var night_hours=8."})
		return
	}
	if d.named["var"][name] == nil {
		l.err(problem{code: codeUndeclared, summary: "Value for undeclared variable",
			detail: fmt.Sprintf("--var gives a value to %q, but no variable of that name is declared.%s", name, didYouMean(name, names(d.named["var"])))})
		return
	}
	out[name] = &given{text: value, from: "by --var"}
}
