package reservation

import "time"

// declared: the address is wanted at this station, with this content, from now
// on. An occurrence that has ended stays ended, unless it ended only because it
// was no longer declared.
func (f *folding) declared() {
	c := f.e.Change
	if c.After == nil || c.After.StationID != f.e.StationID {
		return
	}
	k := Key{c.After.Workspace, c.After.Address, c.After.Window.Start}
	if k.Start.IsZero() { // a schedule that names no window any more
		f.letGoOthers(k)
		return
	}
	o := f.b.Find(k)
	if o == nil {
		o = f.takeOver(k, c.After)
	}
	f.letGoOthers(k)
	n := f.edit(o)
	switch {
	case (n.Phase == Canceled || n.Phase == Forgotten) && c.Over != "":
		n.drop()                              // of what was forgotten, too
		n.enter(c.Over, BecauseMoved, f.e.At) // it came to its end elsewhere
	case n.Phase == Canceled, n.Phase == Forgotten && n.ID == 0:
		n.enter(Scheduled, "", f.e.At)
	case n.Phase == Forgotten: // nobody has looked after it since
		n.enter(Unsure, BecauseWanted, f.e.At)
	}
	if c.Anew {
		f.begin(n)
	}
	n.Recurs = nil
	if !n.Phase.Open() {
		f.begun(c.After)
		return
	}
	n.Recurs = c.After.When.Schedule
	content := c.After.Content()
	if n.Want == nil || !n.Want.Equal(content) {
		n.fresh()
		n.UpdateRefused = nil
		if n.Reason == BecauseRefused {
			n.Reason = BecauseChanged
		}
	}
	if c.Move != nil || !n.Move.awaited(f.e.StationID) {
		n.Move = c.Move
	}
	n.Want, n.Window, n.Then = &content, c.After.Window, ""
	n.Activation, n.Lifecycle = c.After.Activation, c.After.Lifecycle
	n.Due = n.Start.Add(-time.Duration(n.Activation.LeadTime))
	if n.Phase == Held { // its cancel, if there was to be one, has not left
		n.MustCancel = false
		f.hold(n)
	}
}

// begin starts an occurrence anew: an id that may be at the station is let go
// first, and what it has come to is behind it.
func (f *folding) begin(n *Occurrence) {
	n.fresh()
	n.UpdateRefused, n.Heals, n.EverHeld, n.Info = nil, 0, false, ""
	if n.MustCancel = n.ID != 0; n.MustCancel {
		n.enter(Canceling, BecauseChanged, f.e.At)
		return
	}
	n.enter(Scheduled, "", f.e.At)
}

// takeOver makes the occurrence for a window start that is new. If an open one
// of the same address overlaps, its id and phase go over to the new one, so
// that the station is not asked for what it holds.
func (f *folding) takeOver(k Key, w *Wanted) *Occurrence {
	n := &Occurrence{Key: k, Window: w.Window, Phase: Scheduled, Since: f.e.At}
	if !f.e.At.Before(w.Window.Start.Add(time.Second)) { // those that start when they are stored start at a full second
		n.Late = f.e.At
	}
	if f.e.Change.Over != "" {
		n.Phase = Canceled // until declared says how it ended
	}
	var best *Occurrence
	f.each(func(old *Occurrence) {
		same := old.Workspace == k.Workspace && old.Address == k.Address
		if same && old.Window.Overlaps(w.Window) && old.standing() > best.standing() {
			best = old
		}
	})
	if best != nil {
		n = f.rekey(best, k, BecauseChanged)
		n.NoShowAt = time.Time{} // it counts from the new start
	}
	return n
}

// standing ranks what may be at the station for an address: what is wanted
// before what is being let go, and that before what was forgotten.
func (o *Occurrence) standing() int {
	switch {
	case o == nil:
		return 0
	case o.Phase.Open() && o.Want != nil:
		return 3
	case o.Phase.Open():
		return 2
	case o.Phase == Forgotten && o.ID != 0:
		return 1
	}
	return 0
}

// rekey gives an occurrence another key. What stays under the old one has come
// to nothing.
func (f *folding) rekey(old *Occurrence, k Key, why Reason) *Occurrence {
	taken := *old
	taken.Key = k
	left := f.edit(old)
	left.ID, left.Past, left.Asked, left.Held, left.Want, left.Move = 0, nil, nil, nil, nil, nil
	left.MustCancel, left.NoShowAt, left.Then, left.Recurs = false, time.Time{}, "", nil
	left.enter(Canceled, why, f.e.At)
	return &taken
}

// renamed: all that is known of the old address goes on under the new one. The
// other half of a move comes along.
func (f *folding) renamed() {
	from := f.e.Formerly()
	if from == "" {
		return
	}
	told := map[string]bool{}
	f.each(func(o *Occurrence) {
		if o.Workspace != f.e.Workspace || o.Address != from || o.Reason == BecauseRenamed {
			return
		}
		k := Key{o.Workspace, f.e.Address, o.Start}
		there := f.b.Find(k)
		n := f.edit(f.rekey(o, k, BecauseRenamed))
		if there != nil { // what is left of an earlier one; its id may still be at the station
			left := *there
			left.Key = o.Key
			f.edit(&left)
		}
		if n.Move == nil || f.e.Kind == Renamed {
			return
		}
		if other := n.Move.other(f.e.StationID); !told[other] {
			told[other] = true
			f.cascade = append(f.cascade, Event{At: f.e.At, Kind: Renamed, StationID: other,
				Workspace: f.e.Workspace, Address: f.e.Address, From: from})
		}
	})
}

// other is the station of the other half.
func (m *Move) other(station string) string {
	if station == m.From {
		return m.To
	}
	return m.From
}

// adopted: the station is said to hold the id. It is asked for once more, which
// settles both that and what is held (H01.FR.02). An id that was forgotten
// changes hands.
func (f *folding) adopted() {
	c := f.e.Change
	if c.Adopt == 0 || c.After == nil {
		return
	}
	o := f.b.Find(Key{c.After.Workspace, c.After.Address, c.After.Window.Start})
	holder := f.b.ByID(c.Adopt)
	if o == nil || o.ID != 0 || !o.Phase.Open() || holder != nil && holder.Phase.Open() {
		return
	}
	if holder != nil && holder.ID == c.Adopt {
		f.edit(holder).drop()
	}
	n := f.edit(o)
	n.ID, n.Tries, n.Asked = c.Adopt, 1, n.Want // by its token a use is known
	n.enter(Unsure, BecauseImported, f.e.At)
}

// forgotten: what may be at the station is left there until it expires.
func (f *folding) forgotten() {
	c := f.e.Change
	if !c.Forget || c.After != nil || c.Before == nil {
		return
	}
	f.each(func(o *Occurrence) {
		mine := o.Workspace == c.Before.Workspace && o.Address == c.Before.Address
		if !mine || o.ID == 0 || !o.Phase.Open() || o.MustCancel {
			return
		}
		n := f.edit(o)
		if o.Move.awaited(f.e.StationID) {
			f.release(o)
		}
		n.fresh()
		n.Want, n.Then, n.NoShowAt, n.Move, n.Recurs = nil, "", time.Time{}, o.Move.done(), nil
		n.enter(Forgotten, "", f.e.At)
	})
}

// letGoOthers ends the occurrences of an address that a new window replaces.
func (f *folding) letGoOthers(k Key) {
	f.each(func(o *Occurrence) {
		if o.Workspace == k.Workspace && o.Address == k.Address && !o.Start.Equal(k.Start) && (o.Phase.Open() || o.Recurs != nil) {
			f.letGo(o, nil)
		}
	})
}

// undeclared: nothing is wanted of the address at this station any more. What
// is held is cancelled, or kept until the station to which it moves has it.
func (f *folding) undeclared() {
	c := f.e.Change
	if c.After != nil || c.Before == nil {
		return
	}
	f.each(func(o *Occurrence) {
		if o.Workspace == c.Before.Workspace && o.Address == c.Before.Address && o.Phase != Forgotten {
			f.letGo(o, c.Move)
		}
	})
}

// letGo ends what is wanted. If the station from which it was to come still
// holds it, that one is let go too; or, where it moves on before it has
// arrived, once it has arrived.
func (f *folding) letGo(o *Occurrence, move *Move) {
	n := f.edit(o)
	n.Want, n.Recurs = nil, nil
	n.fresh()
	awaited := o.Move.awaited(f.e.StationID)
	if awaited && move == nil {
		f.release(o)
	}
	if !awaited || move == nil {
		n.Move = nil
	}
	switch {
	case move != nil && !move.HoldUntil.IsZero() && n.Phase == Held && n.ID != 0:
		n.Move = move
		return
	case n.ID != 0:
		n.MustCancel = true
	case n.Phase.Open():
		n.enter(Canceled, BecauseUnwanted, f.e.At)
	}
	if n.Move == nil {
		n.Move = move.done() // a use that is reported late still ends the other half
	}
}

// release tells the station from which an occurrence came to let go.
func (f *folding) release(o *Occurrence) {
	f.cascade = append(f.cascade, Event{At: f.e.At, Kind: Released, StationID: o.Move.From,
		Workspace: o.Workspace, Address: o.Address, Start: o.Move.Start})
}

// awaited reports whether a station is the one to which a move leads, and has
// not got it yet.
func (m *Move) awaited(station string) bool { return m != nil && !m.Done && m.To == station }

// released: the new station has it, so the old one may let go.
func (f *folding) released() {
	if o := f.occurrence(); o != nil && o.Want == nil && o.Move != nil {
		if o.Move.awaited(f.e.StationID) {
			f.release(o) // it moved on from here before it had come
		}
		n := f.edit(o)
		n.Move = n.Move.done()
		n.fresh()
		n.MustCancel = n.ID != 0
	}
}

// superseded: its driver used the other half of a move.
func (f *folding) superseded() {
	o := f.occurrence()
	if o == nil || !o.Phase.Open() {
		return
	}
	n := f.edit(o)
	n.Move = n.Move.done()
	n.fresh()
	n.MustCancel = n.ID != 0
	if n.Want != nil {
		n.Then = Fulfilled
		n.enter(Fulfilled, BecauseMoved, f.e.At)
	}
}

func (m *Move) done() *Move {
	if m == nil {
		return nil
	}
	c := *m
	c.Done = true
	return &c
}
