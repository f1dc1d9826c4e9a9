package reservation

import "slices"

// Enclosing gives an address and what it lies in, the address first: its block
// and, with and without their keys, its modules. Of module.a["x"].reservation.van[0]
// these are itself, module.a["x"].reservation.van, module.a["x"] and module.a.
func Enclosing(address string) []string {
	all := []string{address}
	dots := 0
	for _, cut := range cuts(address) {
		if address[cut] == '.' {
			dots++
		}
		if dots%2 == 0 || address[cut] == '[' { // after a kind and a name
			all = append(all, address[:cut])
		}
	}
	slices.Reverse(all[1:])
	return all
}

// cuts are the dots and opening brackets outside keys.
func cuts(address string) (at []int) {
	quoted := false
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '.' || c == '['):
			at = append(at, i)
		}
	}
	return at
}
