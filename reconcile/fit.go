package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// slot is one window that is wanted on one EVSE.
type slot struct {
	workspace, address, station, source string
	evse                                int
	window                              reservation.Window
}

// maxOverlaps bounds the findings of one proof; more say nothing new.
const maxOverlaps = 100

// fit proves that no two windows overlap on one EVSE (RC201). Windows are
// half-open: one may begin when another ends. Sorting makes it n log n.
func fit(slots []slot, workspace string) []Finding {
	slices.SortFunc(slots, func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.station, b.station), cmp.Compare(a.evse, b.evse),
			a.window.Start.Compare(b.window.Start), cmp.Compare(a.address, b.address))
	})
	var found []Finding
	var last slot // of those on the EVSE so far, the one that ends last
	for _, s := range slots {
		if s.station != last.station || s.evse != last.evse {
			last = s
			continue
		}
		if s.window.Start.Before(last.window.Expiry) && (s.workspace == workspace || last.workspace == workspace) {
			if len(found) == maxOverlaps {
				return found
			}
			found = append(found, overlap(last, s, workspace))
		}
		if s.window.Expiry.After(last.window.Expiry) {
			last = s
		}
	}
	return found
}

func overlap(a, b slot, workspace string) Finding {
	mine := b
	if mine.workspace != workspace {
		mine = a
	}
	until := a.window.Expiry
	if b.window.Expiry.Before(until) {
		until = b.window.Expiry
	}
	return Finding{Code: "RC201", Severity: Error, Address: mine.address, Range: mine.source,
		Summary: fmt.Sprintf("%s EVSE %d is wanted twice at %s", b.station, b.evse, b.window.Start.UTC().Format(time.RFC3339)),
		Detail: fmt.Sprintf("%s and %s overlap until %s. An EVSE holds one reservation: change the EVSE or a window of one of them.",
			a.name(workspace), b.name(workspace), until.UTC().Format(time.RFC3339))}
}

// name is how a slot is called; of another workspace only name and address.
func (s slot) name(workspace string) string {
	if s.workspace != workspace {
		return fmt.Sprintf("%s of workspace %q", s.address, s.workspace)
	}
	if s.source != "" {
		return fmt.Sprintf("%s (%s)", s.address, s.source)
	}
	return s.address
}
