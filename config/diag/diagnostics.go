package diag

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
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

// New makes an empty collection; sources may be nil.
func New(sources *Sources) *Diagnostics {
	return &Diagnostics{sources: sources, seen: map[diagKey]*extra{}}
}

// CodeOf gives the stable code of a diagnostic, or "".
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

// Quiet is Coded for a line that holds a secret: strings in it are masked when
// it is shown.
func Quiet(d *hcl.Diagnostic, code, address string) *hcl.Diagnostic {
	d.Extra = &extra{code: code, address: address, quiet: true, inner: d.Extra}
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

// Hide replaces sensitive strings wherever they got into a text, longest first.
func (ds *Diagnostics) Hide(secrets []string) {
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
