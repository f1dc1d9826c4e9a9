package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// DefaultShown is how many diagnostics WriteText prints before it counts the rest.
const DefaultShown = 20

// maxCode bounds how much of a long line a snippet shows, in bytes.
const maxCode = 160

// TextOptions say how WriteText prints.
type TextOptions struct {
	Color bool // ANSI colours
	Max   int  // how many to print; 0: DefaultShown, negative: all that were kept
}

// WriteText prints the diagnostics for people: what, where, the line itself
// with the place underlined, and what to do. The error is that of the writer.
func (ds *Diagnostics) WriteText(w io.Writer, o TextOptions) error {
	b := bufio.NewWriter(w)
	all := ds.errorsFirst()
	show := o.Max
	switch {
	case show == 0:
		show = DefaultShown
	case show < 0:
		show = len(all)
	}
	p := printer{ds: ds, w: b, o: o}
	for i, d := range all {
		if i == show {
			break
		}
		p.diagnostic(d)
	}
	if rest := ds.Len() - min(show, len(all)); rest > 0 {
		fmt.Fprintf(b, "… and %d more.\n\n", rest)
	}
	return b.Flush()
}

// errorsFirst keeps warnings from pushing errors out of sight.
func (ds *Diagnostics) errorsFirst() hcl.Diagnostics {
	all := ds.All()
	out := make(hcl.Diagnostics, 0, len(all))
	for _, sev := range []hcl.DiagnosticSeverity{hcl.DiagError, hcl.DiagWarning} {
		for _, d := range all {
			if d.Severity == sev {
				out = append(out, d)
			}
		}
	}
	return out
}

type printer struct {
	ds *Diagnostics
	w  *bufio.Writer
	o  TextOptions
}

func (p *printer) paint(code, text string) string {
	if !p.o.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *printer) diagnostic(d *hcl.Diagnostic) {
	e, _ := d.Extra.(*extra)
	if e == nil {
		e = &extra{}
	}
	word := p.paint("1;31", "Error:")
	if d.Severity == hcl.DiagWarning {
		word = p.paint("1;33", "Warning:")
	}
	fmt.Fprintf(p.w, "%s %s", word, p.paint("1", clean(d.Summary)))
	if e.code != "" {
		fmt.Fprintf(p.w, "  [%s]", e.code)
	}
	fmt.Fprint(p.w, "\n\n")
	p.place(d, e)
	for line := range strings.SplitSeq(strings.TrimRight(d.Detail, "\n"), "\n") {
		if line != "" {
			fmt.Fprintf(p.w, "  %s\n", clean(line))
		}
	}
	fmt.Fprintln(p.w)
}

// place prints where, the snippet, the values in it and how often it happened.
func (p *printer) place(d *hcl.Diagnostic, e *extra) {
	s := p.ds.snippet(d)
	if s == nil {
		if e.address != "" {
			fmt.Fprintf(p.w, "  with %s\n\n", clean(e.address))
		}
		return
	}
	fmt.Fprintf(p.w, "  on %s line %d", clean(d.Subject.Filename), d.Subject.Start.Line)
	if s.Context != nil {
		fmt.Fprintf(p.w, ", in %s", clean(*s.Context))
	}
	fmt.Fprintln(p.w, ":")
	if s.hidden {
		fmt.Fprintln(p.w, "  (not shown: variable files may hold secrets)")
	} else {
		number := fmt.Sprintf("  %4d: ", s.StartLine)
		fmt.Fprintf(p.w, "%s%s\n", number, s.Code)
		fmt.Fprintf(p.w, "%s%s%s\n", strings.Repeat(" ", len(number)), s.padding(), p.paint("1;31", s.underline()))
	}
	if e.address != "" && instanceOf(e.address) {
		fmt.Fprintf(p.w, "    with %s", clean(e.address))
		if e.repeats > 0 {
			fmt.Fprintf(p.w, " and %d more like it", e.repeats)
		}
		fmt.Fprintln(p.w)
	} else if e.repeats > 0 {
		fmt.Fprintf(p.w, "    (%d times)\n", e.repeats+1)
	}
	for _, v := range s.Values {
		fmt.Fprintf(p.w, "    %s %s\n", v.Traversal, v.Statement)
	}
	fmt.Fprintln(p.w)
}

func instanceOf(address string) bool { return strings.HasSuffix(address, "]") }

// clean takes out what could steer a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) {
			return '�'
		}
		return r
	}, s)
}

// Snippet is the source around a diagnostic, in the shape of Terraform's JSON.
// The offsets count bytes of Code.
type Snippet struct {
	Context   *string           `json:"context"` // reservation "van"
	Code      string            `json:"code"`
	StartLine int               `json:"start_line"`
	Start     int               `json:"highlight_start_offset"`
	End       int               `json:"highlight_end_offset"`
	Values    []ExpressionValue `json:"values"`
	hidden    bool
}

// ExpressionValue says what a name in the marked expression stood for.
type ExpressionValue struct {
	Traversal string `json:"traversal"` // each.key
	Statement string `json:"statement"` // is "12"
}

// padding keeps tabs out of the way by counting characters; clean has replaced them.
func (s *Snippet) padding() string {
	return strings.Repeat(" ", utf8.RuneCountInString(s.Code[:s.Start]))
}

func (s *Snippet) underline() string {
	return strings.Repeat("^", max(1, utf8.RuneCountInString(s.Code[s.Start:s.End])))
}

// snippet cuts the line of a diagnostic out of its source, or gives nil where
// it has no place or the source is not known.
func (ds *Diagnostics) snippet(d *hcl.Diagnostic) *Snippet {
	if d.Subject == nil || ds.sources == nil {
		return nil
	}
	src := ds.sources.files[d.Subject.Filename]
	if src == nil {
		return nil
	}
	from := min(max(d.Subject.Start.Byte, 0), len(src.bytes))
	line, start, end := src.line(from)
	s := &Snippet{StartLine: line, Values: ds.values(d)}
	if h := src.blockAt(from); h != "" {
		s.Context = &h
	}
	if src.secret {
		s.hidden = true
		return s
	}
	to := min(max(d.Subject.End.Byte, from), end)
	from = min(from, to)
	if end-start > maxCode { // a line of a megabyte is not for people
		start = runeStart(src.bytes, max(start, from-maxCode/2))
		end = max(from, runeStart(src.bytes, min(end, start+maxCode)))
		to = min(to, end)
	}
	text := func(a, b int) string {
		t := clean(strings.TrimRight(string(src.bytes[a:b]), "\r"))
		if ds.hidden != nil {
			t = ds.hidden.Replace(t)
		}
		return t
	}
	before, marked := text(start, from), text(from, max(to, from))
	s.Code = before + marked + text(max(to, from), end)
	s.Start, s.End = len(before), len(before)+len(marked)
	if e, ok := d.Extra.(*extra); ok && e.quiet {
		s.mask()
	}
	return s
}

// mask replaces the text of quoted strings, character by character of ASCII, so
// that the marked place stays where it is.
func (s *Snippet) mask() {
	b, quoted := []byte(s.Code), false
	for i, c := range b {
		if c == '"' {
			quoted = !quoted
		} else if quoted {
			b[i] = '*'
		}
	}
	s.Code = string(b)
}

// runeStart moves back to the start of a character, of at most four bytes.
func runeStart(b []byte, i int) int {
	for n := 0; n < 3 && i > 0 && i < len(b) && !utf8.RuneStart(b[i]); n++ {
		i--
	}
	return i
}

// values says what the names in a failed expression stood for, never a
// sensitive one.
func (ds *Diagnostics) values(d *hcl.Diagnostic) []ExpressionValue {
	out := []ExpressionValue{}
	if d.Expression == nil || d.EvalContext == nil {
		return out
	}
	seen := map[string]bool{}
	for _, t := range d.Expression.Variables() {
		v, diags := t.TraverseAbs(d.EvalContext)
		name := traversalText(t)
		if diags.HasErrors() || seen[name] || v.ContainsMarked() || len(out) == 8 {
			continue
		}
		if text := describe(v); text != "" {
			seen[name] = true
			if ds.hidden != nil {
				text = ds.hidden.Replace(text)
			}
			out = append(out, ExpressionValue{name, text})
		}
	}
	return out
}

func traversalText(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + indexText(s.Key) + "]")
		}
	}
	return clean(b.String())
}

// describe puts a value into words; functions and unknown values give "".
func describe(v cty.Value) string {
	t := v.Type()
	switch {
	case !v.IsKnown() || t.IsCapsuleType():
		return ""
	case v.IsNull():
		return "is null"
	case t == cty.String:
		s := []rune(v.AsString())
		if len(s) > 60 {
			return fmt.Sprintf("is a string of %d characters", len(s))
		}
		return "is " + clean(quoteKey(string(s)))
	case t == cty.Number:
		return "is " + indexText(v)
	case t == cty.Bool:
		return fmt.Sprintf("is %t", v.True())
	case t.IsObjectType():
		return fmt.Sprintf("is an object with %d attributes", len(t.AttributeTypes()))
	case v.CanIterateElements():
		return fmt.Sprintf("is %s with %d elements", withArticle(t), v.LengthInt())
	}
	return ""
}
