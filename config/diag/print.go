package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// DefaultShown is how many diagnostics WriteText prints before it counts the rest.
const DefaultShown = 20

// maxCode bounds how much of a long line a snippet shows, in bytes.
const maxCode = 160

// TextOptions say how WriteText prints.
type TextOptions struct {
	Color bool // ANSI colours
	Width int  // of the terminal, for breaking lines between words; 0: lines stay whole
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
			fmt.Fprintf(p.w, "  %s\n", Wrap(clean(line), p.o.Width-2, "  "))
		}
	}
	fmt.Fprintln(p.w)
}

// Wrap breaks a text between words where it is wider than width, and begins the
// next line with indent. A width of less than 40 means as it is, and so does a text
// that begins with blanks: it is an example, to be copied.
func Wrap(text string, width int, indent string) string {
	if width < 40 || utf8.RuneCountInString(text) <= width || strings.HasPrefix(text, " ") {
		return text
	}
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
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

// instanceOf reports an address that the place in its file does not tell.
func instanceOf(address string) bool {
	return strings.HasSuffix(address, "]") || strings.HasPrefix(address, "module.")
}
