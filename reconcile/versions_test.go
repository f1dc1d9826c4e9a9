package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

func with(edit func(*reservation.Declaration)) reservation.Declaration { return van("a", edit) }

// speaking lets S0 connect with a version, and declares another; "" for neither.
func (d *desk) speaking(spoken, declared string) *desk {
	d.t.Helper()
	d.led.Speaks = []string{"2.0.1"}
	if spoken != "" {
		e := statetest.Connect("S0")
		e.Link.Protocol = "ocpp" + spoken
		if _, err := d.mem.Append(context.Background(), e); err != nil {
			d.t.Fatal(err)
		}
	}
	if declared != "" {
		d.as("other", []reservation.StationDeclaration{{Address: "station.s", Workspace: "other", ID: "S0", OCPPVersion: declared}})
	}
	return d
}

// TestVersions: what each version can say is an error where it never can, and a
// warning where it may be refused.
func TestVersions(t *testing.T) {
	long := func(n int) func(*reservation.Declaration) {
		return func(d *reservation.Declaration) { d.IDToken.IDToken = strings.Repeat("7", n) }
	}
	typed := func(t string) func(*reservation.Declaration) {
		return func(d *reservation.Declaration) { d.IDToken.Type = t }
	}
	connector := func(t string) func(*reservation.Declaration) {
		return func(d *reservation.Declaration) { d.EVSE, d.ConnectorType = 0, t }
	}
	group := func(n int) func(*reservation.Declaration) {
		return func(d *reservation.Declaration) {
			d.GroupIDToken = &reservation.Token{IDToken: strings.Repeat("7", n), Type: "Central"}
		}
	}
	info := func(n int) func(*reservation.Declaration) {
		return func(d *reservation.Declaration) {
			d.IDToken.AdditionalInfo = []reservation.AdditionalInfo{{AdditionalIDToken: strings.Repeat("7", n), Type: "x"}}
		}
	}
	for _, c := range []struct {
		what            string
		edit            func(*reservation.Declaration)
		v16, v201, v210 string
	}{
		{"20 characters", long(20), "", "", ""},
		{"21 characters", long(21), "error RC405", "", ""},
		{"36 characters", long(36), "error RC405", "", ""},
		{"37 characters", long(37), "error RC405", "error RC405", ""},
		{"255 characters", long(255), "error RC405", "error RC405", ""},
		{"256 characters", long(256), "error RC405", "error RC405", "error RC405"},
		{"a group of 21", group(21), "error RC405", "", ""},
		{"a group of 37", group(37), "error RC405", "error RC405", ""},
		{"a type of all", typed("eMAID"), "", "", ""},
		{"a type of 2.1", typed("EVCCID"), "", "error RC405", ""},
		{"a type that is too long for 2.1", typed(strings.Repeat("x", 21)), "", "error RC405", "error RC405"},
		{"no token", func(d *reservation.Declaration) { d.IDToken = reservation.Token{Type: "NoAuthorization"} }, "error RC405", "", ""},
		{"an odd character", func(d *reservation.Declaration) { d.IDToken.IDToken = "A/1" }, "", "warning RC405", "warning RC405"},
		{"additional info", info(36), "warning RC405", "", ""},
		{"additional info of 37", info(37), "warning RC405", "error RC405", ""},
		{"additional info of 256", info(256), "warning RC405", "error RC405", "error RC405"},
		{"any EVSE", anywhere, "warning RC407", "", ""},
		{"a connector type", connector("cCCS2"), "error RC406", "", ""},
		{"a connector type of 2.1", connector("cNACS"), "error RC406", "error RC406", ""},
	} {
		for version, want := range map[string]string{"1.6": c.v16, "2.0.1": c.v201, "2.1": c.v210} {
			if got := versionFindings(newDesk(t).speaking(version, "").declare(with(c.edit)).plan()); got != want {
				t.Errorf("%s to a station that speaks %s: %q, not %q", c.what, version, got, want)
			}
			if got := versionFindings(newDesk(t).speaking("", version).declare(with(c.edit)).plan()); got != want {
				t.Errorf("%s to a station that is declared to speak %s: %q, not %q", c.what, version, got, want)
			}
		}
		unknown := strings.Replace(c.v201, "error", "warning", 1)
		if c.v201 != "" && !strings.HasPrefix(c.v201, "error") {
			unknown = ""
		}
		if got := versionFindings(newDesk(t).speaking("", "").declare(with(c.edit)).plan()); got != unknown {
			t.Errorf("%s to an unknown station: %q, not %q", c.what, got, unknown)
		}
	}
}

// versionFindings are those about versions, one a line.
func versionFindings(p *reconcile.Plan) string {
	var all []string
	for _, f := range p.Findings {
		if f.Code >= "RC405" && f.Code <= "RC409" {
			all = append(all, fmt.Sprint(f.Severity, " ", f.Code))
		}
	}
	return strings.Join(all, "\n")
}

// TestVersionsOfTwoMinds: a station that speaks one version and is declared to
// speak another may take what one of them can say.
func TestVersionsOfTwoMinds(t *testing.T) {
	d := newDesk(t).speaking("2.0.1", "2.1").declare(with(func(d *reservation.Declaration) { d.IDToken.IDToken = strings.Repeat("7", 40) }))
	p := d.plan()
	want := `warning RC405 reservation.a 
S0 may not take it: its token has 40 characters, and OCPP 2.0.1 allows 36
It last spoke OCPP 2.0.1, and is declared to speak 2.1. Use another token, or a station that speaks a later version.
`
	if got := findings(p); got != want {
		t.Errorf("told\n%swant\n%s", got, want)
	}
	d = newDesk(t).declare(van("a")).apply().hold("a").speaking("2.0.1", "2.1").declare(with(func(d *reservation.Declaration) { d.IDToken.IDToken = strings.Repeat("7", 40) }))
	if got := versionFindings(d.plan()); got != "error RC405" {
		t.Errorf("what is held would be lost: %s", got)
	}
	d = newDesk(t).speaking("2.0.1", "1.6").declare(with(func(d *reservation.Declaration) { d.IDToken.IDToken = strings.Repeat("7", 40) }))
	if got := versionFindings(d.plan()); got != "error RC405" {
		t.Errorf("neither can say it: %s", got)
	}
}

// TestVersionsOfWhatStands: nobody is told again of what is stored, unless it is
// to be asked for anew.
func TestVersionsOfWhatStands(t *testing.T) {
	d := newDesk(t).declare(with(func(d *reservation.Declaration) { d.IDToken.IDToken = strings.Repeat("7", 40) })).apply().speaking("2.0.1", "")
	for _, edit := range []func(*reservation.Declaration){
		func(*reservation.Declaration) {},
		func(d *reservation.Declaration) { d.Lifecycle.OnRemoved = reservation.Report },
	} {
		edit(&d.want.Reservations[0])
		if got := versionFindings(d.plan()); got != "" {
			t.Errorf("%s", got)
		}
	}
	d.want.Reservations[0].EVSE = 2
	if got := versionFindings(d.plan()); got != "error RC405" {
		t.Errorf("another EVSE is asked for with the same token: %q", got)
	}
}

// TestDeclaredVersion: a block that says another version than is spoken.
func TestDeclaredVersion(t *testing.T) {
	for _, c := range []struct {
		spoken, declared string
		speaks           []string
		want             string
	}{
		{"", "2.0.1", []string{"2.0.1"}, ""},
		{"", "1.6", []string{"2.0.1"}, "warning RC408 station.s \nS0 is declared to speak OCPP 1.6, which this resctl does not\n" +
			"resctl speaks 2.0.1. Unless the station does so too it cannot connect, and what is wanted there stays pending.\n"},
		{"", "1.6", []string{"2.0.1", "1.6"}, ""},
		{"", "1.6", nil, ""},
		{"2.0.1", "2.0.1", []string{"2.0.1"}, ""},
		{"2.0.1", "2.1", []string{"2.0.1"}, "warning RC409 station.s \nS0 is declared to speak OCPP 2.1, and last spoke 2.0.1\n" +
			"Correct ocpp_version, or leave it out: what a station speaks is known once it has connected.\n"},
	} {
		d := newDesk(t).speaking(c.spoken, "")
		d.led.Speaks = c.speaks
		d.want.Stations = []reservation.StationDeclaration{{Address: "station.s", Workspace: "w", ID: "S0", OCPPVersion: c.declared}}
		for range 2 { // it stands in every plan
			if got := findings(d.plan()); got != c.want {
				t.Errorf("%+v: told\n%swant\n%s", c, got, c.want)
			}
			d.apply()
		}
	}
}
