package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// CompareAddresses orders addresses as people do: van["2"] before van["10"], and
// what is in a module after what is beside it. Two different addresses never
// compare equal.
func CompareAddresses(a, b string) int {
	i, j, begins := 0, 0, true
	for i < len(a) && j < len(b) {
		if digit(a[i]) && digit(b[j]) {
			na, nb := digits(a[i:]), digits(b[j:])
			ta, tb := strings.TrimLeft(na, "0"), strings.TrimLeft(nb, "0")
			if c := cmp.Or(cmp.Compare(len(ta), len(tb)), strings.Compare(ta, tb)); c != 0 {
				return c
			}
			i, j = i+len(na), j+len(nb)
			continue
		}
		if begins && (a[i] == 'm' || b[j] == 'm') {
			if ma, mb := strings.HasPrefix(a[i:], "module."), strings.HasPrefix(b[j:], "module."); ma != mb {
				return boolInt(ma) - boolInt(mb)
			}
		}
		if a[i] != b[j] {
			return cmp.Compare(a[i], b[j])
		}
		begins = a[i] == '.'
		i, j = i+1, j+1
	}
	return cmp.Or(cmp.Compare(len(a)-i, len(b)-j), strings.Compare(a, b))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func digits(s string) string {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return s[:n]
}

func names[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// didYouMean gives a sentence with the closest of the known words, or "".
func didYouMean(word string, known []string) string {
	if s := closest(word, known); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

func closest(word string, known []string) string {
	best, limit := "", 2+len(word)/8 // two: exchanged letters count twice
	if len(word) < 3 {
		limit = len(word) - 1
	}
	if len(word) > 100 || len(known) > 5000 {
		return ""
	}
	for _, k := range known {
		if strings.EqualFold(k, word) {
			return k
		}
		if len(k)-len(word) > limit || len(word)-len(k) > limit {
			continue
		}
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
}

// list joins words for a sentence: "1, 2 and 3"; long lists are cut.
func list(words []string) string {
	const most = 12
	if len(words) > most {
		return strings.Join(words[:most], ", ") + fmt.Sprintf(" and %d more", len(words)-most)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
