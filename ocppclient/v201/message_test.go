package v201

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/resctl/resctl/ocppclient/wire"
)

func TestListsHaveTheLengthOfTheStandard(t *testing.T) {
	if c, k, s := len(ConnectorTypes()), len(IdTokenTypes()), len(ReserveNowStatuses()); c != 22 || k != 8 || s != 5 {
		t.Errorf("%d connector types, %d token types, %d statuses", c, k, s)
	}
}

func TestFeaturesMakeTheirMessages(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Features() {
		if seen[f.Action] {
			t.Errorf("%s is listed twice", f.Action)
		}
		seen[f.Action] = true
		if err := Unmarshal([]byte(`{}`), f.Request()); err != nil {
			t.Errorf("%s request: %v", f.Action, err)
		}
		if err := Unmarshal([]byte(`{}`), f.Response()); err != nil {
			t.Errorf("%s response: %v", f.Action, err)
		}
		if f.From != FromStation {
			continue
		}
		if _, e := Receive(f.Action, json.RawMessage(`{}`), Env{}); e != nil && e.Code == wire.NotImplemented {
			t.Errorf("%s is listed and not received", f.Action)
		}
	}
}

func TestCustomDataGoesOutAsItCameIn(t *testing.T) {
	in := `{"status":"Accepted","customData":{"a":[1,2],"vendorId":"example"}}`
	var r ReserveNowResponse
	if err := Unmarshal([]byte(in), &r); err != nil || r.CustomData.VendorID != "example" {
		t.Fatal(r, err)
	}
	if out := encode(t, r); out != in {
		t.Errorf("got %s", out)
	}
}

func TestValidateNamesTheField(t *testing.T) {
	long := strings.Repeat("x", 600)
	tests := []struct {
		message interface{ Validate() error }
		path    string
		code    wire.ErrorCode
	}{
		{ReserveNowResponse{}, "status", wire.OccurrenceConstraintViolation},
		{ReserveNowResponse{Status: "Maybe"}, "status", wire.PropertyConstraintViolation},
		{ReserveNowResponse{Status: ReserveAccepted, StatusInfo: &StatusInfo{ReasonCode: long}}, "statusInfo.reasonCode", wire.PropertyConstraintViolation},
		{ReserveNowResponse{Status: ReserveAccepted, StatusInfo: &StatusInfo{AdditionalInfo: long}}, "statusInfo.additionalInfo", wire.PropertyConstraintViolation},
		{ReserveNowResponse{Status: ReserveAccepted, CustomData: &CustomData{}}, "customData.vendorId", wire.OccurrenceConstraintViolation},
		{ReserveNowResponse{Status: ReserveAccepted, CustomData: &CustomData{VendorID: long}}, "customData.vendorId", wire.PropertyConstraintViolation},
		{CancelReservationRequest{}, "reservationId", wire.OccurrenceConstraintViolation},
		{CancelReservationResponse{Status: Pending}, "status", wire.PropertyConstraintViolation},
		{ReservationStatusUpdateRequest{ReservationID: 1, ReservationUpdateStatus: "NoTransaction"}, "reservationUpdateStatus", wire.PropertyConstraintViolation},
		{IdToken{IDToken: "A", Type: Central, AdditionalInfo: []AdditionalInfo{}}, "idToken.additionalInfo", wire.OccurrenceConstraintViolation},
	}
	for _, tt := range tests {
		err := tt.message.Validate()
		if v, ok := errors.AsType[*Violation](err); !ok || v.Path != tt.path || v.Code != tt.code {
			t.Errorf("%T: got %v", tt.message, err)
		}
	}
	empty := ReserveNowResponse{Status: ReserveRejected, StatusInfo: &StatusInfo{}}
	if err := empty.Validate(); err != nil {
		t.Errorf("an empty reason code is in use: %v", err)
	}
}

// desk is both ends in one: it accepts everything and counts.
type desk struct{ calls int }

func (d *desk) ReserveNow(ReserveNowRequest) (ReserveNowResponse, error) {
	d.calls++
	return NewReserveNowResponse(ReserveAccepted), nil
}

func (d *desk) CancelReservation(CancelReservationRequest) (CancelReservationResponse, error) {
	d.calls++
	return CancelReservationResponse{}, &wire.Error{Code: wire.NotSupported}
}

func (d *desk) ReservationStatusUpdate(ReservationStatusUpdateRequest) (ReservationStatusUpdateResponse, error) {
	d.calls++
	return ReservationStatusUpdateResponse{}, errors.New("disk full")
}

func TestServe(t *testing.T) {
	d := &desk{}
	station := func(action, payload string) (any, *wire.Error) {
		return ServeStation(d, action, json.RawMessage(payload))
	}
	good := `{"id":1,"expiryDateTime":"2026-11-23T06:00:00Z","idToken":{"idToken":"A","type":"Central"}}`
	if r, e := station("ReserveNow", good); e != nil || encode(t, r) != `{"status":"Accepted"}` {
		t.Error(r, e)
	}
	if _, e := station("ReserveNow", strings.Replace(good, `"id":1`, `"id":"1"`, 1)); e == nil || e.Code != wire.TypeConstraintViolation {
		t.Error(e)
	}
	if _, e := station("ReserveNow", strings.Replace(good, "2026-11-23T06", "tomorrow", 1)); e == nil || e.Code != wire.FormatViolation {
		t.Error(e)
	}
	if _, e := station("CancelReservation", `{"reservationId":1}`); e == nil || e.Code != wire.NotSupported {
		t.Error(e)
	}
	if _, e := station("Reset", `{}`); e == nil || e.Code != wire.NotImplemented {
		t.Error(e)
	}
	update := json.RawMessage(`{"reservationId":1,"reservationUpdateStatus":"Expired"}`)
	if _, e := ServeCSMS(d, "ReservationStatusUpdate", update); e == nil || e.Code != wire.InternalError {
		t.Error(e)
	}
	if d.calls != 3 {
		t.Errorf("%d calls reached the handlers", d.calls)
	}
}
