package api

import (
	"errors"
	"net/http"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Error is a failure on the other side that has no type of its own.
type Error struct {
	Status  int // of HTTP
	Message string
}

// Error is the message as the server wrote it.
func (e *Error) Error() string { return e.Message }

// failure carries an error with its type. At most one of the fields behind
// Message is set.
type failure struct {
	Code    string                   `json:"code"` // RCnnn; docs/codes.md
	Message string                   `json:"message"`
	Stale   *reconcile.StaleError    `json:"stale,omitempty"`
	NoMatch *reconcile.NoMatchError  `json:"no_match,omitempty"`
	Taken   *reconcile.TakenError    `json:"taken,omitempty"`
	Frozen  *reservation.FrozenError `json:"frozen,omitempty"`
	Watched *WatchedError            `json:"watched,omitempty"`
	Changed bool                     `json:"changed,omitempty"` // reservation.ErrStale
}

// failed gives an error the form in which it travels, and its status.
func failed(err error) (int, *failure) {
	f := &failure{Code: "RC699", Message: err.Error()}
	var own *Error
	switch {
	case errors.As(err, &own):
		return own.Status, f
	case errors.As(err, &f.Stale):
		f.Code = "RC701"
	case errors.As(err, &f.Frozen):
		f.Code = "RC705"
	case errors.As(err, &f.Watched):
		f.Code = "RC706"
	case errors.As(err, &f.NoMatch):
		f.Code = "RC620"
	case errors.As(err, &f.Taken):
		f.Code = "RC627"
	case errors.Is(err, reservation.ErrStale):
		f.Code, f.Changed = "RC701", true
	default:
		return http.StatusInternalServerError, f
	}
	return http.StatusConflict, f
}

// err is the error that failed was given, as far as its type goes.
func (f *failure) err(status int) error {
	switch {
	case f.Stale != nil:
		return f.Stale
	case f.Frozen != nil:
		return f.Frozen
	case f.Watched != nil:
		return f.Watched
	case f.NoMatch != nil:
		return f.NoMatch
	case f.Taken != nil:
		return f.Taken
	case f.Changed:
		return reservation.ErrStale
	}
	return &Error{status, f.Message}
}
