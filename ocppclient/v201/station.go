package v201

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// BootNotificationRequest is the first call after a start of the station (B01).
type BootNotificationRequest struct {
	ChargingStation ChargingStation `json:"chargingStation"`
	Reason          string          `json:"reason"` // BootReasonEnumType: PowerUp, LocalReset, Watchdog, …
}

// ChargingStation is what a station says of itself (ChargingStationType).
type ChargingStation struct {
	SerialNumber    string `json:"serialNumber,omitempty"` // ≤25; the certificate's common name in security profile 3
	Model           string `json:"model"`                  // ≤20
	VendorName      string `json:"vendorName"`             // ≤50
	FirmwareVersion string `json:"firmwareVersion,omitempty"`
}

// BootNotificationResponse lets the station in. Interval is in seconds: of
// heartbeats where Accepted, else until it may try again; 0 leaves it to the
// station.
type BootNotificationResponse struct {
	CurrentTime DateTime      `json:"currentTime"`
	Interval    int           `json:"interval"`
	Status      GenericStatus `json:"status"`
	StatusInfo  *StatusInfo   `json:"statusInfo,omitempty"`
}

// HeartbeatRequest shows that the station lives.
type HeartbeatRequest struct{}

// HeartbeatResponse sets the station's clock.
type HeartbeatResponse struct {
	CurrentTime DateTime `json:"currentTime"`
}

// StatusNotificationRequest reports one connector (G01). All fields are required.
type StatusNotificationRequest struct {
	Timestamp       DateTime        `json:"timestamp"` // when it changed, by the station's clock
	ConnectorStatus ConnectorStatus `json:"connectorStatus"`
	EVSEID          int             `json:"evseId"`
	ConnectorID     int             `json:"connectorId"`
}

// NewStatusNotificationRequest makes a request with the required fields.
func NewStatusNotificationRequest(at time.Time, evse, connector int, s ConnectorStatus) StatusNotificationRequest {
	return StatusNotificationRequest{Timestamp: At(at), ConnectorStatus: s, EVSEID: evse, ConnectorID: connector}
}

// NotifyEventRequest reports changes of variables. H01.FR.23 allows it in the
// place of StatusNotification: then the variable is AvailabilityState.
type NotifyEventRequest struct {
	GeneratedAt DateTime  `json:"generatedAt"`
	TBC         bool      `json:"tbc,omitempty"` // to be continued in another message
	SeqNo       int       `json:"seqNo"`
	EventData   EventList `json:"eventData"`
}

// EventList are changes. Of those that a station sends, only the ones of
// availability are kept: a message may have hundreds of thousands of others.
type EventList []EventData

// UnmarshalJSON reads one after the other.
func (l *EventList) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var none []struct{}
	if len(data) == 0 || data[0] != '[' {
		return json.Unmarshal(data, &none) // which says what it is instead
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for e := (EventData{}); d.More(); e = (EventData{}) {
		if err := d.Decode(&e); err != nil {
			return err
		}
		if strings.EqualFold(e.Variable.Name, VariableAvailability) {
			*l = append(*l, e)
		}
	}
	return nil
}

// EventData is one change (EventDataType).
type EventData struct {
	EventID               int       `json:"eventId"`
	Timestamp             DateTime  `json:"timestamp"`
	Trigger               string    `json:"trigger"` // Alerting, Delta, Periodic
	ActualValue           string    `json:"actualValue"`
	EventNotificationType string    `json:"eventNotificationType"`
	Component             Component `json:"component"`
	Variable              Variable  `json:"variable"`
}

// The component and variable names that reservations have to do with.
const (
	ComponentStation       = "ChargingStation"
	ComponentEVSE          = "EVSE"
	ComponentConnector     = "Connector"
	ComponentReservations  = "ReservationCtrlr"
	VariableAvailability   = "AvailabilityState"
	VariableAvailable      = "Available"
	VariableEnabled        = "Enabled"
	VariableNonEVSE        = "NonEvseSpecific" // H01.FR.18, H01.FR.19
	ComponentTransactions  = "TxCtrlr"
	VariableConnectTimeout = "EVConnectionTimeOut" // seconds
)

// Component is a part of the station's device model (ComponentType).
type Component struct {
	Name     string `json:"name"` // ≤50
	Instance string `json:"instance,omitempty"`
	EVSE     *EVSE  `json:"evse,omitempty"`
}

// Variable is a variable of a component (VariableType).
type Variable struct {
	Name     string `json:"name"` // ≤50
	Instance string `json:"instance,omitempty"`
}

// TriggerMessageRequest is sent by the CSMS to have a message sent (F06). A
// StatusNotification wants EVSE and connector named (F06.FR.12).
type TriggerMessageRequest struct {
	RequestedMessage MessageTrigger `json:"requestedMessage"`
	EVSE             *EVSE          `json:"evse,omitempty"`
}

// MessageTrigger is MessageTriggerEnumType.
type MessageTrigger string

// The messages that this program triggers.
const (
	TriggerBootNotification   MessageTrigger = "BootNotification"
	TriggerStatusNotification MessageTrigger = "StatusNotification"
	TriggerHeartbeat          MessageTrigger = "Heartbeat"
)

// Validate checks the fields; an error is a *Violation.
func (r TriggerMessageRequest) Validate() error {
	if r.RequestedMessage == "" {
		return missing("requestedMessage")
	}
	if r.EVSE == nil {
		return nil
	}
	return cmp.Or(evse("evse.id", &r.EVSE.ID))
}

// TriggerMessageResponse answers a TriggerMessageRequest: Accepted, Rejected
// or NotImplemented.
type TriggerMessageResponse struct {
	Status     GenericStatus `json:"status"`
	StatusInfo *StatusInfo   `json:"statusInfo,omitempty"`
}

// GetVariablesRequest is sent by the CSMS to read the device model (B06).
type GetVariablesRequest struct {
	GetVariableData []GetVariableData `json:"getVariableData"` // at least one
}

// GetVariableData names one variable (GetVariableDataType).
type GetVariableData struct {
	AttributeType string    `json:"attributeType,omitempty"` // Actual where left out
	Component     Component `json:"component"`
	Variable      Variable  `json:"variable"`
}

// Validate checks the fields; an error is a *Violation.
func (r GetVariablesRequest) Validate() error {
	if len(r.GetVariableData) == 0 {
		return missing("getVariableData")
	}
	for _, d := range r.GetVariableData {
		if d.Component.Name == "" || d.Variable.Name == "" {
			return missing("getVariableData.name")
		}
	}
	return nil
}

// GetVariablesResponse answers a GetVariablesRequest, in its order.
type GetVariablesResponse struct {
	GetVariableResult []GetVariableResult `json:"getVariableResult"`
}

// GetVariableResult is one variable (GetVariableResultType). AttributeStatus
// is Accepted, UnknownComponent, UnknownVariable, Rejected or
// NotSupportedAttributeType.
type GetVariableResult struct {
	AttributeStatus string    `json:"attributeStatus"`
	AttributeValue  string    `json:"attributeValue,omitempty"`
	Component       Component `json:"component"`
	Variable        Variable  `json:"variable"`
}
