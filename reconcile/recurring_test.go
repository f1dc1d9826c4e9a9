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

// nights is a schedule of every night but those on except, in Amsterdam; day is
// 13:00 there.
func nights(start, end string, except ...string) func(*reservation.Declaration) {
	return func(d *reservation.Declaration) {
		d.When = reservation.When{Schedule: &reservation.Schedule{TimeZone: "Europe/Amsterdam",
			Days: []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}, StartTime: start, EndTime: end, ExceptDates: except}}
	}
}

// settle lets time have settled what it has, as where a station is offline.
func (d *desk) settle(now time.Time) *desk {
	d.t.Helper()
	d.now = now
	ctl := &reconcile.Controller{Journal: d.mem, Settings: d.led.Settings, Now: d.mem.Now}
	if _, _, err := ctl.Settle(context.Background(), "S0"); err != nil {
		d.t.Fatal(err)
	}
	return d
}

// life is every occurrence of a station, in order.
func (d *desk) life() string {
	var out []string
	for _, o := range d.mem.Whole("S0").Occurrences {
		out = append(out, fmt.Sprintf("%s %s–%s %s", o.Address[len("reservation."):], o.Start.Format("2 15:04"), o.Window.Expiry.Format("2 15:04"), o.Phase))
	}
	return strings.Join(out, "\n")
}

func (d *desk) lives(want ...string) *desk {
	d.t.Helper()
	if got := d.life(); got != strings.Join(want, "\n") {
		d.t.Errorf("it lives\n%s\nnot\n%s", got, strings.Join(want, "\n"))
	}
	return d
}

func TestOneNightFollowsTheOther(t *testing.T) {
	d := newDesk(t).declare(van("a", nights("22:00", "06:00", "2026-11-23")))
	if got := lines(d.plan()); !strings.HasPrefix(got, "» a") {
		t.Errorf("planned: %s", got)
	}
	d.apply().lives("a 22 21:00–23 05:00 scheduled")
	night := day.Add(9 * time.Hour)
	d.settle(night).lives("a 22 21:00–23 05:00 scheduled", "a 24 21:00–25 05:00 scheduled") // the 23rd is excepted
	d.now = night
	d.hold("a")
	if p := d.plan(); len(p.Changes) != 0 || p.Summary.Unchanged != 1 {
		t.Errorf("unchanged: %+v", p.Summary)
	}
	// Its driver comes. What was tonight's stays over, whatever is edited; what follows is wanted as edited.
	d.used("reservation.a").lives("a 22 21:00–23 05:00 fulfilled", "a 24 21:00–25 05:00 scheduled")
	d.declare(van("a", nights("22:00", "07:00"), func(x *reservation.Declaration) { x.Activation.LeadTime = reservation.Duration(time.Hour) }))
	if got := lines(d.plan()); !strings.HasPrefix(got, "~ a") && !strings.HasPrefix(got, "» a") {
		t.Errorf("planned: %s", got)
	}
	d.apply().lives("a 22 21:00–23 05:00 fulfilled", "a 23 21:00–24 06:00 scheduled", "a 24 21:00–25 05:00 canceled")
	// Nobody looks for five days: what passed meanwhile was never begun.
	d.settle(day.Add(5*24*time.Hour)).lives("a 22 21:00–23 05:00 fulfilled", "a 23 21:00–24 06:00 missed", "a 24 21:00–25 05:00 canceled", "a 27 21:00–28 06:00 scheduled")
	d.declare().apply().lives("a 22 21:00–23 05:00 fulfilled", "a 23 21:00–24 06:00 missed", "a 24 21:00–25 05:00 canceled", "a 27 21:00–28 06:00 canceled")
}

// used lets the driver of an address come.
func (d *desk) used(address string) *desk {
	d.t.Helper()
	for _, o := range d.mem.Whole("S0").Occurrences {
		if o.Address != address || o.Phase != reservation.Held {
			continue
		}
		if _, err := d.mem.Append(context.Background(), reservation.Event{At: d.now, Kind: reservation.Transaction, StationID: "S0", ReservationID: o.ID,
			Transaction: &reservation.TransactionReport{ID: "tx", Type: "Started", EVSE: 1, IDToken: &o.Want.IDToken}}); err != nil {
			d.t.Fatal(err)
		}
	}
	return d
}

func TestANightThatIsHeldIsEdited(t *testing.T) {
	d := newDesk(t).declare(van("a", nights("22:00", "06:00"))).apply()
	d.settle(day.Add(10 * time.Hour))
	d.hold("a").declare(van("a", nights("22:00", "08:00")))
	p := d.plan()
	c := p.Changes[0]
	if c.Action != reconcile.Modify || !c.Held || c.Reason != "schedule" || c.Window.Expiry.Hour() != 7 || strings.Join(c.Codes, "") != "RC102" {
		t.Errorf("%+v", c)
	}
	d.apply().lives("a 22 21:00–23 07:00 reserved", "a 23 21:00–24 05:00 canceled")
	d.settle(d.now).lives("a 22 21:00–23 07:00 reserved", "a 23 21:00–24 07:00 scheduled")
	// A start that moves takes what is held along.
	d.declare(van("a", nights("22:30", "08:00"))).apply().lives("a 22 21:00–23 07:00 canceled", "a 22 21:30–23 07:00 reserved", "a 23 21:00–24 07:00 canceled")
	// Renamed, it is still held.
	d.want.Renames = []reconcile.Rename{{From: "reservation.a", To: "reservation.b"}}
	b := van("b", nights("22:30", "08:00"))
	b.IDToken.IDToken = "A"
	d.declare(b)
	if p := d.plan(); len(p.Changes) != 1 || !p.Changes[0].OnlyRenames {
		t.Errorf("%+v", p.Changes)
	}
	d.apply()
	if got := d.life(); !strings.Contains(got, "b 22 21:30–23 07:00 reserved") {
		t.Errorf("renamed:\n%s", got)
	}
}

func TestSchedulesFitOrNot(t *testing.T) {
	d := newDesk(t).declare(van("a", nights("22:00", "06:00")), van("b", nights("05:00", "07:00", "2026-11-24")))
	p := d.plan()
	if len(p.Findings) != 1 || p.Findings[0].Code != "RC201" || p.Findings[0].Times != 13 {
		t.Fatalf("%+v", p.Findings)
	}
	if f := p.Findings[0]; !strings.Contains(f.Summary+f.Detail, "05:00 Europe/Amsterdam (2026-11-23T04:00:00Z)") {
		t.Errorf("it does not say it in the schedule's zone: %s: %s", f.Summary, f.Detail)
	}
	// They are found among what is stored, too, and when another workspace is the other.
	d.declare(van("a", nights("22:00", "06:00"))).apply()
	other := van("b", nights("05:00", "07:00"))
	other.Workspace = "other"
	p, err := d.led.Plan(context.Background(), reconcile.Desired{Workspace: "other", Reservations: []reservation.Declaration{other}})
	if err != nil || len(p.Findings) != 1 || p.Findings[0].Times != 14 {
		t.Fatalf("%+v, %v", p.Findings, err)
	}
	if _, err := d.led.Propose(context.Background(), p, reconcile.ProposeOptions{}); err == nil {
		t.Error("it was stored all the same")
	}
}

func TestWhatClocksLeaveEmpty(t *testing.T) {
	d := newDesk(t)
	d.now = time.Date(2027, 3, 20, 12, 0, 0, 0, time.UTC)
	p := d.declare(van("a", nights("02:30", "03:15")), van("b", evse(2), nights("02:30", "03:15"))).plan()
	if len(p.Findings) != 1 || p.Findings[0].Code != "RC301" || !strings.Contains(p.Findings[0].Summary, "2027-03-28") || !strings.Contains(p.Findings[0].Detail, "1 more") {
		t.Errorf("%+v", p.Findings)
	}
	over := van("a")
	over.When = reservation.When{Schedule: &reservation.Schedule{TimeZone: "UTC", RRule: "FREQ=DAILY;UNTIL=20270301", StartTime: "22:00", EndTime: "23:00"}}
	if p := d.declare(over).plan(); len(p.Changes) != 0 || len(p.Findings) != 1 || p.Findings[0].Code != "RC302" {
		t.Errorf("%+v %+v", p.Changes, p.Findings)
	}
}

func TestANightMovesToAnotherStation(t *testing.T) {
	d := newDesk(t).declare(van("a", nights("22:00", "06:00"))).apply()
	d.settle(day.Add(10 * time.Hour))
	d.hold("a").declare(van("a", nights("22:00", "06:00"), at("S1")))
	if p := d.plan(); p.Changes[0].Action != reconcile.Relocate {
		t.Errorf("%+v", p.Changes)
	}
	d.apply().lives("a 22 21:00–23 05:00 reserved", "a 23 21:00–24 05:00 canceled")
	if o := d.mem.Whole("S1").Occurrences; len(o) != 1 || o[0].Recurs == nil || o[0].Move == nil {
		t.Errorf("%+v", o)
	}
	// One whose night is over begins there with the next.
	e := newDesk(t).declare(van("a", nights("22:00", "06:00"))).apply()
	e.settle(day.Add(10 * time.Hour))
	e.hold("a").used("reservation.a").declare(van("a", nights("22:00", "06:00"), at("S1"))).apply()
	for _, o := range e.mem.Whole("S1").Occurrences {
		if tonight := o.Start.Before(e.now); tonight == o.Phase.Open() {
			t.Errorf("%s of %s at the new station", o.Phase, o.Start)
		}
	}
}
