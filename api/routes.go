package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Heavy        bool // it takes bodies of many megabytes, so few at a time
	serve        func(*Server, *call) error
}

// call is one request that was let in.
type call struct {
	w   http.ResponseWriter
	r   *http.Request
	who *caller
}

// Routes are all that the API has, in the order of their description.
func Routes() []Route { return routes() }

func routes() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, "/v1/openapi.json", ScopeNone, false, (*Server).describe},
		{get, "/v1/health", ScopeNone, false, (*Server).health},
		{get, "/v1/ready", ScopeNone, false, (*Server).ready},
		{get, "/v1/version", ScopeRead, false, (*Server).version},
		{get, "/v1/state", ScopeRead, false, document(stateDocument)},
		{get, "/v1/stations", ScopeRead, false, document(stationsDocument)},
		{get, "/v1/timeline", ScopeRead, false, document(timelineDocument)},
		{get, "/v1/drift", ScopeRead, false, document(driftDocument)},
		{get, "/v1/why", ScopeRead, false, document(whyDocument)},
		{get, "/v1/events", ScopeRead, false, (*Server).follow},
		{get, calendarPath, ScopeRead, false, (*Server).calendar},
		{post, "/v1/plan", ScopePlan, true, answer(plan)},
		{post, "/v1/edit", ScopePlan, false, answer(editPlan)},
		{post, "/v1/propose", ScopeWrite, true, answer(propose)},
		{post, "/v1/freeze", ScopeAdmin, false, answer(order(reservation.Frozen))},
		{post, "/v1/unfreeze", ScopeAdmin, false, answer(order(reservation.Unfrozen))},
		{post, "/v1/pause", ScopeAdmin, false, answer(order(reservation.Paused))},
		{post, "/v1/resume", ScopeAdmin, false, answer(order(reservation.Resumed))},
		{post, "/v1/erase", ScopeAdmin, false, answer(erase)},
		{get, copyPath, ScopeAdmin, false, (*Server).backup},
		{post, "/v1/ledger/masked", ScopePlan, true, answer(masked)},
		{post, "/v1/ledger/meta", ScopeRead, false, answer(readMeta)},
		{post, "/v1/ledger/last", ScopeRead, false, answer(readLast)},
		{post, "/v1/ledger/state", ScopeRead, false, answer(readState)},
		{post, "/v1/ledger/wanted", ScopeRead, false, answer(readWanted)},
		{post, "/v1/ledger/occurrences", ScopeRead, false, answer(readOccurrences)},
		{post, "/v1/ledger/unsettled", ScopeRead, false, answer(readUnsettled)},
		{post, "/v1/ledger/drift", ScopeRead, false, answer(readDrift)},
		{post, "/v1/ledger/watches", ScopeRead, false, answer(readWatches)},
		{post, "/v1/ledger/held", ScopePlan, false, answer(readHeld)},
		{post, "/v1/ledger/began", ScopeRead, false, answer(readBegan)},
		{post, "/v1/ledger/proposals", ScopeRead, false, answer(readProposals)},
		{post, "/v1/ledger/events", ScopeRead, false, (*Server).events},
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
		give(c.w, http.StatusOK, out)
		return nil
	}
}

// take reads a request whole, within bounds. Browsers send JSON to other sites
// only if these allow it, which this one does not.
func take(c *call, in any) error {
	if t := c.r.Header.Get("Content-Type"); t != "application/json" && t != "application/json; charset=utf-8" {
		return &Error{Status: http.StatusUnsupportedMediaType, Code: codeRequest, Message: "the request says no Content-Type: application/json"}
	}
	err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, maxBody)).Decode(in)
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
func give(w http.ResponseWriter, status int, out any) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(out)
}

func badRequest(text string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: codeRequest, Message: fmt.Sprintf(text, args...)}
}
