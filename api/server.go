package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Limits of a request. A plan of 100,000 changes has 80 MB.
const (
	maxBody      = 256 << 20
	readTimeout  = time.Minute
	writeTimeout = time.Minute // for an answer, or for one stretch of a stream
)

// Server answers for a ledger.
type Server struct {
	Ledger Ledger
	Info   Info
	Log    *slog.Logger
	// Around is put around the router, so that it sees of each request what
	// route it took; nil: nothing is.
	Around func(router http.Handler) http.Handler
}

// Run answers on a listener until ctx ends. Streams end then, and other
// requests that are under way have a few seconds to.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readTimeout,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ConnContext: withPeer,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
	streams, end := context.WithCancel(ctx)
	defer end()
	server.Handler = endingWith(streams, server.Handler)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("api: accept on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		_ = server.Close()
	}
	return nil
}

type endKey struct{}

// endingWith tells handlers of streams when the server ends.
func endingWith(end context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), endKey{}, end)))
	})
}

func (s *Server) handler() http.Handler {
	l, mux := s.Ledger, http.NewServeMux()
	answer(mux, "info", func(context.Context, nothing) (Info, error) { return s.Info, nil })
	answer(mux, "plan", s.plan)
	answer(mux, "propose", s.propose)
	answer(mux, "edit", func(ctx context.Context, in edit) (*reconcile.Plan, error) { return l.Edit(ctx, in.Workspace, in.Edit) })
	answer(mux, "record", s.record)
	answer(mux, "meta", func(ctx context.Context, _ nothing) (reservation.Meta, error) { return l.Meta(ctx) })
	answer(mux, "last", func(ctx context.Context, _ nothing) (int64, error) { return l.Last(ctx) })
	answer(mux, "state", func(ctx context.Context, _ nothing) (*reconcile.State, error) { return l.Read(ctx) })
	answer(mux, "wanted", func(ctx context.Context, in addresses) ([]reservation.Wanted, error) {
		return l.Wanted(ctx, in.Workspace, in.Addresses...)
	})
	answer(mux, "occurrences", func(ctx context.Context, in address) ([]reservation.Placed, error) {
		return l.Occurrences(ctx, in.Workspace, in.Address)
	})
	answer(mux, "unsettled", func(ctx context.Context, in which) ([]reconcile.Outstanding, error) {
		return l.Unsettled(ctx, in.Station, in.Workspace)
	})
	answer(mux, "drift", func(ctx context.Context, in age) ([]reconcile.Drifted, error) { return l.Drift(ctx, in.Grace) })
	answer(mux, "watches", func(ctx context.Context, _ nothing) ([]Watch, error) { return l.Watches(ctx) })
	answer(mux, "held", s.held)
	answer(mux, "began", func(ctx context.Context, _ nothing) (reservation.Checkpoint, error) { return l.Began(ctx) })
	answer(mux, "proposals", func(ctx context.Context, _ nothing) (map[string]reservation.Event, error) {
		return l.LastProposals(ctx)
	})
	mux.HandleFunc("POST /v1/events", s.events)
	if s.Around != nil {
		return s.Around(mux)
	}
	return mux
}

func (s *Server) plan(ctx context.Context, in desired) (*reconcile.Plan, error) {
	for i := range in.Want.Stations {
		d := &in.Want.Stations[i]
		d.ClearPassword = in.Passwords[d.Address]
	}
	p, err := s.Ledger.Plan(ctx, in.Want)
	if err != nil {
		return nil, err
	}
	return salted(p), nil
}

// held makes the plan that is held for a workspace.
func (s *Server) held(ctx context.Context, in which) (*reconcile.Plan, error) {
	p, err := s.Ledger.Held(ctx, in.Workspace)
	if err != nil || p == nil {
		return nil, err
	}
	return salted(p), nil
}

// salted is the plan as it will be stored: no password goes back in clear.
func salted(p *reconcile.Plan) *reconcile.Plan {
	for i := range p.Changes {
		if e := p.Changes[i].Station; e != nil && e.After != nil {
			after := e.After.Salted()
			p.Changes[i].Station = &reservation.StationEdit{Before: e.Before, After: &after}
		}
	}
	return p
}

// propose has the kernel's word for who proposes, where it gives one. What has
// arrived whole is stored or refused, whatever becomes of the caller.
func (s *Server) propose(ctx context.Context, in proposal) ([]reservation.Event, error) {
	if in.Plan == nil {
		return nil, &Error{http.StatusBadRequest, "api: propose: there is no plan"}
	}
	if by := peerName(ctx); by != "" {
		in.Options.By = by
	}
	return s.Ledger.Propose(context.WithoutCancel(ctx), in.Plan, in.Options)
}

// record takes orders of people, and nothing that a station could have said.
func (s *Server) record(ctx context.Context, orders []reservation.Event) (nothing, error) {
	for i := range orders {
		e := &orders[i]
		switch e.Kind {
		case reservation.Frozen, reservation.Unfrozen, reservation.Paused, reservation.Resumed:
		default:
			return nothing{}, &Error{http.StatusBadRequest, fmt.Sprintf("api: record: %q is no order", e.Kind)}
		}
		if by := peerName(ctx); by != "" && e.Halt != nil {
			e.Halt.By = by
		}
	}
	return nothing{}, s.Ledger.Record(context.WithoutCancel(ctx), orders...)
}

// answer makes a function of the ledger a method of the API.
func answer[In, Out any](mux *http.ServeMux, name string, f func(context.Context, In) (Out, error)) {
	mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := take(w, r, &in)
		var out any
		if err == nil {
			out, err = f(r.Context(), in)
		}
		// What cannot be written any more is told to nobody.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			status, f := failed(err)
			w.WriteHeader(status)
			out = line{Error: f}
		}
		_ = json.NewEncoder(w).Encode(out)
	})
}

// take reads a request whole, within bounds.
func take(w http.ResponseWriter, r *http.Request, in any) error {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(in)
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return &Error{http.StatusRequestEntityTooLarge, fmt.Sprintf("api: read request: more than %d bytes", large.Limit)}
	}
	return &Error{http.StatusBadRequest, "api: read request: " + err.Error()}
}

// events streams lines of the journal, and goes on if that is asked for. A
// reader that does not read is cut off after a while.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	var in lines
	if err := take(w, r, &in); err != nil {
		status, f := failed(err)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(line{Error: f})
		return
	}
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	if end, ok := ctx.Value(endKey{}).(context.Context); ok {
		defer context.AfterFunc(end, stop)()
	}
	w.Header().Set("Content-Type", "application/jsonl")
	c, out := http.NewResponseController(w), json.NewEncoder(w)
	stored := s.Ledger.EventsUntil(ctx, in.Filter)
	if in.Follow {
		stored = s.Ledger.Events(ctx, in.Filter.After)
		_ = c.Flush() // it has begun
	}
	for e, err := range stored {
		_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err != nil {
			_, f := failed(err)
			_ = out.Encode(line{Error: f})
			return
		}
		if out.Encode(line{Event: &e}) != nil {
			return
		}
		if in.Follow && c.Flush() != nil {
			return
		}
	}
	_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, _ = io.WriteString(w, "{\"end\":true}\n")
}
