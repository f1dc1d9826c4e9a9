package reconcile

import (
	"time"

	"github.com/resctl/resctl/reservation"
)

// speak withholds the calls while the station is not to be spoken to, and asks
// for what is missing before it may be.
func (d *differ) speak() {
	if len(d.calls) == 0 {
		return
	}
	why, until, probe := d.silence()
	if why == "" {
		return
	}
	for _, a := range d.calls {
		if o := d.b.Find(a.Key); o != nil && o.Phase.Open() {
			d.wait(o, why, until)
		}
	}
	d.calls = d.calls[:0]
	if probe != nil {
		d.calls = append(d.calls, *probe)
	}
}

// silence says why nothing is asked of the station now, until when at most, and
// what would end it.
func (d *differ) silence() (why reservation.Reason, until time.Time, probe *Action) {
	if p := d.st.Paused; p != nil && (p.Until.IsZero() || !d.reached(p.Until)) {
		return reservation.BecausePaused, p.Until, nil
	}
	if !d.st.Online() {
		return reservation.BecauseOffline, time.Time{}, nil
	}
	if quiet := d.quietAt(); !d.reached(quiet) {
		return reservation.BecauseBooting, quiet, nil
	}
	if !d.st.BootAccepted {
		until, probe = d.awaitBoot()
		return reservation.BecauseBooting, until, probe
	}
	if d.st.BootAt.IsZero() || !d.st.StatusAt.IsZero() {
		return "", time.Time{}, nil
	}
	if until, probe = d.awaitStatus(); !until.IsZero() || probe != nil {
		return reservation.BecauseBooting, until, probe
	}
	return "", time.Time{}, nil
}

// quietAt is when the station's queue counts as empty: what it kept while it
// was offline may tell that a reservation has been used.
func (d *differ) quietAt() time.Time {
	last := d.st.ConnectedAt
	if d.st.QueuedAt.After(last) {
		last = d.st.QueuedAt
	}
	at := last.Add(d.s.QuietPeriod)
	if latest := d.st.ConnectedAt.Add(d.s.QuietMax); at.After(latest) {
		return latest
	}
	return at
}

// awaitBoot waits for a boot, then asks for one, then does without.
func (d *differ) awaitBoot() (until time.Time, probe *Action) {
	if d.st.BootProbedAt.IsZero() {
		if at := d.st.ConnectedAt.Add(d.s.Patience); !d.reached(at) {
			return at, nil
		}
		return time.Time{}, &Action{Call: &reservation.Call{Kind: reservation.ProbeBoot}}
	}
	if at := d.st.BootProbedAt.Add(d.s.Patience); !d.reached(at) {
		return at, nil
	}
	d.work.Actions = append(d.work.Actions, Action{AssumeBoot: true})
	return time.Time{}, nil
}

// awaitStatus does the same for the first status after a boot.
func (d *differ) awaitStatus() (until time.Time, probe *Action) {
	if d.st.ProbedAt.IsZero() {
		if at := d.st.BootAt.Add(d.s.Patience); !d.reached(at) {
			return at, nil
		}
		return time.Time{}, &Action{Call: &reservation.Call{Kind: reservation.ProbeStatus, EVSE: d.someEVSE()}}
	}
	if at := d.st.ProbedAt.Add(d.s.Patience); !d.reached(at) {
		return at, nil
	}
	return time.Time{}, nil
}

// someEVSE is one that a call is about; 1 where none is named.
func (d *differ) someEVSE() int {
	for _, o := range d.b.Occurrences {
		if t := o.Target(); t.Named() {
			return t.EVSE
		}
	}
	return 1
}
