package api_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reservation"
)

// TestBackupArrivesWhole, or its reader is told that it has not.
func TestBackupArrivesWhole(t *testing.T) {
	n := connect(t)
	target, err := url.Parse(n.url)
	if err != nil {
		t.Fatal(err)
	}
	body := func(text string) func(*http.Response) {
		return func(r *http.Response) { r.Body = io.NopCloser(strings.NewReader(text)) }
	}
	for what, c := range map[string]struct {
		change func(*http.Response)
		want   string
	}{
		"as it is":        {func(*http.Response) {}, ""},
		"damaged":         {body("all there iS"), "damaged"},
		"cut off":         {body("all there"), "cut off"},
		"without digest":  {func(r *http.Response) { r.Header.Del("Repr-Digest") }, "RC659"},
		"of another kind": {func(r *http.Response) { r.Header.Set("Repr-Digest", "sha-512=:AAAA:") }, "RC659"},
		"of unknown length": {func(r *http.Response) {
			r.ContentLength = -1
			r.Header.Del("Content-Length")
		}, "RC659"},
	} {
		between := httputil.NewSingleHostReverseProxy(target)
		between.ModifyResponse = func(r *http.Response) error {
			if r.Request.URL.Path == "/v1/backup" {
				c.change(r)
			}
			return nil
		}
		between.ErrorLog = log.New(io.Discard, "", 0)
		proxy := httptest.NewServer(between)
		client, err := api.DialRemote(t.Context(), api.Remote{URL: proxy.URL, Token: "secret-of-admin"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := whole(client.Backup(t.Context()))
		if c.want == "" && (err != nil || got != copied) || c.want != "" && (err == nil || !strings.Contains(code(err), c.want)) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		_ = client.Close()
		proxy.Close()
	}
}

func whole(c *api.Copy, err error) (string, error) {
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), errors.Join(err, c.Close())
}

// code is the code of an error, and what it says.
func code(err error) string {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code + " " + e.Message
	}
	return err.Error()
}

// slowly is a ledger whose copy takes until it is let go.
type slowly struct {
	book
	began, goOn chan struct{}
}

func (s slowly) Backup(ctx context.Context) (*api.Copy, error) {
	s.began <- struct{}{}
	<-s.goOn
	return s.book.Backup(ctx)
}

// TestBackupsComeOneAfterTheOther: each takes as much of the disk as the state.
func TestBackupsComeOneAfterTheOther(t *testing.T) {
	s := slowly{began: make(chan struct{}), goOn: make(chan struct{})}
	n := connect(t, func(server *api.Server) {
		s.book = server.Ledger.(book)
		server.Ledger = s
	})
	first := make(chan error)
	go func() {
		got, err := whole(n.as(t, "admin").Backup(t.Context()))
		if got != copied {
			err = errors.Join(err, errors.New(got))
		}
		first <- err
	}()
	<-s.began
	if _, err := n.as(t, "admin").Backup(t.Context()); err == nil || !strings.HasPrefix(code(err), "RC654") {
		t.Errorf("a second one: %v", err)
	}
	close(s.goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
	go func() { <-s.began }()
	if _, err := whole(n.as(t, "admin").Backup(t.Context())); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestErasedThroughAServer: it is in the journal by the name of who asked for it.
func TestErasedThroughAServer(t *testing.T) {
	n := connect(t)
	at := func(kind string) reservation.Event {
		return reservation.Event{At: time.Now(), Kind: reservation.Transaction, StationID: "DEPOT-1", Connection: 1,
			Transaction: &reservation.TransactionReport{ID: "tx", Type: kind, EVSE: 2, IDToken: &reservation.Token{IDToken: "GONE", Type: "Central"}}}
	}
	if _, err := n.near.Append(t.Context(), at("Started"), at("Ended")); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{}`, `{"token":"GONE","fingerprint":"#0000"}`} {
		if status, _, text := n.ask(t, http.MethodPost, "/v1/erase", "secret-of-admin", body); status != http.StatusBadRequest || !strings.Contains(text, "RC653") {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	done, err := n.as(t, "admin").Erase(t.Context(), api.Erasing{Token: "gone", By: "somebody else"})
	if err != nil || done.Rows == 0 {
		t.Fatal(done, err)
	}
	status, _, text := n.ask(t, http.MethodPost, "/v1/ledger/events", "secret-of-admin", `{"filter":{}}`, "Resctl-Show-Id-Tokens", "true")
	if status != http.StatusOK || strings.Contains(text, "GONE") || !strings.Contains(text, `"by":"admin (token)"`) {
		t.Errorf("%d %s", status, text)
	}
	if strings.Contains(strings.ToUpper(n.log.String()), "GONE") {
		t.Errorf("the log has it: %s", n.log)
	}
}
