package main

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sheet writes lines with columns, and with colours where they are wanted. An
// error of the writer is kept until Flush.
type sheet struct {
	*bufio.Writer
	color bool
}

func newSheet(w io.Writer, color bool) *sheet { return &sheet{bufio.NewWriterSize(w, 32<<10), color} }

// The colours: of symbols, of what is held now, of headings.
const (
	plainInk  = ""
	boldInk   = "1"
	faintInk  = "2"
	redInk    = "31"
	greenInk  = "32"
	yellowInk = "33"
	cyanInk   = "36"
	alarmInk  = "1;31"
)

// put writes texts one behind the other.
func (s *sheet) put(texts ...string) {
	for _, t := range texts {
		_, _ = s.WriteString(t)
	}
}

// line writes texts and ends the line.
func (s *sheet) line(texts ...string) {
	s.put(texts...)
	_ = s.WriteByte('\n')
}

// ink writes a text in a colour.
func (s *sheet) ink(color, text string) {
	if !s.color || color == plainInk || text == "" {
		s.put(text)
		return
	}
	s.put("\x1b[", color, "m", text, "\x1b[0m")
}

// column writes a text and fills it up to a width with blanks.
func (s *sheet) column(text string, width int) {
	s.put(text)
	s.fill(width - cells(text))
}

const blanks = "                                                                                "

func (s *sheet) fill(n int) {
	for ; n > len(blanks); n -= len(blanks) {
		s.put(blanks)
	}
	if n > 0 {
		s.put(blanks[:n])
	}
}

// cells is how many characters wide a text is.
func cells(s string) int { return utf8.RuneCountInString(s) }

// harmless takes out of a text what could steer a terminal or hide in it. What
// is harmless already, nearly everything, is not copied.
func harmless(s string) string {
	clean := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// shellWord quotes a word so that a printed command can be pasted.
func shellWord(s string) string {
	safe := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=@%+,", r))
	}) < 0
	if safe {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
