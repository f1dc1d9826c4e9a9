package v201

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

var (
	morning = time.Date(2026, 11, 23, 6, 0, 0, 123456789, time.UTC)
	card    = reservation.Token{IDToken: "04A2B3C4", Type: "ISO14443"}
	depot   = reservation.Token{IDToken: "DEPOT-A", Type: "Central"}
)

func reserve(edit func(*reservation.Content)) reservation.Call {
	c := reservation.Content{Target: reservation.Target{EVSE: 1}, IDToken: card, Expiry: morning}
	edit(&c)
	return reservation.Call{Kind: reservation.ReserveNow, Content: &c}
}

func TestEncodeWritesTheseFrames(t *testing.T) {
	tests := map[string]struct {
		call reservation.Call
		want string
	}{
		"EVSE": {reserve(func(*reservation.Content) {}),
			`[2,"m1","ReserveNow",{"id":41,"expiryDateTime":"2026-11-23T06:00:00Z","idToken":{"idToken":"04A2B3C4","type":"ISO14443"},"evseId":1}]`},
		"AnyEVSE": {reserve(func(c *reservation.Content) { c.EVSE = 0 }),
			`[2,"m1","ReserveNow",{"id":41,"expiryDateTime":"2026-11-23T06:00:00Z","idToken":{"idToken":"04A2B3C4","type":"ISO14443"}}]`},
		"ConnectorTypeAndGroup": {reserve(func(c *reservation.Content) {
			c.Target = reservation.Target{ConnectorType: "cCCS2"}
			c.GroupIDToken = &depot
		}), `[2,"m1","ReserveNow",{"id":41,"expiryDateTime":"2026-11-23T06:00:00Z","connectorType":"cCCS2","idToken":{"idToken":"04A2B3C4","type":"ISO14443"},"groupIdToken":{"idToken":"DEPOT-A","type":"Central"}}]`},
		"OffsetBecomesZ": {reserve(func(c *reservation.Content) { c.Expiry = morning.In(time.FixedZone("CET", 3600)) }),
			`[2,"m1","ReserveNow",{"id":41,"expiryDateTime":"2026-11-23T06:00:00Z","idToken":{"idToken":"04A2B3C4","type":"ISO14443"},"evseId":1}]`},
		"AdditionalInfo": {reserve(func(c *reservation.Content) {
			c.IDToken.AdditionalInfo = []reservation.AdditionalInfo{{AdditionalIDToken: "V12", Type: "fleet"}}
		}), `[2,"m1","ReserveNow",{"id":41,"expiryDateTime":"2026-11-23T06:00:00Z","idToken":{"idToken":"04A2B3C4","type":"ISO14443","additionalInfo":[{"additionalIdToken":"V12","type":"fleet"}]},"evseId":1}]`},
		"Cancel": {reservation.Call{Kind: reservation.CancelReservation},
			`[2,"m1","CancelReservation",{"reservationId":41}]`},
		"ProbeBoot": {reservation.Call{Kind: reservation.ProbeBoot},
			`[2,"m1","TriggerMessage",{"requestedMessage":"BootNotification"}]`},
		"ProbeStatus": {reservation.Call{Kind: reservation.ProbeStatus, EVSE: 2},
			`[2,"m1","TriggerMessage",{"requestedMessage":"StatusNotification","evse":{"id":2,"connectorId":1}}]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			action, payload, err := Encode(41, tt.call)
			if err != nil {
				t.Fatal(err)
			}
			got, err := wire.Call("m1", action, payload)
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func TestEncodeRefusesWhatCannotBeSaid(t *testing.T) {
	tests := map[string]struct {
		id   int32
		edit func(*reservation.Content)
		path string
		code wire.ErrorCode
	}{
		"IDZero":          {0, func(*reservation.Content) {}, "id", wire.OccurrenceConstraintViolation},
		"IDNegative":      {-1, func(*reservation.Content) {}, "id", wire.PropertyConstraintViolation},
		"Token37":         {1, func(c *reservation.Content) { c.IDToken.IDToken = strings.Repeat("A", 37) }, "idToken.idToken", wire.PropertyConstraintViolation},
		"TokenEmpty":      {1, func(c *reservation.Content) { c.IDToken.IDToken = "" }, "idToken.idToken", wire.PropertyConstraintViolation},
		"TokenType":       {1, func(c *reservation.Content) { c.IDToken.Type = "EVCCID" }, "idToken.type", wire.PropertyConstraintViolation},
		"TokenTypeAbsent": {1, func(c *reservation.Content) { c.IDToken.Type = "" }, "idToken.type", wire.OccurrenceConstraintViolation},
		"TokenNotUTF8":    {1, func(c *reservation.Content) { c.IDToken.IDToken = "\xff" }, "idToken.idToken", wire.FormatViolation},
		"Group37": {1, func(c *reservation.Content) {
			c.GroupIDToken = &reservation.Token{IDToken: strings.Repeat("A", 37), Type: "Central"}
		}, "groupIdToken.idToken", wire.PropertyConstraintViolation},
		"ConnectorOf21": {1, func(c *reservation.Content) { c.ConnectorType = "cMCS" }, "connectorType", wire.PropertyConstraintViolation},
		"Year2038":      {1, func(c *reservation.Content) { c.Expiry = time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC) }, "expiryDateTime", wire.PropertyConstraintViolation},
		"NoExpiry":      {1, func(c *reservation.Content) { c.Expiry = time.Time{} }, "expiryDateTime", wire.OccurrenceConstraintViolation},
		"EVSENegative":  {1, func(c *reservation.Content) { c.EVSE = -1 }, "evseId", wire.PropertyConstraintViolation},
		"AdditionalType51": {1, func(c *reservation.Content) {
			c.IDToken.AdditionalInfo = []reservation.AdditionalInfo{{}, {Type: strings.Repeat("t", 51)}}
		}, "idToken.additionalInfo[1].type", wire.PropertyConstraintViolation},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, payload, err := Encode(tt.id, reserve(tt.edit))
			v, ok := errors.AsType[*Violation](err)
			if !ok || v.Path != tt.path || v.Code != tt.code || payload != nil {
				t.Errorf("got %v (%+v), payload %v", err, v, payload)
			}
		})
	}
	if _, _, err := Encode(1, reservation.Call{Kind: reservation.ReserveNow}); err == nil {
		t.Error("ReserveNow without content was encoded")
	}
}

func TestAnswer(t *testing.T) {
	r, c := reservation.ReserveNow, reservation.CancelReservation
	tests := []struct {
		kind    reservation.CallKind
		payload string
		want    reservation.Outcome
		info    string
	}{
		{r, `{"status":"Accepted"}`, reservation.AnswerAccepted, ""},
		{r, `{"status":"Occupied"}`, reservation.AnswerOccupied, ""},
		{r, `{"status":"Faulted"}`, reservation.AnswerFaulted, ""},
		{r, `{"status":"Unavailable"}`, reservation.AnswerUnavailable, ""},
		{r, `{"status":"Rejected","statusInfo":{"reasonCode":"","additionalInfo":"no such EVSE"}}`, reservation.AnswerRejected, "no such EVSE"},
		{r, `{"status":"Rejected","statusInfo":{"reasonCode":"UnknownEvse","additionalInfo":"7"}}`, reservation.AnswerRejected, "UnknownEvse: 7"},
		{r, `{"status":"Rejected","statusInfo":{"reasonCode":"x","additionalInfo":"bad card 04a2b3c4"}}`, reservation.AnswerRejected, "x: bad card (token)"},
		{r, `{"status":"Accepted","statusInfo":"free text"}`, reservation.AnswerAccepted, ""},
		{r, `{"status":"Accepted","customData":{"vendorId":"v","x":[1]}}`, reservation.AnswerAccepted, ""},
		{r, `{"status":"Scheduled"}`, reservation.AnswerNone, `answered "Scheduled"`},
		{r, `{"status":7}`, reservation.AnswerNone, "unreadable answer: status: must be a string"},
		{r, `{}`, reservation.AnswerNone, `answered ""`},
		{r, ``, reservation.AnswerNone, "unreadable answer: not valid JSON"},
		{c, `{"status":"Accepted"}`, reservation.AnswerAccepted, ""},
		{c, `{"status":"Rejected"}`, reservation.AnswerRejected, ""},
		{c, `{"status":"Occupied"}`, reservation.AnswerNone, `answered "Occupied"`},
		{reservation.ProbeBoot, `{"status":"NotImplemented"}`, reservation.AnswerRejected, `answered "NotImplemented"`},
	}
	for _, tt := range tests {
		call := reserve(func(*reservation.Content) {})
		call.Kind = tt.kind
		if got := Answer(call, json.RawMessage(tt.payload)); got.Outcome != tt.want || got.Info != tt.info {
			t.Errorf("%s %s: got %+v", tt.kind, tt.payload, got)
		}
	}
}

func TestAnswerErrorInEverySpelling(t *testing.T) {
	tests := map[reservation.Outcome][]wire.ErrorCode{
		reservation.AnswerNotSupported: {"NotImplemented", "NotSupported"},
		reservation.AnswerRefused: {"PropertyConstraintViolation", "TypeConstraintViolation", "FormatViolation", "FormationViolation",
			"OccurrenceConstraintViolation", "OccurenceConstraintViolation"},
		reservation.AnswerSecurity: {"SecurityError"},
		reservation.AnswerNone:     {"InternalError", "GenericError", "ProtocolError", "RpcFrameworkError", "MessageTypeNotSupported", "", "Banana"},
	}
	for want, codes := range tests {
		for _, code := range codes {
			if got := AnswerError(reserve(func(*reservation.Content) {}), &wire.Error{Code: code}); got.Outcome != want {
				t.Errorf("%s: got %+v, want %s", code, got, want)
			}
		}
	}
}
