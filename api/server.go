package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a request. A plan of 100,000 changes has 80 MB.
const (
	maxBody      = 256 << 20 // of a heavy one
	readTimeout  = time.Minute
	writeTimeout = time.Minute // for an answer, or for one stretch of a stream
)

// Server answers for a ledger.
type Server struct {
	Ledger    Ledger
	Documents Documents // nil: there are none
	Info      Info
	Log       *slog.Logger
	// Ready gives the reasons why this process cannot do its work now; nil: it always can.
	Ready func(context.Context) []string
	// Calendar writes what matches as an iCalendar file; nil: there is none.
	Calendar func(context.Context, Ledger, CalendarQuery) ([]byte, error)
	// Web answers for all that is outside /v1/, to anybody; nil: nothing is there.
	Web http.Handler
	// Around is put around the router, so that it sees of each request what
	// route it took; nil: nothing is.
	Around func(router http.Handler) http.Handler

	gate    gate
	copying sync.Mutex // held while a backup is sent
}

// Run answers on a listener until ctx ends. Streams end then, and other
// requests that are under way have a few seconds to. Who comes through a Unix
// socket may do everything; everybody else needs a token. It may run on several
// listeners at once.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	streams, end := context.WithCancel(ctx)
	defer end()
	server := &http.Server{Handler: endingWith(streams, s.handler()), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ConnContext: withPeer,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)}
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

// handler is the router, and what is around it.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, x := range routes() {
		mux.HandleFunc(x.Method+" "+x.Path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, x) })
	}
	mux.HandleFunc("/v1/", notRouted)
	if s.Web != nil {
		mux.Handle("/", s.Web)
	} else {
		mux.HandleFunc("/", notRouted)
	}
	var h http.Handler = mux
	if s.Around != nil {
		h = s.Around(mux)
	}
	return h
}

// serve lets a request in, or says why not, and answers it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, x Route) {
	w.Header().Set(versionHeader, Version)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	who, in, err := s.admit(r, x)
	if err == nil {
		defer in.leave()
		err = x.serve(s, &call{w: w, r: r, who: who, turn: in.turn, weight: x.Weight})
	}
	if err != nil {
		if x.Path == calendarPath {
			w.Header().Set("WWW-Authenticate", askPassword)
		}
		refuse(w, err)
	}
}

// notRouted is for what is no route, or has other methods.
func notRouted(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(versionHeader, Version)
	for _, x := range routes() {
		if x.Path == r.URL.Path {
			w.Header().Set("Allow", x.Method)
			refuse(w, &Error{Status: http.StatusMethodNotAllowed, Code: codeNoRoute, Message: fmt.Sprintf("%s is asked with %s, not %s", x.Path, x.Method, r.Method)})
			return
		}
	}
	refuse(w, &Error{Status: http.StatusNotFound, Code: codeNoRoute, Message: "the API has no such address; GET /v1/openapi.json describes those that it has"})
}
