package lang

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Limits are what one load may cost. A stack overflow in Go cannot be
// recovered from, and hcl's parser recurses: 60,000 nested brackets kill the
// process. So nesting is measured before hcl sees the bytes.
type Limits struct {
	FileSize     int // bytes of one file
	TotalSize    int // bytes of all files
	Files        int
	Depth        int // nested brackets and template sequences
	Height       int // operators in one expression, with those of the expressions around it
	HeredocLines int // hcl needs quadratic time for them
	Instances    int // of all for_each and count together
	Modules      int // how often directories are used as modules
	ModuleDepth  int // modules inside modules
	ForSteps     int // elements that all for expressions and splats together run over
	ValueSize    int // bytes of a string that a function or a local makes
	Elements     int // of a collection that a function or a local makes
}

// DefaultLimits are far above what a configuration written for people needs.
var DefaultLimits = Limits{
	FileSize:     64 << 20,
	TotalSize:    256 << 20,
	Files:        20_000,
	Depth:        200,
	Height:       10_000,
	HeredocLines: 10_000,
	Instances:    1_000_000,
	Modules:      5000,
	ModuleDepth:  20,
	ForSteps:     2_000_000,
	ValueSize:    64 << 20,
	Elements:     2_000_000,
}

// Violation is why the bytes of a file must not reach the parser.
type Violation struct {
	Syntax          bool // the file is broken, rather than over a limit
	Summary, Detail string
	Offset          int // in bytes
}

func tooDeep(offset, limit int) *Violation {
	return &Violation{false, "Nested too deeply", fmt.Sprintf("Brackets, blocks and templates are nested more than %d levels deep here.", limit), offset}
}

func tooHigh(offset, limit int) *Violation {
	return &Violation{false, "Expression too long", fmt.Sprintf("One expression holds more than %d operators. Split it with locals.", limit), offset}
}

func tooManyLines(offset, limit int) *Violation {
	return &Violation{false, "Heredoc too long", fmt.Sprintf("A heredoc has more than %d lines. Put the text into a file and read it with file().", limit), offset}
}

// nesting follows brackets and operators, for the quick scanner and for the
// exact one alike.
type nesting struct {
	limits Limits
	frames []frame
	depth  int
	bad    *Violation
}

type frame struct {
	kind   byte // '{' '(' '[', 't' a template sequence, '"' a quoted template, 'h' a heredoc
	base   int  // height where the frame began
	height int  // with the operators seen in it
	end    []byte
	lines  int
}

func newNesting(limits Limits) *nesting {
	return &nesting{limits: limits, frames: []frame{{kind: '{'}}}
}

func (n *nesting) top() *frame { return &n.frames[len(n.frames)-1] }

func (n *nesting) open(kind byte, offset int) {
	h := n.top().height + 1
	n.frames = append(n.frames, frame{kind: kind, base: h, height: h})
	if kind != '"' && kind != 'h' {
		n.depth++
		if n.depth > n.limits.Depth && n.bad == nil {
			n.bad = tooDeep(offset, n.limits.Depth)
		}
	}
}

// close ends the innermost frame; false if it is not of this kind.
func (n *nesting) close(kinds string) bool {
	t := n.top()
	if len(n.frames) == 1 || !bytes.ContainsRune([]byte(kinds), rune(t.kind)) {
		return false
	}
	if t.kind != '"' && t.kind != 'h' {
		n.depth--
	}
	n.frames = n.frames[:len(n.frames)-1]
	return true
}

func (n *nesting) operator(offset int) {
	t := n.top()
	t.height++
	if t.height > n.limits.Height && n.bad == nil {
		n.bad = tooHigh(offset, n.limits.Height)
	}
}

// item begins another element of a list, or another line of a body.
func (n *nesting) item() { t := n.top(); t.height = t.base }

// CheckSource gives the first limit that a native syntax file (or a template)
// exceeds. A quick scanner that knows strings, comments and heredocs decides
// nearly always; where a file is broken the tokens of hcl's lexer do, which
// costs a third of parsing.
func CheckSource(b []byte, template bool, limits Limits) *Violation {
	s := &scanner{b: b, nesting: newNesting(limits)}
	if template {
		s.open('h', 0)
		s.top().lines = -1 << 62 // not a heredoc of the file: no line limit
	}
	sure := s.scan()
	if s.bad != nil || sure {
		return s.bad
	}
	return checkTokens(b, template, limits)
}

// scanner is the quick one.
type scanner struct {
	*nesting
	b []byte
	i int
}

// scan reports whether it understood all of the file.
func (s *scanner) scan() bool {
	for s.i < len(s.b) && s.bad == nil {
		ok := true
		switch s.top().kind {
		case '"':
			ok = s.quoted()
		case 'h':
			s.heredoc()
		default:
			ok = s.code()
		}
		if !ok {
			return false
		}
	}
	return len(s.frames) == 1 || len(s.frames) == 2 && s.top().kind == 'h' && s.top().end == nil
}

func (s *scanner) code() bool {
	c := s.b[s.i]
	s.i++
	switch c {
	case '{', '(', '[':
		if c == '[' {
			s.operator(s.i) // an index adds to the height of what it is applied to
		}
		s.open(c, s.i)
	case '}':
		return s.close("{t")
	case ')':
		return s.close("(")
	case ']':
		return s.close("[")
	case '"':
		s.open('"', s.i)
	case '\n':
		if k := s.top().kind; k == '{' {
			s.item()
		}
	case ',':
		s.item()
	case '#':
		s.skipLine()
	case '/':
		return s.slash()
	case '<':
		s.less()
	case '?', '!', '-', '+', '*', '%', '&', '|', '>', '.':
		s.operator(s.i)
	}
	return true
}

func (s *scanner) skipLine() {
	if n := bytes.IndexByte(s.b[s.i:], '\n'); n >= 0 {
		s.i += n
	} else {
		s.i = len(s.b)
	}
}

// slash begins a comment or is an operator. A comment without end is neither.
func (s *scanner) slash() bool {
	switch {
	case s.i < len(s.b) && s.b[s.i] == '/':
		s.skipLine()
	case s.i < len(s.b) && s.b[s.i] == '*':
		n := bytes.Index(s.b[s.i+1:], []byte("*/"))
		if n < 0 {
			return false
		}
		s.i += n + 3
	default:
		s.operator(s.i)
	}
	return true
}

// less begins a heredoc, <<NAME or <<-NAME at the end of a line, or is an operator.
func (s *scanner) less() {
	rest, ok := bytes.CutPrefix(s.b[s.i:], []byte("<"))
	if !ok {
		s.operator(s.i)
		return
	}
	rest = bytes.TrimPrefix(rest, []byte("-"))
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		return
	}
	marker := bytes.TrimSuffix(rest[:end], []byte("\r"))
	if !hclsyntax.ValidIdentifier(string(marker)) {
		s.operator(s.i)
		return
	}
	s.i = len(s.b) - len(rest) + end + 1
	s.open('h', s.i)
	s.top().end = marker
}

func (s *scanner) quoted() bool {
	switch c := s.b[s.i]; c {
	case '"':
		s.i++
		return s.close(`"`)
	case '\\':
		s.i += 2
	case '\n':
		return false
	case '$', '%':
		s.sequence(c)
	default:
		s.i++
	}
	return true
}

// sequence handles ${ and %{, and their escapes $${ and %%{.
func (s *scanner) sequence(c byte) {
	rest := s.b[s.i:]
	switch {
	case len(rest) > 2 && rest[1] == c && rest[2] == '{':
		s.i += 3
	case len(rest) > 1 && rest[1] == '{':
		s.i += 2
		if c == '%' {
			s.operator(s.i) // directives nest without brackets
		}
		s.open('t', s.i)
	default:
		s.i++
	}
}

func (s *scanner) heredoc() {
	t := s.top()
	start := s.i == 0 || s.b[s.i-1] == '\n'
	if start && t.end != nil {
		line := s.b[s.i:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n]
		}
		if bytes.Equal(bytes.TrimSpace(line), t.end) {
			s.i += len(line)
			s.close("h")
			return
		}
	}
	switch c := s.b[s.i]; c {
	case '$', '%':
		s.sequence(c)
	case '\n':
		s.i++
		if t.lines++; t.lines > s.limits.HeredocLines {
			s.bad = tooManyLines(s.i, s.limits.HeredocLines)
		}
	default:
		s.i++
	}
}

// checkTokens is the exact form of the same check.
func checkTokens(b []byte, template bool, limits Limits) *Violation {
	lex := hclsyntax.LexConfig
	if template {
		lex = hclsyntax.LexTemplate
	}
	tokens, _ := lex(b, "", hcl.InitialPos)
	n := newNesting(limits)
	lines := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOParen, hclsyntax.TokenOBrack:
			n.operator(t.Range.Start.Byte)
			n.open(t.Bytes[0], t.Range.Start.Byte)
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			n.operator(t.Range.Start.Byte)
			n.open('t', t.Range.Start.Byte)
		case hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCParen, hclsyntax.TokenCBrack:
			n.close("{t([")
		case hclsyntax.TokenOHeredoc:
			lines = t.Range.Start.Line
		case hclsyntax.TokenCHeredoc:
			lines = 0
		case hclsyntax.TokenStringLit:
			if lines > 0 && t.Range.End.Line-lines > limits.HeredocLines && n.bad == nil {
				n.bad = tooManyLines(t.Range.Start.Byte, limits.HeredocLines)
			}
		case hclsyntax.TokenNewline:
			if n.top().kind == '{' {
				n.item()
			}
		case hclsyntax.TokenComma:
			n.item()
		case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenEqual, hclsyntax.TokenOQuote, hclsyntax.TokenCQuote,
			hclsyntax.TokenQuotedLit, hclsyntax.TokenComment, hclsyntax.TokenEOF:
		default:
			n.operator(t.Range.Start.Byte)
		}
		if n.bad != nil {
			return n.bad
		}
	}
	return nil
}
