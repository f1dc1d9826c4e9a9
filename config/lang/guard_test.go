package lang

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The quick scanner must never see less nesting than hcl's own lexer.
func TestScannerAgreesWithLexer(t *testing.T) {
	for _, src := range scannerSeeds {
		agree(t, []byte(src))
	}
}

var scannerSeeds = []string{
	"a = [1, {b = 2}]\n", "a = \"x ${b[\"}\"]} y\"\n", "a = <<E\n}}} ${[1]}\nE\n", "# {{{\n// [[[\n/* ((( */ a = 1\n",
	"a = \"\\\"{{\"\n", "a = \"$${\"\n", "a = \"%{ if x }y%{ endif }\"\n", "a = <<-E\n  ]]]\n  E\nb = {}\n", "a = b << c\n", "a = \"\n{\"\n",
	"#\n/* ( =[\n[[\n/* ( = 1/ a(( *\n",
	"a = <<E\n$${ ${\"}\"} \n E \nb = [[[\n",
}

func FuzzScanner(f *testing.F) {
	for _, s := range scannerSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) { agree(t, src) })
}

func agree(t *testing.T, src []byte) {
	t.Helper()
	if len(src) > 1<<16 || BadText(src) >= 0 {
		return
	}
	limits := DefaultLimits
	limits.Depth = 3
	if quick := CheckSource(src, false, limits); quick == nil {
		if d := lexedDepth(src); d > 3 {
			t.Errorf("%q: depth %d not seen", src, d)
		}
	}
}

func lexedDepth(src []byte) int {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	depth, most := 0, 0
	for _, tok := range tokens {
		switch tok.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
		most = max(most, depth)
	}
	return most
}
