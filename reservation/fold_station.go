package reservation

import (
	"slices"
	"time"
)

// connect makes the new socket the one that is spoken to.
func (f *folding) connect() {
	s := f.station()
	s.Connection = f.e.Connection
	s.Live = append(slices.Clone(s.Live), f.e.Connection)
	s.ConnectedAt, s.QueuedAt = f.e.At, time.Time{}
	s.ProbedAt, s.BootProbedAt = time.Time{}, time.Time{}
	if f.e.Link != nil {
		s.Protocol = f.e.Link.Protocol
	}
}

// resumeNoShow moves the deadlines of what is held by the time that the
// station was away: nobody could have seen the van arrive.
func (f *folding) resumeNoShow() {
	away := f.b.Station.OfflineAt
	if away.IsZero() || len(f.b.Station.Live) > 1 {
		return
	}
	f.each(func(o *Occurrence) {
		if o.NoShowAt.IsZero() || !o.Active() {
			return
		}
		from := o.NoShowAt.Add(-time.Duration(o.Activation.NoShowAfter))
		if away.After(from) {
			from = away
		}
		if d := f.e.At.Sub(from); d > 0 {
			f.edit(o).NoShowAt = o.NoShowAt.Add(d)
		}
	})
}

// disconnect takes one socket away. The late end of an old one must not make the
// station look offline, and if the newest dies first the old one is all there is.
func (f *folding) disconnect() {
	s := f.station()
	s.Live = slices.DeleteFunc(slices.Clone(s.Live), func(c int64) bool { return c == f.e.Connection })
	if len(s.Live) == 0 {
		s.OfflineAt = f.e.At
	} else if f.e.Connection == s.Connection {
		s.Connection = slices.Max(s.Live)
	}
	s.Strays = slices.DeleteFunc(slices.Clone(s.Strays), func(x Stray) bool {
		return f.e.At.After(x.Expiry.Add(GiveUp))
	})
}

// replaced: another station under the same identity holds nothing of ours.
func (f *folding) replaced() {
	old, boot := f.b.Station.Serial, f.e.Boot
	if boot.Assumed || boot.Serial == "" || old == "" || boot.Serial == old {
		return
	}
	s := f.station()
	s.ReplacedAt, s.RefusesRepeat, s.Support, s.Strays = f.e.At, false, SupportUnknown, nil
	f.each(func(o *Occurrence) {
		if o.ID != 0 {
			n := f.edit(o)
			n.gone(BecauseReplaced, f.e.At)
			n.fresh()
		}
	})
}

// boot remembers who the station is and that it may be spoken to. What it told
// of its EVSEs and transactions before is void.
func (f *folding) boot() {
	s, boot := f.station(), f.e.Boot
	s.BootAccepted = boot.Accepted
	if boot.Assumed {
		return
	}
	s.BootAt, s.StatusAt, s.ProbedAt = f.e.At, time.Time{}, time.Time{}
	s.Vendor, s.Model, s.Firmware = boot.Vendor, boot.Model, boot.Firmware
	if boot.Serial != "" {
		s.Serial = boot.Serial
	}
	s.Connectors, s.Transactions = nil, nil
}

// doubtAfterBoot: a station may have lost what it held, or say that it has
// and hold it still.
func (f *folding) doubtAfterBoot() {
	if f.e.Boot.Assumed {
		return
	}
	f.each(func(o *Occurrence) {
		if o.Phase == Held {
			n := f.edit(o)
			n.enter(Unsure, BecauseBoot, f.e.At)
			n.Seen = ""
			n.fresh()
		}
	})
}

// chanceAfterBoot: a boot is new evidence for whatever the station refused.
func (f *folding) chanceAfterBoot() {
	if f.b.Station.Support == SupportNo {
		f.station().Support = SupportUnknown
	}
	f.each(func(o *Occurrence) {
		if o.Phase.Open() && o.Reason != BecauseRefused && (o.NoRetry || !o.RetryAt.IsZero()) {
			f.edit(o).fresh()
		}
	})
}

// What is remembered of a station has bounds, for all of it is written with each
// change. No station has so many connectors, nor so many cars at them.
const (
	maxConnectors   = 1000
	maxTransactions = 500
)

// status remembers a connector. A repeated one changes nothing, so that it
// leaves no line.
func (f *folding) status() {
	if f.e.Queued {
		f.b.Station.QueuedAt = f.e.At
	}
	r := f.e.Status
	cs := f.b.Station.Connectors
	i := slices.IndexFunc(cs, func(c Connector) bool { return c.EVSE == r.EVSE && c.Connector == r.Connector })
	if i >= 0 && cs[i].Status == r.Status {
		return
	}
	if i < 0 && len(cs) >= maxConnectors {
		return
	}
	f.moved = true
	s := f.station()
	if s.StatusAt.IsZero() {
		s.StatusAt = f.e.At
	}
	s.Connectors = slices.Clone(cs)
	c := Connector{r.EVSE, r.Connector, r.Status, f.e.At}
	if i >= 0 {
		s.Connectors[i] = c
		return
	}
	s.Connectors = append(s.Connectors, c)
	sortConnectors(s.Connectors)
}

// news is the status that the event has given to an EVSE; ok is false where it
// only repeats what was known, or where another connector outweighs it.
func (f *folding) news() (evse int, status EVSEStatus, ok bool) {
	r := f.e.Status
	if !f.moved || r.EVSE == 0 {
		return 0, "", false
	}
	status = f.b.Station.EVSEStatus(r.EVSE)
	return r.EVSE, status, status == r.Status
}

// Aims reports whether what happens at the EVSE concerns the target.
func (t Target) Aims(evse int) bool { return !t.Named() || t.EVSE == evse }

// chanceAfterStatus: what waits for its target is asked for when the target
// becomes Available; what was rejected, when it changes at all. A station that
// drops what it holds, again and again, shows Available each time: that is no
// chance.
func (f *folding) chanceAfterStatus() {
	evse, status, ok := f.news()
	if !ok {
		return
	}
	f.each(func(o *Occurrence) {
		dropped := o.Reason == BecauseRemoved || o.Reason == BecauseEarly
		waits := o.Phase == Pending && (o.NoRetry || !o.RetryAt.IsZero()) && o.Reason != BecauseRefused && !dropped
		if waits && o.Want != nil && o.Want.Target.Aims(evse) && (status == Available || o.NoRetry) {
			f.edit(o).fresh()
		}
	})
}

// watched visits what is believed to be on an EVSE by name.
func (f *folding) watched(evse int, visit func(*Occurrence)) {
	f.each(func(o *Occurrence) {
		if o.ID != 0 && o.Held != nil && o.Held.EVSE == evse {
			visit(o)
		}
	})
}

// seenReserved: the doubt that a boot or a status raised, a status lays.
func (f *folding) seenReserved() {
	evse, status, ok := f.news()
	if !ok || status == Available {
		return
	}
	f.watched(evse, func(o *Occurrence) {
		doubt := o.Reason == BecauseBoot || o.Reason == BecauseVanished || o.Reason == BecauseFault
		switch {
		case o.Phase == Held:
			f.edit(o).Seen = status
		case o.Phase == Unsure && doubt && status == Reserved && !o.MustCancel && !f.blurred():
			n := f.edit(o)
			f.hold(n)
			n.Seen = status
			n.fresh()
		}
	})
}

// free is the EVSE that the event says is Available. Being told so again
// counts: the report that it was Reserved in between may have been lost.
func (f *folding) free() (evse int, ok bool) {
	r := f.e.Status
	return r.EVSE, r.EVSE != 0 && r.Status == Available && f.b.Station.EVSEStatus(r.EVSE) == Available
}

// seenAvailable: a hold that no longer shows may have been used, dropped, or
// may still be there. Nothing is asked before the driver has had time to plug
// in; after a fault there is no driver to wait for. What is no longer wanted is
// cancelled without waiting: no new id is asked for after it.
func (f *folding) seenAvailable() {
	evse, ok := f.free()
	if !ok {
		return
	}
	f.watched(evse, func(o *Occurrence) {
		if o.Phase != Held {
			return
		}
		n, why, wait := f.edit(o), BecauseVanished, ConnectionTimeOut
		if o.Seen == Faulted || o.Seen == Unavailable {
			why, wait = BecauseFault, FaultSettles
		}
		n.enter(Unsure, why, f.e.At)
		n.Seen = "" // what showed before says nothing any more
		if o.Want != nil || !o.MustCancel {
			n.RetryAt = f.e.At.Add(wait)
		}
	})
}

// availableAtExpiry is how a station without ReservationStatusUpdate says that
// the time is over (OCPP 1.6).
func (f *folding) availableAtExpiry() {
	evse, ok := f.free()
	if !ok {
		return
	}
	f.watched(evse, func(o *Occurrence) {
		if !f.early(o) && (o.Phase == Held || o.Phase == Unsure && o.Reason == BecauseVanished) {
			f.unused(f.edit(o))
		}
	})
}

// early reports whether the end of a hold came before its expiry by more than
// the difference between the clocks explains.
func (f *folding) early(o *Occurrence) bool {
	skew := f.b.Station.ClockSkew
	if skew < 0 {
		skew = 0 // a clock that is behind ends late, not early
	}
	return f.e.At.Before(o.Expiry().Add(-SkewAllowed - skew))
}
