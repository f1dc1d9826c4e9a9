package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// TestVersionsAgree: what a version can say is told by three rooms that know
// nothing of each other: by the language where a station block says the version,
// by a plan, and by what is sent. They say the same.
func TestVersionsAgree(t *testing.T) {
	types := append([]string{"DirectPayment", "EVCCID", "VIN"}, texts(v201.IdTokenTypes())...)
	connectors := append([]string{"", "cChaoJi", "cGBT-DC", "cLECCS", "cMCS", "cNACS", "cNACS-CCS1", "cCCS1-NACS", "cUltraChaoJi", "sType1"}, texts(v201.ConnectorTypes())...)
	var all []reservation.Declaration
	add := func(typ, connector string, n, group, info int) {
		d := reservation.Declaration{Address: "reservation.a", Workspace: "w", StationID: "S0", Target: reservation.Target{ConnectorType: connector},
			IDToken: reservation.Token{IDToken: strings.Repeat("7", n), Type: typ}, When: reservation.When{HoldFor: reservation.Duration(time.Hour)}}
		if connector == "" {
			d.EVSE = 1
		}
		if group > 0 {
			d.GroupIDToken = &reservation.Token{IDToken: strings.Repeat("7", group), Type: "Central"}
		}
		if info > 0 {
			d.IDToken.AdditionalInfo = []reservation.AdditionalInfo{{AdditionalIDToken: strings.Repeat("7", info), Type: "x"}}
		}
		all = append(all, d)
	}
	for _, typ := range types {
		if typ != string(v201.NoAuthorization) {
			add(typ, "", 8, 0, 0)
		}
	}
	for _, c := range connectors {
		add("Central", c, 8, 0, 0)
	}
	for _, n := range []int{1, 20, 21, 36, 37, 255} {
		add("Central", "", n, 0, 0)
		add("Central", "", 8, n, 0)
	}
	for _, n := range []int{1, 36, 37, 255} {
		add("Central", "", 8, 0, n)
	}
	for _, ocpp := range []string{"1.6", "2.0.1", "2.1"} {
		for i := range all {
			d := &all[i]
			written, planned := writtenErrors(t, d, ocpp), plannedErrors(t, d, ocpp)
			if written != planned && !(ocpp == "1.6" && len(d.IDToken.AdditionalInfo) > 0) { // it is only left out
				t.Errorf("%s, %+v %+v: the language refuses it: %v, a plan: %v", ocpp, d.Target, *d, written, planned)
			}
			content := d.Content(reservation.Window{Expiry: time.Now().Add(time.Hour)})
			_, _, err := v201.Encode(41, reservation.Call{Kind: reservation.ReserveNow, Content: &content})
			if ocpp == "2.0.1" && (err != nil) != planned {
				t.Errorf("%+v: it can be sent: %v, a plan refuses it: %v", d.Target, err, planned)
			}
		}
	}
}

func texts[T ~string](list []T) (all []string) {
	for _, w := range list {
		all = append(all, string(w))
	}
	return all
}

// writtenErrors: a configuration says it, and the version in a station block.
func writtenErrors(t *testing.T, d *reservation.Declaration, ocpp string) bool {
	t.Helper()
	token := func(x *reservation.Token) string {
		info := ""
		for _, a := range x.AdditionalInfo {
			info = fmt.Sprintf(", additional_info = [{ additional_id_token = %q, type = %q }]", a.AdditionalIDToken, a.Type)
		}
		return fmt.Sprintf("{ id_token = %q, type = %q%s }", x.IDToken, x.Type, info)
	}
	text := fmt.Sprintf("station \"s\" {\n  id = \"S0\"\n  ocpp_version = %q\n}\nreservation \"a\" {\n  station = station.s\n  hold_for = \"1h\"\n  id_token = %s\n", ocpp, token(&d.IDToken))
	if d.GroupIDToken != nil {
		text += "  group_id_token = " + token(d.GroupIDToken) + "\n"
	}
	if d.ConnectorType != "" {
		text += fmt.Sprintf("  connector_type = %q\n", d.ConnectorType)
	} else {
		text += "  evse_id = 1\n"
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(text+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, ds := config.Load(config.Options{Dir: dir, Version: version})
	return ds.HasErrors()
}

// plannedErrors: a station block says the version as well, and a plan is made of it.
func plannedErrors(t *testing.T, d *reservation.Declaration, ocpp string) bool {
	t.Helper()
	block := reservation.StationDeclaration{Address: "station.s", Workspace: "w", ID: "S0", OCPPVersion: ocpp}
	p, err := newLedger(newNothing(), reconcile.DefaultSettings()).Plan(t.Context(), reconcile.Desired{
		Workspace: "w", Stations: []reservation.StationDeclaration{block}, Reservations: []reservation.Declaration{*d}})
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(p.Findings, func(f reconcile.Finding) bool { return f.Severity == reconcile.Error })
}
