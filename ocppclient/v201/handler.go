package v201

import (
	"encoding/json"

	"github.com/resctl/resctl/ocppclient/wire"
)

// StationHandler is the station's end of functional block H: it answers what
// a CSMS asks. An error becomes a CALLERROR: the code of a *Violation or a
// *wire.Error, InternalError otherwise.
type StationHandler interface {
	ReserveNow(ReserveNowRequest) (ReserveNowResponse, error)
	CancelReservation(CancelReservationRequest) (CancelReservationResponse, error)
}

// CSMSHandler is the CSMS's end of functional block H: it answers what a
// station reports. What it returns may not leave before the report is stored,
// for stations do not repeat a report that was answered.
type CSMSHandler interface {
	ReservationStatusUpdate(ReservationStatusUpdateRequest) (ReservationStatusUpdateResponse, error)
}

// ServeStation gives a CSMS's call to the handler, checked. Other actions are
// answered NotImplemented.
func ServeStation(h StationHandler, action string, payload json.RawMessage) (any, *wire.Error) {
	switch action {
	case "ReserveNow":
		return serve(payload, h.ReserveNow)
	case "CancelReservation":
		return serve(payload, h.CancelReservation)
	}
	return nil, unknown(action)
}

// ServeCSMS gives a station's call to the handler, checked. Other actions are
// answered NotImplemented.
func ServeCSMS(h CSMSHandler, action string, payload json.RawMessage) (any, *wire.Error) {
	if action == "ReservationStatusUpdate" {
		return serve(payload, h.ReservationStatusUpdate)
	}
	return nil, unknown(action)
}

// validator is what every message that is checked has.
type validator interface{ Validate() error }

// Parse reads and checks a payload. An error is a *Violation, whose Wire is
// what a CALLERROR says.
func Parse[Q validator](payload json.RawMessage) (Q, error) {
	var q Q
	if err := Unmarshal(payload, &q); err != nil {
		return q, err
	}
	return q, q.Validate()
}

func serve[Q, R validator](payload json.RawMessage, handle func(Q) (R, error)) (any, *wire.Error) {
	q, err := Parse[Q](payload)
	if err != nil {
		return nil, CallError(err)
	}
	r, err := handle(q)
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return nil, CallError(err)
	}
	return r, nil
}

func unknown(action string) *wire.Error {
	return &wire.Error{Code: wire.NotImplemented, Description: "action is not known: " + action}
}
