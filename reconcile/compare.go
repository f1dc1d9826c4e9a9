package reconcile

import (
	"time"

	"github.com/resctl/resctl/reservation"
)

// windowAfter is the window that a declaration gets when it is stored now.
// hold_for and a bare expiry_date_time keep the start that they once got.
func windowAfter(d *reservation.Declaration, before *reservation.Wanted, now time.Time) reservation.Window {
	stored := now
	since := before != nil && before.When.Start.IsZero() && before.When.Schedule == nil
	if since && d.When.Start.IsZero() && d.When.Schedule == nil {
		stored = before.Window.Start
	}
	return d.When.Window(stored)
}

// present gives stored schedules the window that they have now, rather than when
// they were stored.
func present(stored []reservation.Wanted, now time.Time) {
	shared := reservation.NewSchedules()
	for i := range stored {
		if w := &stored[i]; w.When.Schedule != nil {
			shared.ShareIn(&w.When)
			w.Window = w.When.Window(now)
		}
	}
}

// passed reports whether the present window of a schedule has come to its end
// before its time: the entry shows the one that follows.
func passed(e reservation.Entry, before *reservation.Wanted) bool {
	return before.When.Schedule != nil && !before.Window.Start.IsZero() && e.Window.Start.After(before.Window.Start)
}

// added is the change for an address that is not stored yet.
func added(d *reservation.Declaration, now time.Time) Change {
	w := windowAfter(d, nil, now)
	c := Change{Address: d.Address, Action: opening(d, w, now), Reason: "declared", After: d, Window: w}
	c.place(d.StationID, d.Target)
	c.Over = !w.Expiry.After(now)
	return c
}

// opening is what comes of a new window: it is due, or not yet, or over.
func opening(d *reservation.Declaration, w reservation.Window, now time.Time) Symbol {
	if !w.Expiry.After(now) || w.Start.Add(-time.Duration(d.Activation.LeadTime)).After(now) {
		return Schedule
	}
	return Reserve
}

// removed is the change for an address that is no longer declared.
func removed(e reservation.Entry, before *reservation.Wanted, destroy bool) Change {
	c := Change{Address: e.Address, Action: Cancel, Reason: "no longer declared",
		Before: &before.Declaration, BeforeHash: e.Hash, Window: e.Window, before: before}
	if destroy {
		c.Reason = "to be destroyed"
	} else if before.Source != "" {
		c.Reason += " (was " + before.Source + ")"
	}
	c.place(e.StationID, e.Target)
	c.stands(e)
	if c.Held {
		c.Codes = append(c.Codes, "RC101")
	}
	return c
}

// removals says what becomes of addresses that are no longer declared.
type removals map[string]Removal

func newRemovals(all []Removal) removals {
	r := make(removals, len(all))
	for _, x := range all {
		r[x.From] = x
	}
	return r
}

// of makes a cancellation one that forgets, where a removed block says so.
func (r removals) of(c Change) Change {
	for _, p := range reservation.Enclosing(c.Address) {
		if x, ok := r[p]; ok && !x.Cancel {
			return c.forget("removed without cancelling")
		} else if ok {
			break
		}
	}
	return c
}

// forget leaves what is held at the station.
func (c Change) forget(why string) Change {
	c.Action, c.Reason, c.Codes = Forget, why, nil
	if c.Held {
		c.Codes = []string{"RC106"}
	}
	return c
}

// edited is the change for an address whose declaration differs.
func edited(e reservation.Entry, before *reservation.Wanted, d *reservation.Declaration, now time.Time) Change {
	c := Change{Address: d.Address, Action: Modify, Before: &before.Declaration, BeforeHash: e.Hash,
		After: d, Window: windowAfter(d, before, now), before: before}
	if passed(e, before) && c.Window.Start.Equal(before.Window.Start) {
		c.Window = d.When.After(c.Window.Start, now) // what has ended stays ended
	}
	c.place(d.StationID, d.Target)
	c.stands(e)
	at := e.ID != 0 && e.Phase.Open()
	newWindow := !c.Window.Start.Equal(e.Window.Start)
	switch {
	case newWindow && !(at && c.Window.Overlaps(e.Window)):
		c.Action, c.Over, c.Reason = opening(d, c.Window, now), false, "new window"
		if !c.Window.Expiry.After(now) {
			c.Action, c.Reason = Modify, "the new window is over"
		}
	case e.StationID != d.StationID && at:
		c.Action, c.FromStationID, c.Reason = Relocate, e.StationID, "station "+e.StationID+" → "+d.StationID
	case e.StationID != d.StationID:
		c.FromStationID, c.Reason = e.StationID, "station "+e.StationID+" → "+d.StationID
	case e.Target != d.Target && at:
		c.Action, c.Reason = Replace, "EVSE or connector type"
	default:
		c.Reason = differs(&before.Declaration, d)
	}
	if from := before.Address; from != d.Address {
		c.renamed(from, before.Declaration)
	}
	c.flag()
	return c
}

// renamed adds to a change that its address was another one. Where that is all,
// nothing is sent.
func (c *Change) renamed(from string, before reservation.Declaration) {
	c.FromAddress = from
	name := "was " + from
	before.Address = c.Address
	if c.OnlyRenames = before.Hash() == c.After.Hash(); c.OnlyRenames {
		c.Reason = name
		return
	}
	c.Reason = name + "; " + c.Reason
}

// flag adds the codes that say what happens to something held.
func (c *Change) flag() {
	if !c.Held || c.OnlyRenames {
		return
	}
	switch c.Action {
	case Modify:
		c.Codes = append(c.Codes, "RC102")
		if !c.Window.Start.Equal(c.before.Window.Start) && !c.Window.Overlaps(c.before.Window) {
			c.Codes = []string{"RC101"}
		}
	case Replace, Reserve, Schedule:
		c.Codes = append(c.Codes, "RC103")
	case Relocate:
		c.Codes = append(c.Codes, "RC104")
	}
}

// differs names what an update changes.
func differs(a, b *reservation.Declaration) string {
	switch {
	case !a.IDToken.Equal(b.IDToken):
		return "token"
	case (a.GroupIDToken == nil) != (b.GroupIDToken == nil),
		a.GroupIDToken != nil && !a.GroupIDToken.Equal(*b.GroupIDToken):
		return "group token"
	case (a.When.Schedule != nil || b.When.Schedule != nil) && !a.When.Equal(b.When):
		return "schedule"
	case !a.When.Equal(b.When):
		return "expiry"
	case a.Target != b.Target:
		return "EVSE or connector type"
	case a.Activation != b.Activation:
		return "activation"
	}
	return "lifecycle"
}

func (c *Change) place(station string, t reservation.Target) {
	c.StationID, c.EVSE, c.ConnectorType = station, t.EVSE, t.ConnectorType
}

func (c *Change) stands(e reservation.Entry) {
	c.Held, c.ReservationID = e.HeldNow(), e.ID
	c.Over = !e.Phase.Open()
}

// breakCycles finds moves that wait for each other's EVSE and lets them cancel
// first. A move waits for at most one other, so following them is linear.
func breakCycles(changes []Change) {
	type place struct {
		station string
		evse    int
	}
	leaving := map[place]int{} // index of the move that leaves the place
	for i, c := range changes {
		if c.Action == Relocate && c.Before != nil && c.Before.EVSE != 0 { // c.before is not in a plan file
			leaving[place{c.FromStationID, c.Before.EVSE}] = i
		}
	}
	seen := make(map[int]int, len(leaving)) // index → walk in which it was met
	for i := range changes {
		for j, walk := i, i+1; changes[j].Action == Relocate && changes[j].EVSE != 0; {
			if seen[j] == walk { // back where this walk has been: the cycle
				for k := j; !changes[k].cancelFirst; k = leaving[place{changes[k].StationID, changes[k].EVSE}] {
					changes[k].cancelFirst = true
				}
			}
			if seen[j] != 0 {
				break
			}
			seen[j] = walk
			next, ok := leaving[place{changes[j].StationID, changes[j].EVSE}]
			if !ok {
				break
			}
			j = next
		}
	}
}
