package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// QuoteKey writes an instance key as HCL does, so that an address can be read back.
func QuoteKey(key string) string {
	if !strings.ContainsAny(key, "\"\\\n\r\t$%") {
		return `"` + key + `"`
	}
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{")
	return `"` + r.Replace(key) + `"`
}

// IndexText writes the key of an index as HCL does; what is unknown or no key is "…".
func IndexText(k cty.Value) string {
	if k.IsKnown() && !k.IsNull() && !k.IsMarked() {
		switch k.Type() {
		case cty.String:
			return QuoteKey(k.AsString())
		case cty.Number:
			return k.AsBigFloat().Text('f', -1)
		}
	}
	return "…"
}

// Article is the name of a type as a sentence needs it: "a string", "an object".
func Article(t cty.Type) string {
	switch n := t.FriendlyName(); n[0] {
	case 'a', 'e', 'i', 'o', 'u':
		return "an " + n
	default:
		return "a " + n
	}
}

// TraversalText writes a reference as HCL does, without what could steer a terminal.
func TraversalText(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + IndexText(s.Key) + "]")
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
		return "is " + clean(QuoteKey(string(s)))
	case t == cty.Number:
		return "is " + IndexText(v)
	case t == cty.Bool:
		return fmt.Sprintf("is %t", v.True())
	case t.IsObjectType():
		return fmt.Sprintf("is an object with %d attributes", len(t.AttributeTypes()))
	case v.CanIterateElements():
		return fmt.Sprintf("is %s with %d elements", Article(t), v.LengthInt())
	}
	return ""
}

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
