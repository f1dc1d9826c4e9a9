package reservation

import "time"

// begun is for a schedule whose present window is over already when it is
// declared: what follows it is wanted.
func (f *folding) begun(w *Wanted) {
	if w.When.Schedule == nil || w.Next.Start.IsZero() {
		return
	}
	content := w.Declaration.Content(w.Next)
	f.follow(Key{w.Workspace, w.Address, w.Next.Start}, w.Next, &Occurrence{Want: &content,
		Activation: w.Activation, Lifecycle: w.Lifecycle, Recurs: w.When.Schedule})
}

// recurred: the latest occurrence of a schedule is due, so the next one is
// begun. It inherits what is wanted, and nothing of what came of it.
func (f *folding) recurred() {
	o, next := f.occurrence(), f.e.Decision.Next
	if next == nil || o == nil || o.Recurs == nil {
		return
	}
	like := *o
	n := f.edit(o)
	n.Recurs = nil
	if next.Start.IsZero() || o.Want == nil {
		return
	}
	content := *o.Want
	content.Expiry = next.Expiry
	like.Want = &content
	f.follow(Key{o.Workspace, o.Address, next.Start}, *next, &like)
}

// follow puts the occurrence of a window that is not due yet into the book. One
// that ended there before stays ended; the schedule goes on from it.
func (f *folding) follow(k Key, w Window, like *Occurrence) {
	o := f.b.Find(k)
	if o == nil {
		o = &Occurrence{Key: k, Phase: Canceled}
	}
	n := f.edit(o)
	n.Recurs, n.Window = like.Recurs, w
	n.Due = n.Start.Add(-time.Duration(like.Activation.LeadTime))
	if n.Phase == Canceled {
		n.fresh()
		n.enter(Scheduled, "", f.e.At)
	}
	if n.Phase.Open() {
		n.Want, n.Activation, n.Lifecycle = like.Want, like.Activation, like.Lifecycle
	}
}
