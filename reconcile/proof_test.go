package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// declared is a station block for S0 with so many EVSEs.
func declared(workspace string, evses int) reservation.StationDeclaration {
	s := reservation.StationDeclaration{Address: "station.s", Workspace: workspace, ID: "S0"}
	for i := range evses {
		s.EVSEs = append(s.EVSEs, reservation.EVSE{ID: i + 1, ConnectorTypes: []string{"cCCS2"}})
	}
	return s
}

func anywhere(d *reservation.Declaration) { d.EVSE = 0 }

func stands(line string) func(*reservation.Declaration) {
	return func(d *reservation.Declaration) { d.Source = line }
}

func (d *desk) stations(list ...reservation.StationDeclaration) *desk {
	d.want.Stations = list
	return d
}

// findings are a plan's, in full.
func findings(p *reconcile.Plan) string {
	var b strings.Builder
	for _, f := range p.Findings {
		fmt.Fprintf(&b, "%s %s %s %s\n%s\n%s\n", f.Severity, f.Code, f.Address, f.Range, f.Summary, f.Detail)
	}
	return b.String()
}

func TestWhatAFindingSays(t *testing.T) {
	hour := time.Hour
	for _, c := range []struct {
		name   string
		others []reservation.Declaration
		mine   []reservation.Declaration
		want   string
	}{
		{"two on one EVSE", nil, []reservation.Declaration{van("a", stands("x.hcl:1")), van("b", from(day.Add(hour)), stands("x.hcl:9"))}, `
error RC201 reservation.b x.hcl:9
S0 EVSE 1 is wanted twice at 2026-11-22T13:00:00Z
An EVSE holds one reservation. These overlap
until 2026-11-22T20:00:00Z:
  reservation.a (EVSE 1, x.hcl:1)
  reservation.b (EVSE 1, x.hcl:9)
Change the EVSE or a window of any one of them.
`},
		{"too many, with one of another workspace", []reservation.Declaration{van("z", anywhere, stands("secret.hcl:1"))},
			[]reservation.Declaration{van("a", anywhere, stands("x.hcl:1")), van("b", stands("x.hcl:9"))}, `
error RC202 reservation.a x.hcl:1
S0 has 2 EVSEs for 3 reservations at 2026-11-22T12:00:00Z
These overlap until 2026-11-22T20:00:00Z,
and only EVSEs 1 and 2 would do:
  reservation.z of workspace "other"
  reservation.a (any EVSE, x.hcl:1)
  reservation.b (EVSE 1, x.hcl:9)
Change the window, the station or the EVSE of any one of them.
`},
		{"no EVSE with the type", nil, []reservation.Declaration{van("a", anywhere, func(d *reservation.Declaration) { d.ConnectorType = "cTesla" })}, `
error RC202 reservation.a 
S0 has no EVSE for a reservation at 2026-11-22T12:00:00Z
None of its EVSEs has this connector type:
  reservation.a (any EVSE with cTesla)
Change the connector type or the station.
`},
		{"a change of EVSE", nil, []reservation.Declaration{van("a", until(day.Add(3*hour))), van("b", evse(2), from(day.Add(4*hour))),
			van("c", anywhere, from(day.Add(2*hour)), until(day.Add(5*hour)))}, `
warning RC203 reservation.c 
S0: not each can keep one EVSE from 2026-11-22T14:00:00Z
At every instant there is an EVSE for each of these,
but not the same one for the whole of each window:
  reservation.a (EVSE 1)
  reservation.b (EVSE 2)
  reservation.c (any EVSE)
Name other EVSEs, or change the window or the station of any one of them.
`},
		{"a station of which nothing is known", nil, []reservation.Declaration{van("a", at("S9"), anywhere), van("b", at("S9"), anywhere)}, `
warning RC204 reservation.b 
S9: it cannot be proven that everything fits
Its EVSEs are neither declared nor reported,
and others are wanted at the same time as:
  reservation.a (any EVSE)
  reservation.b (any EVSE)
Declare its evse blocks in a station block, or let it connect once.
`},
		{"an EVSE that another workspace does not declare", nil, []reservation.Declaration{van("a", evse(7))}, `
warning RC205 reservation.a 
S0 has no EVSE 7
It is known to have EVSEs 1 and 2. Check the number; the station would refuse it.
`},
		{"others among themselves", []reservation.Declaration{van("y", at("S9"), anywhere), van("z", at("S9"), anywhere)}, []reservation.Declaration{van("a")}, "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.as("other", []reservation.StationDeclaration{declared("other", 2)}, c.others...)
			if got := "\n" + findings(d.declare(c.mine...).plan()); got != c.want {
				t.Errorf("told:%swant:%s", got, c.want)
			}
		})
	}
}

// as applies a whole configuration as another workspace.
func (d *desk) as(workspace string, stations []reservation.StationDeclaration, list ...reservation.Declaration) {
	d.t.Helper()
	for i := range list {
		list[i].Workspace = workspace
	}
	p, err := d.led.Plan(context.Background(), reconcile.Desired{Workspace: workspace, Stations: stations, Reservations: list})
	if err == nil {
		_, err = d.led.Propose(context.Background(), p, reconcile.ProposeOptions{})
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestAStationThatLosesAnEVSE(t *testing.T) {
	d := newDesk(t).stations(declared("w", 2))
	d.apply()
	d.as("other", nil, van("y", anywhere), van("z", anywhere))
	p := d.stations(declared("w", 1)).plan()
	if got := lines(p); got != "~ station.s [] \nerror RC202 station.s\n" {
		t.Errorf("two of another workspace need both EVSEs, and one goes:\n%s", got)
	}
	if _, err := d.led.Propose(context.Background(), p, reconcile.ProposeOptions{}); !errors.As(err, new(*reconcile.StaleError)) {
		t.Errorf("proposing it nevertheless: %v", err)
	}
}

func TestReportedEVSEsCount(t *testing.T) {
	d := newDesk(t).declare(van("a", anywhere), van("b", anywhere))
	if p := d.plan(); p.Unproven != 1 || p.Errors() != 0 {
		t.Errorf("nothing is known of the station: %s", lines(p))
	}
	status := func(evse int) {
		e := reservation.Event{Kind: reservation.Status, StationID: "S0", Status: &reservation.StatusReport{EVSE: evse, Connector: 1, Status: reservation.Available}}
		if _, err := d.mem.Append(context.Background(), e); err != nil {
			t.Fatal(err)
		}
	}
	status(1)
	if p := d.plan(); p.Unproven != 0 || p.Errors() != 1 {
		t.Errorf("one EVSE is reported: %s", lines(p))
	}
	status(2)
	if p := d.plan(); p.Unproven != 0 || len(p.Findings) != 0 {
		t.Errorf("two EVSEs are reported: %s", lines(p))
	}
}

func TestTheHorizon(t *testing.T) {
	late := from(day.Add(20 * 24 * time.Hour))
	end := until(day.Add(21 * 24 * time.Hour))
	d := newDesk(t).declare(van("a", late, end), van("b", late, end))
	near := d.plan()
	if near.Errors() != 0 || !near.FitsUntil.Equal(day.Add(reconcile.Horizon)) {
		t.Errorf("both begin after the horizon: %s", lines(near))
	}
	d.want.Choice.Horizon = 30 * 24 * time.Hour
	far := d.plan()
	if far.Errors() != 1 || far.Digest != near.Digest {
		t.Errorf("both begin before the horizon: %s; the digests are %s and %s", lines(far), near.Digest, far.Digest)
	}
	d.want.Choice.Horizon, d.led.Horizon = 0, 30*24*time.Hour
	if p := d.plan(); p.Errors() != 1 {
		t.Errorf("the ledger looks as far where the plan does not say: %s", lines(p))
	}
	d.want.Choice.Horizon, d.led.Horizon = 30*24*time.Hour, 0
	d.declare(van("a", late, end))
	p := d.plan()
	d.want.Choice.Horizon = 0
	d.other(van("x", late, end))
	if _, err := d.led.Propose(context.Background(), p, reconcile.ProposeOptions{}); !errors.As(err, new(*reconcile.StaleError)) {
		t.Errorf("what is proposed is proven again for the horizon of its plan: %v", err)
	}
}

func TestManyFindingsAreCounted(t *testing.T) {
	var list []reservation.Declaration
	for s := range 150 {
		list = append(list, van(fmt.Sprintf("a%03d", s), at(fmt.Sprint("T", s))), van(fmt.Sprintf("b%03d", s), at(fmt.Sprint("T", s))))
	}
	p := newDesk(t).declare(list...).plan()
	if last := p.Findings[len(p.Findings)-1]; len(p.Findings) != 101 || last.Summary != "50 more like the 100 above" || last.Severity != reconcile.Error {
		t.Errorf("%d findings, the last is %+v", len(p.Findings), last)
	}
}

// TestThePlanDoesNotDependOnTheOrder: neither of what is declared nor of what
// is stored.
func TestThePlanDoesNotDependOnTheOrder(t *testing.T) {
	var list []reservation.Declaration
	for i := range 30 {
		list = append(list, van(fmt.Sprintf("r%02d", i), func(d *reservation.Declaration) {
			d.EVSE = i % 4
			d.When.Start = day.Add(time.Duration(i%5) * time.Hour)
			d.When.Expiry = d.When.Start.Add(time.Duration(1+i%3) * time.Hour)
		}))
	}
	first := findings(newDesk(t).stations(declared("w", 3)).declare(list...).plan())
	slices.Reverse(list)
	if again := findings(newDesk(t).stations(declared("w", 3)).declare(list...).plan()); again != first || !strings.Contains(first, "RC202") {
		t.Errorf("told:\n%s\nin another order:\n%s", first, again)
	}
}
