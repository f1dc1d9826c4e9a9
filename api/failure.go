package api

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Error is a failure on the other side that has no type of its own. Message
// says what is wrong and what to do.
type Error struct {
	Status  int    // of HTTP
	Code    string // RCnnn; "" stands for RC699
	Message string

	wait time.Duration // before it is worth asking again
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
	f := &failure{Code: codeFailed, Message: err.Error()}
	var own *Error
	switch {
	case errors.As(err, &own):
		if own.Code != "" {
			f.Code = own.Code
		}
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

// refuse writes an error as an answer.
func refuse(w http.ResponseWriter, err error) {
	status, f := failed(err)
	var own *Error
	if errors.As(err, &own) && own.wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(own.wait.Seconds()))))
	}
	if status == http.StatusUnauthorized {
		w.Header().Add("WWW-Authenticate", challenge)
	}
	give(w, status, line{Error: f})
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
	return &Error{Status: status, Code: f.Code, Message: f.Message}
}

// sameMajor refuses a client of another major version; one that says none is
// no client of ours, and sees for itself.
func sameMajor(theirs string) error {
	major, _, _ := strings.Cut(theirs, ".")
	ours, _, _ := strings.Cut(Version, ".")
	if theirs == "" || major == ours {
		return nil
	}
	return &Error{Status: http.StatusBadRequest, Code: codeVersions, Message: fmt.Sprintf("the client speaks version %.10q of the API, and this server %s. Use a resctl on both sides that speaks the same", theirs, Version)}
}
