package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// desk is a ledger over an in-memory store, with a configuration that is edited
// and applied. Stations are driven by hand.
type desk struct {
	t    *testing.T
	now  time.Time
	mem  *statetest.Memory
	led  *reconcile.Ledger
	want reconcile.Desired
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, now: day, mem: statetest.NewMemory(), want: reconcile.Desired{Workspace: "w"}}
	d.mem.Now = func() time.Time { return d.now }
	d.led = &reconcile.Ledger{Store: d.mem, Settings: reconcile.DefaultSettings(), Now: d.mem.Now}
	return d
}

// van is a declaration for EVSE 1 of S0, from now for eight hours.
func van(address string, edit ...func(*reservation.Declaration)) reservation.Declaration {
	d := reservation.Declaration{Address: "reservation." + address, Workspace: "w", StationID: "S0",
		Target: reservation.Target{EVSE: 1}, IDToken: reservation.Token{IDToken: strings.ToUpper(address), Type: "ISO14443"},
		When: reservation.When{Start: day, Expiry: day.Add(8 * time.Hour)}}
	for _, e := range edit {
		e(&d)
	}
	return d
}

func evse(n int) func(*reservation.Declaration) {
	return func(d *reservation.Declaration) { d.EVSE = n }
}

func at(station string) func(*reservation.Declaration) {
	return func(d *reservation.Declaration) { d.StationID = station }
}

func until(t time.Time) func(*reservation.Declaration) {
	return func(d *reservation.Declaration) { d.When.Expiry = t }
}

func from(t time.Time) func(*reservation.Declaration) {
	return func(d *reservation.Declaration) { d.When.Start = t }
}

func (d *desk) declare(list ...reservation.Declaration) *desk { d.want.Reservations = list; return d }

func (d *desk) plan() *reconcile.Plan {
	d.t.Helper()
	p, err := d.led.Plan(context.Background(), d.want)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

func (d *desk) apply() *desk {
	d.t.Helper()
	if _, err := d.led.Propose(context.Background(), d.plan(), reconcile.ProposeOptions{}); err != nil {
		d.t.Fatal(err)
	}
	return d
}

// hold lets the station of an address accept it.
func (d *desk) hold(address string) *desk {
	d.t.Helper()
	ctx := context.Background()
	w, err := d.mem.Wanted(ctx, "w", "reservation."+address)
	if err != nil || len(w) != 1 {
		d.t.Fatal(w, err)
	}
	connected, err := d.mem.Append(ctx, statetest.Connect(w[0].StationID))
	if err != nil {
		d.t.Fatal(err)
	}
	asked, err := d.mem.Append(ctx, statetest.Request(&w[0], connected[0].Connection, 0))
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = d.mem.Append(ctx, statetest.Answer(&w[0], connected[0].Connection, asked[0].ReservationID, reservation.AnswerAccepted))
	if err != nil {
		d.t.Fatal(err)
	}
	return d
}

// lines are a plan's changes and findings, one a line.
func lines(p *reconcile.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s", c.Action, strings.TrimPrefix(c.Address, "reservation."))
		if c.Held {
			b.WriteString(" HELD")
		}
		fmt.Fprintf(&b, " [%s] %s\n", c.Reason, strings.Join(c.Codes, " "))
	}
	for _, f := range p.Findings {
		fmt.Fprintf(&b, "%s %s %s\n", f.Severity, f.Code, strings.TrimPrefix(f.Address, "reservation."))
	}
	return b.String()
}

func TestPlan(t *testing.T) {
	hour := time.Hour
	for _, c := range []struct {
		name string
		from []reservation.Declaration
		held []string
		to   []reservation.Declaration
		want string
	}{
		{"a new one that is due", nil, nil, []reservation.Declaration{van("a")}, "+ a [declared] \n"},
		{"a new one for later", nil, nil, []reservation.Declaration{van("a", from(day.Add(hour)))}, "» a [declared] \n"},
		{"a new one that is over", nil, nil, []reservation.Declaration{van("a", from(day.Add(-2*hour)), until(day.Add(-hour)))},
			"warning RC302 a\n"},
		{"the same", []reservation.Declaration{van("a")}, []string{"a"}, []reservation.Declaration{van("a")}, ""},
		{"another expiry", []reservation.Declaration{van("a")}, []string{"a"}, []reservation.Declaration{van("a", until(day.Add(9*hour)))},
			"~ a HELD [expiry] RC102\n"},
		{"another EVSE", []reservation.Declaration{van("a")}, []string{"a"}, []reservation.Declaration{van("a", evse(2))},
			"-/+ a HELD [EVSE or connector type] RC103\n"},
		{"another EVSE of what is not held", []reservation.Declaration{van("a")}, nil, []reservation.Declaration{van("a", evse(2))},
			"~ a [EVSE or connector type] \n"},
		{"another station", []reservation.Declaration{van("a")}, []string{"a"}, []reservation.Declaration{van("a", at("S1"))},
			"+/- a HELD [station S0 → S1] RC104\n"},
		{"another station for what is not held", []reservation.Declaration{van("a")}, nil, []reservation.Declaration{van("a", at("S1"))},
			"~ a [station S0 → S1] \n"},
		{"a start that moves within the window", []reservation.Declaration{van("a")}, []string{"a"},
			[]reservation.Declaration{van("a", from(day.Add(-hour)))}, "~ a HELD [expiry] RC102\n"},
		{"another window altogether", []reservation.Declaration{van("a")}, []string{"a"},
			[]reservation.Declaration{van("a", from(day.Add(20*hour)), until(day.Add(21*hour)))}, "» a HELD [new window] RC103\n"},
		{"deleted", []reservation.Declaration{van("a"), van("b", evse(2))}, []string{"a"}, []reservation.Declaration{van("b", evse(2))},
			"- a HELD [no longer declared] RC101\n"},
		{"a policy alone", []reservation.Declaration{van("a")}, []string{"a"},
			[]reservation.Declaration{van("a", func(d *reservation.Declaration) { d.Lifecycle.OnRemoved = reservation.Report })},
			"~ a HELD [lifecycle] RC102\n"},
		{"prevented", []reservation.Declaration{van("a", func(d *reservation.Declaration) { d.Lifecycle.PreventCancel = true })}, []string{"a"},
			nil, "- a HELD [no longer declared] RC101\nerror RC105 a\n"},
		{"two on one EVSE", nil, nil, []reservation.Declaration{van("a"), van("b", from(day.Add(hour)))},
			"+ a [declared] \n» b [declared] \nerror RC201 b\n"},
		{"one after the other", nil, nil, []reservation.Declaration{van("a"), van("b", from(day.Add(8*hour)), until(day.Add(9*hour)))},
			"+ a [declared] \n» b [declared] \n"},
		{"a swap of EVSEs", []reservation.Declaration{van("a"), van("b", evse(2))}, []string{"a", "b"},
			[]reservation.Declaration{van("a", evse(2)), van("b")},
			"-/+ a HELD [EVSE or connector type] RC103\n-/+ b HELD [EVSE or connector type] RC103\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t).declare(c.from...).apply()
			for _, a := range c.held {
				d.hold(a)
			}
			if got := lines(d.declare(c.to...).plan()); got != c.want {
				t.Errorf("plan:\n%swant:\n%s", got, c.want)
			}
		})
	}
}

func TestADeclarationIsFixedWhenItIsStored(t *testing.T) {
	hold := func(h time.Duration) reservation.Declaration {
		return van("a", func(d *reservation.Declaration) { d.When = reservation.When{HoldFor: reservation.Duration(h)} })
	}
	d := newDesk(t).declare(hold(8 * time.Hour)).apply()
	d.now = d.now.Add(time.Hour)
	if got := lines(d.plan()); got != "" {
		t.Errorf("an hour later the plan is not empty:\n%s", got)
	}
	d.declare(hold(9 * time.Hour)).apply()
	w, _ := d.mem.Wanted(context.Background(), "w", "reservation.a")
	if got := w[0].Window; !got.Start.Equal(day) || !got.Expiry.Equal(day.Add(9*time.Hour)) {
		t.Errorf("hold_for was edited: %v; its start stays, its end moves", got)
	}
}

func TestStale(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(*desk)
		stale     bool
	}{
		"nothing":                         {func(*desk) {}, false},
		"time":                            {func(d *desk) { d.now = d.now.Add(time.Hour) }, false},
		"another address":                 {func(d *desk) { d.declare(van("a"), van("c", evse(3))).apply() }, false},
		"the same address":                {func(d *desk) { d.declare(van("a", until(day.Add(time.Hour)))).apply() }, true},
		"it is held now":                  {func(d *desk) { d.hold("a") }, true},
		"the place is taken by another":   {func(d *desk) { d.other(van("x", evse(2))) }, true},
		"another workspace, another EVSE": {func(d *desk) { d.other(van("x", evse(4))) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t).declare(van("a")).apply()
			p := d.declare(van("a", evse(2))).plan()
			c.meanwhile(d)
			_, err := d.led.Propose(context.Background(), p, reconcile.ProposeOptions{})
			var stale *reconcile.StaleError
			if errors.As(err, &stale) != c.stale || err != nil && !c.stale {
				t.Errorf("proposing: %v; want stale: %v", err, c.stale)
			}
		})
	}
}

// other applies a declaration in another workspace.
func (d *desk) other(x reservation.Declaration) {
	x.Workspace = "other"
	p, err := d.led.Plan(context.Background(), reconcile.Desired{Workspace: "other", Reservations: []reservation.Declaration{x}})
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.led.Propose(context.Background(), p, reconcile.ProposeOptions{}); err != nil {
		d.t.Fatal(err)
	}
}

func TestMovesInACycleCancelFirst(t *testing.T) {
	d := newDesk(t).declare(van("a"), van("b", at("S1")), van("c", at("S2"))).apply().hold("a").hold("b").hold("c")
	// a and b change places; c follows to where b was going to be free of it.
	d.declare(van("a", at("S1")), van("b"), van("c", at("S3"))).apply()
	holds := map[string]bool{}
	for _, e := range d.mem.Lines(0) {
		if e.Kind == reservation.Declared && e.Change.Move != nil && e.Change.Before != nil {
			holds[strings.TrimPrefix(e.Address, "reservation.")] = !e.Change.Move.HoldUntil.IsZero()
		}
	}
	if holds["a"] || holds["b"] || !holds["c"] {
		t.Errorf("held until the new station has it: %v; want only c", holds)
	}
}

func TestTheLedgerSaysHowLongAMoveHolds(t *testing.T) {
	d := newDesk(t).declare(van("a")).apply().hold("a")
	d.led.MoveTimeout = 3 * time.Hour
	d.declare(van("a", at("S1"))).apply()
	for _, e := range d.mem.Lines(0) {
		if e.Kind == reservation.Declared && e.Change.Move != nil && e.Change.Before != nil {
			if got := e.Change.Move.HoldUntil.Sub(d.led.Now()); got != 3*time.Hour {
				t.Errorf("the old station holds for %s", got)
			}
			return
		}
	}
	t.Error("nothing moved")
}

func TestDigestIsOfTheChangesAlone(t *testing.T) {
	d := newDesk(t).declare(van("a"))
	first := d.plan().Digest
	d.now = d.now.Add(time.Minute)
	if again := d.plan().Digest; again != first {
		t.Errorf("the digest depends on the time of day: %s, then %s", first, again)
	}
	if other := d.declare(van("a", evse(2))).plan().Digest; other == first {
		t.Error("another plan has the same digest")
	}
}

func TestStationBlocks(t *testing.T) {
	station := func(workspace string, evses ...int) reservation.StationDeclaration {
		s := reservation.StationDeclaration{Address: "station.s", Workspace: workspace, ID: "S0"}
		for _, e := range evses {
			s.EVSEs = append(s.EVSEs, reservation.EVSE{ID: e})
		}
		return s
	}
	d := newDesk(t)
	d.want.Stations = []reservation.StationDeclaration{station("w", 1)}
	d.declare(van("a")).apply()
	if got := lines(d.plan()); got != "" {
		t.Errorf("stored, and planned again:\n%s", got)
	}
	d.want.Stations = []reservation.StationDeclaration{station("w", 1, 2)}
	if got := lines(d.plan()); got != "~ station.s [] \n" {
		t.Errorf("an EVSE more:\n%s", got)
	}
	d.want.Stations = nil
	if got := lines(d.plan()); got != "- station.s [] \nerror RC403 station.s\n" {
		t.Errorf("a station that is named is removed:\n%s", got)
	}
	p, err := d.led.Plan(context.Background(), reconcile.Desired{Workspace: "other", Stations: []reservation.StationDeclaration{station("other", 1)}})
	if err != nil || lines(p) != "+ station.s [] \nerror RC402 station.s\n" {
		t.Errorf("declared in two workspaces: %v\n%s", err, lines(p))
	}
}

func TestMaskedPlansTellNothingOfTokens(t *testing.T) {
	d := newDesk(t).declare(van("a")).apply()
	p := d.declare(van("a", evse(2))).plan()
	text, err := json.Marshal(p.Masked([]byte("k")))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{`"A"`, p.Changes[0].BeforeHash} {
		if strings.Contains(string(text), secret) {
			t.Errorf("a masked plan shows %s:\n%s", secret, text)
		}
	}
}
