package main

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// conclude tells how it ended.
func (a *applying) conclude(ctx context.Context, f *follower, interrupted bool, failed error) error {
	state, err := a.ledger.Read(ctx)
	if err != nil {
		return errors.Join(failed, err)
	}
	o := &a.outcome
	o.place, o.Waited, o.Interrupted, o.served = a.plan.place, a.wait, interrupted, a.place == nil
	if o.Unsettled, err = f.left(ctx); err != nil {
		return errors.Join(failed, err)
	}
	if len(o.Unsettled) > 0 && a.place != nil && a.listen != "" && !f.met {
		o.dial = dialled(a.place.listener.Addr(), o.Unsettled[0].StationID)
	}
	o.tally(a.plan.Plan, state.Entries, time.Now())
	if failed != nil {
		o.Error = failed.Error()
	}
	a.view.Outcome(o)
	switch {
	case failed != nil:
		return failed
	case len(o.Unsettled) > 0 && !o.NotAwaited:
		return exit(exitUnsettled)
	}
	return nil
}

// dialled is the URL at which a station finds an address. HOST stands for a
// name of this machine, where any will do.
func dialled(at net.Addr, station string) string {
	host, port, err := net.SplitHostPort(at.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		host = "HOST"
	}
	return "ws://" + net.JoinHostPort(host, port) + "/" + url.PathEscape(station)
}

// tally counts what came of the changes, and how things stand.
func (o *outcome) tally(p *reconcile.Plan, entries []reservation.Entry, now time.Time) {
	wanted, left := map[string]reservation.Entry{}, map[string]bool{}
	for _, e := range entries {
		if e.Workspace != p.Workspace {
			continue
		}
		if !e.Wanted() {
			left[e.Address] = left[e.Address] || e.Phase != reservation.Forgotten
			continue
		}
		wanted[e.Address] = e
		if e.HeldNow() && e.Window.Expiry.After(now) {
			o.Reserved++
		}
		if e.Phase == reservation.Scheduled && e.Window.Start.After(now) {
			o.Later++
			if o.Next.IsZero() || e.Window.Start.Before(o.Next) {
				o.Next = e.Window.Start
			}
		}
	}
	o.Changed = map[string]int{}
	if !o.Stored {
		return
	}
	for _, u := range o.Unsettled {
		left[u.Address] = true
	}
	for i := range p.Changes {
		if c := &p.Changes[i]; !left[c.Address] {
			o.Changed[came(c, wanted[c.Address])]++
		}
	}
}

// came says in a word what came of a change that has settled.
func came(c *reconcile.Change, e reservation.Entry) string {
	switch {
	case c.Setting():
		return "settings"
	case c.Action == reconcile.Cancel:
		return "canceled"
	case c.Action == reconcile.Forget:
		return "forgotten"
	case e.Phase == reservation.Fulfilled:
		return "used"
	case !e.Phase.Open():
		return "ended"
	case c.Action == reconcile.Modify:
		return "updated"
	case c.Action == reconcile.Replace:
		return "replaced"
	case c.Action == reconcile.Relocate:
		return "moved"
	case e.HeldNow():
		return "reserved"
	}
	return "scheduled"
}
