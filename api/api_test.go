package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// book is a ledger over a real state.
type book struct {
	*reconcile.Ledger
	*state.DB
}

func (b book) Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error] {
	return b.DB.Events(ctx, after)
}

func (b book) EventsUntil(ctx context.Context, f api.Filter) iter.Seq2[reservation.Event, error] {
	return b.DB.EventsUntil(ctx, state.Filter(f))
}

func (b book) Record(ctx context.Context, orders ...reservation.Event) error {
	_, err := b.Append(ctx, orders...)
	return err
}

func (b book) Watches(context.Context) ([]api.Watch, error) {
	return []api.Watch{{Workspace: "night", Directory: "/srv/night", State: api.WatchHeld, Since: time.Date(2037, 1, 1, 22, 0, 0, 0, time.UTC), Revision: "abc", Code: "RC707",
		Summary: "cancels 12 HELD NOW, over 10", Findings: []reconcile.Finding{{Code: "RC201", Severity: reconcile.Error, Range: "main.hcl:3"}}}}, nil
}

func (b book) Held(ctx context.Context, workspace string) (*reconcile.Plan, error) {
	if workspace != "night" {
		return nil, nil
	}
	d := van("NIGHT")
	d.Workspace = workspace
	return b.Plan(ctx, reconcile.Desired{Workspace: workspace, Reservations: []reservation.Declaration{d}})
}

// copied is what a backup has.
const copied = "all there is"

func (b book) Backup(context.Context) (*api.Copy, error) {
	return &api.Copy{ReadCloser: io.NopCloser(strings.NewReader(copied)), Size: int64(len(copied)), SHA256: sha256.Sum256([]byte(copied))}, nil
}

func (b book) Erase(ctx context.Context, what api.Erasing) (api.Erased, error) {
	done, err := b.DB.Erase(ctx, what.Token, what.By, time.Now())
	if err != nil {
		return api.Erased{}, &api.Error{Status: http.StatusConflict, Code: "RC626", Message: "not erased"}
	}
	return api.Erased{Fingerprint: done.Fingerprint, Rows: done.Rows}, nil
}

func (b book) Propose(ctx context.Context, p *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error) {
	if p.Workspace == "night" {
		return nil, &api.WatchedError{Workspace: "night", Directory: "/srv/night"}
	}
	return b.Ledger.Propose(ctx, p, o)
}

// shared is a ledger, and the same one through a socket.
type shared struct {
	near   book
	far    *api.Client
	socket string
	stop   func()
}

func share(t testing.TB) shared {
	t.Helper()
	dir, err := os.MkdirTemp("", "api") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "resctl.db")
	db, err := state.Open(t.Context(), path, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := shared{near: book{&reconcile.Ledger{Store: db, Settings: reconcile.DefaultSettings(), Now: time.Now}, db}, socket: api.SocketOf(path)}
	l, err := api.Listen(s.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &api.Server{Ledger: s.near, Info: api.Info{PID: 812, Listen: "127.0.0.1:8887"}, Log: slog.New(slog.DiscardHandler)}
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, l); close(done) }()
	s.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.stop)
	if s.far, err = api.Dial(t.Context(), s.socket); err != nil || s.far == nil {
		t.Fatal(s.far, err)
	}
	return s
}

func van(token string) reservation.Declaration {
	start := time.Date(2037, 1, 1, 22, 0, 0, 0, time.UTC)
	return reservation.Declaration{Address: "reservation.van", Workspace: "depot", StationID: "DEPOT-1", Target: reservation.Target{EVSE: 1},
		IDToken: reservation.Token{IDToken: token, Type: "Central"}, When: reservation.When{Start: start, Expiry: start.Add(8 * time.Hour)}}
}

func wanting(d ...reservation.Declaration) reconcile.Desired {
	return reconcile.Desired{Workspace: "depot", Reservations: d}
}

func (s shared) apply(t *testing.T, want reconcile.Desired) {
	t.Helper()
	p, err := s.far.Plan(t.Context(), want)
	if err == nil {
		_, err = s.far.Propose(t.Context(), p, reconcile.ProposeOptions{By: "somebody", Revision: "abc"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestBothWays: a ledger says the same near and far.
func TestBothWays(t *testing.T) {
	s := share(t)
	want := wanting(van("VAN"))
	want.Stations = []reservation.StationDeclaration{{Address: "station.depot", Workspace: "depot", ID: "DEPOT-1", ClearPassword: "correct-horse-battery"}}
	s.apply(t, want)
	ctx := t.Context()
	for name, ask := range map[string]func(api.Ledger) (any, error){
		"meta":        func(l api.Ledger) (any, error) { return l.Meta(ctx) },
		"last":        func(l api.Ledger) (any, error) { return l.Last(ctx) },
		"state":       func(l api.Ledger) (any, error) { return l.Read(ctx) },
		"wanted":      func(l api.Ledger) (any, error) { return l.Wanted(ctx, "depot", "reservation.van") },
		"occurrences": func(l api.Ledger) (any, error) { return l.Occurrences(ctx, "depot", "reservation.van") },
		"unsettled":   func(l api.Ledger) (any, error) { return l.Unsettled(ctx, "DEPOT-1", "depot") },
		"drift":       func(l api.Ledger) (any, error) { return l.Drift(ctx, 0) },
		"watches":     func(l api.Ledger) (any, error) { return l.Watches(ctx) },
		"not held":    func(l api.Ledger) (any, error) { return l.Held(ctx, "depot") },
		"held":        func(l api.Ledger) (any, error) { return digestOf(l.Held(ctx, "night")) },
		"began":       func(l api.Ledger) (any, error) { return l.Began(ctx) },
		"proposals":   func(l api.Ledger) (any, error) { return l.LastProposals(ctx) },
		"events":      func(l api.Ledger) (any, error) { return collect(l.EventsUntil(ctx, api.Filter{Workspace: "depot"})) },
	} {
		near, err := ask(s.near)
		far, err2 := ask(s.far)
		a, _ := json.Marshal(near)
		b, _ := json.Marshal(far)
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: near %s, %v\nfar %s, %v", name, a, err, b, err2)
		}
	}
	// The password was compared with what is stored: nothing is left to do.
	if p, err := s.far.Plan(ctx, want); err != nil || len(p.Changes) != 0 {
		t.Errorf("planned again: %v, %v", p, err)
	}
}

func digestOf(p *reconcile.Plan, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return p.Digest, nil
}

func collect(lines iter.Seq2[reservation.Event, error]) (all []reservation.Event, err error) {
	for e, err := range lines {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// TestErrorsKeepTheirTypes: callers branch on them.
func TestErrorsKeepTheirTypes(t *testing.T) {
	s := share(t)
	ctx := t.Context()
	old, err := s.far.Plan(ctx, wanting(van("OLD")))
	if err != nil {
		t.Fatal(err)
	}
	other := van("VAN")
	other.Address, other.Target.EVSE = "reservation.other", 2
	s.apply(t, wanting(van("VAN"), other))
	_, err = s.far.Propose(ctx, old, reconcile.ProposeOptions{})
	var stale *reconcile.StaleError
	if !errors.As(err, &stale) || stale.Address != "reservation.van" {
		t.Errorf("a stale plan: %v", err)
	}
	_, err = s.far.Edit(ctx, "depot", reconcile.Edit{Forget: []string{"nobody"}})
	var no *reconcile.NoMatchError
	if !errors.As(err, &no) || no.Glob != "nobody" || !reflect.DeepEqual(no.Known, []string{"reservation.other", "reservation.van"}) {
		t.Errorf("a glob of nothing: %v", err)
	}
	_, err = s.far.Edit(ctx, "depot", reconcile.Edit{Renames: []reconcile.Rename{{From: "reservation.van", To: "reservation.other"}}})
	var taken *reconcile.TakenError
	if !errors.As(err, &taken) || taken.To != "reservation.other" {
		t.Errorf("a taken address: %v", err)
	}
	held, err := s.far.Held(ctx, "night")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.far.Propose(ctx, held, reconcile.ProposeOptions{})
	var watched *api.WatchedError
	if !errors.As(err, &watched) || *watched != (api.WatchedError{Workspace: "night", Directory: "/srv/night"}) {
		t.Errorf("a workspace that follows a directory: %v", err)
	}
	freeze := reservation.Event{At: time.Now(), Kind: reservation.Frozen, Workspace: "depot", Halt: &reservation.Halt{By: "somebody", Reason: "audit"}}
	if err := s.far.Record(ctx, freeze); err != nil {
		t.Fatal(err)
	}
	p, err := s.far.Plan(ctx, wanting(van("VAN")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.far.Propose(ctx, p, reconcile.ProposeOptions{})
	var frozen *reservation.FrozenError
	if !errors.As(err, &frozen) || frozen.Halt.Reason != "audit" || frozen.Workspace != "depot" {
		t.Errorf("a freeze: %v", err)
	}
	err = s.far.Record(ctx, reservation.Event{At: time.Now(), Kind: reservation.Booted, StationID: "DEPOT-1"})
	var refused *api.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
		t.Errorf("what only a station can say: %v", err)
	}
}

// TestAudit: the journal has the kernel's word for who proposes and orders.
func TestAudit(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	s := share(t)
	s.apply(t, wanting(van("VAN")))
	last, err := s.near.LastProposals(t.Context())
	if p := last["depot"].Proposal; err != nil || p.By != me.Username || p.Revision != "abc" {
		t.Errorf("proposed by %+v, %v; want %s", p, err, me.Username)
	}
	freeze := reservation.Event{At: time.Now(), Kind: reservation.Frozen, Workspace: "depot", Halt: &reservation.Halt{By: "somebody"}}
	if err := s.far.Record(t.Context(), freeze); err != nil {
		t.Fatal(err)
	}
	if m, err := s.near.Meta(t.Context()); err != nil || m.Frozen["depot"].By != me.Username {
		t.Errorf("frozen by %q, %v", m.Frozen["depot"].By, err)
	}
}

// TestFollow: a follower sees what is appended, goes on from where it was, and
// is told when the other process ends.
func TestFollow(t *testing.T) {
	s := share(t)
	s.apply(t, wanting(van("VAN")))
	next, stop := iter.Pull2(s.far.Events(t.Context(), 0))
	defer stop()
	var seq int64
	for _, kind := range []reservation.Kind{reservation.Declared, reservation.Proposed} {
		e, err, _ := next()
		if err != nil || e.Kind != kind || e.Seq <= seq {
			t.Fatalf("%+v, %v; want %s", e, err, kind)
		}
		seq = e.Seq
	}
	s.apply(t, wanting(van("OTHER")))
	if e, err, _ := next(); err != nil || e.Kind != reservation.Declared || e.Seq <= seq {
		t.Fatalf("%+v, %v", e, err)
	}
	again, stopAgain := iter.Pull2(s.far.Events(t.Context(), seq))
	defer stopAgain()
	if e, err, _ := again(); err != nil || e.Seq != seq+1 {
		t.Errorf("resumed at %d, %v; want %d", e.Seq, err, seq+1)
	}
	if e, err, _ := next(); err != nil || e.Kind != reservation.Proposed {
		t.Fatalf("%+v, %v", e, err)
	}
	s.stop()
	if _, err, ok := next(); !ok || !errors.Is(err, api.ErrEnded) {
		t.Errorf("the end of the other process: %v", err)
	}
	if _, err := s.far.Read(t.Context()); !errors.Is(err, api.ErrEnded) {
		t.Errorf("asked when it has ended: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.far.Events(ctx, 0) {
		t.Errorf("a follower that has ended: %v", err)
	}
}

// TestSocket: it is its owner's, one of a dead process is replaced, anything
// else is left alone, and it goes with the process.
func TestSocket(t *testing.T) {
	s := share(t)
	if st, err := os.Stat(s.socket); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if s.far.Info.PID != 812 || s.far.Info.Listen != "127.0.0.1:8887" {
		t.Errorf("%+v", s.far.Info)
	}
	s.stop()
	if _, err := os.Lstat(s.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if c, err := api.Dial(t.Context(), s.socket); c != nil || err != nil {
		t.Errorf("nobody is there: %v, %v", c, err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := api.Dial(t.Context(), s.socket); c != nil || err != nil {
		t.Errorf("a dead one: %v, %v", c, err)
	}
	l, err := api.Listen(s.socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(s.socket, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Listen(s.socket); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("a file in its place: %v", err)
	}
	if _, err := api.Listen(filepath.Join(filepath.Dir(s.socket), strings.Repeat("x", 100))); err == nil || !strings.Contains(err.Error(), "shorter path") {
		t.Errorf("a path that is too long: %v", err)
	}
}

// TestHostileRequests: whatever comes, it is answered and nothing is stored.
func TestHostileRequests(t *testing.T) {
	s := share(t)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.socket)
	}}}
	defer client.CloseIdleConnections()
	for _, x := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/v1/propose", "", http.StatusBadRequest},
		{"POST", "/v1/propose", "{}", http.StatusBadRequest},
		{"POST", "/v1/propose", `{"plan":[]}`, http.StatusBadRequest},
		{"POST", "/v1/plan", strings.Repeat("[", 20000), http.StatusBadRequest},
		{"POST", "/v1/ledger/events", "no", http.StatusBadRequest},
		{"PUT", "/v1/state", "", http.StatusMethodNotAllowed},
		{"POST", "/v2/state", "{}", http.StatusNotFound},
		{"POST", "/v1/ledger/last", `{}`, http.StatusOK},
	} {
		r, err := http.NewRequestWithContext(t.Context(), x.method, "http://resctl"+x.path, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		got, err := client.Do(r)
		if err != nil {
			t.Errorf("%s %s: %v", x.method, x.path, err)
			continue
		}
		if _ = got.Body.Close(); got.StatusCode != x.status {
			t.Errorf("%s %s %.20s: %d, want %d", x.method, x.path, x.body, got.StatusCode, x.status)
		}
	}
	if last, err := s.near.Last(t.Context()); err != nil || last != 0 {
		t.Errorf("the journal has %d lines, %v", last, err)
	}
}
