package v201

import (
	"encoding/json"
	"errors"
	"maps"
)

// ConnectorType is ConnectorEnumType: a closed list of 22 in this version. An
// erratum calls it incomplete and advises to reserve by EVSE where the type
// is missing.
type ConnectorType string

// ConnectorTypes lists the connector types of OCPP 2.0.1.
func ConnectorTypes() []ConnectorType {
	return []ConnectorType{"cCCS1", "cCCS2", "cG105", "cTesla", "cType1", "cType2",
		"s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7", "sType2", "sType3",
		"Other1PhMax16A", "Other1PhOver16A", "Other3Ph", "Pan", "wInductive", "wResonant", "Undetermined", "Unknown"}
}

// IdTokenType is IdTokenEnumType.
type IdTokenType string

// The token types of OCPP 2.0.1. NoAuthorization comes with an empty token.
const (
	Central         IdTokenType = "Central"
	EMAID           IdTokenType = "eMAID"
	ISO14443        IdTokenType = "ISO14443"
	ISO15693        IdTokenType = "ISO15693"
	KeyCode         IdTokenType = "KeyCode"
	Local           IdTokenType = "Local"
	MacAddress      IdTokenType = "MacAddress"
	NoAuthorization IdTokenType = "NoAuthorization"
)

// IdTokenTypes lists the token types of OCPP 2.0.1.
func IdTokenTypes() []IdTokenType {
	return []IdTokenType{Central, EMAID, ISO14443, ISO15693, KeyCode, Local, MacAddress, NoAuthorization}
}

// ConnectorStatus is ConnectorStatusEnumType. "Occupied" covers all that 1.6
// called Preparing, Charging, Suspended and Finishing.
type ConnectorStatus string

// The statuses of a connector.
const (
	StatusAvailable   ConnectorStatus = "Available"
	StatusOccupied    ConnectorStatus = "Occupied"
	StatusReserved    ConnectorStatus = "Reserved"
	StatusUnavailable ConnectorStatus = "Unavailable"
	StatusFaulted     ConnectorStatus = "Faulted"
)

// GenericStatus is what requests other than ReserveNow are answered with.
type GenericStatus string

// The answers of CancelReservation, TriggerMessage and BootNotification; each
// uses those that its part of the standard names.
const (
	Accepted       GenericStatus = "Accepted"
	Rejected       GenericStatus = "Rejected"
	NotImplemented GenericStatus = "NotImplemented" // TriggerMessage
	Pending        GenericStatus = "Pending"        // BootNotification
)

// IdToken names a driver or a group (IdTokenType). Tokens compare without
// regard to case. They are personal data: String masks them.
type IdToken struct {
	IDToken        string           `json:"idToken"` // ≤36; empty only for NoAuthorization
	Type           IdTokenType      `json:"type"`
	AdditionalInfo []AdditionalInfo `json:"additionalInfo,omitempty"` // at least one where present
	CustomData     *CustomData      `json:"customData,omitempty"`
}

// String masks the token.
func (t IdToken) String() string { return "(token)" }

// AdditionalInfo is a further identifier beside a token (AdditionalInfoType).
type AdditionalInfo struct {
	AdditionalIDToken string      `json:"additionalIdToken"` // ≤36
	Type              string      `json:"type"`              // ≤50
	CustomData        *CustomData `json:"customData,omitempty"`
}

// StatusInfo says more about a status (StatusInfoType). It is for people: the
// catalogue of reason codes is open, and stations send empty ones, so nothing
// may branch on it.
type StatusInfo struct {
	ReasonCode     string      `json:"reasonCode"`               // ≤20
	AdditionalInfo string      `json:"additionalInfo,omitempty"` // ≤512
	CustomData     *CustomData `json:"customData,omitempty"`
}

// EVSE is an EVSE, or with ConnectorID one connector of it (EVSEType).
type EVSE struct {
	ID          int         `json:"id"`
	ConnectorID int         `json:"connectorId,omitempty"`
	CustomData  *CustomData `json:"customData,omitempty"`
}

// CustomData is the one place where OCPP 2.0.1 allows unknown properties
// (CustomDataType). What came in with it goes out unchanged.
type CustomData struct {
	VendorID string // ≤255
	Extra    map[string]json.RawMessage
}

// MarshalJSON writes the vendor beside the other properties.
func (c CustomData) MarshalJSON() ([]byte, error) {
	all := make(map[string]any, len(c.Extra)+1)
	for k, v := range c.Extra {
		all[k] = v
	}
	all["vendorId"] = c.VendorID
	return json.Marshal(all)
}

// UnmarshalJSON keeps every property.
func (c *CustomData) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return errors.New("customData is not an object")
	}
	*c = CustomData{}
	if v, ok := all["vendorId"]; ok && json.Unmarshal(v, &c.VendorID) != nil {
		return errors.New("customData.vendorId is not a string")
	}
	maps.DeleteFunc(all, func(k string, _ json.RawMessage) bool { return k == "vendorId" })
	if len(all) > 0 {
		c.Extra = all
	}
	return nil
}
