package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// papers are documents that show all that a ledger gives.
type papers struct{}

func (papers) State(ctx context.Context, l api.Ledger) (any, error)    { return l.Read(ctx) }
func (papers) Stations(ctx context.Context, l api.Ledger) (any, error) { return l.Read(ctx) }
func (papers) Timeline(ctx context.Context, l api.Ledger, from, until time.Time) (any, error) {
	return l.Read(ctx)
}
func (papers) Drift(ctx context.Context, l api.Ledger, grace time.Duration) (any, error) {
	return l.Drift(ctx, grace)
}
func (papers) Why(ctx context.Context, l api.Ledger, workspace, address string) (any, error) {
	return l.Occurrences(ctx, workspace, address)
}
func (papers) Line(e reservation.Event) any      { return map[string]any{"type": "event", "event": e} }
func (papers) Matches(glob, address string) bool { return glob == address }

// network is a ledger that others reach over TCP.
type network struct {
	near   book
	server *api.Server
	url    string
	log    *bytes.Buffer
}

// scopes are the tokens of a network: "secret-of-NAME".
func scopes() []api.Token {
	var all []api.Token
	for name, scope := range map[string]api.Scope{"read": api.ScopeRead, "plan": api.ScopePlan, "write": api.ScopeWrite, "admin": api.ScopeAdmin} {
		all = append(all, api.Token{Name: name, Scope: scope, SHA256: sha256.Sum256([]byte("secret-of-" + name))})
		all = append(all, api.Token{Name: "night-" + name, Scope: scope, Workspaces: []string{"night"}, SHA256: sha256.Sum256([]byte("secret-of-night-" + name))})
	}
	return all
}

func connect(t testing.TB, change ...func(*api.Server)) *network {
	t.Helper()
	s := share(t)
	n := &network{near: s.near, log: &bytes.Buffer{}}
	n.server = &api.Server{Ledger: s.near, Documents: papers{}, Info: api.Info{Resctl: "0.1.0", PID: 812}, Log: slog.New(slog.NewTextHandler(n.log, nil)),
		Calendar: func(ctx context.Context, l api.Ledger, _ api.CalendarQuery) ([]byte, error) {
			s, err := l.Read(ctx)
			b, _ := json.Marshal(s)
			return b, err
		}}
	n.server.SetTokens(scopes())
	for _, f := range change {
		f(n.server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.server.Run(ctx, api.Bounded(l)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	n.url = "http://" + l.Addr().String()
	return n
}

// as comes in with a token.
func (n *network) as(t *testing.T, name string) *api.Client {
	t.Helper()
	c, err := api.DialRemote(t.Context(), api.Remote{URL: n.url, Token: "secret-of-" + name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask does one request, and ends a stream when it has said something.
func (n *network) ask(t testing.TB, method, path, secret, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, n.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Header.Get("Content-Type") != "text/event-stream" {
		b, _ := io.ReadAll(response.Body)
		return response.StatusCode, response.Header, string(b)
	}
	var said strings.Builder
	for b := make([]byte, 64<<10); !strings.Contains(said.String(), `"proposed"`); {
		k, err := response.Body.Read(b)
		if said.Write(b[:k]); err != nil {
			break
		}
	}
	return response.StatusCode, response.Header, said.String()
}

// populate stores two workspaces, with tokens and passwords of their own.
func (n *network) populate(t testing.TB) {
	t.Helper()
	n.fill(t, "depot")
	n.fill(t, "night")
}

// fill stores something in a workspace, and lets its station say something.
func (n *network) fill(t testing.TB, w string) {
	t.Helper()
	id := strings.ToUpper(w) + "-1"
	d := van("SECRETTOKEN-" + w)
	d.Workspace, d.StationID, d.GroupIDToken = w, id, &reservation.Token{IDToken: "SECRETGROUP-" + w, Type: "Central"}
	want := reconcile.Desired{Workspace: w, Reservations: []reservation.Declaration{d},
		Stations: []reservation.StationDeclaration{{Address: "station.x", Workspace: w, ID: id, ClearPassword: "SECRETPASSWORD-" + w}},
		Tokens:   []reservation.TokenDeclaration{{Address: "token.x", Workspace: w, IDToken: reservation.Token{IDToken: "SECRETBLOCK-" + w, Type: "Central"}}}}
	p, err := n.near.Plan(t.Context(), want)
	if err == nil { // past the watch of the fixture
		_, err = n.near.Ledger.Propose(t.Context(), p, reconcile.ProposeOptions{By: "somebody"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.near.Append(t.Context(), reservation.Event{At: time.Now(), Kind: reservation.Connected, StationID: id, Link: &reservation.Link{Protocol: "ocpp2.0.1"}},
		reservation.Event{At: time.Now(), Kind: reservation.Transaction, StationID: id, Connection: 1, Transaction: &reservation.TransactionReport{ID: "tx", Type: "Started", EVSE: 2,
			IDToken: &reservation.Token{IDToken: "SECRETDRIVER-" + w, Type: "Central"}}}); err != nil {
		t.Fatal(err)
	}
}

// bodies are requests that each method takes, as workspace w asks them.
func bodies(w string) map[string]string {
	d := van("SECRETTOKEN-" + w)
	d.Workspace, d.StationID, d.Target.EVSE = w, strings.ToUpper(w)+"-1", 2
	want, _ := json.Marshal(map[string]any{"want": reconcile.Desired{Workspace: w, Reservations: []reservation.Declaration{d}}})
	at := fmt.Sprintf(`{"workspace":%q,"addresses":["reservation.van"],"address":"reservation.van","station":%q}`, w, strings.ToUpper(w)+"-1")
	return map[string]string{"/v1/plan": string(want), "/v1/edit": fmt.Sprintf(`{"workspace":%q,"edit":{"Renames":[{"From":"reservation.van","To":"reservation.bus"}]}}`, w),
		"/v1/erase":         `{"token":"NOBODY"}`,
		"/v1/ledger/wanted": at, "/v1/ledger/occurrences": at, "/v1/ledger/unsettled": at, "/v1/ledger/held": at,
		"/v1/ledger/masked": fmt.Sprintf(`{"plan":{"workspace":%q,"changes":[]}}`, w), "/v1/ledger/events": `{"filter":{}}`, "/v1/propose": fmt.Sprintf(`{"plan":{"workspace":%q,"changes":[]}}`, w),
		"/v1/freeze": fmt.Sprintf(`{"workspaces":[%q]}`, w), "/v1/unfreeze": fmt.Sprintf(`{"workspaces":[%q]}`, w), "/v1/pause": fmt.Sprintf(`{"stations":[%q]}`, strings.ToUpper(w)+"-1"), "/v1/resume": fmt.Sprintf(`{"stations":[%q]}`, strings.ToUpper(w)+"-1")}
}

func (n *network) route(t *testing.T, x api.Route, w, secret string, header ...string) (int, http.Header, string) {
	t.Helper()
	path, body := x.Path, bodies(w)[x.Path]
	if x.Path == "/v1/why" {
		path += "?workspace=" + w + "&address=reservation.van"
	}
	if body == "" {
		body = "{}"
	}
	return n.ask(t, x.Method, path, secret, body, header...)
}

// TestMasked: no answer over the network has the characters of a token, or
// anything of a password, or the key of fingerprints; nor does the log.
func TestMasked(t *testing.T) {
	n := connect(t)
	n.populate(t)
	meta, err := n.near.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := n.near.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"SECRET", hex.EncodeToString(meta.Secret), "c2VjcmV0", "password_hash", "password_salt"}
	if b, err := json.Marshal(meta.Secret); err == nil {
		secrets = append(secrets, strings.Trim(string(b), `"`))
	}
	for _, d := range stored.Declarations {
		secrets = append(secrets, d.PasswordHash, d.PasswordSalt)
	}
	for _, e := range stored.Entries {
		secrets = append(secrets, e.Hash) // a token could be guessed back from it
	}
	answers := 0
	for _, x := range api.Routes() {
		if x.Scope == api.ScopeNone {
			continue
		}
		for _, w := range []string{"depot", "night"} {
			status, _, text := n.route(t, x, w, "secret-of-admin")
			if status == http.StatusOK {
				answers++
			}
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s %s shows %s: %.300s", x.Method, x.Path, secret, text)
				}
			}
		}
	}
	if answers < 2*20 {
		t.Errorf("only %d answers were looked at", answers)
	}
	if strings.Contains(n.log.String(), "secret") {
		t.Errorf("the log has a secret: %s", n.log)
	}
	// Who may and asks sees tokens, and still nothing of passwords.
	_, _, whole := n.ask(t, "POST", "/v1/ledger/state", "secret-of-admin", "{}", "Resctl-Show-Id-Tokens", "true")
	if !strings.Contains(whole, "SECRETBLOCK-depot") || strings.Contains(whole, "password_") {
		t.Errorf("shown whole: %s", whole)
	}
	_, _, lines := n.ask(t, "POST", "/v1/ledger/events", "secret-of-admin", `{"filter":{}}`, "Resctl-Show-Id-Tokens", "true")
	if !strings.Contains(lines, "SECRETTOKEN-depot") || strings.Contains(lines, "password_") {
		t.Errorf("shown whole: %s", lines)
	}
	if status, _, text := n.ask(t, "POST", "/v1/ledger/state", "secret-of-write", "{}", "Resctl-Show-Id-Tokens", "true"); status != http.StatusForbidden || !strings.Contains(text, "RC651") {
		t.Errorf("asked without the scope: %d %s", status, text)
	}
}

// TestScopes: each route takes the scope that it names, and those above it.
func TestScopes(t *testing.T) {
	n := connect(t)
	n.populate(t)
	for _, x := range api.Routes() {
		for i, name := range []string{"read", "plan", "write", "admin"} {
			status, _, text := n.route(t, x, "depot", "secret-of-"+name)
			allowed := api.Scope(i+1) >= x.Scope
			if refused := status == http.StatusForbidden; refused == allowed {
				t.Errorf("%s %s as %s: %d %.200s", x.Method, x.Path, name, status, text)
			}
		}
		for _, secret := range []string{"", "mistaken"} {
			status, header, text := n.route(t, x, "depot", secret)
			if open := x.Scope == api.ScopeNone; open != (status != http.StatusUnauthorized && status != http.StatusTooManyRequests) {
				t.Errorf("%s %s with token %q: %d %.200s", x.Method, x.Path, secret, status, text)
			} else if !open && !strings.Contains(text, `"code":"RC65`) || status == http.StatusUnauthorized && header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s with token %q says %s", x.Method, x.Path, secret, text)
			}
			n.ask(t, "GET", "/v1/version", "secret-of-read", "") // a right one is forgiven
		}
	}
}

// TestOthersDoNotShow: who has one workspace is answered the same to the byte,
// whatever there is of others. The last number of the journal alone tells that
// something happened.
func TestOthersDoNotShow(t *testing.T) {
	n := connect(t)
	n.fill(t, "night")
	made := regexp.MustCompile(`"(created_at|fits_until)":"[^"]*"`) // of the moment
	answers := func() map[string]string {
		all := map[string]string{}
		for _, x := range api.Routes() {
			for _, about := range []string{"night", "depot"} {
				if about == "night" && x.Scope > api.ScopePlan || x.Path == "/v1/ledger/last" || x.Path == "/v1/events" {
					continue // it changes something, or ends by chance, where /v1/ledger/events does not
				}
				for _, token := range []string{"read", "plan", "admin"} {
					status, header, text := n.route(t, x, about, "secret-of-night-"+token)
					header.Del("Date")
					header.Del("Content-Length")
					all[fmt.Sprintf("%s %s about %s as %s", x.Method, x.Path, about, token)] = fmt.Sprint(status, header, made.ReplaceAllString(text, ""))
				}
			}
		}
		return all
	}
	before := answers()
	n.fill(t, "depot")
	for name, after := range answers() {
		if after != before[name] {
			t.Errorf("%s\n%s\nand was\n%s", name, after, before[name])
		}
	}
}

// TestWorkspaces: who has one workspace sees nothing of another, and changes
// nothing of it.
func TestWorkspaces(t *testing.T) {
	n := connect(t)
	n.populate(t)
	for _, x := range api.Routes() {
		if x.Scope == api.ScopeNone {
			continue
		}
		status, _, text := n.route(t, x, "depot", "secret-of-night-admin")
		if strings.Contains(text, "DEPOT") || status == http.StatusOK && strings.Contains(text, "depot") {
			t.Errorf("%s %s shows another workspace: %d %s", x.Method, x.Path, status, text)
		}
		if body := bodies("depot")[x.Path]; strings.Contains(body, `"depot"`) && (status != http.StatusForbidden || !strings.Contains(text, "RC652")) {
			t.Errorf("%s %s about another workspace: %d %s", x.Method, x.Path, status, text)
		}
		all := x.Path == "/v1/backup" || x.Path == "/v1/erase"
		if status, _, text := n.route(t, x, "night", "secret-of-night-admin"); (status == http.StatusForbidden) != all || all && !strings.Contains(text, "RC652") {
			t.Errorf("%s %s about its own: %d %s", x.Method, x.Path, status, text)
		}
	}
	_, _, state := n.ask(t, "GET", "/v1/state", "secret-of-night-read", "")
	if !strings.Contains(state, "NIGHT-1") {
		t.Errorf("its own is not there: %s", state)
	}
	// A change of another workspace's is none of one's own plan.
	d := van("X")
	for name, c := range map[string]reconcile.Change{
		"another workspace": {Address: d.Address, StationID: "NIGHT-1", After: &d},
		"another address":   {Address: "reservation.y", StationID: "NIGHT-1", After: func() *reservation.Declaration { d := d; d.Workspace = "night"; return &d }()},
		"another station":   {Address: "station.y", StationID: "NIGHT-1", Station: &reservation.StationEdit{After: &reservation.StationDeclaration{Address: "station.y", Workspace: "night", ID: "DEPOT-1"}}},
		"nothing at all":    {Address: "reservation.z", StationID: "NIGHT-1"},
	} {
		body, _ := json.Marshal(map[string]any{"plan": reconcile.Plan{Workspace: "night", Changes: []reconcile.Change{c}}})
		if status, _, text := n.ask(t, "POST", "/v1/propose", "secret-of-night-write", string(body)); status != http.StatusBadRequest || !strings.Contains(text, "RC653") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if err := n.as(t, "night-admin").Record(t.Context(), reservation.Event{Kind: reservation.Frozen, Workspace: reservation.AllWorkspaces}); err == nil {
		t.Error("one workspace freezes all")
	}
}

// TestProposedOverTheNetwork: what is stored is whole, whatever was shown, and
// the journal has the token's name.
func TestProposedOverTheNetwork(t *testing.T) {
	n := connect(t)
	ctx, c := t.Context(), n.as(t, "write")
	want := wanting(van("VAN"))
	want.Stations = []reservation.StationDeclaration{{Address: "station.depot", Workspace: "depot", ID: "DEPOT-1", ClearPassword: "correct-horse-battery"}}
	want.Tokens = []reservation.TokenDeclaration{{Address: "token.x", Workspace: "depot", IDToken: reservation.Token{IDToken: "POOL", Type: "Central"}}}
	propose := func(want reconcile.Desired) {
		t.Helper()
		p, err := c.Plan(ctx, want)
		if err == nil {
			_, err = c.Propose(ctx, p, reconcile.ProposeOptions{By: "somebody else"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	propose(want)
	want.Reservations = []reservation.Declaration{van("VAN")}
	want.Reservations[0].Target.EVSE = 2
	want.Tokens[0].IDToken.IDToken = "POOL-2"
	propose(want)
	if p, err := c.Plan(ctx, want); err != nil || len(p.Changes) != 0 {
		t.Errorf("planned again: %+v, %v", p, err)
	}
	w, err := n.near.Wanted(ctx, "depot", "reservation.van")
	if err != nil || len(w) != 1 || w[0].IDToken.IDToken != "VAN" {
		t.Errorf("stored: %+v, %v", w, err)
	}
	p, err := c.Edit(ctx, "depot", reconcile.Edit{Renames: []reconcile.Rename{{From: "reservation.van", To: "reservation.bus"}}})
	if err == nil {
		_, err = c.Propose(ctx, p, reconcile.ProposeOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if w, err := n.near.Wanted(ctx, "depot", "reservation.bus"); err != nil || len(w) != 1 || w[0].IDToken.IDToken != "VAN" {
		t.Errorf("renamed: %+v, %v", w, err)
	}
	s, err := n.near.Read(ctx)
	if err != nil || !s.Declarations[0].CheckPassword([]byte("correct-horse-battery")) || s.Tokens[0].IDToken.IDToken != "POOL-2" {
		t.Errorf("stored: %+v, %v", s, err)
	}
	for e, err := range n.near.EventsUntil(ctx, api.Filter{}) {
		if x := e.Change; err != nil || x != nil && x.Token != nil && x.Token.Before != nil && x.Token.Before.IDToken.IDToken != "POOL" {
			t.Errorf("the journal: %+v, %v", e, err)
		}
	}
	if last, err := n.near.LastProposals(ctx); err != nil || last["depot"].Proposal.By != "write (token)" {
		t.Errorf("proposed by %+v, %v", last["depot"].Proposal, err)
	}
	// What is shown is no plan to propose.
	shown, err := c.Plan(ctx, wanting(van("OTHER")))
	if err == nil {
		shown, err = c.Shown(ctx, shown)
	}
	if err != nil {
		t.Fatal(err)
	}
	var refused *api.Error
	if _, err := c.Propose(ctx, shown, reconcile.ProposeOptions{}); !errors.As(err, &refused) || refused.Code != "RC653" {
		t.Errorf("a masked plan: %v", err)
	}
}

// TestGuesses: an address that guesses waits, is logged once a minute, and never
// with what it guessed.
func TestGuesses(t *testing.T) {
	n := connect(t)
	var last int
	var header http.Header
	for i := range 12 {
		last, header, _ = n.ask(t, "GET", "/v1/state", fmt.Sprint("guess-", i), "")
	}
	if last != http.StatusTooManyRequests || header.Get("Retry-After") == "" {
		t.Errorf("after twelve guesses: %d %v", last, header)
	}
	if status, _, _ := n.ask(t, "GET", "/v1/state", "secret-of-read", ""); status != http.StatusTooManyRequests {
		t.Errorf("a right token beside them tells that it is right: %d", status)
	}
	if text := n.log.String(); strings.Count(text, "wrong tokens were refused") != 1 || strings.Contains(text, "guess-") {
		t.Errorf("the log: %s", text)
	}
}

// TestBasic: what cannot send a header of its own sends the token as a password.
func TestBasic(t *testing.T) {
	n := connect(t)
	r, err := http.NewRequestWithContext(t.Context(), "GET", n.url+"/v1/calendar.ics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("anything", "secret-of-read")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _ = response.Body.Close(); response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/calendar") {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
	_, header, _ := n.ask(t, "GET", "/v1/calendar.ics", "", "")
	if _, page, _ := n.ask(t, "GET", "/v1/state", "", ""); !strings.HasPrefix(header.Get("WWW-Authenticate"), "Basic") || strings.HasPrefix(page.Get("WWW-Authenticate"), "Basic") {
		t.Errorf("a browser would ask for a password: %v", page)
	}
}

// TestPolled: who has a calendar already is told so, in no more than a header.
func TestPolled(t *testing.T) {
	n := connect(t)
	n.populate(t)
	status, header, body := n.ask(t, "GET", "/v1/calendar.ics", "secret-of-read", "")
	tag := header.Get("ETag")
	if status != http.StatusOK || tag == "" || body == "" || header.Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("%d %v", status, header)
	}
	for _, held := range []string{tag, "W/" + tag, `"other", ` + tag} {
		if status, _, body := n.ask(t, "GET", "/v1/calendar.ics", "secret-of-read", "", "If-None-Match", held); status != http.StatusNotModified || body != "" {
			t.Errorf("who has %s: %d %q", held, status, body)
		}
	}
	if status, _, _ := n.ask(t, "GET", "/v1/calendar.ics", "secret-of-night-read", "", "If-None-Match", tag); status != http.StatusOK {
		t.Errorf("another token, which sees less: %d", status)
	}
	if status, _, _ := n.ask(t, "GET", "/v1/calendar.ics", "wrong", "", "If-None-Match", tag); status != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", status)
	}
}

// TestResumed: a stream of the journal goes on where it was.
func TestResumed(t *testing.T) {
	n := connect(t)
	n.populate(t)
	_, _, all := n.ask(t, "GET", "/v1/events", "secret-of-read", "")
	if !strings.Contains(all, "id: 1\ndata: {") {
		t.Fatalf("from the beginning: %s", all)
	}
	_, _, rest := n.ask(t, "GET", "/v1/events?after=1", "secret-of-read", "", "Last-Event-ID", "2")
	if strings.Contains(rest, "id: 2\n") || !strings.Contains(rest, "id: 3\n") {
		t.Errorf("after 2: %s", rest)
	}
	_, _, one := n.ask(t, "GET", "/v1/events?workspace=night", "secret-of-read", "")
	if strings.Contains(one, `"workspace":"depot"`) {
		t.Errorf("of one workspace: %s", one)
	}
	for _, q := range []string{"after=x", "after=-1", "since=yesterday"} {
		if status, _, text := n.ask(t, "GET", "/v1/events?"+q, "secret-of-read", ""); status != http.StatusBadRequest || !strings.Contains(text, "RC653") {
			t.Errorf("%s: %d %s", q, status, text)
		}
	}
}

// TestVersionsMeet: another major version is refused on both sides, a proxy and
// a stranger are told apart, and what a later version records is shown.
func TestVersionsMeet(t *testing.T) {
	n := connect(t)
	if status, _, text := n.ask(t, "GET", "/v1/version", "secret-of-read", "", "Resctl-Api-Version", "2.0"); status != http.StatusBadRequest || !strings.Contains(text, "RC656") {
		t.Errorf("a client of version 2: %d %s", status, text)
	}
	if status, _, _ := n.ask(t, "GET", "/v1/version", "secret-of-read", "", "Resctl-Api-Version", "1.7"); status != http.StatusOK {
		t.Errorf("a client of version 1.7: %d", status)
	}
	answers := func(version, contentType, body string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if version != "" {
				w.Header().Set("Resctl-Api-Version", version)
			}
			w.Header().Set("Content-Type", contentType)
			if strings.HasSuffix(r.URL.Path, "/events") {
				body = `{"event":{"seq":1,"at":"2037-01-01T00:00:00Z","kind":"teleported","later":1}}` + "\n" + `{"later":1}` + "\n" + `{"end":true}`
			}
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(s.Close)
		return s
	}
	for _, x := range []struct{ version, contentType, body, code string }{
		{"2.0", "application/json", "{}", "RC656"},
		{"", "text/html", "<html>Log in</html>", "RC659"},
		{"", "application/json", "{}", "RC659"},
	} {
		_, err := api.DialRemote(t.Context(), api.Remote{URL: answers(x.version, x.contentType, x.body).URL})
		var refused *api.Error
		if !errors.As(err, &refused) || refused.Code != x.code {
			t.Errorf("%+v: %v", x, err)
		}
	}
	c, err := api.DialRemote(t.Context(), api.Remote{URL: answers("1.9", "application/json", `{"resctl":"9"}`).URL})
	if err != nil {
		t.Fatal(err)
	}
	all, err := collect(c.EventsUntil(t.Context(), api.Filter{}))
	if err != nil || len(all) != 1 || all[0].Kind != "teleported" {
		t.Errorf("a line of a later version: %+v, %v", all, err)
	}
}

// TestComparedInConstantTime: tokens are compared so that how long it takes says
// nothing. No other comparison of their hashes is in the room.
func TestComparedInConstantTime(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "token.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "find" {
			continue
		}
		ast.Inspect(fn, func(x ast.Node) bool {
			switch x := x.(type) {
			case *ast.CallExpr:
				if s, ok := x.Fun.(*ast.SelectorExpr); ok {
					calls = append(calls, s.Sel.Name)
				}
			case *ast.RangeStmt:
				ast.Inspect(x.Body, func(y ast.Node) bool {
					switch y.(type) {
					case *ast.BranchStmt, *ast.ReturnStmt, *ast.IfStmt:
						t.Error("find ends at the token that it finds")
					}
					return true
				})
			}
			return true
		})
	}
	if !slices.Contains(calls, "ConstantTimeCompare") || !slices.Contains(calls, "ConstantTimeSelect") {
		t.Errorf("find calls %v", calls)
	}
}

// TestParseToken: what is given for --api-token is read, or refused without
// being repeated where it may be the secret itself.
func TestParseToken(t *testing.T) {
	sum := strings.Repeat("0f", 32)
	got, err := api.ParseToken("ci=write:a,b:" + sum)
	if err != nil || got.Name != "ci" || got.Scope != api.ScopeWrite || !slices.Equal(got.Workspaces, []string{"a", "b"}) || got.SHA256[0] != 0x0f {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "ci", "=read:" + sum, "ci=root:" + sum, "ci=read", "ci=read:topsecret", "ci=read::" + sum, "ci=read:a,:" + sum, "c i=read:" + sum, "ci=none:" + sum} {
		if _, err := api.ParseToken(bad); err == nil || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
