package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What one token, or all together, may do at a time.
const (
	maxCalls   = 64 // of one token
	maxStreams = 32 // of one token
)

// Guesses of one address: after a few it waits, each time twice as long.
const (
	freeGuesses  = 5
	longestWait  = time.Minute
	maxGuessers  = 10_000
	tellEvery    = time.Minute
	wholeHeader  = "Resctl-Show-Id-Tokens"
	challenge    = `Bearer realm="resctl"`                 // browsers ask nobody for it
	askPassword  = `Basic realm="resctl", charset="UTF-8"` // calendars know nothing else
	retryAtLeast = time.Second
)

// gate decides who comes in. Its zero value lets in nobody who needs a token.
type gate struct {
	tokens   atomic.Pointer[[]Token]
	open     atomic.Bool // without tokens everybody may read
	mu       sync.Mutex
	guessers map[netip.Prefix]*guesser
	busy     map[string]*load // by name of the token
	heavy    chan struct{}    // nil: nothing of the sort has come yet
	large    chan struct{}    // nil as well
}

// guesser is an address from which wrong tokens came.
type guesser struct {
	wrong  int
	until  time.Time // nothing is looked at before
	told   time.Time // when it was logged last
	unsaid int       // guesses since
}

// load is what a token has under way.
type load struct {
	calls, streams int
	large          chan struct{} // nil: nothing of the sort has come yet
}

// SetTokens says which tokens let in, from the next request on.
func (s *Server) SetTokens(tokens []Token) { s.gate.tokens.Store(&tokens) }

// OpenToAll lets everybody read who has no token, as long as there are none.
func (s *Server) OpenToAll() { s.gate.open.Store(true) }

// admit finds out who asks, and whether they may.
func (s *Server) admit(r *http.Request, x Route) (who *caller, in stay, err error) {
	free := stay{func() {}, func() {}}
	if err := sameMajor(r.Header.Get(versionHeader)); err != nil {
		return nil, free, err
	}
	if peer, ok := peerName(r.Context()); ok {
		return &caller{peer: peer, whole: true}, free, nil
	}
	if x.Scope == ScopeNone {
		return &caller{token: &Token{}}, free, nil
	}
	t, err := s.bearer(r)
	switch {
	case err != nil:
		return nil, free, err
	case t.Scope < x.Scope:
		return nil, free, &Error{Status: http.StatusForbidden, Code: codeScope, Message: fmt.Sprintf("the token %s has scope %s, and %s needs %s. Use a token with that scope", t.Name, t.Scope, x.Path, x.Scope)}
	}
	who = &caller{token: t, whole: r.Header.Get(wholeHeader) == "true"}
	if who.whole && t.Scope < ScopeAdmin {
		return nil, free, &Error{Status: http.StatusForbidden, Code: codeScope, Message: fmt.Sprintf("the token %s has scope %s, and tokens of drivers are shown whole to admin alone. Leave out --show-id-tokens, or use a token with that scope", t.Name, t.Scope)}
	}
	leave, err := s.gate.enter(t.Name, x)
	if err == nil {
		in, err = s.gate.queue(r.Context(), t.Name, x.Weight, leave)
	}
	return who, in, err
}

// bearer is the token that a request shows: as Bearer, or as the password of
// Basic, for those that cannot send a header of their own.
func (s *Server) bearer(r *http.Request) (*Token, error) {
	var tokens []Token
	if p := s.gate.tokens.Load(); p != nil {
		tokens = *p
	}
	if len(tokens) == 0 && s.gate.open.Load() {
		return &Token{Name: "anybody", Scope: ScopeRead}, nil
	}
	from, now := addressOf(r.RemoteAddr), time.Now()
	if wait := s.gate.wait(from, now); wait > 0 {
		return nil, &Error{Status: http.StatusTooManyRequests, Code: codeBusy, wait: wait, Message: "too many wrong tokens came from this address. Wait a while, and correct RESCTL_TOKEN meanwhile"}
	}
	secret := secretOf(r)
	if secret == "" {
		return nil, &Error{Status: http.StatusUnauthorized, Code: codeToken, Message: "a token is needed, and none was sent. Set RESCTL_TOKEN, or send the header Authorization: Bearer TOKEN"}
	}
	if t := find(tokens, secret); t != nil {
		s.gate.forgive(from)
		return t, nil
	}
	if n := s.gate.wrong(from, now); n > 0 {
		s.Log.Warn("wrong tokens were refused", "address", from.Addr().String(), "path", r.URL.Path, "times", n)
	}
	return nil, &Error{Status: http.StatusUnauthorized, Code: codeToken, Message: "the token is none that this server knows. Correct RESCTL_TOKEN, or have it added (serve --api-token)"}
}

func secretOf(r *http.Request) string {
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest)
	}
	_, password, _ := r.BasicAuth()
	return password
}

// addressOf is where somebody comes from. Of IPv6 it is the network, of which one
// host has as many addresses as it likes.
func addressOf(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 32
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits)
	return p
}

// wait is how long an address is not looked at.
func (g *gate) wait(from netip.Prefix, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if x := g.guessers[from]; x != nil {
		return x.until.Sub(now)
	}
	return 0
}

// wrong counts a wrong token. It gives how many there were since it was told
// last; 0: it is not to be told now.
func (g *gate) wrong(from netip.Prefix, now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.guessers == nil || len(g.guessers) >= maxGuessers {
		g.guessers = map[netip.Prefix]*guesser{}
	}
	x := g.guessers[from]
	if x == nil {
		x = &guesser{}
		g.guessers[from] = x
	}
	x.wrong++
	x.unsaid++
	if over := x.wrong - freeGuesses; over >= 0 {
		x.until = now.Add(min(retryAtLeast<<min(over, 10), longestWait))
	}
	if now.Sub(x.told) < tellEvery {
		return 0
	}
	n := x.unsaid
	x.told, x.unsaid = now, 0
	return n
}

// forgive forgets the wrong tokens of an address that has shown a right one.
func (g *gate) forgive(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.guessers, from)
}

// enter counts a request of a token in, and out again.
func (g *gate) enter(name string, x Route) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy == nil {
		g.busy = map[string]*load{}
	}
	b := g.busy[name]
	if b == nil {
		b = &load{}
		g.busy[name] = b
	}
	stream := strings.HasSuffix(x.Path, "/events")
	switch {
	case b.calls >= maxCalls, stream && b.streams >= maxStreams:
		return nil, &Error{Status: http.StatusTooManyRequests, Code: codeBusy, wait: retryAtLeast, Message: fmt.Sprintf("the token %s has too many requests under way. Let some of them end first", name)}
	}
	count := func(n int) {
		if stream {
			b.streams += n
		} else {
			b.calls += n
		}
	}
	count(1)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if count(-1); b.calls+b.streams == 0 {
			delete(g.busy, name)
		}
	}, nil
}

// ledgerOf is what a caller may see of the ledger.
func (s *Server) ledgerOf(c *call) (Ledger, error) {
	if c.who.token == nil {
		return s.Ledger, nil
	}
	return guard(c.r.Context(), s.Ledger, c.who)
}
