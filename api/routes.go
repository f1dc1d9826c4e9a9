package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Version of the API. Within one major version paths, parameters and keys are
// only added.
const Version = "1.0"

// versionHeader carries it, both ways.
const versionHeader = "Resctl-Api-Version"

const calendarPath = "/v1/calendar.ics"

// Route is one method of one path, and the scope that it needs.
type Route struct {
	Method, Path string
	Scope        Scope
	Weight       Weight
	serve        func(*Server, *call) error
}

// call is one request that was let in.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	who    *caller
	weight Weight
	turn   func() // gives it to the next
}

// Routes are all that the API has, in the order of their description.
func Routes() []Route { return routes() }

func routes() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, "/v1/openapi.json", ScopeNone, Light, (*Server).describe},
		{get, "/v1/health", ScopeNone, Light, (*Server).health},
		{get, "/v1/ready", ScopeNone, Light, (*Server).ready},
		{get, "/v1/version", ScopeRead, Light, (*Server).version},
		{get, "/v1/state", ScopeRead, Large, document(stateDocument)},
		{get, "/v1/stations", ScopeRead, Large, document(stationsDocument)},
		{get, "/v1/timeline", ScopeRead, Large, document(timelineDocument)},
		{get, "/v1/drift", ScopeRead, Large, document(driftDocument)},
		{get, "/v1/why", ScopeRead, Large, document(whyDocument)},
		{get, "/v1/events", ScopeRead, Light, (*Server).follow},
		{get, calendarPath, ScopeRead, Large, (*Server).calendar},
		{post, "/v1/plan", ScopePlan, Heavy, answer(plan)},
		{post, "/v1/edit", ScopePlan, Large, answer(editPlan)},
		{post, "/v1/propose", ScopeWrite, Heavy, answer(propose)},
		{post, "/v1/freeze", ScopeAdmin, Light, answer(order(reservation.Frozen))},
		{post, "/v1/unfreeze", ScopeAdmin, Light, answer(order(reservation.Unfrozen))},
		{post, "/v1/pause", ScopeAdmin, Light, answer(order(reservation.Paused))},
		{post, "/v1/resume", ScopeAdmin, Light, answer(order(reservation.Resumed))},
		{post, "/v1/erase", ScopeAdmin, Light, answer(erase)},
		{get, copyPath, ScopeAdmin, Light, (*Server).backup},
		{post, "/v1/ledger/masked", ScopePlan, Heavy, answer(masked)},
		{post, "/v1/ledger/meta", ScopeRead, Light, answer(readMeta)},
		{post, "/v1/ledger/last", ScopeRead, Light, answer(readLast)},
		{post, "/v1/ledger/state", ScopeRead, Large, answer(readState)},
		{post, "/v1/ledger/wanted", ScopeRead, Large, answer(readWanted)},
		{post, "/v1/ledger/occurrences", ScopeRead, Large, answer(readOccurrences)},
		{post, "/v1/ledger/unsettled", ScopeRead, Large, answer(readUnsettled)},
		{post, "/v1/ledger/drift", ScopeRead, Large, answer(readDrift)},
		{post, "/v1/ledger/watches", ScopeRead, Light, answer(readWatches)},
		{post, "/v1/ledger/held", ScopePlan, Large, answer(readHeld)},
		{post, "/v1/ledger/began", ScopeRead, Light, answer(readBegan)},
		{post, "/v1/ledger/proposals", ScopeRead, Large, answer(readProposals)},
		{post, "/v1/ledger/events", ScopeRead, Light, (*Server).events},
	}
}

// asked is a request as a method meets it.
type asked struct {
	ledger Ledger // as the caller may see it
	who    *caller
}

// answer makes a function a method that takes and gives JSON.
func answer[In, Out any](f func(context.Context, asked, In) (Out, error)) func(*Server, *call) error {
	return func(s *Server, c *call) error {
		var in In
		if err := take(c, &in); err != nil {
			return err
		}
		l, err := s.ledgerOf(c)
		if err != nil {
			return err
		}
		out, err := f(c.r.Context(), asked{l, c.who}, in)
		if err != nil {
			return err
		}
		c.give(out)
		return nil
	}
}

// take reads a request whole, within bounds. Browsers send JSON to other sites
// only if these allow it, which this one does not.
func take(c *call, in any) error {
	if t := c.r.Header.Get("Content-Type"); t != "application/json" && t != "application/json; charset=utf-8" {
		return &Error{Status: http.StatusUnsupportedMediaType, Code: codeRequest, Message: "the request says no Content-Type: application/json"}
	}
	most := int64(smallBody)
	if c.weight == Heavy || c.who.token == nil {
		most = maxBody
	}
	err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, most)).Decode(in)
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return &Error{Status: http.StatusRequestEntityTooLarge, Code: codeRequest, Message: fmt.Sprintf("the request has more than %d bytes", large.Limit)}
	}
	return badRequest("it is not the JSON that this method takes: %v", err)
}

// give writes an answer. What cannot be written any more is told to nobody.
func give(w http.ResponseWriter, status int, out any) { write(w, w, status, out) }

// give writes the answer of a request that may have a turn.
func (c *call) give(out any) { write(c.w, small{c.w, c.turn}, http.StatusOK, out) }

func write(w http.ResponseWriter, body io.Writer, status int, out any) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(body)
	e.SetEscapeHTML(false)
	_ = e.Encode(out) // in one piece
}

func badRequest(text string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: codeRequest, Message: fmt.Sprintf(text, args...)}
}
