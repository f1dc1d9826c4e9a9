package v201

import (
	"cmp"
	"fmt"
	"time"
)

// ReserveNowRequest is sent by the CSMS to hold an EVSE for a token until the
// expiry (H01). There is no start time: it begins with its acceptance. Under
// an id that the station knows it replaces that reservation (H01.FR.02).
type ReserveNowRequest struct {
	// ID is the reservation's, chosen by the CSMS. It is named "id" here and
	// "reservationId" everywhere else.
	ID             int32    `json:"id"`
	ExpiryDateTime DateTime `json:"expiryDateTime"` // by the station's clock (H04)
	// ConnectorType asks for any EVSE that has it (H01.FR.06).
	ConnectorType ConnectorType `json:"connectorType,omitempty"`
	IDToken       IdToken       `json:"idToken"` // who may use it (H03.FR.01 to 03)
	// EVSEID is the EVSE to hold (H01.FR.23); absent: any (H01.FR.04).
	EVSEID *int `json:"evseId,omitempty"`
	// GroupIDToken: every token in this group may use it too (H03.FR.04 to 06).
	GroupIDToken *IdToken    `json:"groupIdToken,omitempty"`
	CustomData   *CustomData `json:"customData,omitempty"`
}

// NewReserveNowRequest makes a request with the required fields.
func NewReserveNowRequest(id int32, expiry time.Time, token IdToken) ReserveNowRequest {
	return ReserveNowRequest{ID: id, ExpiryDateTime: At(expiry), IDToken: token}
}

// Validate checks every field; an error is a *Violation.
func (r ReserveNowRequest) Validate() error {
	err := cmp.Or(
		reservationID("id", r.ID),
		expiry("expiryDateTime", r.ExpiryDateTime),
		r.IDToken.validate("idToken"),
		evse("evseId", r.EVSEID),
		r.CustomData.validate("customData"),
	)
	if err == nil && r.ConnectorType != "" {
		err = oneOf("connectorType", r.ConnectorType, ConnectorTypes()...)
	}
	if err == nil && r.GroupIDToken != nil {
		err = r.GroupIDToken.validate("groupIdToken")
	}
	return err
}

// ReserveNowStatus is ReserveNowStatusEnumType.
type ReserveNowStatus string

// The answers to ReserveNow.
const (
	ReserveAccepted    ReserveNowStatus = "Accepted"
	ReserveFaulted     ReserveNowStatus = "Faulted"     // H01.FR.12
	ReserveOccupied    ReserveNowStatus = "Occupied"    // in use, or reserved by another id (H01.FR.11)
	ReserveRejected    ReserveNowStatus = "Rejected"    // H01.FR.01, H01.FR.19
	ReserveUnavailable ReserveNowStatus = "Unavailable" // H01.FR.14
)

// ReserveNowStatuses lists the answers to ReserveNow.
func ReserveNowStatuses() []ReserveNowStatus {
	return []ReserveNowStatus{ReserveAccepted, ReserveFaulted, ReserveOccupied, ReserveRejected, ReserveUnavailable}
}

// ReserveNowResponse answers a ReserveNowRequest.
type ReserveNowResponse struct {
	Status     ReserveNowStatus `json:"status"`
	StatusInfo *StatusInfo      `json:"statusInfo,omitempty"`
	CustomData *CustomData      `json:"customData,omitempty"`
}

// NewReserveNowResponse makes a response with the required field.
func NewReserveNowResponse(s ReserveNowStatus) ReserveNowResponse {
	return ReserveNowResponse{Status: s}
}

// Validate checks every field; an error is a *Violation.
func (r ReserveNowResponse) Validate() error {
	return cmp.Or(oneOf("status", r.Status, ReserveNowStatuses()...),
		r.StatusInfo.validate("statusInfo"), r.CustomData.validate("customData"))
}

// CancelReservationRequest is sent by the CSMS to end a reservation (H02). No
// ReservationStatusUpdate follows it.
type CancelReservationRequest struct {
	ReservationID int32       `json:"reservationId"`
	CustomData    *CustomData `json:"customData,omitempty"`
}

// NewCancelReservationRequest makes a request with the required field.
func NewCancelReservationRequest(id int32) CancelReservationRequest {
	return CancelReservationRequest{ReservationID: id}
}

// Validate checks every field; an error is a *Violation.
func (r CancelReservationRequest) Validate() error {
	return cmp.Or(reservationID("reservationId", r.ReservationID), r.CustomData.validate("customData"))
}

// CancelReservationResponse answers Accepted where the reservation existed
// (H02.FR.02), else Rejected (H02.FR.01). Rejected says no more than "not
// there": never known, expired, used, or reservations are switched off.
type CancelReservationResponse struct {
	Status     GenericStatus `json:"status"`
	StatusInfo *StatusInfo   `json:"statusInfo,omitempty"`
	CustomData *CustomData   `json:"customData,omitempty"`
}

// NewCancelReservationResponse makes a response with the required field.
func NewCancelReservationResponse(s GenericStatus) CancelReservationResponse {
	return CancelReservationResponse{Status: s}
}

// Validate checks every field; an error is a *Violation.
func (r CancelReservationResponse) Validate() error {
	return cmp.Or(oneOf("status", r.Status, Accepted, Rejected),
		r.StatusInfo.validate("statusInfo"), r.CustomData.validate("customData"))
}

// ReservationUpdateStatus is ReservationUpdateStatusEnumType.
type ReservationUpdateStatus string

// How a reservation ends without the CSMS.
const (
	UpdateExpired ReservationUpdateStatus = "Expired" // H04.FR.01
	UpdateRemoved ReservationUpdateStatus = "Removed" // H01.FR.16, H01.FR.17
)

// ReservationStatusUpdateRequest is sent by the station when a reservation
// ended without being used or cancelled. While the station is offline it is
// lost, unless QueueAllMessages is set.
type ReservationStatusUpdateRequest struct {
	ReservationID           int32                   `json:"reservationId"`
	ReservationUpdateStatus ReservationUpdateStatus `json:"reservationUpdateStatus"`
	CustomData              *CustomData             `json:"customData,omitempty"`
}

// NewReservationStatusUpdateRequest makes a request with the required fields.
func NewReservationStatusUpdateRequest(id int32, s ReservationUpdateStatus) ReservationStatusUpdateRequest {
	return ReservationStatusUpdateRequest{ReservationID: id, ReservationUpdateStatus: s}
}

// Validate checks every field; an error is a *Violation.
func (r ReservationStatusUpdateRequest) Validate() error {
	return cmp.Or(reservationID("reservationId", r.ReservationID),
		oneOf("reservationUpdateStatus", r.ReservationUpdateStatus, UpdateExpired, UpdateRemoved),
		r.CustomData.validate("customData"))
}

// ReservationStatusUpdateResponse is empty but for custom data.
type ReservationStatusUpdateResponse struct {
	CustomData *CustomData `json:"customData,omitempty"`
}

// Validate checks every field; an error is a *Violation.
func (r ReservationStatusUpdateResponse) Validate() error {
	return r.CustomData.validate("customData")
}

// Validate checks the token; an error is a *Violation.
func (t IdToken) Validate() error { return t.validate("idToken") }

func (t IdToken) validate(path string) error {
	err := cmp.Or(
		oneOf(path+".type", t.Type, IdTokenTypes()...),
		atMost(path+".idToken", t.IDToken, MaxIDToken),
		t.CustomData.validate(path+".customData"),
	)
	if err == nil && (t.IDToken == "") != (t.Type == NoAuthorization) {
		err = broken(path+".idToken", "is empty for NoAuthorization and for no other type")
	}
	if err == nil && t.AdditionalInfo != nil && len(t.AdditionalInfo) == 0 {
		err = &Violation{"OccurrenceConstraintViolation", path + ".additionalInfo", "has no element"}
	}
	for i := 0; err == nil && i < len(t.AdditionalInfo); i++ {
		err = t.AdditionalInfo[i].validate(fmt.Sprintf("%s.additionalInfo[%d]", path, i))
	}
	return err
}

func (a AdditionalInfo) validate(path string) error {
	return cmp.Or(atMost(path+".additionalIdToken", a.AdditionalIDToken, MaxIDToken),
		atMost(path+".type", a.Type, MaxAdditionalType), a.CustomData.validate(path+".customData"))
}

// validate lets an empty reason code pass: the schema does, and stations send it.
func (s *StatusInfo) validate(path string) error {
	if s == nil {
		return nil
	}
	return cmp.Or(atMost(path+".reasonCode", s.ReasonCode, MaxReasonCode),
		atMost(path+".additionalInfo", s.AdditionalInfo, MaxAdditionalInfo), s.CustomData.validate(path+".customData"))
}

func (c *CustomData) validate(path string) error {
	switch {
	case c == nil:
		return nil
	case c.VendorID == "":
		return missing(path + ".vendorId")
	}
	return atMost(path+".vendorId", c.VendorID, MaxVendorID)
}
