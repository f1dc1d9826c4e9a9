package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// TestStationsText shows stations in every state, and neither a token nor what
// could steer a terminal.
func TestStationsText(t *testing.T) {
	secret := []byte("s")
	busy := reservation.Station{ID: "DEPOT-A-01", Protocol: "ocpp2.0.1", Vendor: "Acme\x1b[31m", Model: "One", Serial: "SN-1", Firmware: "1.2",
		Live: []int64{1}, ConnectedAt: in(-time.Hour), BootAccepted: true, BootAt: in(-time.Hour), Support: reservation.SupportYes, ClockSkew: -90 * time.Second,
		Connectors: []reservation.Connector{{EVSE: 1, Connector: 1, Status: reservation.Available, Since: in(-time.Minute)},
			{EVSE: 1, Connector: 2, Status: reservation.Occupied, Since: in(-2 * time.Minute)}, {EVSE: 2, Connector: 1, Status: reservation.Reserved, Since: in(-time.Hour)}},
		Transactions: []reservation.OpenTransaction{{ID: "tx-1", EVSE: 1, IDToken: &reservation.Token{IDToken: "SECRET"}, ReservationID: 7, Since: in(-2 * time.Minute)}}}
	gone := reservation.Station{ID: "DEPOT-A-02", ConnectedAt: in(-3 * time.Hour), OfflineAt: in(-2 * time.Hour), Support: reservation.SupportNo, ReplacedAt: in(-26 * time.Hour)}
	list := &stationList{place: place{state: "resctl.db"}, Stations: []stationAbout{aboutStation(&busy, secret, sunday), aboutStation(&gone, secret, sunday),
		aboutStation(&reservation.Station{ID: "DEPOT-A-03", Paused: &reservation.Halt{By: "ann", Reason: "works\x1b", Since: sunday.Add(-time.Hour), Until: in(time.Hour)}}, secret, sunday)}}
	list.Stations[0].markForeign(reconcile.Foreign{StationID: busy.ID, EVSE: 2})
	list.Stations[0].markForeign(reconcile.Foreign{StationID: busy.ID, EVSE: 1, ReservationID: 7})
	var got bytes.Buffer
	v := textViewOn(&got, 0)
	v.About(list)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/stations.golden", got.Bytes())
	if strings.Contains(got.String(), "SECRET") || strings.Contains(got.String(), "\x1b") {
		t.Error("a token or a control character shows")
	}
}
