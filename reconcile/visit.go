package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// visit decides about one occurrence, by whether its id may be at the station.
func (d *differ) visit(o *reservation.Occurrence) {
	if o.Recurs != nil && d.reached(o.Due) {
		d.recur(o)
	}
	switch {
	case o.ID == 0 && !o.Phase.Open():
	case o.ID == 0:
		d.visitFree(o)
	case o.Phase == reservation.Forgotten:
		d.visitForgotten(o)
	case o.MustCancel || !o.Phase.Open():
		d.visitLeftover(o, o.Then)
	case o.Want == nil && o.Move != nil && !o.Move.Done && o.Phase == reservation.Held && !d.reached(o.Move.HoldUntil):
		d.visitEnd(o)
	case o.Want == nil:
		d.cancel(o, "", reservation.BecauseUnwanted)
	case o.Phase == reservation.Held:
		d.visitHeld(o)
	default:
		d.visitDoubt(o)
	}
}

// recur begins the next window of a schedule, before anything else is settled of
// the present one. Windows that passed while nobody looked are left out.
func (d *differ) recur(o *reservation.Occurrence) {
	next := reservation.When{Schedule: o.Recurs}.After(o.Start, d.now)
	if !next.Expiry.IsZero() {
		d.wake(next.Expiry)
	}
	d.decide(o, reservation.Decision{Next: &next})
}

// visitFree is for what the station does not have.
func (d *differ) visitFree(o *reservation.Occurrence) {
	if o.Want == nil {
		d.decide(o, reservation.Decision{Phase: reservation.Canceled, Reason: reservation.BecauseUnwanted})
		return
	}
	if d.reached(o.Want.Expiry) {
		d.decide(o, reservation.Decision{Phase: d.over(o), Reason: cmp.Or(o.Reason, d.unasked(o))})
		return
	}
	if !d.reached(o.Due) {
		return
	}
	if by, open := d.ownTransaction(o); open {
		if o.Lifecycle.OnUsed != reservation.HoldAgain && d.reached(o.Start) {
			d.decide(o, reservation.Decision{Phase: reservation.Fulfilled, Reason: by})
			return
		}
		d.wait(o, reservation.BecauseOccupied, time.Time{})
		return
	}
	if why, until := d.hindrance(o); why != "" {
		d.wait(o, why, until)
		return
	}
	d.reserve(o)
}

// over is how a window ends of which nothing is at the station.
func (d *differ) over(o *reservation.Occurrence) reservation.Phase {
	switch {
	case o.Want == nil:
		return reservation.Canceled
	case o.EverHeld:
		return reservation.Ended
	}
	return reservation.Missed
}

// unasked is why nothing was ever asked for what was due, as far as it still shows
// when its window ends; "": it does not.
func (d *differ) unasked(o *reservation.Occurrence) reservation.Reason {
	_, own := d.ownTransaction(o)
	switch {
	case d.st.Paused.Stands(d.now):
		return reservation.BecausePaused
	case !d.st.Online():
		return reservation.BecauseOffline
	case d.st.Support == reservation.SupportNo:
		return reservation.BecauseUnsupported
	case d.foreignTransaction(o):
		return reservation.BecauseTaken
	case own:
		return reservation.BecauseOccupied
	case d.blocked(o):
		return reservation.BecauseBefore
	}
	return ""
}

// hindrance is why an occurrence that is due is not asked for at this moment.
func (d *differ) hindrance(o *reservation.Occurrence) (reservation.Reason, time.Time) {
	switch {
	case d.st.Support == reservation.SupportNo:
		return reservation.BecauseUnsupported, time.Time{}
	case d.foreignTransaction(o):
		return reservation.BecauseTaken, time.Time{}
	case d.awaitsStatus(o):
		return reservation.BecauseBooting, d.st.BootAt.Add(d.s.Patience)
	case d.blocked(o):
		return reservation.BecauseBefore, time.Time{}
	case d.unfreed(o):
		return o.Reason, o.Since.Add(d.s.Patience)
	case o.NoRetry:
		return o.Reason, time.Time{}
	case !o.RetryAt.IsZero() && !d.reached(o.RetryAt):
		return o.Reason, o.RetryAt
	}
	return "", time.Time{}
}

// awaitsStatus reports whether the target's first status after a boot is still
// to come. Coming after our Accepted, it would read as if the hold had vanished.
func (d *differ) awaitsStatus(o *reservation.Occurrence) bool {
	if !d.st.Online() || d.st.BootAt.IsZero() || !o.Want.Named() || d.st.EVSEStatus(o.Want.EVSE) != "" {
		return false
	}
	return !d.reached(d.st.BootAt.Add(d.s.Patience))
}

// unfreed reports whether the target of what the station dropped is still to be
// shown as Available. The two reports come in either order; before both are here
// the answer would be a refusal. A station that never says so is asked anyway.
func (d *differ) unfreed(o *reservation.Occurrence) bool {
	if o.Reason != reservation.BecauseRemoved || !d.st.Online() || !o.Want.Named() {
		return false
	}
	status := d.st.EVSEStatus(o.Want.EVSE)
	return status != "" && status != reservation.Available && !d.reached(o.Since.Add(d.s.Patience))
}

// blocked reports whether another one of ours is believed on the target EVSE of
// one that is nowhere yet.
func (d *differ) blocked(o *reservation.Occurrence) bool {
	if !o.Want.Named() {
		return false
	}
	if d.believed == nil {
		d.believed = make(map[int]bool, len(d.b.Occurrences))
		for _, x := range d.b.Occurrences {
			if x.ID != 0 {
				d.believed[x.Target().EVSE] = true
			}
		}
	}
	return d.believed[o.Want.EVSE]
}

// visitEnd ends what is held when its time is over. A minute is given to the
// station to say how it ended, unless the next one waits for the EVSE.
func (d *differ) visitEnd(o *reservation.Occurrence) (ended bool) {
	end := o.Expiry()
	if o.Want != nil && o.Want.Expiry.After(end) {
		return false // prolonged, and the station does not know
	}
	if !(d.reached(end) && d.awaited(o.Target().EVSE)) && !d.reached(end.Add(reservation.SkewAllowed)) {
		return false
	}
	shows := d.st.EVSEStatus(o.Target().EVSE) == reservation.Reserved
	switch {
	case d.st.Online() && (shows || !o.Target().Named()):
		d.cancel(o, reservation.Ended, reservation.BecauseOverdue)
	case d.st.Online():
		d.decide(o, reservation.Decision{Phase: reservation.Ended, DropID: true})
	default: // what it still shows is seen when it comes back
		d.decide(o, reservation.Decision{Phase: reservation.Ended})
	}
	return true
}

// visitLeftover cancels an id that is no longer wanted, until that is answered
// or has been pointless for a while. What ended unheard while its station was
// offline is cancelled only if the EVSE still shows it.
func (d *differ) visitLeftover(o *reservation.Occurrence, then reservation.Phase) {
	status := reservation.EVSEStatus("")
	if o.Target().Named() {
		status = d.st.EVSEStatus(o.Target().EVSE)
	}
	unheard := o.Phase == reservation.Ended && !o.MustCancel && o.Target().Named()
	limit := o.Expiry().Add(reservation.GiveUp)
	if status == reservation.Reserved || unheard && !d.st.Online() {
		limit = o.Expiry().Add(24 * time.Hour)
	}
	confirmed := unheard && d.st.Online() && status != "" && status != reservation.Reserved
	if confirmed || d.reached(limit) {
		dec := reservation.Decision{DropID: true}
		switch {
		case !o.Phase.Open():
		case then == "" && o.Want != nil && !d.reached(o.Want.Expiry):
			dec.Phase, dec.Reason = reservation.Pending, o.Reason // prolonged meanwhile: it is asked anew
		default:
			dec.Phase = cmp.Or(then, d.over(o))
		}
		d.decide(o, dec)
		return
	}
	if unheard && (!d.st.Online() || status == "") {
		return
	}
	d.cancel(o, then, o.Reason)
}

// visitForgotten leaves an id alone until it has expired at its station.
func (d *differ) visitForgotten(o *reservation.Occurrence) {
	if d.reached(o.Expiry()) {
		d.decide(o, reservation.Decision{DropID: true})
	}
}

// visitHeld is for what the station is believed to hold.
func (d *differ) visitHeld(o *reservation.Occurrence) {
	if d.visitEnd(o) {
		return
	}
	switch {
	case d.reached(o.Expiry()) && !o.Want.Expiry.After(o.Expiry()):
		// The minute of visitEnd is running.
	case d.reached(o.Expiry()), d.reached(o.Want.Expiry), o.Held.Target != o.Want.Target:
		d.cancel(o, "", reservation.BecauseChanged)
	case !o.Held.Equal(*o.Want):
		d.update(o)
	case !o.NoShowAt.IsZero() && d.st.Online() && d.reached(o.NoShowAt) && !d.inUse(o):
		d.cancel(o, reservation.NoShow, reservation.BecauseNoShow)
	}
}

// update asks for new content under the id that is held (H01.FR.02), or
// anew where the station is known to refuse that.
func (d *differ) update(o *reservation.Occurrence) {
	switch {
	case o.UpdateRefused != nil && o.UpdateRefused.Equal(*o.Want):
		d.wait(o, reservation.BecauseUpdate, time.Time{})
	case d.st.RefusesRepeat:
		d.cancel(o, "", reservation.BecauseChanged)
	default:
		d.reserve(o)
	}
}

// visitDoubt is for an id of which it is not known whether the station has it.
func (d *differ) visitDoubt(o *reservation.Occurrence) {
	asked := o.Asked
	if asked == nil {
		asked = o.Held
	}
	switch {
	case d.reached(o.Want.Expiry):
		d.visitLeftover(o, d.over(o))
	case d.reached(o.Expiry()), !asked.Equal(*o.Want):
		d.cancel(o, "", reservation.BecauseChanged)
	case d.vanished(o) && o.Lifecycle.OnRemoved == reservation.Report:
		d.cancel(o, reservation.Dropped, reservation.BecauseRemoved)
	case !o.RetryAt.IsZero() && !d.reached(o.RetryAt):
		d.wait(o, o.Reason, o.RetryAt)
	case d.foreignTransaction(o):
		d.wait(o, reservation.BecauseTaken, time.Time{})
	case d.inUse(o):
		d.wait(o, o.Reason, time.Time{})
	case d.unseen(o):
		d.wait(o, o.Reason, time.Time{})
	case d.st.RefusesRepeat:
		d.cancel(o, "", reservation.BecauseRepeat)
	default:
		d.reserve(o)
	}
}

// vanished reports whether the time is up for an explanation of an EVSE that
// is no longer Reserved.
func (d *differ) vanished(o *reservation.Occurrence) bool {
	why := o.Reason == reservation.BecauseVanished || o.Reason == reservation.BecauseFault
	return why && d.reached(o.RetryAt) && !d.inUse(o) && !d.foreignTransaction(o)
}

// unseen reports whether a named target's status after a boot is still to come.
func (d *differ) unseen(o *reservation.Occurrence) bool {
	if o.Reason != reservation.BecauseBoot || !o.Target().Named() || d.st.EVSEStatus(o.Target().EVSE) != "" {
		return false
	}
	return !d.reached(d.st.BootAt.Add(2 * d.s.Patience))
}

// inUse reports whether a car is at the target: what it means is not known yet.
func (d *differ) inUse(o *reservation.Occurrence) bool {
	return o.Target().Named() && d.st.EVSEStatus(o.Target().EVSE) == reservation.Occupied
}

// foreignTransaction reports whether somebody else charges at the target.
func (d *differ) foreignTransaction(o *reservation.Occurrence) bool {
	return o.Target().Named() && slices.ContainsFunc(d.st.Transactions, func(t reservation.OpenTransaction) bool {
		return t.EVSE == o.Target().EVSE && o.User(t.IDToken, t.GroupIDToken) == ""
	})
}

// ownTransaction is one of its own driver's at its target that has not ended.
func (d *differ) ownTransaction(o *reservation.Occurrence) (by reservation.Reason, open bool) {
	for _, t := range d.st.Transactions {
		if by := o.User(t.IDToken, t.GroupIDToken); by != "" && o.Target().Aims(t.EVSE) {
			return by, true
		}
	}
	return "", false
}
