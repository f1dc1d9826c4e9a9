package sim

import (
	"encoding/json"
	"testing"
	"time"
)

func FuzzHandle(f *testing.F) {
	f.Add("ReserveNow", `{"id":1,"expiryDateTime":"2026-11-23T00:00:00Z","idToken":{"idToken":"A","type":"Central"},"evseId":1}`, uint8(0))
	f.Add("CancelReservation", `{"reservationId":1}`, uint8(1))
	f.Add("TriggerMessage", `{"requestedMessage":"StatusNotification","evse":{"id":2,"connectorId":-1}}`, uint8(2))
	f.Add("GetVariables", `{"getVariableData":[{"component":{"name":"EVSE","evse":{"id":1}},"variable":{"name":"AvailabilityState"}}]}`, uint8(3))
	f.Fuzz(func(t *testing.T, action, payload string, hours uint8) {
		b := newBench(t, Quirks{UntargetedOnEVSE1: hours%2 == 1, PastExpiry: PastExpiryHeldForever})
		reserve(1, 1)(b)
		after(time.Duration(hours) * time.Hour)(b)
		response, failed, _ := b.m.Handle(b.now, action, json.RawMessage(payload))
		if (response == nil) == (failed == nil) {
			t.Fatalf("both or neither: %v, %v", response, failed)
		}
		if _, err := json.Marshal(response); err != nil {
			t.Fatal(err)
		}
		if _, err := b.m.Snapshot(); err != nil {
			t.Fatal(err)
		}
	})
}
