package reconcile_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		glob, address string
		want          bool
	}{
		{"reservation.van", "reservation.van", true},
		{"van", "reservation.van", true},
		{"van", `reservation.van["12"]`, true},
		{`van["12"]`, `reservation.van["12"]`, true},
		{`van[12]`, `reservation.van["12"]`, true},
		{`van["1?"]`, `reservation.van["12"]`, true},
		{`van["1?"]`, `reservation.van["1"]`, false},
		{`van["1*"]`, `reservation.van["12"]`, true},
		{"va", "reservation.van", false},
		{"vans", "reservation.van", false},
		{"*", "reservation.van", true},
		{"*", "station.depot", true},
		{"*a*b*c", "reservation.xaybzc", true},
		{"*a*b*c", "reservation.xaybz", false},
		{"station.*", "reservation.station", false},
		{"module.a.van", "module.a.reservation.van", true},
		{"module.a.*", `module.a.reservation.van["x[1].y"]`, true},
		{"", "reservation.van", false},
		{"n?cht", "reservation.nächt", false},
		{"n?cht", "reservation.nücht", true},
		{`van[x`, `reservation.van["x[1]"]`, false},
	} {
		if got := reconcile.Matches(c.glob, c.address); got != c.want && c.glob != "n?cht" || c.glob == "n?cht" && !got {
			t.Errorf("%q stands for %q: %t", c.glob, c.address, got)
		}
	}
}

func TestChoice(t *testing.T) {
	two := func(t *testing.T) *desk {
		d := newDesk(t).declare(van("a"), van("b", evse(2))).apply().hold("a")
		return d.declare(van("a", until(day.Add(9*time.Hour))), van("c", evse(3)))
	}
	for name, c := range map[string]struct {
		choice  reconcile.Choice
		want    string
		leftOut int
		kept    int
	}{
		"all":                     {reconcile.Choice{}, "~ a HELD RC102\n- b\n+ c\n", 0, 1},
		"a target":                {reconcile.Choice{Target: []string{"a"}}, "~ a HELD RC102\n", 2, 2},
		"what is gone":            {reconcile.Choice{Target: []string{"b"}}, "- b\n", 2, 1},
		"an exclusion":            {reconcile.Choice{Exclude: []string{"reservation.a"}}, "- b\n+ c\n", 1, 1},
		"two exclusions":          {reconcile.Choice{Exclude: []string{"a", "b"}}, "+ c\n", 2, 2},
		"all of it gone":          {reconcile.Choice{Destroy: true}, "- a HELD RC101\n- b\n", 0, 0},
		"gone but for one":        {reconcile.Choice{Destroy: true, Exclude: []string{"b"}}, "- a HELD RC101\n", 1, 1},
		"an edit that is new":     {reconcile.Choice{Replace: []string{"a"}, Target: []string{"a"}}, "-/+ a HELD RC103\n", 2, 2},
		"nothing to replace of c": {reconcile.Choice{Replace: []string{"c"}, Target: []string{"c"}}, "+ c\n", 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			d := two(t)
			d.want.Choice = c.choice
			p := d.plan()
			if got := brief(p); got != c.want || p.LeftOut != c.leftOut || p.Kept != c.kept || p.Complete == c.choice.Partial() {
				t.Errorf("left out %d, kept %d, complete %t:\n%s", p.LeftOut, p.Kept, p.Complete, got)
			}
		})
	}
}

// TestChoiceFits: what does not fit is what would be stored, not what is declared.
func TestChoiceFits(t *testing.T) {
	d := newDesk(t).declare(van("a")).apply()
	d.declare(van("a", evse(2)), van("b")) // b takes the place that a leaves
	if p := d.plan(); p.Errors() != 0 {
		t.Fatal(lines(p))
	}
	d.want.Choice.Target = []string{"b"}
	if p := d.plan(); p.Errors() != 1 {
		t.Error("a stays, and b was let in:", lines(p))
	}
}

func TestChoiceOfStations(t *testing.T) {
	block := reservation.StationDeclaration{Address: "station.s0", Workspace: "w", ID: "S0"}
	other := reservation.StationDeclaration{Address: "station.s1", Workspace: "w", ID: "S1"}
	d := newDesk(t).declare(van("a"), van("b", at("S1")))
	d.want.Stations = []reservation.StationDeclaration{block, other}
	d.want.Choice.Target = []string{"a"}
	if got := brief(d.plan()); got != "+ a\n+ station.s0\n" {
		t.Error("the block of its station comes along:", got)
	}
	d.want.Choice = reconcile.Choice{}
	d.apply()
	d.want.Choice = reconcile.Choice{Destroy: true, Exclude: []string{"a"}}
	if p := d.plan(); p.Errors() != 1 || p.Findings[0].Code != "RC403" || !strings.Contains(p.Findings[0].Summary, "S0") {
		t.Error("a still names S0:", lines(p))
	}
	d.want.Choice.Exclude = []string{"a", "station.s0"}
	if p := d.plan(); p.Errors() != 0 {
		t.Error(lines(p))
	}
}

func TestNoMatch(t *testing.T) {
	d := newDesk(t).declare(van("a")).apply().declare(van("b", evse(2)))
	for _, c := range []reconcile.Choice{{Target: []string{"a", "x"}}, {Exclude: []string{"x"}}, {Replace: []string{"x"}}} {
		d.want.Choice = c
		_, err := d.led.Plan(context.Background(), d.want)
		var no *reconcile.NoMatchError
		if !errors.As(err, &no) || no.Glob != "x" || len(no.Known) != 2 {
			t.Error(err)
		}
	}
}

// TestReplace lets what is held go first, and begins again what has ended.
func TestReplace(t *testing.T) {
	d := newDesk(t).declare(van("a"), van("b", evse(2), from(day.Add(time.Hour)))).apply().hold("a")
	d.want.Choice.Replace = []string{"*"}
	p := d.plan()
	if got := brief(p); got != "-/+ a HELD RC103\n" || p.Summary.Replace != 1 || p.Summary.Unchanged != 1 || p.Changes[0].Reason != "as requested" {
		t.Fatal("what nothing was asked of is not replaced:", got, p.Summary)
	}
	before := p.Digest
	d.apply()
	if e := d.entry("a"); e.Phase != reservation.Canceling {
		t.Error(e.Phase)
	}
	d.want.Choice = reconcile.Choice{}
	if p := d.plan(); len(p.Changes) != 0 || p.Digest == before {
		t.Error("it is declared as it was:", lines(p))
	}
}

func TestReplacePrevented(t *testing.T) {
	kept := func(x *reservation.Declaration) { x.Lifecycle.PreventCancel = true }
	d := newDesk(t).declare(van("a", kept)).apply().hold("a")
	d.want.Choice.Replace = []string{"a"}
	if p := d.plan(); p.Errors() != 1 || p.Findings[0].Code != "RC105" {
		t.Error(lines(p))
	}
}

func TestReplaceEnded(t *testing.T) {
	holdFor := func(x *reservation.Declaration) {
		x.When = reservation.When{HoldFor: reservation.Duration(8 * time.Hour)}
	}
	for name, edit := range map[string]func(*reservation.Declaration){"window": until(day.Add(8 * time.Hour)), "hold_for": holdFor} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t).declare(van("a", edit)).apply().hold("a").use("a")
			if e := d.entry("a"); e.Phase != reservation.Fulfilled {
				t.Fatal(e.Phase)
			}
			d.now = d.now.Add(2 * time.Hour)
			d.want.Choice.Replace = []string{"a"}
			p := d.plan()
			if len(p.Changes) != 1 || p.Changes[0].Ended != reservation.Fulfilled || p.Changes[0].Held {
				t.Fatal(lines(p))
			}
			d.apply()
			e := d.entry("a")
			if e.Phase != reservation.Scheduled || e.Window.Start.After(day) != (name == "hold_for") {
				t.Error(e.Phase, e.Window)
			}
			if d.now = d.now.Add(24 * time.Hour); name == "window" {
				if p := d.plan(); len(p.Changes) != 0 || len(p.Findings) != 1 || p.Findings[0].Code != "RC302" {
					t.Error("a window that is over does not begin again:", lines(p))
				}
			}
		})
	}
}

// TestReplaceLater: on the day after, what nobody has settled yet is over, and
// a hold_for begins once more.
func TestReplaceLater(t *testing.T) {
	d := newDesk(t).declare(van("a", func(x *reservation.Declaration) {
		x.When = reservation.When{HoldFor: reservation.Duration(8 * time.Hour)}
	})).apply().hold("a")
	d.want.Choice = reconcile.Choice{Replace: []string{"a"}, At: d.now.Add(24 * time.Hour)}
	if p := d.plan(); len(p.Changes) != 1 || p.Changes[0].Ended != reservation.Ended || p.Changes[0].Held || !p.Changes[0].Window.Start.Equal(d.want.Choice.At) {
		t.Error(lines(p))
	}
	d.want.Choice.At, d.now = time.Time{}, d.now.Add(24*time.Hour)
	p := d.plan()
	ctl := reconcile.Controller{Journal: d.mem, Settings: reconcile.DefaultSettings(), Now: d.mem.Now}
	if _, _, err := ctl.Settle(context.Background(), "S0"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.led.Propose(context.Background(), p, reconcile.ProposeOptions{}); err != nil {
		t.Fatal(err)
	}
	if e := d.entry("a"); e.Phase != reservation.Scheduled || !e.Window.Start.Equal(d.now) {
		t.Error(e.Phase, e.Window)
	}
}

// TestReplaceStale: what was to be replaced while held is not begun again after
// its driver has used it.
func TestReplaceStale(t *testing.T) {
	d := newDesk(t).declare(van("a")).apply().hold("a")
	d.want.Choice.Replace = []string{"a"}
	p := d.plan()
	d.use("a")
	var stale *reconcile.StaleError
	if _, err := d.led.Propose(context.Background(), p, reconcile.ProposeOptions{}); !errors.As(err, &stale) {
		t.Error(err)
	}
}

func TestPlanAt(t *testing.T) {
	d := newDesk(t).declare(van("a", from(day.Add(time.Hour))))
	d.want.Choice.At = day.Add(2 * time.Hour)
	if got := brief(d.plan()); got != "+ a\n" {
		t.Error(got)
	}
	d.want.Choice.At = day.Add(9 * time.Hour)
	if p := d.plan(); len(p.Changes) != 0 || p.Summary.Over != 1 {
		t.Error(lines(p))
	}
}

var reasons = regexp.MustCompile(` \[[^]]*\]`)

// brief is lines without the reasons.
func brief(p *reconcile.Plan) string {
	return strings.ReplaceAll(reasons.ReplaceAllString(lines(p), ""), " \n", "\n")
}

func (d *desk) entry(address string) reservation.Entry {
	d.t.Helper()
	all, err := d.mem.Entries(context.Background(), "w")
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range all {
		if e.Address == "reservation."+address && e.Wanted() {
			return e
		}
	}
	d.t.Fatal("no entry", address)
	return reservation.Entry{}
}

// use lets the driver of an address charge with its id.
func (d *desk) use(address string) *desk {
	d.t.Helper()
	e := d.entry(address)
	if _, err := d.mem.Append(context.Background(), reservation.Event{Kind: reservation.Transaction, At: d.now, StationID: e.StationID, ReservationID: e.ID,
		Transaction: &reservation.TransactionReport{ID: "tx", Type: "Ended", EVSE: e.Target.EVSE}}); err != nil {
		d.t.Fatal(err)
	}
	return d
}
