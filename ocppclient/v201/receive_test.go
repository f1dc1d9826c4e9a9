package v201

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

func testEnv() Env {
	connected := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	return Env{Now: connected.Add(time.Minute), ConnectedAt: connected, Interval: 300, Boot: "Accepted",
		Authorize: func(t reservation.Token) (bool, *reservation.Token) {
			if t.Same(card) {
				return true, &depot
			}
			return false, nil
		}}
}

// Each case is what a station sends, the facts that follow (as the journal
// would write them) and the answer.
func TestReceiveGolden(t *testing.T) {
	const stamp = `"2026-11-22T18:00:30Z"`
	const zero = `"at":"0001-01-01T00:00:00Z",`
	tests := map[string]struct{ action, payload, facts, response string }{
		"Boot": {"BootNotification", `{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V","serialNumber":"S","firmwareVersion":"1"}}`,
			`[{` + zero + `"kind":"booted","boot":{"accepted":true,"reason":"PowerUp","vendor":"V","model":"M","serial":"S","firmware":"1"}}]`,
			`{"currentTime":"2026-11-22T18:01:00Z","interval":300,"status":"Accepted"}`},
		"Heartbeat": {"Heartbeat", `{}`, `null`, `{"currentTime":"2026-11-22T18:01:00Z"}`},
		"Status": {"StatusNotification", `{"timestamp":` + stamp + `,"connectorStatus":"Reserved","evseId":1,"connectorId":2}`,
			`[{` + zero + `"kind":"status","status":{"evse_id":1,"connector_id":2,"status":"Reserved","timestamp":` + stamp + `}}]`, `{}`},
		"StatusOlderThanConnection": {"StatusNotification", `{"timestamp":"2026-11-22T17:00:00Z","connectorStatus":"Available","evseId":1,"connectorId":1}`,
			`[{` + zero + `"kind":"status","status":{"evse_id":1,"connector_id":1,"status":"Available","timestamp":"2026-11-22T17:00:00Z"},"queued":true}]`, `{}`},
		"StatusClockNotSet": {"StatusNotification", `{"timestamp":"1970-01-01T00:00:09Z","connectorStatus":"Available","evseId":1,"connectorId":1}`,
			`[{` + zero + `"kind":"status","status":{"evse_id":1,"connector_id":1,"status":"Available","timestamp":"1970-01-01T00:00:09Z"}}]`, `{}`},
		"StatusOf16WithoutZone": {"StatusNotification", `{"timestamp":"2026-11-22T18:00:30.5","connectorStatus":"Preparing","evseId":0,"connectorId":0,"extra":1}`,
			`[{` + zero + `"kind":"status","status":{"evse_id":0,"status":"Occupied","timestamp":"2026-11-22T18:00:30.5Z"}}]`, `{}`},
		"StatusTimeIsNoTime": {"StatusNotification", `{"timestamp":17,"connectorStatus":"Faulted","evseId":1,"connectorId":1}`,
			`[{` + zero + `"kind":"status","status":{"evse_id":1,"connector_id":1,"status":"Faulted"}}]`, `{}`},
		"NotifyEvent": {"NotifyEvent", `{"generatedAt":` + stamp + `,"seqNo":0,"eventData":[
			{"eventId":1,"timestamp":` + stamp + `,"trigger":"Delta","actualValue":"Reserved","eventNotificationType":"HardWiredNotification","component":{"name":"Connector","evse":{"id":1,"connectorId":1}},"variable":{"name":"AvailabilityState"}},
			{"eventId":2,"timestamp":` + stamp + `,"trigger":"Delta","actualValue":"Available","eventNotificationType":"CustomMonitor","component":{"name":"EVSE","evse":{"id":2}},"variable":{"name":"AvailabilityState"}},
			{"eventId":3,"timestamp":` + stamp + `,"trigger":"Delta","actualValue":"Available","eventNotificationType":"CustomMonitor","component":{"name":"ChargingStation"},"variable":{"name":"AvailabilityState"}},
			{"eventId":4,"timestamp":` + stamp + `,"trigger":"Delta","actualValue":"Available","eventNotificationType":"CustomMonitor","component":{"name":"Connector"},"variable":{"name":"AvailabilityState"}},
			{"eventId":5,"timestamp":` + stamp + `,"trigger":"Periodic","actualValue":"21","eventNotificationType":"CustomMonitor","component":{"name":"EVSE","evse":{"id":2}},"variable":{"name":"Temperature"}}]}`,
			`[{` + zero + `"kind":"status","status":{"evse_id":1,"connector_id":1,"status":"Reserved","timestamp":` + stamp + `}},` +
				`{` + zero + `"kind":"status","status":{"evse_id":2,"status":"Available","timestamp":` + stamp + `}},` +
				`{` + zero + `"kind":"status","status":{"evse_id":0,"status":"Available","timestamp":` + stamp + `}}]`, `{}`},
		"Started": {"TransactionEvent", `{"eventType":"Started","timestamp":` + stamp + `,"triggerReason":"RemoteStart","seqNo":0,"transactionInfo":{"transactionId":"t1"},"evse":{"id":1,"connectorId":1},"idToken":{"idToken":"04a2b3c4","type":"ISO15693"},"reservationId":41}`,
			`[{` + zero + `"kind":"transaction","reservation_id":41,"transaction":{"id":"t1","type":"Started","evse_id":1,"id_token":{"id_token":"04a2b3c4","type":"ISO15693"},"group_id_token":{"id_token":"DEPOT-A","type":"Central"},"timestamp":` + stamp + `,"remote_started":true}}]`,
			`{"idTokenInfo":{"status":"Accepted","groupIdToken":{"idToken":"DEPOT-A","type":"Central"}}}`},
		"EndedOffline": {"TransactionEvent", `{"eventType":"Ended","timestamp":` + stamp + `,"offline":true,"triggerReason":"EVDeparted","seqNo":1,"transactionInfo":{"transactionId":"t1"},"reservationId":null}`,
			`[{` + zero + `"kind":"transaction","transaction":{"id":"t1","type":"Ended","timestamp":` + stamp + `,"offline":true},"queued":true}]`, `{}`},
		"MinusOneAndUnknownToken": {"TransactionEvent", `{"eventType":"Odd","timestamp":` + stamp + `,"transactionInfo":{"transactionId":"t1"},"evse":{"id":0},"idToken":{"idToken":"X","type":"Central"},"reservationId":-1}`,
			`[{` + zero + `"kind":"transaction","transaction":{"id":"t1","type":"Updated","id_token":{"id_token":"X","type":"Central"},"timestamp":` + stamp + `,"refused":true}}]`,
			`{"idTokenInfo":{"status":"Unknown"}}`},
		"ButtonPressed": {"TransactionEvent", `{"eventType":"Started","timestamp":` + stamp + `,"transactionInfo":{"transactionId":"t1"},"idToken":{"idToken":"","type":"NoAuthorization"}}`,
			`[{` + zero + `"kind":"transaction","transaction":{"id":"t1","type":"Started","id_token":{"id_token":"","type":"NoAuthorization"},"timestamp":` + stamp + `}}]`,
			`{"idTokenInfo":{"status":"Accepted"}}`},
		"Expired": {"ReservationStatusUpdate", `{"reservationId":41,"reservationUpdateStatus":"Expired","customData":{"vendorId":"x","y":{}}}`,
			`[{` + zero + `"kind":"reported","reservation_id":41,"update":"Expired"}]`, `{}`},
		"UpdateOfNone":   {"ReservationStatusUpdate", `{"reservationId":0,"reservationUpdateStatus":"Removed"}`, `null`, `{}`},
		"Authorize":      {"Authorize", `{"idToken":{"idToken":"04A2B3C4","type":"ISO14443"}}`, `null`, `{"idTokenInfo":{"status":"Accepted","groupIdToken":{"idToken":"DEPOT-A","type":"Central"}}}`},
		"MeterValues":    {"MeterValues", `{"evseId":1,"meterValue":[]}`, `null`, `{}`},
		"DataTransfer":   {"DataTransfer", `{"vendorId":"x"}`, `null`, `{"status":"UnknownVendorId"}`},
		"Certificate":    {"SignCertificate", `{"csr":"x"}`, `null`, `{"status":"Rejected"}`},
		"EVCertificate":  {"Get15118EVCertificate", `{}`, `null`, `{"status":"Failed","exiResponse":""}`},
		"OCSP":           {"GetCertificateStatus", `{}`, `null`, `{"status":"Failed"}`},
		"ChargingNeeds":  {"NotifyEVChargingNeeds", `{}`, `null`, `{"status":"Rejected"}`},
		"ChargingSched.": {"NotifyEVChargingSchedule", `{}`, `null`, `{"status":"Accepted"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			reply, callErr := Receive(tt.action, json.RawMessage(tt.payload), testEnv())
			if callErr != nil {
				t.Fatal(callErr)
			}
			if got := encode(t, reply.Facts); got != tt.facts {
				t.Errorf("facts\n got %s\nwant %s", got, tt.facts)
			}
			if got := encode(t, reply.Response); got != tt.response {
				t.Errorf("response\n got %s\nwant %s", got, tt.response)
			}
		})
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReceiveRefuses(t *testing.T) {
	tests := []struct {
		action, payload string
		code            wire.ErrorCode
		about           string
	}{
		{"NoSuchThing", `{}`, wire.NotImplemented, "NoSuchThing"},
		{"ReserveNow", `{}`, wire.NotImplemented, "ReserveNow"},
		{"ReservationStatusUpdate", `{"reservationId":"41","reservationUpdateStatus":"Expired"}`, wire.TypeConstraintViolation, "reservationId"},
		{"ReservationStatusUpdate", `{"reservationId":99999999999,"reservationUpdateStatus":"Expired"}`, wire.TypeConstraintViolation, "reservationId"},
		{"ReservationStatusUpdate", `{"reservationId":1,"reservationUpdateStatus":"Gone"}`, wire.PropertyConstraintViolation, "reservationUpdateStatus"},
		{"ReservationStatusUpdate", `{"reservationId":1}`, wire.OccurrenceConstraintViolation, "reservationUpdateStatus"},
		{"StatusNotification", `{"connectorStatus":"Sleeping","evseId":1}`, wire.PropertyConstraintViolation, "connectorStatus"},
		{"StatusNotification", `{}`, wire.OccurrenceConstraintViolation, "connectorStatus"},
		{"StatusNotification", `[]`, wire.TypeConstraintViolation, "an object"},
		{"StatusNotification", `{"conn`, wire.FormatViolation, "JSON"},
		{"Authorize", `{}`, wire.OccurrenceConstraintViolation, "idToken"},
	}
	for _, tt := range tests {
		reply, e := Receive(tt.action, json.RawMessage(tt.payload), testEnv())
		if e == nil || e.Code != tt.code || !strings.Contains(e.Description, tt.about) || reply.Facts != nil {
			t.Errorf("%s %s: got %v, %+v", tt.action, tt.payload, e, reply)
		}
	}
}

func TestDateTimeReadsWhatStationsWrite(t *testing.T) {
	want := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	for _, text := range []string{"2026-03-29T01:30:00Z", "2026-03-29T03:30:00+02:00", "2026-03-29T03:30:00+0200",
		"2026-03-29T03:30:00+02", "2026-03-29T01:30:00", "2026-03-29 01:30:00", "2026-03-29t01:30:00.000z", "2026-03-29T01:30:00.000000000Z"} {
		var d DateTime
		if err := json.Unmarshal([]byte(`"`+text+`"`), &d); err != nil || !d.Equal(want) || d.Location() != time.UTC {
			t.Errorf("%s: got %v, %v", text, d, err)
		}
	}
	for _, text := range []string{`"soon"`, `7`, `{}`, `""`, `"9999-12-31T23:59:59-01:00"`} {
		var d DateTime
		if err := json.Unmarshal([]byte(text), &d); err != nil || !d.IsZero() || moment("x", d) == nil {
			t.Errorf("%s: got %v, %v", text, d, err)
		}
	}
}

// What is longer than the standard permits is answered as others are, and little
// of it is kept.
func TestLongTextsAreCut(t *testing.T) {
	long := strings.Repeat("é", 50_000)
	var more []string
	for range 1000 {
		more = append(more, `{"additionalIdToken":"`+long[:100]+`","type":"`+long[:100]+`"}`)
	}
	for action, payload := range map[string]string{
		"BootNotification": `{"reason":"` + long + `","chargingStation":{"model":"` + long + `","vendorName":"` + long + `","serialNumber":"` + long + `","firmwareVersion":"` + long + `"}}`,
		"TransactionEvent": `{"eventType":"Started","transactionInfo":{"transactionId":"` + long + `"},"idToken":{"idToken":"` + long + `","type":"` + long + `","additionalInfo":[` + strings.Join(more, ",") + `]}}`,
	} {
		reply, bad := Receive(action, []byte(payload), testEnv())
		if bad != nil {
			t.Fatalf("%s: %v", action, bad)
		}
		if kept := encode(t, reply.Facts); len(kept) > 10_000 || strings.Contains(kept, "\ufffd") || strings.Contains(kept, `\ufffd`) || strings.Count(kept, long[:254]) < 3 {
			t.Errorf("%s: %d bytes are kept: %.300s", action, len(kept), kept)
		}
	}
}

// A message of many events that are of no interest takes no more memory than it has.
func TestManyEventsTakeLittleMemory(t *testing.T) {
	one := `{"actualValue":"Available","component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"AvailabilityState"}}`
	payload := []byte(`{"eventData":[` + strings.Repeat("{},", 300_000) + one + `]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	reply, bad := Receive("NotifyEvent", payload, testEnv())
	runtime.ReadMemStats(&after)
	if bad != nil || len(reply.Facts) != 1 {
		t.Fatalf("%d facts, %v", len(reply.Facts), bad)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 60<<20 { // of which nearly all is garbage at once
		t.Errorf("a message of %d bytes took %d", len(payload), n)
	}
	for _, wrong := range []string{`{"eventData":1}`, `{"eventData":[1]}`, `{"eventData":{}}`, `{"eventData":[{"variable":[]}]}`} {
		if _, bad := Receive("NotifyEvent", []byte(wrong), testEnv()); bad == nil || bad.Code != wire.TypeConstraintViolation {
			t.Errorf("%s: %v", wrong, bad)
		}
	}
}

func FuzzReceive(f *testing.F) {
	f.Add("TransactionEvent", `{"eventType":"Started","timestamp":"9999-12-31T23:59:59-01:00","idToken":{},"reservationId":-1,"evse":{"id":-1}}`)
	f.Add("NotifyEvent", `{"eventData":[{"component":{"name":"Connector","evse":{"id":1}},"variable":{"name":"AvailabilityState"},"actualValue":"Reserved"},null]}`)
	f.Add("StatusNotification", `{"timestamp":"0000-01-01T00:00:00+23:59","connectorStatus":"Charging","evseId":-1}`)
	f.Add("ReservationStatusUpdate", `{"reservationId":2147483648,"customData":{"vendorId":1}}`)
	f.Add("Authorize", `null`)
	f.Add("BootNotification", `{"chargingStation":{"model":"\ud800"}}`)
	env := testEnv()
	f.Fuzz(func(t *testing.T, action, payload string) {
		reply, e := Receive(action, json.RawMessage(payload), env)
		if (e == nil) == (reply.Response == nil) {
			t.Fatalf("both or neither: %v, %+v", e, reply)
		}
		if _, err := json.Marshal(reply); err != nil {
			t.Fatalf("cannot be stored or sent: %v", err)
		}
		for _, fact := range reply.Facts {
			if fact.Kind == "" || fact.ReservationID < 0 {
				t.Fatalf("bad fact %+v", fact)
			}
		}
		Answer(reservation.Call{Kind: reservation.ReserveNow, Content: &reservation.Content{IDToken: card}}, json.RawMessage(payload))
	})
}
