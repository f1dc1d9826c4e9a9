package server

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/lang"
)

// limits are far above what a server file needs.
func limits() lang.Limits {
	l := lang.DefaultLimits
	l.FileSize, l.Depth, l.Height, l.HeredocLines, l.ForSteps = 1<<20, 50, 1000, 1000, 10_000
	return l
}

// Load reads a server file: HCL's native syntax, or its JSON syntax where the name
// ends with .json. The diagnostics are never nil; with errors in them the file is
// nil. No secret is shown in them.
func Load(path string) (*File, *diag.Diagnostics) {
	r := newReader(path)
	info, err := os.Stat(path) // before opening: a pipe would block
	if err == nil && !info.Mode().IsRegular() {
		err = lang.ErrNotRegular
	}
	var b []byte
	if err == nil {
		b, err = read(path, limits().FileSize)
	}
	if err != nil {
		r.err(codeFile, nil, "Server file cannot be read", fmt.Sprintf("The file %q: %s.", path, lang.Reason(err)))
		return nil, r.diags
	}
	return r.load(b)
}

// Parse is Load of a file that has been read.
func Parse(path string, b []byte) (*File, *diag.Diagnostics) { return newReader(path).load(b) }

func read(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return lang.ReadLimited(f, limit)
}

// reader is one load on its way.
type reader struct {
	path    string
	sources *diag.Sources
	diags   *diag.Diagnostics
	secrets []string
}

func newReader(path string) *reader {
	sources := diag.NewSources()
	return &reader{path: path, sources: sources, diags: diag.New(sources)}
}

func (r *reader) load(b []byte) (f *File, diags *diag.Diagnostics) {
	defer func() {
		if p := recover(); p != nil { // a defect in a library must not cost the serving process
			r.err(codeFile, nil, "Internal error", fmt.Sprintf("Reading the file failed (%T). This is a defect in resctl; please report it.", p))
			f, diags = nil, r.diags
		}
	}()
	if body := r.parse(b); body != nil {
		f = r.file(body)
	}
	r.diags.Hide(r.secrets)
	if r.diags.HasErrors() {
		return nil, r.diags
	}
	return f, r.diags
}

// parse guards and parses the bytes. It gives nil after an error.
func (r *reader) parse(b []byte) hcl.Body {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	r.sources.Put(r.path, b, false)
	isJSON := strings.HasSuffix(r.path, ".json")
	if !r.guard(b, isJSON) {
		return nil
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if isJSON {
		file, diags = hcljson.Parse(b, r.path)
	} else {
		file, diags = hclsyntax.ParseConfig(b, r.path, hcl.InitialPos)
	}
	if diags.HasErrors() && r.mayHoldSecret(b) {
		r.sources.Put(r.path, b, true) // what is broken cannot be masked
	}
	if file != nil && file.Body != nil {
		r.sources.Index(r.path, file.Body)
	}
	if r.adopt(diags, codeSyntax) {
		return nil
	}
	lang.NewBudget(limits().ForSteps).Watch(file.Body, b)
	return file.Body
}

func (r *reader) mayHoldSecret(b []byte) bool { return bytes.Contains(b, []byte("secret")) }

// guard refuses what would kill or stall the parser.
func (r *reader) guard(b []byte, isJSON bool) bool {
	if len(b) > limits().FileSize {
		r.err(codeFile, nil, "Server file too large", fmt.Sprintf("The file %q has %d bytes; at most %d are read.", r.path, len(b), limits().FileSize))
		return false
	}
	if i := lang.BadText(b); i >= 0 {
		r.err(codeFile, nil, "Not a text file", fmt.Sprintf("The file %q holds a NUL character or bytes that are not UTF-8 (at byte %d). Save it as UTF-8 text.", r.path, i))
		return false
	}
	var v *lang.Violation
	if isJSON {
		v = lang.CheckJSON(b, limits())
	} else {
		v = lang.CheckSource(b, false, limits())
	}
	if v == nil {
		return true
	}
	code := codeUnreadable
	if v.Syntax {
		code = codeSyntax
	}
	if r.mayHoldSecret(b) {
		r.sources.Put(r.path, b, true)
	}
	r.err(code, r.sources.At(r.path, v.Offset), v.Summary, v.Detail)
	return false
}

func (r *reader) err(code string, at *hcl.Range, summary, detail string) {
	r.diags.Append(diag.Quiet(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: at}, code, ""))
}

// adopt takes over diagnostics of hcl. It reports whether there was an error.
func (r *reader) adopt(diags hcl.Diagnostics, code string) bool {
	for _, d := range diags {
		c := code
		if lang.TooMuchWork(d) {
			c = codeUnreadable
		}
		d.Expression, d.EvalContext = nil, nil
		r.diags.Append(diag.Quiet(d, c, ""))
	}
	return diags.HasErrors()
}

// beside is a path as it can be opened: relative ones begin in the directory of
// the server file.
func (r *reader) beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(r.path), path)
}
