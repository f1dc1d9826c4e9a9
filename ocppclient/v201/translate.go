package v201

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

// Encode turns one of our calls into an action and a payload. An error means
// that the content cannot be said in OCPP 2.0.1, and that nothing may be sent.
func Encode(reservationID int32, c reservation.Call) (action string, payload any, err error) {
	switch c.Kind {
	case reservation.ReserveNow:
		return encodeReserve(reservationID, c.Content)
	case reservation.CancelReservation:
		r := NewCancelReservationRequest(reservationID)
		return checked("CancelReservation", r)
	case reservation.ProbeBoot:
		return checked("TriggerMessage", TriggerMessageRequest{RequestedMessage: TriggerBootNotification})
	case reservation.ProbeStatus:
		return checked("TriggerMessage", statusTrigger(c.EVSE))
	}
	return "", nil, fmt.Errorf("ocpp 2.0.1: encode call %q: unknown kind", c.Kind)
}

// statusTrigger names connector 1: stations refuse a trigger that names none
// (F06.FR.12), and a reservation shows on every connector of its EVSE.
func statusTrigger(evse int) TriggerMessageRequest {
	r := TriggerMessageRequest{RequestedMessage: TriggerStatusNotification}
	if evse != 0 {
		r.EVSE = &EVSE{ID: evse, ConnectorID: 1}
	}
	return r
}

func encodeReserve(id int32, c *reservation.Content) (string, any, error) {
	if c == nil {
		return "", nil, fmt.Errorf("ocpp 2.0.1: encode ReserveNow %d: no content", id)
	}
	r := NewReserveNowRequest(id, c.Expiry, FromToken(c.IDToken))
	r.ConnectorType = ConnectorType(c.ConnectorType)
	if c.EVSE != 0 {
		r.EVSEID = &c.EVSE
	}
	if c.GroupIDToken != nil {
		group := FromToken(*c.GroupIDToken)
		r.GroupIDToken = &group
	}
	return checked("ReserveNow", r)
}

func checked(action string, r validator) (string, any, error) {
	if err := r.Validate(); err != nil {
		return "", nil, fmt.Errorf("ocpp 2.0.1: encode %s: %w", action, err)
	}
	return action, r, nil
}

// FromToken is a token of ours as it goes out.
func FromToken(t reservation.Token) IdToken {
	out := IdToken{IDToken: t.IDToken, Type: IdTokenType(t.Type)}
	for _, a := range t.AdditionalInfo {
		out.AdditionalInfo = append(out.AdditionalInfo, AdditionalInfo{AdditionalIDToken: a.AdditionalIDToken, Type: a.Type})
	}
	return out
}

// ToToken is a token that came in as ours. It is not checked: stations write
// more characters and other types than the standard has.
func ToToken(t IdToken) reservation.Token {
	out := reservation.Token{IDToken: t.IDToken, Type: string(t.Type)}
	for _, a := range t.AdditionalInfo {
		out.AdditionalInfo = append(out.AdditionalInfo, reservation.AdditionalInfo{AdditionalIDToken: a.AdditionalIDToken, Type: a.Type})
	}
	return out
}

// Answer reads the payload of a CALLRESULT to our call. A status that is not
// one of the standard's is no answer: what the station did is unknown.
func Answer(c reservation.Call, payload json.RawMessage) reservation.Answer {
	var r struct {
		Status     string          `json:"status"`
		StatusInfo json.RawMessage `json:"statusInfo"`
	}
	if err := Unmarshal(payload, &r); err != nil {
		return reservation.Answer{Outcome: reservation.AnswerNone, Info: clean(c, "unreadable answer: "+err.Error())}
	}
	outcome, known := outcomeOf(c.Kind, r.Status)
	info := explain(r.StatusInfo)
	if !known {
		info = join(fmt.Sprintf("answered %q", r.Status), info)
	}
	return reservation.Answer{Outcome: outcome, Info: clean(c, info)}
}

// outcomeOf is the outcome of a status, and whether it needs no explanation.
func outcomeOf(kind reservation.CallKind, status string) (reservation.Outcome, bool) {
	trigger := kind == reservation.ProbeBoot || kind == reservation.ProbeStatus
	switch {
	case status == string(Accepted) || status == string(Rejected):
		return reservation.Outcome(status), true
	case trigger && status == string(NotImplemented):
		return reservation.AnswerRejected, false // says nothing about reservations
	case kind == reservation.ReserveNow && slices.Contains(ReserveNowStatuses(), ReserveNowStatus(status)):
		return reservation.Outcome(status), true
	}
	return reservation.AnswerNone, false
}

// explain reads a statusInfo as far as it can be read.
func explain(raw json.RawMessage) string {
	var s StatusInfo
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return join(s.ReasonCode, s.AdditionalInfo)
}

// AnswerError reads a CALLERROR to our call. Only the codes that a station
// gives before it does anything are a refusal; after any other it may have
// acted or not.
func AnswerError(c reservation.Call, e *wire.Error) reservation.Answer {
	if e == nil {
		return reservation.Answer{Outcome: reservation.AnswerNone}
	}
	a := reservation.Answer{Outcome: reservation.AnswerNone, Info: clean(c, join(string(e.Code), e.Description))}
	switch e.Code.Canonical() {
	case wire.NotImplemented, wire.NotSupported:
		a.Outcome = reservation.AnswerNotSupported
	case wire.PropertyConstraintViolation, wire.TypeConstraintViolation, wire.FormatViolation, wire.OccurrenceConstraintViolation:
		a.Outcome = reservation.AnswerRefused
	case wire.SecurityError:
		a.Outcome = reservation.AnswerSecurity
	}
	return a
}

// join puts a colon between two texts where both are there.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}

// maxInfo is how much of what a station says is kept, in bytes.
const maxInfo = 1000

// clean takes the call's tokens out of what a station said about it, for Info
// is shown and logged, and bounds it.
func clean(c reservation.Call, info string) string {
	info = strings.ToValidUTF8(info[:min(len(info), maxInfo)], "")
	if c.Content == nil {
		return info
	}
	info = mask(info, c.Content.IDToken)
	if c.Content.GroupIDToken != nil {
		info = mask(info, *c.Content.GroupIDToken)
	}
	return info
}

func mask(info string, t reservation.Token) string {
	if t.IDToken == "" || info == "" {
		return info
	}
	re, err := regexp.Compile("(?i)" + regexp.QuoteMeta(t.IDToken))
	if err != nil {
		return ""
	}
	return re.ReplaceAllLiteralString(info, t.String())
}
