package state

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden: what is stored today has to be readable for ever. A name that
// changes here is a migration.
func TestGolden(t *testing.T) {
	at := time.Date(2026, 11, 22, 18, 48, 0, int(250*time.Millisecond), time.UTC)
	w := statetest.Want("depot-a", `reservation.van["12"]`, "DEPOT-A-01", 1, at)
	w.GroupIDToken = &reservation.Token{IDToken: "DEPOT-A", Type: "Central"}
	content := w.Content()
	o := &reservation.Occurrence{Key: reservation.Key{Workspace: "depot-a", Address: w.Address, Start: w.Window.Start},
		Window: w.Window, Due: w.Window.Start.Add(-10 * time.Minute), Want: &content, Phase: reservation.Held, Since: at,
		Activation: reservation.Activation{LeadTime: reservation.Duration(10 * time.Minute)},
		Lifecycle:  reservation.Lifecycle{PreventCancel: true, OnRemoved: reservation.Report},
		ID:         1048576, Asked: &content, Held: &content, Tries: 2, Past: []int32{41}, EverHeld: true, Seen: reservation.Reserved}
	station := reservation.Station{ID: "DEPOT-A-01", Protocol: "ocpp2.0.1", Vendor: "V", Model: "M", Serial: "SN-4711",
		Connection: 7, Live: []int64{7}, ConnectedAt: at, BootAccepted: true, BootAt: at, Support: reservation.SupportYes,
		Connectors:   []reservation.Connector{{EVSE: 1, Connector: 1, Status: reservation.Reserved, Since: at}},
		Transactions: []reservation.OpenTransaction{{ID: "T1", EVSE: 2, IDToken: &w.IDToken, Since: at}}}
	asked := statetest.Request(w, 7, 1048576)
	answered := statetest.Answer(w, 7, 1048576, reservation.AnswerAccepted)
	declared := statetest.Declare(nil, w)
	card := reservation.Event{Kind: reservation.Declared, Workspace: "depot-a", Address: "token.pool", Change: &reservation.Change{Action: "+",
		Token: &reservation.TokenEdit{After: &reservation.TokenDeclaration{Address: "token.pool", Workspace: "depot-a", IDToken: w.IDToken, GroupIDToken: w.GroupIDToken, Source: "main.hcl:1"}}}}
	for _, e := range []*reservation.Event{&asked, &answered, &declared, &card} {
		e.At = at
	}
	var got bytes.Buffer
	for _, v := range []any{w, o, station, declared, asked, answered, card} {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(body, '\n'))
	}
	const path = "testdata/stored.golden"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("stored form changed; got\n%s\nwant\n%s", got.Bytes(), want)
	}
}
