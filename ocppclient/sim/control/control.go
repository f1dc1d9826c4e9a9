// Package control lets people and scripts act on simulated stations over HTTP:
// take a reservation away, let its driver come, pull the plug. It speaks JSON,
// and is for the machine that it runs on alone: whoever reaches it commands the
// stations, so it refuses other addresses, other host names and web pages.
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/resctl/resctl/ocppclient/sim"
)

// FormatVersion is that of everything that is answered.
const FormatVersion = "1.0"

// maxBody is how long a request may be, in bytes.
const maxBody = 64 << 10

// Config says what is controlled.
type Config struct {
	Stations []*sim.Client // in the order in which they are listed
	// ShowTokens: answers have the tokens of what is held. They are personal
	// data where a real CSMS has sent them.
	ShowTokens bool
}

// handler answers requests.
type handler struct {
	Config
	byID map[string]*sim.Client
}

// Handler answers as docs/simulate.md says.
func Handler(c Config) http.Handler {
	h := handler{Config: c, byID: make(map[string]*sim.Client, len(c.Stations))}
	for _, s := range c.Stations {
		h.byID[s.ID()] = s
	}
	return h
}

// refusal is a request that is not carried out.
type refusal struct {
	status        int
	code, message string
}

func (r *refusal) Error() string { return r.message }

func refuse(status int, code, message string, args ...any) error {
	return &refusal{status, code, fmt.Sprintf(message, args...)}
}

// wrong is a request that makes no sense.
func wrong(message string, args ...any) error {
	return refuse(http.StatusBadRequest, "bad_request", message, args...)
}

// missing is something that is not there.
func missing(message string, args ...any) error {
	return refuse(http.StatusNotFound, "not_found", message, args...)
}

// conflict is something that cannot happen as the station is now.
func conflict(message string, args ...any) error {
	return refuse(http.StatusConflict, "conflict", message, args...)
}

// ServeHTTP answers one request.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	answer, err := h.route(r)
	status := http.StatusOK
	if err != nil {
		no := &refusal{http.StatusInternalServerError, "failed", err.Error()}
		errors.As(err, &no)
		status, answer = no.status, errorAnswer{FormatVersion, errorAbout{no.code, no.message}}
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allowed(r))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(answer) // whoever asked is gone
}

// route finds out what is asked for.
func (h handler) route(r *http.Request) (any, error) {
	if err := checkOrigin(r); err != nil {
		return nil, err
	}
	path, err := segments(r.URL)
	if err != nil {
		return nil, err
	}
	if len(path) > 3 || len(path) > 0 && path[0] != "stations" {
		return nil, missing("%s: there are /, /stations, /stations/{id} and /stations/{id}/{action}", r.URL.Path)
	}
	if len(path) < 3 {
		return h.read(r, path)
	}
	do, ok := actions()[path[2]]
	if !ok {
		return nil, missing("action %q: there are %s", path[2], actionNames())
	}
	if err := method(r, http.MethodPost); err != nil {
		return nil, err
	}
	s, err := h.station(path[1])
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, unreadable(err)
	}
	if err := do(r.Context(), s, body); err != nil {
		return nil, err
	}
	return stationAnswer{FormatVersion, h.about(s)}, nil
}

// read answers what only looks.
func (h handler) read(r *http.Request, path []string) (any, error) {
	if err := method(r, http.MethodGet); err != nil {
		return nil, err
	}
	switch len(path) {
	case 0:
		return h.fleet(), nil
	case 1:
		return h.list(), nil
	}
	s, err := h.station(path[1])
	if err != nil {
		return nil, err
	}
	return stationAnswer{FormatVersion, h.about(s)}, nil
}

func (h handler) station(id string) (*sim.Client, error) {
	s, ok := h.byID[id]
	if !ok {
		return nil, missing("station %q: none of that identity is simulated here", id)
	}
	return s, nil
}

// allowed is the method that a path takes.
func allowed(r *http.Request) string {
	if path, err := segments(r.URL); err == nil && len(path) == 3 {
		return http.MethodPost
	}
	return http.MethodGet
}

func method(r *http.Request, want string) error {
	if r.Method == want || want == http.MethodGet && r.Method == http.MethodHead {
		return nil
	}
	return refuse(http.StatusMethodNotAllowed, "method_not_allowed", "%s %s: want %s", r.Method, r.URL.Path, want)
}

// segments are the parts of a path; identities may have slashes in them, escaped.
func segments(u *url.URL) ([]string, error) {
	text := strings.Trim(u.EscapedPath(), "/")
	if text == "" {
		return nil, nil
	}
	list := strings.Split(text, "/")
	for i, part := range list {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, wrong("path: %s", err)
		}
		list[i] = plain
	}
	return list, nil
}

// checkOrigin keeps web pages out: a browser names the page that a request
// comes from, and a host name that somebody has pointed at this machine is not
// one of its own.
func checkOrigin(r *http.Request) error {
	if len(r.Header.Values("Origin")) > 0 {
		return refuse(http.StatusForbidden, "forbidden", "web pages may not control stations (the request has an Origin)")
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !isLoopback(host) {
		return refuse(http.StatusForbidden, "forbidden", "host %q: want localhost or a loopback address", r.Host)
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}
