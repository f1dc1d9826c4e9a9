package v201

// TransactionEventRequest reports the course of a transaction (E01 to E15).
// It is always kept while the station is offline.
type TransactionEventRequest struct {
	EventType       string          `json:"eventType"` // Started, Updated, Ended
	Timestamp       DateTime        `json:"timestamp"` // by the station's clock
	TriggerReason   string          `json:"triggerReason"`
	SeqNo           int             `json:"seqNo"`
	Offline         bool            `json:"offline,omitempty"` // it happened while the station was offline
	TransactionInfo TransactionInfo `json:"transactionInfo"`
	EVSE            *EVSE           `json:"evse,omitempty"`
	IDToken         *IdToken        `json:"idToken,omitempty"`
	// ReservationID tells which reservation was used (H01.FR.15). It is in the
	// first event after the authorization, which need not be the first of the
	// transaction. Stations send 0, -1 and null for "none".
	ReservationID *int32 `json:"reservationId,omitempty"`
}

// The types of a TransactionEvent.
const (
	EventStarted = "Started"
	EventUpdated = "Updated"
	EventEnded   = "Ended"
)

// The trigger reasons that this package or the simulator looks at.
const (
	ReasonAuthorized   = "Authorized"
	ReasonDeauthorized = "Deauthorized"
	ReasonCable        = "CablePluggedIn"
	ReasonDeparted     = "EVDeparted"
	ReasonAbnormal     = "AbnormalCondition"
	ReasonRemote       = "RemoteStart"
)

// TransactionInfo is the state of a transaction (TransactionType).
type TransactionInfo struct {
	TransactionID string `json:"transactionId"` // ≤36
	ChargingState string `json:"chargingState,omitempty"`
	StoppedReason string `json:"stoppedReason,omitempty"`
	RemoteStartID *int   `json:"remoteStartId,omitempty"`
}

// TransactionEventResponse must have IDTokenInfo where the request had a
// token (E01.FR.12).
type TransactionEventResponse struct {
	IDTokenInfo *IdTokenInfo `json:"idTokenInfo,omitempty"`
}

// AuthorizeRequest asks whether a token may charge (C01), and which group it
// belongs to (H03.FR.08).
type AuthorizeRequest struct {
	IDToken IdToken `json:"idToken"`
}

// AuthorizeResponse answers an AuthorizeRequest.
type AuthorizeResponse struct {
	IDTokenInfo IdTokenInfo `json:"idTokenInfo"`
}

// IdTokenInfo says whether a token may charge (IdTokenInfoType).
type IdTokenInfo struct {
	Status       AuthorizationStatus `json:"status"`
	GroupIDToken *IdToken            `json:"groupIdToken,omitempty"`
}

// AuthorizationStatus is AuthorizationStatusEnumType.
type AuthorizationStatus string

// The answers that this program gives.
const (
	AuthorizationAccepted AuthorizationStatus = "Accepted"
	AuthorizationUnknown  AuthorizationStatus = "Unknown"
)

// StatusResponse is the response of several requests that a CSMS without the
// feature turns down.
type StatusResponse struct {
	Status string `json:"status"`
}

// Get15118EVCertificateResponse turns a certificate request down.
type Get15118EVCertificateResponse struct {
	Status      string `json:"status"`
	EXIResponse string `json:"exiResponse"`
}

// Empty is the payload {}.
type Empty struct{}
