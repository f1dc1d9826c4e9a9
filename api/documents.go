package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // openapi.json
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Documents are what pages and scripts read: each is what a command writes with
// --json, made of what a ledger shows. Tokens are fingerprints in them.
type Documents interface {
	State(ctx context.Context, l Ledger) (any, error)
	Stations(ctx context.Context, l Ledger) (any, error)
	// Timeline is of the windows between two moments; zero ones are chosen as the command does.
	Timeline(ctx context.Context, l Ledger, from, until time.Time) (any, error)
	Drift(ctx context.Context, l Ledger, grace time.Duration) (any, error)
	// Why is one reservation's life. An empty workspace stands for the one that has the address.
	Why(ctx context.Context, l Ledger, workspace, address string) (any, error)
	// Line is a line of the journal. Its tokens are masked already.
	Line(e reservation.Event) any
	// Matches reports whether a glob stands for an address.
	Matches(glob, address string) bool
}

// CalendarQuery says what is to be in a calendar; empty: whatever there is.
type CalendarQuery struct{ Workspace, Station, Address string }

// driftGrace is that of drift where no other is asked for.
const driftGrace = 5 * time.Minute

// document makes a method that takes its parameters from the address and gives JSON.
func document(f func(context.Context, Documents, Ledger, url.Values) (any, error)) func(*Server, *call) error {
	return func(s *Server, c *call) error {
		if s.Documents == nil {
			return &Error{Status: http.StatusNotFound, Code: codeNoRoute, Message: "this process has no documents"}
		}
		l, err := s.ledgerOf(c)
		if err != nil {
			return err
		}
		out, err := f(c.r.Context(), s.Documents, l, c.r.URL.Query())
		if err != nil {
			return err
		}
		c.give(out)
		return nil
	}
}

func stateDocument(ctx context.Context, d Documents, l Ledger, _ url.Values) (any, error) {
	return d.State(ctx, l)
}

func stationsDocument(ctx context.Context, d Documents, l Ledger, _ url.Values) (any, error) {
	return d.Stations(ctx, l)
}

func timelineDocument(ctx context.Context, d Documents, l Ledger, q url.Values) (any, error) {
	from, err := moment(q, "from")
	if err != nil {
		return nil, err
	}
	until, err := moment(q, "until")
	if err != nil {
		return nil, err
	}
	return d.Timeline(ctx, l, from, until)
}

func driftDocument(ctx context.Context, d Documents, l Ledger, q url.Values) (any, error) {
	grace := driftGrace
	if text := q.Get("grace"); text != "" {
		var err error
		if grace, err = time.ParseDuration(text); err != nil || grace < 0 {
			return nil, badRequest("grace is a duration such as 5m, not %q", text)
		}
	}
	return d.Drift(ctx, l, grace)
}

func whyDocument(ctx context.Context, d Documents, l Ledger, q url.Values) (any, error) {
	if q.Get("address") == "" {
		return nil, badRequest("address says which reservation is meant")
	}
	return d.Why(ctx, l, q.Get("workspace"), q.Get("address"))
}

// moment reads a time of the address; zero where it has none.
func moment(q url.Values, name string) (time.Time, error) {
	text := q.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, badRequest("%s is a time such as 2026-11-22T22:00:00Z (RFC 3339; + is %%2B), not %q", name, text)
	}
	return t, nil
}

//go:embed openapi.json
var description []byte

// describe gives the description of the API, which a test holds to it.
func (s *Server) describe(c *call) error {
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(writeTimeout))
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(description)
	return nil
}

// health answers as long as there is somebody to.
func (s *Server) health(c *call) error {
	give(c.w, http.StatusOK, condition{Status: "ok"})
	return nil
}

// condition is how this process is.
type condition struct {
	Status  string   `json:"status"`            // ok, or not ready
	Reasons []string `json:"reasons,omitempty"` // why not
}

func (s *Server) ready(c *call) error {
	if s.Ready != nil {
		if why := s.Ready(c.r.Context()); len(why) > 0 {
			give(c.w, http.StatusServiceUnavailable, condition{"not ready", why})
			return nil
		}
	}
	give(c.w, http.StatusOK, condition{Status: "ok"})
	return nil
}

// version says which versions there are, and who the caller is taken for.
func (s *Server) version(c *call) error {
	info := s.Info
	info.API, info.Events, info.Plans = Version, reservation.EventVersion, reconcile.PlanVersion
	info.By = c.who.name()
	if t := c.who.token; t != nil {
		info.PID, info.Listen = 0, ""
		info.Token, info.Scope, info.Workspaces = t.Name, t.Scope.String(), t.Workspaces
	}
	give(c.w, http.StatusOK, info)
	return nil
}

func (s *Server) calendar(c *call) error {
	if s.Calendar == nil {
		return &Error{Status: http.StatusNotFound, Code: codeNoRoute, Message: "this process has no calendars"}
	}
	l, err := s.ledgerOf(c)
	if err != nil {
		return err
	}
	q := c.r.URL.Query()
	b, err := s.Calendar(c.r.Context(), l, CalendarQuery{q.Get("workspace"), q.Get("station"), q.Get("address")})
	if err != nil {
		return err
	}
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(writeTimeout))
	if len(b) <= smallAnswer {
		c.turn()
	}
	sum := sha256.Sum256(b)
	h := c.w.Header()
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "private, no-cache") // kept by who asks, who asks whether it has changed
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	http.ServeContent(c.w, c.r, "", time.Time{}, bytes.NewReader(b))
	return nil
}
