package state

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

func TestStationJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 22, 0, 0, 123e6, time.UTC)
	one := reservation.Connector{EVSE: 1, Connector: 2, Status: reservation.Reserved, Since: at}
	whole := reservation.Connector{EVSE: 2, Status: reservation.Available, Since: at.Truncate(time.Second)}
	odd := reservation.Connector{EVSE: 3, Status: `say "what"`}
	if n := reflect.TypeFor[reservation.Connector]().NumField(); n != 4 {
		t.Fatalf("a connector has %d fields: appendConnector knows four", n)
	}
	for _, connectors := range [][]reservation.Connector{nil, {one}, {one, whole}, {one, odd}} {
		s := reservation.Station{ID: "CP-1", BootAt: at, Connectors: connectors, Support: reservation.SupportYes}
		plain, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		body, err := stationJSON(s)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %s\nwant %s", body, plain)
		}
	}
}
