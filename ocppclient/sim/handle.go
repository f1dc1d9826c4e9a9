package sim

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
)

// Handle takes a call of the CSMS: either a response or an error goes back, or
// neither where Force wants silence. The messages are sent after it, but for those with BeforeAnswer.
func (m *Machine) Handle(now time.Time, action string, payload json.RawMessage) (response any, callErr *wire.Error, after []Message) {
	m.begin(now)
	switch action {
	case "TriggerMessage":
		response, callErr = answer(payload, m.trigger)
	case "GetVariables":
		response, callErr = answer(payload, m.variables)
	default:
		response, callErr = m.serve(action, payload)
	}
	m.settle()
	if m.config.Quirks.StatusBeforeAnswer && action != "TriggerMessage" {
		for i := range m.out { // all: statuses may not overtake each other
			m.out[i].BeforeAnswer = true
		}
	}
	return response, callErr, m.take()
}

func answer[Q interface{ Validate() error }, R any](payload json.RawMessage, handle func(Q) R) (any, *wire.Error) {
	q, err := v201.Parse[Q](payload)
	if err != nil {
		return nil, v201.CallError(err)
	}
	return handle(q), nil
}

// trigger answers F06: a status wants its connector named (F06.FR.12), and a
// boot is not repeated once it was accepted (F06.FR.17).
func (m *Machine) trigger(q v201.TriggerMessageRequest) v201.TriggerMessageResponse {
	status := v201.Rejected
	switch q.RequestedMessage {
	case v201.TriggerStatusNotification:
		if q.EVSE == nil {
			break
		}
		if e := m.evse(q.EVSE.ID); e != nil && q.EVSE.ConnectorID >= 1 && q.EVSE.ConnectorID <= len(e.Reported) {
			status = v201.Accepted
			m.report(e, q.EVSE.ConnectorID)
		}
	case v201.TriggerBootNotification:
		if !m.Accepted {
			status = v201.Accepted
			m.notifyBoot("Triggered")
		}
	case v201.TriggerHeartbeat:
		status = v201.Accepted
		m.send("Heartbeat", v201.HeartbeatRequest{})
	default:
		status = v201.NotImplemented
	}
	return v201.TriggerMessageResponse{Status: status}
}

// variables answers B06 for the few variables that a CSMS asks about reservations.
func (m *Machine) variables(q v201.GetVariablesRequest) v201.GetVariablesResponse {
	var r v201.GetVariablesResponse
	for _, d := range q.GetVariableData {
		status, value := m.variable(d)
		r.GetVariableResult = append(r.GetVariableResult, v201.GetVariableResult{
			AttributeStatus: status, AttributeValue: value, Component: d.Component, Variable: d.Variable})
	}
	return r
}

func (m *Machine) variable(d v201.GetVariableData) (status, value string) {
	quirks := m.config.Quirks
	known := map[string]map[string]string{
		v201.ComponentReservations: {
			v201.VariableAvailable: strconv.FormatBool(!quirks.ReservationsNotImplemented),
			v201.VariableEnabled:   strconv.FormatBool(!quirks.ReservationsNotImplemented),
			v201.VariableNonEVSE:   strconv.FormatBool(!quirks.RejectsUntargeted),
		},
		v201.ComponentTransactions: {v201.VariableConnectTimeout: "60"},
		v201.ComponentStation:      {v201.VariableAvailability: string(v201.StatusAvailable)},
		v201.ComponentEVSE:         {},
		v201.ComponentConnector:    {},
	}
	variables, ok := known[d.Component.Name]
	if at := d.Component.EVSE; ok && at != nil {
		if e := m.evse(at.ID); e != nil {
			variables[v201.VariableAvailability] = string(m.shown(e))
		}
	}
	value, found := variables[d.Variable.Name]
	switch {
	case !ok:
		return "UnknownComponent", ""
	case !found:
		return "UnknownVariable", ""
	}
	return "Accepted", value
}
