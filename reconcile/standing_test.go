package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// broken is what drift says of the proof.
func (d *desk) broken(l *reconcile.Ledger) string {
	d.t.Helper()
	all, err := l.Drift(context.Background(), 5*time.Minute)
	if err != nil {
		d.t.Fatal(err)
	}
	var text strings.Builder
	for _, x := range all {
		if x.Kind != reconcile.DriftProof {
			continue
		}
		fmt.Fprintf(&text, "%s in %s until %s, %d times, since %s ago:", x.StationID, x.Window.Start.Sub(d.now), x.Window.Expiry.Sub(d.now), x.Times, d.now.Sub(x.Since))
		for _, m := range x.Members {
			fmt.Fprintf(&text, " %s:%s", m.Workspace, strings.TrimPrefix(m.Address, "reservation."))
		}
		fmt.Fprintf(&text, " for EVSEs %v\n", x.EVSEs)
	}
	return text.String()
}

// anew is a ledger that remembers nothing: that of a command.
func (d *desk) anew() *reconcile.Ledger {
	return &reconcile.Ledger{Store: d.led.Store, Settings: d.led.Settings, Now: d.led.Now, Horizon: d.led.Horizon}
}

// shows has S0 report a status of an EVSE.
func (d *desk) shows(evse int) {
	d.t.Helper()
	e := reservation.Event{Kind: reservation.Status, StationID: "S0", Status: &reservation.StatusReport{EVSE: evse, Connector: 1, Status: reservation.Available}}
	if _, err := d.mem.Append(context.Background(), e); err != nil {
		d.t.Fatal(err)
	}
}

// TestAStationThatHasFewerEVSEs: what could not be proven is proven when the
// station has shown what it has, and what it has yet to show is waited for.
func TestAStationThatHasFewerEVSEs(t *testing.T) {
	d := newDesk(t).declare(van("a", anywhere), van("b", anywhere)).apply()
	d.other(van("c", anywhere))
	if got := d.broken(d.led) + d.broken(d.anew()); got != "" {
		t.Errorf("nothing is known of the station:\n%s", got)
	}
	d.now = d.now.Add(time.Hour)
	d.shows(1)
	if got := d.broken(d.led); got != "" || d.led.Conflicts(0) != 2 || d.led.Conflicts(time.Minute) != 0 {
		t.Errorf("it may have more, and %d conflicts:\n%s", d.led.Conflicts(0), got)
	}
	d.now = d.now.Add(5 * time.Minute)
	const both = "S0 in %s until 6h55m0s, 1 times, since %s ago: other:c w:a for EVSEs [1]\nS0 in %[1]s until 6h55m0s, 1 times, since %[2]s ago: other:c w:b for EVSEs [1]\n"
	if got := d.broken(d.led); got != fmt.Sprintf(both, "-5m0s", "5m0s") {
		t.Errorf("it has shown one for five minutes:\n%s", got)
	}
	if got := d.broken(d.anew()); got != fmt.Sprintf(both, "0s", "1h5m0s") {
		t.Errorf("a process that has just begun, since they are wanted:\n%s", got)
	}
	d.shows(2)
	if got := d.broken(d.led); got != "" || d.led.Conflicts(0) != 1 {
		t.Errorf("two are too few for three, which is news:\n%s, %d", got, d.led.Conflicts(0))
	}
	if got := d.broken(d.anew()); strings.Count(got, "\n") != 1 || !strings.Contains(got, "other:c w:a w:b for EVSEs [1 2]") {
		t.Errorf("two are too few for three:\n%s", got)
	}
	d.shows(3)
	if got := d.broken(d.led) + d.broken(d.anew()); got != "" || d.led.Conflicts(0) != 0 {
		t.Errorf("it has three:\n%s", got)
	}
}

// TestTheHorizonReachesAConflict that could be stored, as no proof looked so far.
func TestTheHorizonReachesAConflict(t *testing.T) {
	begins := day.Add(20 * 24 * time.Hour)
	d := newDesk(t).declare(van("a", from(begins), until(begins.Add(2*time.Hour))), van("b", from(begins.Add(time.Hour)), until(begins.Add(3*time.Hour)))).apply()
	for after, want := range map[time.Duration]string{
		0: "", 6 * 24 * time.Hour: "",
		6*24*time.Hour + 2*time.Hour:  "S0 in 335h0m0s until 336h0m0s, 1 times, since 1h0m0s ago: w:a w:b for EVSEs [1]\n",
		20*24*time.Hour + time.Hour:   "S0 in 0s until 1h0m0s, 1 times, since 336h0m0s ago: w:a w:b for EVSEs [1]\n",
		20*24*time.Hour + 2*time.Hour: "",
	} {
		d.now = day.Add(after)
		if got := d.broken(d.anew()); got != want {
			t.Errorf("after %s:\n%s", after, got)
		}
	}
}

// counting counts how often declarations are read.
type counting struct {
	reconcile.Store
	read int
}

func (c *counting) Wanted(ctx context.Context, workspace string, addresses ...string) ([]reservation.Wanted, error) {
	c.read += len(addresses)
	return c.Store.Wanted(ctx, workspace, addresses...)
}

// TestOnlyWhatChangedIsProvenAgain: another station, the same within the hour,
// and what an hour has made of it.
func TestOnlyWhatChangedIsProvenAgain(t *testing.T) {
	d := newDesk(t)
	nightly := func(address, station string) reservation.Declaration {
		return van(address, at(station), func(x *reservation.Declaration) {
			x.When = reservation.When{Schedule: &reservation.Schedule{TimeZone: "Europe/Amsterdam", Days: []string{"MO", "TU"}, StartTime: "22:00", EndTime: "06:00"}}
		})
	}
	d.declare(nightly("a", "S0"), nightly("b", "S1")).apply()
	c := &counting{Store: d.mem}
	l := &reconcile.Ledger{Store: c, Settings: d.led.Settings, Now: d.led.Now}
	for _, step := range []struct {
		what string
		do   func()
		want int
	}{
		{"at first", func() {}, 2},
		{"again", func() {}, 2},
		{"an EVSE more", func() { d.shows(1) }, 3},
		{"the same status again", func() { d.shows(1) }, 3},
		{"another declaration", func() { d.declare(nightly("a", "S0"), nightly("b", "S1"), nightly("c", "S2")).apply() }, 4},
		{"almost an hour later", func() { d.now = d.now.Add(reconcile.ProveEvery - time.Second) }, 4},
		{"an hour later", func() { d.now = d.now.Add(time.Second) }, 7},
	} {
		step.do()
		if err := l.Prove(context.Background()); err != nil || c.read != step.want {
			t.Errorf("%s: %d declarations have been read, and not %d (%v)", step.what, c.read, step.want, err)
		}
	}
}
