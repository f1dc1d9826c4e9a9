package v201

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

// Env is what the answer to a station depends on besides its call.
type Env struct {
	Now         time.Time
	ConnectedAt time.Time // when the socket was accepted; zero: nothing counts as older
	Interval    int       // seconds, for BootNotification
	Boot        string    // Accepted, Pending or Rejected: the answer to BootNotification
	// Authorize says whether a token may charge, and its group. Nil accepts all.
	Authorize func(reservation.Token) (accepted bool, group *reservation.Token)
}

// Reply is what a station's call means and what to answer. Facts have their
// kind, payload, reservation id and Queued; station, time and connection are
// the caller's. They are stored before the response leaves.
type Reply struct {
	Facts    []reservation.Event
	Response any
}

// queuedAge is how much older than the connection a report may be before it
// counts as kept from earlier: links take a moment to come up.
const queuedAge = 5 * time.Second

// epochYear: a clock that shows less has not been set yet.
const epochYear = 2000

// Receive says what a station's call means and what to answer. A payload that
// cannot be understood and an action that is not known are answered with an error.
func Receive(action string, payload json.RawMessage, env Env) (Reply, *wire.Error) {
	switch action {
	case "BootNotification":
		return receive(payload, env, boot)
	case "Heartbeat":
		return Reply{Response: HeartbeatResponse{At(env.Now)}}, nil
	case "StatusNotification":
		return receive(payload, env, status)
	case "NotifyEvent":
		return receive(payload, env, event)
	case "TransactionEvent":
		return receive(payload, env, transaction)
	case "ReservationStatusUpdate":
		return receive(payload, env, update)
	case "Authorize":
		return receive(payload, env, authorize)
	}
	if response := decline(action); response != nil {
		return Reply{Response: response}, nil
	}
	return Reply{}, unknown(action)
}

// decline is the smallest answer to what this program has no use for, nil
// where the action is not known. Whatever the payload is, it is not read.
func decline(action string) any {
	switch action {
	case "DataTransfer":
		return StatusResponse{"UnknownVendorId"}
	case "SignCertificate", "NotifyEVChargingNeeds":
		return StatusResponse{"Rejected"}
	case "NotifyEVChargingSchedule":
		return StatusResponse{"Accepted"}
	case "GetCertificateStatus":
		return StatusResponse{"Failed"}
	case "Get15118EVCertificate":
		return Get15118EVCertificateResponse{Status: "Failed"}
	}
	if slices.Contains(acknowledged(), action) {
		return Empty{}
	}
	return nil
}

func receive[Q any](payload json.RawMessage, env Env, handle func(Q, Env) (Reply, error)) (Reply, *wire.Error) {
	var q Q
	if err := Unmarshal(payload, &q); err != nil {
		return Reply{}, CallError(err)
	}
	reply, err := handle(q, env)
	if err != nil {
		return Reply{}, CallError(err)
	}
	return reply, nil
}

func boot(q BootNotificationRequest, env Env) (Reply, error) {
	cs := q.ChargingStation
	fact := reservation.Event{Kind: reservation.Booted, Boot: &reservation.Boot{
		Accepted: env.Boot == string(Accepted), Reason: short(q.Reason),
		Vendor: short(cs.VendorName), Model: short(cs.Model), Serial: short(cs.SerialNumber), Firmware: short(cs.FirmwareVersion),
	}}
	return Reply{[]reservation.Event{fact}, BootNotificationResponse{
		CurrentTime: At(env.Now), Interval: env.Interval, Status: GenericStatus(env.Boot),
	}}, nil
}

func status(q StatusNotificationRequest, env Env) (Reply, error) {
	s, ok := neutral(string(q.ConnectorStatus))
	switch {
	case q.ConnectorStatus == "":
		return Reply{}, missing("connectorStatus")
	case !ok:
		return Reply{}, broken("connectorStatus", "is not known")
	}
	return Reply{statusFact(env, q.EVSEID, q.ConnectorID, s, q.Timestamp), Empty{}}, nil
}

// neutral is a connector status in our words. Stations that came from 1.6
// still send its statuses, which 2.x calls Occupied.
func neutral(s string) (reservation.EVSEStatus, bool) {
	switch v := reservation.EVSEStatus(s); v {
	case reservation.Available, reservation.Occupied, reservation.Reserved, reservation.Unavailable, reservation.Faulted:
		return v, true
	case "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing":
		return reservation.Occupied, true
	}
	return "", false
}

// statusFact is one status; none where the numbers are no EVSE's.
func statusFact(env Env, evse, connector int, s reservation.EVSEStatus, at DateTime) []reservation.Event {
	if evse < 0 || connector < 0 {
		return nil
	}
	return []reservation.Event{{
		Kind:   reservation.Status,
		Queued: env.queued(at),
		Status: &reservation.StatusReport{EVSE: evse, Connector: connector, Status: s, Timestamp: at.fact()},
	}}
}

// event reads the AvailabilityState of connectors, EVSEs and the station, and
// passes over all else that a station notifies.
func event(q NotifyEventRequest, env Env) (Reply, error) {
	var facts []reservation.Event
	for _, d := range q.EventData {
		s, ok := neutral(d.ActualValue)
		if !ok || !strings.EqualFold(d.Variable.Name, VariableAvailability) {
			continue
		}
		if evse, connector, ok := d.Component.place(); ok {
			facts = append(facts, statusFact(env, evse, connector, s, d.Timestamp)...)
		}
	}
	return Reply{facts, Empty{}}, nil
}

// place is the EVSE and connector that a component stands for; 0 is the whole.
func (c Component) place() (evse, connector int, ok bool) {
	switch {
	case strings.EqualFold(c.Name, ComponentStation):
		return 0, 0, true
	case c.EVSE == nil:
		return 0, 0, false
	case strings.EqualFold(c.Name, ComponentEVSE):
		return c.EVSE.ID, 0, true
	case strings.EqualFold(c.Name, ComponentConnector):
		return c.EVSE.ID, c.EVSE.ConnectorID, true
	}
	return 0, 0, false
}

// update reads a ReservationStatusUpdate. Ids that stations use for "none"
// are acknowledged and mean nothing.
func update(q ReservationStatusUpdateRequest, _ Env) (Reply, error) {
	reply := Reply{Response: ReservationStatusUpdateResponse{}}
	s := reservation.UpdateStatus(q.ReservationUpdateStatus)
	switch s {
	case "":
		return Reply{}, missing("reservationUpdateStatus")
	case reservation.Expired, reservation.Removed:
	default:
		return Reply{}, broken("reservationUpdateStatus", "is not known")
	}
	if q.ReservationID > 0 {
		reply.Facts = []reservation.Event{{Kind: reservation.Reported, ReservationID: q.ReservationID, Update: s}}
	}
	return reply, nil
}

func authorize(q AuthorizeRequest, env Env) (Reply, error) {
	if q.IDToken.IDToken == "" && q.IDToken.Type == "" {
		return Reply{}, missing("idToken")
	}
	info, _ := env.authorize(q.IDToken)
	return Reply{Response: AuthorizeResponse{info}}, nil
}

// authorize never turns NoAuthorization down: the station is not asking.
func (e Env) authorize(t IdToken) (IdTokenInfo, *reservation.Token) {
	info := IdTokenInfo{Status: AuthorizationAccepted}
	if e.Authorize == nil || t.Type == NoAuthorization {
		return info, nil
	}
	ok, group := e.Authorize(ToToken(t))
	if !ok {
		info.Status = AuthorizationUnknown
	}
	if group == nil {
		return info, nil
	}
	if out := FromToken(*group); out.Validate() == nil { // a longer one cannot be said in this version
		info.GroupIDToken = &out
	}
	return info, group
}

// transaction reads a TransactionEvent. It is always answered normally: a
// station repeats what was refused and blocks its queue behind it.
func transaction(q TransactionEventRequest, env Env) (Reply, error) {
	report := reservation.TransactionReport{
		ID: short(q.TransactionInfo.TransactionID), Type: q.EventType, Timestamp: q.Timestamp.fact(), Offline: q.Offline,
		RemoteStarted: q.TriggerReason == ReasonRemote || q.TransactionInfo.RemoteStartID != nil,
	}
	if q.EventType != EventStarted && q.EventType != EventEnded {
		report.Type = EventUpdated
	}
	if q.EVSE != nil && q.EVSE.ID > 0 {
		report.EVSE = q.EVSE.ID
	}
	var response TransactionEventResponse
	if q.IDToken != nil {
		info, group := env.authorize(*q.IDToken)
		token := shortToken(*q.IDToken)
		response.IDTokenInfo = &info
		report.IDToken, report.GroupIDToken, report.Refused = &token, group, info.Status != AuthorizationAccepted
	}
	fact := reservation.Event{Kind: reservation.Transaction, Transaction: &report, Queued: q.Offline || env.queued(q.Timestamp)}
	if q.ReservationID != nil && *q.ReservationID > 0 {
		fact.ReservationID = *q.ReservationID
	}
	return Reply{[]reservation.Event{fact}, response}, nil
}

// longest is how much of a name or an id is kept, in bytes, and most how many of
// a list: the standard's are shorter. A station that says more is answered as
// others are, and cannot have the journal filled with it.
const (
	longest = 255
	most    = 16
)

// short is what is kept of a text. The copy is its own: a part would keep all.
func short(text string) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(strings.Clone(text[:longest]), "")
}

// shortToken is what is kept of a token. One that is cut is no declared one.
func shortToken(t IdToken) reservation.Token {
	t.IDToken, t.Type = short(t.IDToken), IdTokenType(short(string(t.Type)))
	t.AdditionalInfo = t.AdditionalInfo[:min(len(t.AdditionalInfo), most)]
	token := ToToken(t)
	for i := range token.AdditionalInfo {
		a := &token.AdditionalInfo[i]
		a.AdditionalIDToken, a.Type = short(a.AdditionalIDToken), short(a.Type)
	}
	return token
}

// queued reports whether something happened before the station connected.
func (e Env) queued(at DateTime) bool {
	return at.Year() >= epochYear && at.Before(e.ConnectedAt.Add(-queuedAge))
}

// fact is the time in the journal's precision.
func (d DateTime) fact() time.Time { return d.Time.Truncate(time.Millisecond) }
