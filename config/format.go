package config

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/resctl/resctl/config/diag"
)

// Format writes a file of the language in its canonical form: columns and
// indentation change, and nothing else. What does not parse is not touched,
// because hclwrite would move broken text about; it gives nil then, and the
// diagnostics are never nil. Values in a file of variables are not shown.
func Format(name string, src []byte) (out []byte, diags *diag.Diagnostics) {
	l := newLoader(Options{})
	defer func() {
		if r := recover(); r != nil { // as in Load
			l.err(problem{code: codeInternal, summary: "Internal error", detail: fmt.Sprintf("Formatting failed: %v. This is a defect in resctl; please report it.", redactPanic(r))})
			out, diags = nil, l.diags
		}
	}()
	if strings.HasSuffix(name, ".json") {
		l.err(problem{code: codeFile, summary: "Not in HCL's own syntax", detail: fmt.Sprintf("The file %q is JSON, for which there are other formatters.", name)})
		return nil, l.diags
	}
	if l.parse(name, src, strings.HasSuffix(name, ".hclvars")) == nil {
		return nil, l.diags
	}
	out = hclwrite.Format(bytes.TrimPrefix(src, []byte("\ufeff")))
	if _, broken := hclsyntax.ParseConfig(out, name, hcl.InitialPos); broken.HasErrors() {
		l.err(problem{code: codeInternal, summary: "Internal error", detail: fmt.Sprintf("Formatting %q would break it, so it stays as it is. This is a defect in resctl; please report it.", name)})
		return nil, l.diags
	}
	return out, l.diags
}

// Formatted reports whether Format is for a file of that name.
func Formatted(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hclvars"))
}
