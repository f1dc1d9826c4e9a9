package wire

import "encoding/json"

// scanner walks over JSON once, checking its grammar (RFC 8259) and keeping
// nothing. It exists because every frame passes it and its payload is decoded
// afterwards: a decoder for the frame would read each payload twice more.
type scanner struct {
	data []byte
	pos  int
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next steps over c, which may have space before it; false if it is not there.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// text reads a string.
func (s *scanner) text() (string, bool) {
	s.space()
	start := s.pos
	if !s.str() {
		return "", false
	}
	return unquote(s.data[start:s.pos]), true
}

// unquote returns what a valid JSON string says.
func unquote(raw []byte) string {
	plain := true
	for _, c := range raw {
		if c == '\\' || c >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return string(raw[1 : len(raw)-1])
	}
	var v string
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	return v
}

// value steps over any value that is nested no deeper than MaxDepth.
func (s *scanner) value(depth int) bool {
	s.space()
	if s.pos >= len(s.data) || depth > MaxDepth {
		return false
	}
	switch c := s.data[s.pos]; {
	case c == '"':
		return s.str()
	case c == '{':
		return s.object(depth + 1)
	case c == '[':
		return s.array(depth + 1)
	case c == '-' || isDigit(c):
		return s.number()
	}
	return s.literal("true") || s.literal("false") || s.literal("null")
}

func (s *scanner) object(depth int) bool {
	s.pos++ // the brace
	if s.next('}') {
		return true
	}
	for {
		s.space()
		if !s.str() || !s.next(':') || !s.value(depth) {
			return false
		}
		if !s.next(',') {
			return s.next('}')
		}
	}
}

func (s *scanner) array(depth int) bool {
	s.pos++ // the bracket
	if s.next(']') {
		return true
	}
	for {
		if !s.value(depth) {
			return false
		}
		if !s.next(',') {
			return s.next(']')
		}
	}
}

// str steps over a string that begins here.
func (s *scanner) str() bool {
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return false
	}
	for i := s.pos + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return true
		case c == '\\':
			n := escape(s.data[i+1:])
			if n == 0 {
				return false
			}
			i += n
		case c < 0x20:
			return false
		}
	}
	return false
}

// escape returns the length of the escape sequence after a backslash; 0: none is there.
func escape(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(b) > 4 && isHex(b[1]) && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) {
			return 5
		}
	}
	return 0
}

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (s *scanner) number() bool {
	s.skip('-')
	if !s.skip('0') && !s.digits() {
		return false
	}
	if s.skip('.') && !s.digits() {
		return false
	}
	if s.skip('e') || s.skip('E') {
		_ = s.skip('+') || s.skip('-')
		return s.digits()
	}
	return true
}

// skip steps over c if it is the very next byte.
func (s *scanner) skip(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && isDigit(s.data[s.pos]) {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) literal(word string) bool {
	end := s.pos + len(word)
	if end > len(s.data) || string(s.data[s.pos:end]) != word {
		return false
	}
	s.pos = end
	return true
}
