package wire

import (
	"encoding/json"
	"unicode/utf8"
)

// Decode reads one frame and proves that all of it is JSON. The payload and
// the details are parts of data, not copies.
//
// Whatever is wrong with a frame, the ID and the Type are returned as far as
// they could be read, so that the sender can be told which of its messages it
// was; an id that could not be read is UnreadableID, as the standard wants it
// in the answer. Requests and results are read strictly. Errors are read
// liberally, for stations put strings and nulls where details belong, and
// what matters of an error is only that it is one.
func Decode(data []byte) (Frame, *Error) {
	f := Frame{ID: UnreadableID}
	s := scanner{data: data}
	if e := s.head(&f); e != nil {
		return f, e
	}
	e := s.body(&f)
	if e == nil {
		e = s.tail()
	}
	return f, e
}

func broken(description string) *Error {
	return &Error{Code: RpcFrameworkError, Description: description}
}

// head reads the opening bracket, the message type and the id.
func (s *scanner) head(f *Frame) *Error {
	if !s.next('[') {
		return broken("not a JSON array")
	}
	if !s.messageType(f) {
		return broken("no message type")
	}
	id, ok := "", s.next(',')
	if ok {
		id, ok = s.text()
	}
	switch {
	case !ok:
		return broken("no message id")
	case id == "":
		return broken("empty message id")
	case len(id) > MaxID && utf8.RuneCountInString(id) > MaxID:
		return broken("message id longer than 36 characters")
	}
	f.ID = id
	return nil
}

// messageType reads a small whole number.
func (s *scanner) messageType(f *Frame) bool {
	s.space()
	start := s.pos
	for s.pos < len(s.data) && s.pos-start < 4 && isDigit(s.data[s.pos]) {
		f.Type = f.Type*10 + int(s.data[s.pos]-'0')
		s.pos++
	}
	return s.pos > start && (s.data[start] != '0' || s.pos == start+1) // 04 is no JSON
}

// body reads what follows the id.
func (s *scanner) body(f *Frame) *Error {
	switch f.Type {
	case TypeCall, TypeSend:
		var ok bool
		if f.Action, ok = s.name(); !ok {
			return broken("no action")
		}
		return s.payload(f)
	case TypeResult:
		return s.payload(f)
	case TypeError, TypeResultError:
		return s.failure(f)
	}
	return &Error{Code: MessageTypeNotSupported, Description: "unknown message type"}
}

// name reads a further element that is an action or an error code.
func (s *scanner) name() (string, bool) {
	if !s.next(',') {
		return "", false
	}
	v, ok := s.text()
	return v, ok && v != "" && len(v) <= maxName
}

// payload reads a further element that is an object.
func (s *scanner) payload(f *Frame) *Error {
	if !s.next(',') {
		return broken("no payload")
	}
	s.space()
	start := s.pos
	if !s.value(0) {
		return &Error{Code: FormatViolation, Description: "payload is no JSON, or nested too deeply"}
	}
	if s.data[start] != '{' {
		return &Error{Code: FormatViolation, Description: "payload is not an object"}
	}
	f.Payload = json.RawMessage(s.data[start:s.pos:s.pos])
	return nil
}

// failure reads code, description and details, of which only the code must be there.
func (s *scanner) failure(f *Frame) *Error {
	code, ok := s.name()
	if !ok {
		return broken("no error code")
	}
	f.Code = ErrorCode(code)
	for i := 0; s.next(','); i++ {
		s.space()
		start := s.pos
		if !s.value(0) {
			return broken("error is no JSON, or nested too deeply")
		}
		f.take(i, s.data[start:s.pos:s.pos])
	}
	return nil
}

// take keeps the element of an error that is at position i after its code.
func (f *Frame) take(i int, raw []byte) {
	switch {
	case i == 0 && raw[0] == '"':
		f.Description = truncate(unquote(raw), MaxDescription)
	case i == 1 && string(raw) != "null":
		f.Details = json.RawMessage(raw)
	}
}

// tail reads the closing bracket, after which nothing may follow.
func (s *scanner) tail() *Error {
	if !s.next(']') {
		return broken("not the elements of this message type")
	}
	if s.space(); s.pos != len(s.data) {
		return broken("something follows the frame")
	}
	return nil
}

// truncate cuts a text to at most n characters, never within one.
func truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
