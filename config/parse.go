package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// ParseAddress reads the address of a reservation, of a block of them, or of a
// module, as people write it: "reservation." may be left out. It gives the form
// that addresses have.
func ParseAddress(text string) (string, error) {
	if !strings.HasPrefix(text, "reservation.") && !strings.HasPrefix(text, "module.") {
		text = "reservation." + text
	}
	t, diags := hclsyntax.ParseTraversalAbs([]byte(text), "", hcl.InitialPos)
	var p place
	var b strings.Builder
	ok := !diags.HasErrors()
	for ok && len(t) > 0 {
		t, ok = p.step(&b, t)
	}
	if !ok || p.kind != "reservation" && p.kind != "module" {
		return "", fmt.Errorf("address %s: it is not one of a reservation, such as %s", text, `van["12"]`)
	}
	return b.String(), nil
}
