package ocppclient

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// maxIdentity is how long an identity may be (2.0.1: identifierString[48]).
const maxIdentity = 48

// refusal is why a handshake went no further.
type refusal struct {
	cause  Cause
	status int
	text   string // for whoever wanted in
	hint   string // for those who run this: what to do
}

// ServeHTTP lets a station in, or refuses it. It returns after the handshake;
// the socket lives on elsewhere, without the buffers of the HTTP server.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.working.Err() != nil {
		s.refuse(w, r, refusal{cause: RefusedStopping, status: http.StatusServiceUnavailable, text: "stopping"})
		return
	}
	if !s.reserve() {
		s.refuse(w, r, refusal{cause: RefusedFull, status: http.StatusServiceUnavailable, text: "too many connections"})
		return
	}
	x, no := s.admit(r)
	if no != nil {
		s.counts.open.Add(-1)
		s.refuse(w, r, *no)
		return
	}
	r.Header["Sec-Websocket-Extensions"] = offers(r.Header)
	conn, err := s.upgrader.Upgrade(w, r, http.Header{"Sec-Websocket-Protocol": {x.dialect.protocol}})
	if err != nil { // it has been answered
		s.counts.open.Add(-1)
		s.refusals.add(RefusedHandshake, "station handshake failed", "station", x.id, "remote", r.RemoteAddr, "error", err)
		return
	}
	s.counts.accepted.Add(1)
	x.attach(conn)
	if err := s.start(x); err != nil {
		s.counts.open.Add(-1)
		x.close(websocket.CloseGoingAway, "stopping")
		_ = conn.Close()
	}
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, no refusal) {
	about := []any{"path", shorten(r.URL.EscapedPath()), "remote", r.RemoteAddr, "status", no.status, "reason", no.text}
	if identity, ok := identityOf(r.URL); ok {
		about = append(about, "station", identity)
	}
	if no.hint != "" {
		about = append(about, "hint", no.hint)
	}
	s.refusals.add(no.cause, "station refused", about...)
	if no.cause.guesses() {
		s.holdBack(r)
	}
	w.Header().Set("Connection", "close") // who is refused again and again pays for a connection each time
	switch no.status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "60")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="OCPP", charset="UTF-8"`)
	case http.StatusUpgradeRequired:
		w.Header().Set("Upgrade", "websocket")
		w.Header().Add("Connection", "Upgrade")
	}
	http.Error(w, no.text, no.status)
}

// shorten keeps the end of a path, which is where the identity is.
func shorten(path string) string { return path[max(0, len(path)-3*maxIdentity):] }

// admit decides who is let in, in the order that the package says.
func (s *Server) admit(r *http.Request) (*Session, *refusal) {
	if !websocket.IsWebSocketUpgrade(r) {
		return nil, &refusal{cause: RefusedNoWebSocket, status: http.StatusUpgradeRequired, text: "this is an OCPP endpoint: it speaks WebSocket"}
	}
	if !sameOrigin(r) {
		return nil, &refusal{cause: RefusedOrigin, status: http.StatusForbidden, text: "a page from another host may not connect"}
	}
	identity, ok := identityOf(r.URL)
	if !ok {
		return nil, &refusal{cause: RefusedPath, status: http.StatusNotFound, text: "the path must end with a station identity of 1 to 48 characters"}
	}
	if no := s.cfg.Security.link(r); no != nil {
		return nil, no
	}
	a, no := s.authenticate(r, identity)
	if no != nil {
		return nil, no
	}
	d := s.choose(r)
	if d == nil {
		return nil, &refusal{cause: RefusedProtocol, status: http.StatusBadRequest, text: "no common subprotocol: Sec-WebSocket-Protocol must offer one of " +
			strings.Join(s.protocols(), ", ")}
	}
	if !s.mayCome(a.Identity) {
		return nil, &refusal{cause: RefusedOften, status: http.StatusServiceUnavailable, text: "this station has come too often lately",
			hint: "it connects again and again, or another one connects with its identity and password"}
	}
	x := newSession(s, d, a.Identity)
	if s.cfg.Security.Profile == ProfileMutual {
		x.serial = commonName(r) // that of the declaration, but for a stranger
	}
	x.stranger = a.Stranger
	return x, nil
}

// authenticate returns how the station is known, with an identity in any case.
// That user name, path and password agree is A00.FR.207 and A00.FR.324 of 2.0.1.
func (s *Server) authenticate(r *http.Request, identity string) (Admission, *refusal) {
	a, err := s.cfg.Admit(r.Context(), identity)
	if err != nil {
		s.cfg.Log.Error("station could not be looked up", "station", identity, "error", err)
		return a, &refusal{cause: RefusedLookup, status: http.StatusServiceUnavailable, text: "try again later"}
	}
	matches := s.cfg.Security.proves(r, a)
	if user, _, given := r.BasicAuth(); given && !strings.EqualFold(user, identity) {
		matches = false
	}
	switch {
	case !a.Known:
		return a, &refusal{RefusedUnknown, http.StatusNotFound, "no such station", // not more: strangers read it
			cmp.Or(a.Hint, "nothing declares or names this identity, the end of the path: declare it, or let the station dial with its own")}
	case !matches:
		no := s.cfg.Security.unproven()
		if no.status == http.StatusUnauthorized {
			no.hint = wrongBecause(r, a, identity)
		}
		return a, no
	case a.Identity == "":
		a.Identity = strings.Clone(identity) // and not the whole head of the request
	}
	return a, nil
}

// wrongBecause says which part of basic authentication is wrong.
func wrongBecause(r *http.Request, a Admission, identity string) string {
	user, _, given := r.BasicAuth()
	switch {
	case a.CheckPassword == nil && given && strings.EqualFold(user, identity):
		return "no password is declared for it"
	case !given:
		return "it sent no password, and one is declared: set it at the station, for basic authentication"
	case !strings.EqualFold(user, identity):
		return "its user name is not the identity at the end of the path"
	}
	return "its password is not the one that is declared"
}

// identityOf takes the last segment of the path, decoded once.
func identityOf(u *url.URL) (string, bool) {
	path := u.EscapedPath()
	identity, err := url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil || identity == "" || !utf8.ValidString(identity) ||
		utf8.RuneCountInString(identity) > maxIdentity {
		return "", false
	}
	// A colon would end the user name of basic authentication; what cannot be
	// printed has no place in a log. Anything else is let through.
	odd := func(r rune) bool { return r == ':' || !unicode.IsPrint(r) }
	return identity, !strings.ContainsFunc(identity, odd)
}

// sameOrigin refuses browsers that were sent here by another host's page.
// Stations are no browsers and send no Origin as a rule.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// choose takes the first of the station's subprotocols that is spoken: it
// lists them in the order of its preference.
func (s *Server) choose(r *http.Request) *dialect {
	for _, p := range websocket.Subprotocols(r) {
		i := slices.IndexFunc(s.dialects, func(d *dialect) bool { return d.protocol == p })
		if i >= 0 {
			return s.dialects[i]
		}
	}
	return nil
}

func (s *Server) protocols() []string {
	var names []string
	for _, d := range s.dialects {
		names = append(names, d.protocol)
	}
	return names
}

// offers keeps those offers of permessage-deflate that can be taken up as they
// are, and drops the rest. A CSMS must support compression (OCPP 2.0.1 part 4).
// What a station compresses is unpacked without keeping a window between
// messages, so a silent socket holds nothing for it; our own frames, a few
// hundred bytes each, are never compressed, which any offer permits. Only a
// station that limits the server's window must be told that the limit is
// kept, and the library cannot say so: such an offer is not taken up.
func offers(h http.Header) []string {
	for _, offer := range strings.Split(strings.Join(h["Sec-Websocket-Extensions"], ","), ",") {
		if acceptable(offer) {
			return []string{"permessage-deflate"}
		}
	}
	return nil
}

func acceptable(offer string) bool {
	parts := strings.Split(offer, ";")
	if strings.TrimSpace(parts[0]) != "permessage-deflate" {
		return false
	}
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.TrimSpace(name) {
		case "client_no_context_takeover", "server_no_context_takeover":
		case "client_max_window_bits":
			value = strings.Trim(strings.TrimSpace(value), `"`)
			if bits, err := strconv.Atoi(value); value != "" && (err != nil || bits < 8 || bits > 15) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
