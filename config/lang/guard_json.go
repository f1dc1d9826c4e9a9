package lang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// CheckJSON gives the first limit that a JSON file exceeds. Its strings are
// templates, which hcl parses when it evaluates them.
func CheckJSON(b []byte, limits Limits) *Violation {
	if !json.Valid(b) {
		return jsonError(b, limits)
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if depth++; depth > limits.Depth {
				return tooDeep(i, limits.Depth)
			}
		case '}', ']':
			depth--
		case '"':
			end := i + stringLength(b[i:])
			if v := checkJSONString(b[i:end], limits); v != nil {
				v.Offset = i
				return v
			}
			i = end - 1
		}
	}
	return nil
}

// jsonError lets hcl describe what is wrong, unless the nesting is too deep
// even for that.
func jsonError(b []byte, limits Limits) *Violation {
	if n := bytes.Count(b, []byte("[")) + bytes.Count(b, []byte("{")); n > limits.Depth {
		var v any
		err := json.Unmarshal(b, &v)
		offset := 0
		if se, ok := err.(*json.SyntaxError); ok {
			offset = min(int(se.Offset), len(b))
			for offset > 0 && offset < len(b) && !utf8.RuneStart(b[offset]) {
				offset--
			}
		}
		return &Violation{true, "Invalid JSON", fmt.Sprintf("The file is not valid JSON: %v.", err), offset}
	}
	return nil
}

func stringLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func checkJSONString(quoted []byte, limits Limits) *Violation {
	if !bytes.Contains(quoted, []byte("{")) && !bytes.Contains(quoted, []byte(`\u007b`)) && !bytes.Contains(quoted, []byte(`\u007B`)) {
		return nil
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return nil
	}
	if v := CheckSource([]byte(s), true, limits); v != nil {
		return v
	}
	if countFor([]byte(s)) > 2 {
		return &Violation{false, "Expression too long", "In JSON at most two for expressions can be nested. Use the native syntax for this file.", 0}
	}
	return nil
}
