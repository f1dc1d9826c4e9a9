package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reservation"
)

// wire is a listener whose connections hold nothing back: what the far end does
// not read cannot be written.
type wire struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { w.once.Do(func() { close(w.closed) }); return nil }
func (w *wire) Addr() net.Addr { return &net.UnixAddr{Name: "wire"} }

// blank is a ledger in which nothing is but a line that never ends.
type blank struct{ api.Ledger }

func (blank) Meta(context.Context) (reservation.Meta, error) { return reservation.Meta{}, nil }
func (blank) Last(context.Context) (int64, error)            { return 0, nil }
func (blank) EventsUntil(context.Context, api.Filter) iter.Seq2[reservation.Event, error] {
	return func(func(reservation.Event, error) bool) {}
}
func (blank) Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error] {
	return func(yield func(reservation.Event, error) bool) {
		for i := after + 1; ctx.Err() == nil && yield(reservation.Event{Seq: i, Kind: reservation.Frozen, Workspace: "w"}, nil); i++ {
		}
	}
}

// pages are documents of which one takes as long as it is told to.
type pages struct {
	papers
	state  func(context.Context) any
	inside chan struct{} // an element for each that is being made
}

func (p pages) State(ctx context.Context, _ api.Ledger) (any, error) {
	p.inside <- struct{}{}
	defer func() { <-p.inside }()
	return p.state(ctx), nil
}

// exposed is an API on a wire, in virtual time.
func exposed(t *testing.T, state func(context.Context) any) (*wire, pages) {
	t.Helper()
	w := &wire{conns: make(chan net.Conn), closed: make(chan struct{})}
	p := pages{state: state, inside: make(chan struct{}, 100)}
	server := &api.Server{Ledger: blank{}, Documents: p, Log: slog.New(slog.DiscardHandler),
		Web: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) })}
	server.SetTokens(scopes())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, w) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w, p
}

func (w *wire) dial() net.Conn {
	near, far := net.Pipe()
	w.conns <- far
	return near
}

func head(method, path, token string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret-of-%s\r\nContent-Type: application/json\r\n", method, path, token)
}

// get asks for something and gives the status.
func (w *wire) get(t *testing.T, path, token string) int {
	t.Helper()
	conn := w.dial()
	defer conn.Close()
	if _, err := io.WriteString(conn, head("GET", path, token)+"Connection: close\r\n\r\n"); err != nil {
		t.Error(err)
		return 0
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// TestVirtualHeadsAndBodiesThatDripAreCutOff: who sends slowly keeps no
// connection for long, with a token or without.
func TestVirtualHeadsAndBodiesThatDripAreCutOff(t *testing.T) {
	for begun, within := range map[string]time.Duration{
		"": 10 * time.Second,
		"GET /v1/state HTTP/1.1\r\nHost: x\r\nX-Long: ":                           10 * time.Second,
		head("POST", "/v1/ledger/last", "read") + "Content-Length: 1000\r\n\r\n{": time.Minute,
		head("POST", "/v1/plan", "plan") + "Content-Length: 1000\r\n\r\n{":        time.Minute,
		head("POST", "/v1/plan", "nobody") + "Content-Length: 1000\r\n\r\n{":      time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			w, _ := exposed(t, nil)
			conn := w.dial()
			defer conn.Close()
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			began := time.Now()
			_, err := io.WriteString(conn, begun)
			for err == nil && time.Since(began) < time.Hour {
				time.Sleep(time.Second)
				_, err = io.WriteString(conn, " ")
			}
			if d := time.Since(began); d > within+2*time.Second {
				t.Errorf("%q: it dripped for %v", begun, d)
			}
		})
	}
}

// TestVirtualReadersThatDoNotReadAreCutOff: an answer that nobody takes, of the
// page as well, keeps its connection for a minute, and a stream no longer.
func TestVirtualReadersThatDoNotReadAreCutOff(t *testing.T) {
	for _, path := range []string{"/", "/v1/health", "/v1/state", "/v1/events", "/v1/none"} {
		synctest.Test(t, func(t *testing.T) {
			w, p := exposed(t, func(context.Context) any { return strings.Repeat("x", 5<<20) })
			conn := w.dial()
			defer conn.Close()
			if _, err := io.WriteString(conn, head("GET", path, "read")+"\r\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if n, err := io.Copy(io.Discard, conn); n > 10_000 {
				t.Errorf("%s: after two minutes there were %d bytes more, %v", path, n, err)
			}
			if len(p.inside) > 0 {
				t.Errorf("%s is still being made", path)
			}
		})
	}
}

// TestVirtualLargeAnswersTakeTurns: those that may have many megabytes are made
// one after the other, so that no token takes all memory, nor all turns.
func TestVirtualLargeAnswersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		w, p := exposed(t, func(context.Context) any { <-let; return "x" })
		var answers sync.WaitGroup
		statuses := make(chan int, 100)
		ask := func(token string, n int) {
			for range n {
				answers.Go(func() { statuses <- w.get(t, "/v1/state", token) })
			}
			synctest.Wait()
		}
		for i, token := range []string{"read", "admin", "write"} {
			if ask(token, 10); len(p.inside) != min(2*(i+1), 4) {
				t.Fatalf("%d are made after %s asked", len(p.inside), token)
			}
		}
		if got := w.get(t, "/v1/version", "read"); got != http.StatusOK {
			t.Errorf("a small one meanwhile: %d", got)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if len(statuses) != 26 {
			t.Errorf("%d were sent away", len(statuses))
		}
		close(let)
		answers.Wait()
		count := map[int]int{}
		for range 30 {
			count[<-statuses]++
		}
		if count[http.StatusOK] != 4 || count[http.StatusServiceUnavailable] != 26 {
			t.Errorf("the answers: %v", count)
		}
	})
}

// TestVirtualSlowReadersOfLittleKeepNobodyWaiting: they hold no turn; those of
// much do, and no longer than a minute.
func TestVirtualSlowReadersOfLittleKeepNobodyWaiting(t *testing.T) {
	for size, want := range map[int]int{100_000: http.StatusOK, 5 << 20: http.StatusServiceUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			w, _ := exposed(t, func(context.Context) any { return strings.Repeat("x", size) })
			for range 3 {
				conn := w.dial()
				defer conn.Close()
				if _, err := io.WriteString(conn, head("GET", "/v1/state", "read")+"\r\n"); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if got := w.get(t, "/v1/state", "read"); got != want {
				t.Errorf("%d bytes: %d", size, got)
			}
			if got := w.get(t, "/v1/state", "admin"); got != http.StatusOK {
				t.Errorf("%d bytes: another token: %d", size, got)
			}
			time.Sleep(2 * time.Minute)
			if got := w.get(t, "/v1/state", "read"); got != http.StatusOK {
				t.Errorf("%d bytes: later: %d", size, got)
			}
		})
	}
}

// TestBodiesHaveLimits: what is no plan is small.
func TestBodiesHaveLimits(t *testing.T) {
	n := connect(t)
	for path, want := range map[string]int{"/v1/ledger/wanted": http.StatusRequestEntityTooLarge, "/v1/ledger/events": http.StatusRequestEntityTooLarge, "/v1/ledger/masked": http.StatusBadRequest} {
		if got, _, _ := n.ask(t, "POST", path, "secret-of-admin", `{"workspace":"`+strings.Repeat("x", 5<<20)+`"}`); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// TestConnectionsHaveLimits: of one address there are 128, and whoever closes
// one may open another.
func TestConnectionsHaveLimits(t *testing.T) {
	n := connect(t)
	shut := func(c net.Conn, within time.Duration) bool {
		_ = c.SetReadDeadline(time.Now().Add(within))
		_, err := c.Read(make([]byte, 1))
		timeout, ok := err.(net.Error)
		return !ok || !timeout.Timeout()
	}
	var open []net.Conn
	dial := func() net.Conn {
		c, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for range 128 {
		open = append(open, dial())
	}
	const soon, long = 50 * time.Millisecond, 30 * time.Second
	if !shut(dial(), long) || shut(open[0], soon) || shut(open[127], soon) {
		t.Error("129 were let in, or one that was")
	}
	_ = open[0].Close()
	for late := time.Now().Add(long); shut(dial(), soon); {
		if time.Now().After(late) {
			t.Fatal("none is let in after one has gone")
		}
	}
}
