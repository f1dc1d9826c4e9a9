package reservation

import (
	"fmt"
	"time"
)

// AllWorkspaces stands for every workspace where a freeze names one.
const AllWorkspaces = "*"

// Halt is a stop that a person has ordered: a workspace is frozen, which takes
// no proposals then, or a station paused, of which nothing is asked. Times are
// UTC.
type Halt struct {
	By     string    `json:"by,omitempty"`     // who ordered it
	Reason string    `json:"reason,omitempty"` // why, as they wrote it
	Since  time.Time `json:"since,omitzero"`   // of what is kept; an event has its own time
	Until  time.Time `json:"until,omitzero"`   // zero: until it is lifted
}

// Stands reports whether the halt holds at a time. A nil one never does.
func (h *Halt) Stands(now time.Time) bool {
	return h != nil && (h.Until.IsZero() || now.Before(h.Until))
}

// Ordered is the halt that a Frozen or Paused event orders, as it is kept: to
// the millisecond, as the times of events are. A request that is made when it
// ends must not look as if it were made before.
func (e Event) Ordered() Halt {
	h := Halt{}
	if e.Halt != nil {
		h = *e.Halt
	}
	h.Since = e.At
	h.Until = h.Until.UTC().Truncate(time.Millisecond)
	return h
}

// FrozenError refuses a proposal of a frozen workspace.
type FrozenError struct {
	Workspace string // as the freeze names it: it may be AllWorkspaces
	Halt      Halt
}

// Error says who froze the workspace, and why.
func (e *FrozenError) Error() string {
	text := fmt.Sprintf("workspace %s: proposal: it is frozen since %s", e.Workspace, e.Halt.Since.Format(time.RFC3339))
	if e.Halt.By != "" {
		text += " by " + e.Halt.By
	}
	if e.Halt.Reason != "" {
		text += " (" + e.Halt.Reason + ")"
	}
	return text
}

// FrozenBy is the freeze that holds for a workspace at a time; nil: none.
func (m Meta) FrozenBy(workspace string, now time.Time) *FrozenError {
	for _, name := range []string{workspace, AllWorkspaces} {
		if h, ok := m.Frozen[name]; ok && h.Stands(now) {
			return &FrozenError{name, h}
		}
	}
	return nil
}

// pause: nothing is asked of the station until the halt ends or is lifted. What
// it reports is taken in as ever.
func (f *folding) pause() {
	h := f.e.Ordered()
	f.station().Paused = &h
}

// resume lifts it.
func (f *folding) resume() {
	if f.b.Station.Paused != nil {
		f.station().Paused = nil
	}
}
