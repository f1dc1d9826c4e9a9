package config

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/resctl/resctl/config/lang"
)

// Files names the files of a directory that are its configuration, in the order
// in which they are read.
func Files(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if configFile(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func configFile(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".server.hcl") {
		return false
	}
	return strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")
}

func (l *loader) parseFile(name string) hcl.Body {
	b, err := l.files.Get(name)
	if err != nil {
		l.err(problem{code: codeFile, summary: "File cannot be read", detail: fmt.Sprintf("The file %q: %s.", name, err)})
		return nil
	}
	return l.parse(name, b, false)
}

// parse guards and parses one file, native syntax or JSON by its name. It gives
// nil after an error.
func (l *loader) parse(name string, b []byte, secret bool) hcl.Body {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	l.cfg.Sources.Put(name, b, secret)
	isJSON := strings.HasSuffix(name, ".json")
	if !l.guard(name, b, isJSON) {
		return nil
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if isJSON {
		file, diags = hcljson.Parse(b, name)
	} else {
		file, diags = hclsyntax.ParseConfig(b, name, hcl.InitialPos)
	}
	if file != nil && file.Body != nil {
		l.cfg.Sources.Index(name, file.Body)
	}
	if l.adopt(diags, codeSyntax, "") {
		return nil
	}
	l.work.Watch(file.Body, b)
	return file.Body
}

// guard refuses what would kill or stall the parser.
func (l *loader) guard(name string, b []byte, isJSON bool) bool {
	at := func(offset int) *hcl.Range { return l.cfg.Sources.At(name, offset) }
	if len(b) > l.limits.FileSize {
		l.err(problem{code: codeLimit, summary: "File too large", detail: fmt.Sprintf("The file %q has %d bytes; at most %d are read.", name, len(b), l.limits.FileSize)})
		return false
	}
	if i := lang.BadText(b); i >= 0 {
		l.err(problem{code: codeFile, summary: "Not a text file", subject: at(i),
			detail: "The file holds a NUL character or bytes that are not UTF-8. Save it as UTF-8 text."})
		return false
	}
	var v *lang.Violation
	if isJSON {
		v = lang.CheckJSON(b, l.limits)
	} else {
		v = lang.CheckSource(b, false, l.limits)
	}
	if v == nil {
		return true
	}
	code := codeLimit
	if v.Syntax {
		code = codeSyntax
	}
	l.err(problem{code: code, summary: v.Summary, detail: v.Detail, subject: at(v.Offset)})
	return false
}
