package reservation

import (
	"slices"
	"time"
)

// transaction remembers what is open, so that a driver who overstays into his
// next window is known, and learns the station's clock.
func (f *folding) transaction() {
	r := f.e.Transaction
	if f.e.Queued {
		f.b.Station.QueuedAt = f.e.At
	}
	f.clock()
	i := f.openTransaction()
	switch {
	case r.Type == "Ended":
		if i >= 0 {
			s := f.station()
			s.Transactions = slices.Delete(slices.Clone(s.Transactions), i, i+1)
		}
	case i < 0:
		s := f.station()
		known := s.Transactions // those that never end make room: the oldest is first
		known = slices.Clone(known[max(0, len(known)-maxTransactions+1):])
		s.Transactions = append(known, OpenTransaction{ID: r.ID, EVSE: r.EVSE,
			IDToken: r.IDToken, GroupIDToken: r.GroupIDToken, ReservationID: f.e.ReservationID, Since: f.e.At, Refused: r.Refused})
	default:
		f.completeTransaction(i)
	}
}

// completeTransaction adds what only a later event says: the token, where the
// transaction began at plug-in.
func (f *folding) completeTransaction(i int) {
	r, t := f.e.Transaction, f.b.Station.Transactions[i]
	if t.IDToken == nil && r.IDToken != nil {
		t.IDToken, t.GroupIDToken, t.Refused = r.IDToken, r.GroupIDToken, r.Refused
	}
	if t.EVSE == 0 {
		t.EVSE = r.EVSE
	}
	if t == f.b.Station.Transactions[i] {
		return
	}
	s := f.station()
	s.Transactions = slices.Clone(s.Transactions)
	s.Transactions[i] = t
}

func (f *folding) openTransaction() int {
	return slices.IndexFunc(f.b.Station.Transactions, func(t OpenTransaction) bool { return t.ID == f.e.Transaction.ID })
}

// clock learns how far the station's clock is from ours. Five seconds more or
// less are not worth a write.
func (f *folding) clock() {
	r := f.e.Transaction
	if r.Timestamp.IsZero() || f.e.Queued {
		return
	}
	skew := r.Timestamp.Sub(f.e.At)
	if d := skew - f.b.Station.ClockSkew; d > 5*time.Second || d < -5*time.Second {
		f.station().ClockSkew = skew
	}
}

// happened is when the transaction event took place, by our clock.
func (f *folding) happened() time.Time {
	r := f.e.Transaction
	if f.e.Queued && !r.Timestamp.IsZero() {
		return r.Timestamp.Add(-f.b.Station.ClockSkew)
	}
	return f.e.At
}

// User says who of those that may use the occurrence presented the token,
// BecauseHolder or BecauseGroup; "" where it is a stranger or unknown.
func (o *Occurrence) User(token, group *Token) Reason {
	if token == nil {
		return ""
	}
	for _, c := range []*Content{o.Held, o.Asked, o.Want} {
		switch {
		case c == nil:
		case c.IDToken.Same(*token):
			return BecauseHolder
		case c.GroupIDToken != nil && (group != nil && c.GroupIDToken.Same(*group) || c.GroupIDToken.Same(*token)):
			return BecauseGroup
		}
	}
	return ""
}

// usedByID: a transaction that names our id has used it, now or, reported late,
// before we gave it up.
func (f *folding) usedByID() {
	o := f.b.ByID(f.e.ReservationID)
	if o == nil || o.Phase == Fulfilled && o.ID == 0 {
		return
	}
	r := f.e.Transaction
	by := o.User(r.IDToken, r.GroupIDToken)
	if by == "" {
		by = BecauseHolder // the station let him in: it knows better
	}
	n := f.edit(o)
	if n.ID == f.e.ReservationID {
		n.drop()
	}
	f.count()
	f.use(n, by)
}

// count marks the transaction as one that has fulfilled something: it does so
// once by its token, however often it is reported.
func (f *folding) count() {
	if i := f.openTransaction(); i >= 0 {
		s := f.station()
		s.Transactions = slices.Clone(s.Transactions)
		s.Transactions[i].Counted = true
	}
}

// usedByToken: many stations leave the reservation id out.
func (f *folding) usedByToken() {
	r := f.e.Transaction
	if i := f.openTransaction(); i >= 0 && f.b.Station.Transactions[i].Counted || f.b.ByID(f.e.ReservationID) != nil {
		return
	}
	at := f.happened()
	var best *Occurrence
	var by Reason
	for _, o := range f.b.Occurrences {
		who := o.User(r.IDToken, r.GroupIDToken)
		there := o.Phase.Open() || o.Phase == Forgotten && o.ID != 0
		ahead := o.Phase == Scheduled && o.Due.After(f.e.At) // it is not in a loop's book yet
		if who == "" || !there || ahead || !o.Target().Aims(r.EVSE) || !o.during(at) {
			continue
		}
		// One transaction uses one reservation: what the station holds before
		// what it does not, the holder's before the group's, the named target
		// before any.
		if best == nil || o.claim(who) > best.claim(by) {
			best, by = o, who
		}
	}
	if best != nil {
		f.count()
		f.use(f.edit(best), by)
	}
}

// during reports whether a use at that time is a use of the occurrence: in its
// window, or before it where the station may hold it already.
func (o *Occurrence) during(at time.Time) bool {
	return at.Before(o.Expiry().Add(SkewAllowed)) && (!at.Before(o.Start) || o.ID != 0)
}

func (o *Occurrence) claim(by Reason) (rank int) {
	if o.Phase == Held {
		rank += 8
	}
	if o.ID != 0 {
		rank += 4
	}
	if by == BecauseHolder {
		rank += 2
	}
	if o.Target().Named() {
		rank++
	}
	return rank
}

// use ends the occurrence, or begins it again where on_used says so. An id that
// the transaction did not name may still be at the station and is cancelled;
// that never touches the charging itself.
func (f *folding) use(n *Occurrence, by Reason) {
	if n.Phase == Forgotten {
		n.drop() // nobody cancels it
	}
	n.MustCancel = n.ID != 0
	n.fresh()
	if n.Move != nil {
		f.cascade = append(f.cascade, Event{At: f.e.At, Kind: Superseded, StationID: n.Move.other(f.e.StationID),
			Workspace: n.Workspace, Address: n.Address, Start: n.Move.Start})
		n.Move = n.Move.done()
	}
	if n.Lifecycle.OnUsed == HoldAgain && n.Want != nil && n.Phase.Open() {
		n.Then = ""
		n.enter(Pending, BecauseOccupied, f.e.At)
		n.later(f.e.At)
		return
	}
	n.Then = Fulfilled
	n.enter(Fulfilled, by, f.e.At)
}

// taken: with a stranger's car on the target nothing is held for our driver,
// whatever became of the id.
func (f *folding) taken() {
	r := f.e.Transaction
	if r.IDToken == nil || r.Type == "Ended" {
		return
	}
	f.watched(r.EVSE, func(o *Occurrence) {
		if o.Phase == Held && o.User(r.IDToken, r.GroupIDToken) == "" {
			n := f.edit(o)
			n.enter(Pending, BecauseTaken, f.e.At)
			n.fresh()
		}
	})
}

// reportedOn is the occurrence whose live id a ReservationStatusUpdate names.
func (f *folding) reportedOn(u UpdateStatus) *Occurrence {
	if o := f.b.ByID(f.e.ReservationID); f.e.Update == u && o != nil && o.ID == f.e.ReservationID {
		return o
	}
	return nil
}

// expired: it was held to its end and nobody came. A report that comes after
// we gave up waiting still confirms it.
func (f *folding) expired() {
	if o := f.reportedOn(Expired); o != nil {
		if !f.early(o) {
			f.unused(f.edit(o))
		}
		return
	}
	if o := f.b.ByID(f.e.ReservationID); f.e.Update == Expired && o != nil && o.Phase == Ended && o.ID == 0 {
		f.edit(o).enter(NoShow, "", f.e.At)
	}
}

// unused ends an occurrence whose time is over at the station. If the wish was
// prolonged meanwhile and the station does not know, it is asked for again; that
// by its clock an unchanged one has ended before ours says so is no such wish.
func (f *folding) unused(n *Occurrence) {
	prolonged := n.Want != nil && n.Want.Expiry.After(n.Expiry()) && n.Want.Expiry.After(f.e.At.Add(SkewAllowed))
	if (n.Phase.Open() || n.Phase == Ended) && n.Then == "" && !prolonged {
		n.Then = NoShow
	}
	if prolonged {
		n.fresh()
		n.gone(BecauseChanged, f.e.At)
		return
	}
	n.gone("", f.e.At)
}

// expiredEarly: the station's clock does not explain it, so the hold is lost
// as if it had been removed.
func (f *folding) expiredEarly() {
	if o := f.reportedOn(Expired); o != nil && f.early(o) {
		f.lost(o, BecauseEarly)
	}
}

// removed: the station dropped it, for a fault or by hand.
func (f *folding) removed() {
	if o := f.reportedOn(Removed); o != nil {
		f.lost(o, BecauseRemoved)
	}
}

// lost ends the id. What is still wanted is asked for again at once, and from
// the second time on with back-off.
func (f *folding) lost(o *Occurrence, why Reason) {
	n := f.edit(o)
	if n.Want != nil && n.Then == "" && n.Lifecycle.OnRemoved == Report {
		n.Then = Dropped
	}
	n.gone(why, f.e.At)
	n.Heals++
	n.fresh()
	if n.Heals > 1 {
		n.Attempts = min(n.Heals-2, 6)
		n.later(f.e.At)
	}
}
