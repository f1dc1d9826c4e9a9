package v201

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/resctl/resctl/ocppclient/wire"
)

// Limits of OCPP 2.0.1; lengths in characters.
const (
	MaxIDToken        = 36
	MaxAdditionalType = 50
	MaxReasonCode     = 20
	MaxAdditionalInfo = 512
	MaxVendorID       = 255
	// MaxYear is this program's: there are stations that keep time in 32 bits.
	MaxYear = 2037
)

// Violation is a field that breaks a rule. It never repeats the value, which
// may be a token.
type Violation struct {
	Code   wire.ErrorCode // what a CALLERROR about it says
	Path   string         // idToken.additionalInfo[0].type
	Reason string
}

// Error names the field and the rule.
func (v *Violation) Error() string {
	if v.Path == "" {
		return v.Reason
	}
	return v.Path + ": " + v.Reason
}

// Wire is the violation as a CALLERROR.
func (v *Violation) Wire() *wire.Error {
	return &wire.Error{Code: v.Code, Description: v.Error()}
}

// Unmarshal reads a payload into a message; an error is a *Violation. Unknown
// properties are ignored and missing ones are left to Validate.
func Unmarshal(payload []byte, message any) error {
	err := json.Unmarshal(payload, message)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &Violation{wire.TypeConstraintViolation, wrong.Field, "must be " + typeName(wrong)}
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &Violation{wire.FormatViolation, "", "not valid JSON"}
	}
	return &Violation{wire.TypeConstraintViolation, "", err.Error()}
}

// typeName is the JSON name of the type that was expected.
func typeName(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "string":
		return "a string"
	case "bool":
		return "a boolean"
	case "struct", "map":
		return "an object"
	case "slice":
		return "an array"
	}
	return "a number of its range"
}

// CallError is err as a CALLERROR: that of a *Violation or a *wire.Error, and
// InternalError for anything else.
func CallError(err error) *wire.Error {
	if v, ok := errors.AsType[*Violation](err); ok {
		return v.Wire()
	}
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e
	}
	return &wire.Error{Code: wire.InternalError, Description: err.Error()}
}

func missing(path string) error {
	return &Violation{wire.OccurrenceConstraintViolation, path, "is required"}
}

func broken(path, format string, args ...any) error {
	return &Violation{wire.PropertyConstraintViolation, path, fmt.Sprintf(format, args...)}
}

// oneOf wants one of a closed list.
func oneOf[T ~string](path string, v T, list ...T) error {
	switch {
	case v == "":
		return missing(path)
	case !slices.Contains(list, v):
		return broken(path, "is none of the %d values of its list", len(list))
	}
	return nil
}

// atMost wants no more than n characters.
func atMost(path, v string, n int) error {
	switch {
	case !utf8.ValidString(v):
		return &Violation{wire.FormatViolation, path, "is not UTF-8"}
	case utf8.RuneCountInString(v) > n:
		return broken(path, "is longer than %d characters", n)
	}
	return nil
}

// reservationID wants 1 to 2^31-1. The schema allows 0 and negative ids, but
// stations use both for "none".
func reservationID(path string, id int32) error {
	switch {
	case id == 0:
		return missing(path)
	case id < 0:
		return broken(path, "must be positive")
	}
	return nil
}

// moment wants a time that was sent and understood.
func moment(path string, d DateTime) error {
	switch {
	case d.malformed:
		return &Violation{wire.FormatViolation, path, "is not an RFC 3339 date and time"}
	case d.IsZero():
		return missing(path)
	}
	return nil
}

// expiry wants a moment that every station can keep.
func expiry(path string, d DateTime) error {
	if err := moment(path, d); err != nil {
		return err
	}
	if d.Time.In(time.UTC).Year() > MaxYear {
		return broken(path, "must be before %d", MaxYear+1)
	}
	return nil
}

// evse wants a positive number, or none.
func evse(path string, id *int) error {
	if id != nil && *id < 1 {
		return broken(path, "must be positive")
	}
	return nil
}
