// Package wire reads and writes the frames of OCPP-J: JSON arrays that carry
// a call, its result, or an error. It knows message types, ids and error
// codes, and nothing of what a payload means or of which version is spoken.
package wire

import (
	"encoding/json"
	"strings"
)

// The message types of OCPP-J. The last two came with 2.1.
const (
	TypeCall        = 2 // [2, id, action, payload]
	TypeResult      = 3 // [3, id, payload]
	TypeError       = 4 // [4, id, code, description, details]
	TypeResultError = 5 // as TypeError, about a result; nothing answers it
	TypeSend        = 6 // as TypeCall; nothing answers it
)

// UnreadableID stands where the id of a frame could not be read.
const UnreadableID = "-1"

// The limits of a frame. Lengths are in characters.
const (
	MaxID          = 36
	MaxDescription = 255
	MaxDepth       = 64 // nested arrays and objects in a payload
	maxName        = 64 // actions and error codes; the standards' longest has 33
)

// ErrorCode is the code of a CALLERROR.
type ErrorCode string

// The error codes of OCPP 2.0.1, in whose spelling this program thinks. A
// dialect that spells one otherwise translates it on the way out.
const (
	FormatViolation               ErrorCode = "FormatViolation"
	GenericError                  ErrorCode = "GenericError"
	InternalError                 ErrorCode = "InternalError"
	MessageTypeNotSupported       ErrorCode = "MessageTypeNotSupported"
	NotImplemented                ErrorCode = "NotImplemented" // the action is unknown
	NotSupported                  ErrorCode = "NotSupported"   // known, but not done
	OccurrenceConstraintViolation ErrorCode = "OccurrenceConstraintViolation"
	PropertyConstraintViolation   ErrorCode = "PropertyConstraintViolation"
	ProtocolError                 ErrorCode = "ProtocolError"
	RpcFrameworkError             ErrorCode = "RpcFrameworkError"
	SecurityError                 ErrorCode = "SecurityError"
	TypeConstraintViolation       ErrorCode = "TypeConstraintViolation"
)

// Canonical returns the 2.0.1 spelling of a code that came in: stations of
// every version send FormationViolation and OccurenceConstraintViolation, as
// OCPP 1.6 printed them. A code of nobody's standard is returned as it is.
func (c ErrorCode) Canonical() ErrorCode {
	switch strings.ToLower(strings.TrimSpace(string(c))) {
	case "formatviolation", "formationviolation":
		return FormatViolation
	case "genericerror":
		return GenericError
	case "internalerror":
		return InternalError
	case "messagetypenotsupported":
		return MessageTypeNotSupported
	case "notimplemented":
		return NotImplemented
	case "notsupported":
		return NotSupported
	case "occurrenceconstraintviolation", "occurenceconstraintviolation":
		return OccurrenceConstraintViolation
	case "propertyconstraintviolation":
		return PropertyConstraintViolation
	case "protocolerror":
		return ProtocolError
	case "rpcframeworkerror":
		return RpcFrameworkError
	case "securityerror":
		return SecurityError
	case "typeconstraintviolation":
		return TypeConstraintViolation
	}
	return c
}

// Error is what a CALLERROR says: why a call was not handled.
type Error struct {
	Code        ErrorCode
	Description string
}

// Error returns the code and, where there is one, the description.
func (e *Error) Error() string {
	if e.Description == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Description
}

// Frame is one message. Which fields are set follows from its Type.
type Frame struct {
	Type    int
	ID      string
	Action  string          // TypeCall, TypeSend
	Payload json.RawMessage // TypeCall, TypeResult, TypeSend: always a JSON object

	Code        ErrorCode       // TypeError, TypeResultError: as it was sent
	Description string          // cut to MaxDescription
	Details     json.RawMessage // nil where none, or null, was sent
}
