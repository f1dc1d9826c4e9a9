package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
)

// Forced is how a station answers ReserveNow or CancelReservation whatever its
// rules and quirks say. Exactly one of Status, Error and Silence is set.
type Forced struct {
	Status  string         // of the response, such as Occupied
	Error   wire.ErrorCode // of a CALLERROR
	Silence bool           // no answer at all
	// CarryOut: the call takes effect all the same, by the rules; only its
	// answer is another one, or is lost. Otherwise the call has no effect.
	CarryOut bool
}

// forced is what is left of it.
type forced struct {
	Forced
	times int
}

// Force makes the next answers to an action these; 0 times goes back to the
// rules. What was forced before for the action is replaced.
func (m *Machine) Force(action string, f Forced, times int) error {
	var statuses []string
	switch action {
	case "ReserveNow":
		for _, s := range v201.ReserveNowStatuses() {
			statuses = append(statuses, string(s))
		}
	case "CancelReservation":
		statuses = []string{string(v201.Accepted), string(v201.Rejected)}
	default:
		return fmt.Errorf("action %q: want ReserveNow or CancelReservation", action)
	}
	if times == 0 {
		delete(m.forced, action)
		return nil
	}
	if err := f.check(action, statuses); err != nil {
		return err
	}
	if m.forced == nil {
		m.forced = map[string]forced{}
	}
	m.forced[action] = forced{f, times}
	return nil
}

func (f Forced) check(action string, statuses []string) error {
	given := 0
	for _, is := range []bool{f.Status != "", f.Error != "", f.Silence} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return fmt.Errorf("%s: want exactly one of a status, an error code and silence", action)
	case f.Status != "" && !slices.Contains(statuses, f.Status):
		return fmt.Errorf("%s: status %q: want one of %s", action, f.Status, strings.Join(statuses, ", "))
	case f.Error != "" && !slices.Contains(errorCodes(), f.Error):
		return fmt.Errorf("%s: error code %q is none of OCPP-J", action, f.Error)
	}
	return nil
}

// errorCodes are those of a CALLERROR in OCPP-J 2.0.1.
func errorCodes() []wire.ErrorCode {
	return []wire.ErrorCode{wire.FormatViolation, wire.GenericError, wire.InternalError, wire.MessageTypeNotSupported,
		wire.NotImplemented, wire.NotSupported, wire.OccurrenceConstraintViolation, wire.PropertyConstraintViolation,
		wire.ProtocolError, wire.RpcFrameworkError, wire.SecurityError, wire.TypeConstraintViolation}
}

// serve answers by the rules, unless something else is forced.
func (m *Machine) serve(action string, payload json.RawMessage) (any, *wire.Error) {
	f, ok := m.forced[action]
	if !ok {
		return v201.ServeStation(desk{m}, action, payload)
	}
	if f.times--; f.times > 0 {
		m.forced[action] = f
	} else {
		delete(m.forced, action)
	}
	if f.CarryOut {
		_, _ = v201.ServeStation(desk{m}, action, payload)
	}
	switch {
	case f.Silence:
		return nil, nil
	case f.Error != "":
		return nil, &wire.Error{Code: f.Error}
	case action == "ReserveNow":
		return v201.NewReserveNowResponse(v201.ReserveNowStatus(f.Status)), nil
	}
	return v201.NewCancelReservationResponse(v201.GenericStatus(f.Status)), nil
}
