package diag

import (
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

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
	Traversal string `json:"traversal"` // such as each.key
	Statement string `json:"statement"` // in words, such as: is "12"
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
		name := TraversalText(t)
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
