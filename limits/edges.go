package limits

import (
	"cmp"
	"slices"
)

// Edge is one end of a window, in Unix seconds.
type Edge struct {
	At    int64
	Start bool
}

// SortEdges puts the edges of windows in their order in time, ends before
// starts: whoever looks at every instant has to do that.
func SortEdges(edges []Edge) {
	slices.SortFunc(edges, func(a, b Edge) int {
		if a.At == b.At && a.Start != b.Start {
			if b.Start {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.At, b.At)
	})
}
