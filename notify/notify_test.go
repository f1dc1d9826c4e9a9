package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/notify"
)

const secret = "a secret of sixteen and more"

// receiver is an HTTP server at the end of pipes.
type receiver struct {
	t      *testing.T
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	began  time.Time
	answer func(w http.ResponseWriter, try int) // nil: 200

	mu   sync.Mutex
	got  []string // when, status, notices
	docs []notify.Document
}

func (r *receiver) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}
func (r *receiver) Close() error   { r.once.Do(func() { close(r.closed) }); return nil }
func (r *receiver) Addr() net.Addr { return &net.TCPAddr{} }

func (r *receiver) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case r.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err == nil {
		err = notify.Verify([]byte(secret), q.Header.Get(notify.Header), body, time.Second, time.Now())
	}
	if err != nil || !verified([]byte(secret), body, q) {
		r.t.Errorf("the signature %q: %v", q.Header.Get(notify.Header), err)
	}
	var doc notify.Document
	if err := json.Unmarshal(body, &doc); err != nil || doc.FormatVersion != notify.FormatVersion || q.Header.Get("Resctl-Document") != doc.ID {
		r.t.Errorf("%s: %v", body, err)
	}
	if try := r.note(doc); r.answer != nil {
		r.answer(w, try)
	}
}

// note gives the number of the request.
func (r *receiver) note(doc notify.Document) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, n := range doc.Notices {
		name := n.Kind + " " + n.Address
		if n.Resolved {
			name += " is over"
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if len(names) > 5 {
		text = fmt.Sprintf("%s and %d more", names[0], len(names)-1)
	}
	r.docs = append(r.docs, doc)
	r.got = append(r.got, fmt.Sprintf("%s %s", time.Since(r.began).Round(time.Second), text))
	return len(r.got)
}

// said are the requests since the last look.
func (r *receiver) said() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.Join(r.got, "; ")
	r.got, r.docs = nil, nil
	return text
}

// received are the documents since the last look.
func (r *receiver) received() []notify.Document {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.docs)
}

// logged is what a notifier logs, read while it writes.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// inVirtualTime runs a notifier whose target is a real HTTP server.
func inVirtualTime(t *testing.T, do func(n *notify.Notifier, r *receiver, log *logged)) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, conns: make(chan net.Conn), closed: make(chan struct{}), began: time.Now()}
		server := &http.Server{Handler: r}
		var beside sync.WaitGroup
		beside.Go(func() { _ = server.Serve(r) })
		var log logged
		n := &notify.Notifier{Log: slog.New(slog.NewTextHandler(&log, nil)), Dial: r.dial}
		n.Set(&notify.Target{URL: "http://127.0.0.1/path-that-is-secret", Secret: []byte(secret), Version: "test"})
		ctx, stop := context.WithCancel(t.Context())
		beside.Go(func() { n.Run(ctx) })
		do(n, r, &log)
		stop()
		_ = server.Close()
		beside.Wait()
		if s := log.String(); strings.Contains(s, "secret") {
			t.Errorf("a secret is logged:\n%s", s)
		}
	})
}

// about is a notice.
func about(address string) notify.Notice {
	return notify.Notice{Kind: "overdue", Workspace: "w", StationID: "S", Address: address, Summary: "it is not held", Since: time.Unix(1_000_000, 0)}
}

func (r *receiver) is(t *testing.T, what, want string) {
	t.Helper()
	if got := r.said(); got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestWhatIsTold: what is new and what is over, once each, and together what comes
// together.
func TestWhatIsTold(t *testing.T) {
	inVirtualTime(t, func(n *notify.Notifier, r *receiver, _ *logged) {
		n.Tell([]notify.Notice{about("a")}, time.Now())
		n.Tell([]notify.Notice{about("a"), about("b")}, time.Now())
		time.Sleep(time.Minute)
		r.is(t, "what comes within a second is one document", "1s overdue a, overdue b")
		for range 3 {
			n.Tell([]notify.Notice{about("a"), about("b")}, time.Now())
			time.Sleep(time.Minute)
		}
		r.is(t, "what stands on is not told again", "")
		n.Tell([]notify.Notice{about("b"), about("c"), about("c")}, time.Now())
		time.Sleep(2 * time.Second)
		n.Tell([]notify.Notice{about("b")}, time.Now())
		time.Sleep(time.Minute)
		r.is(t, "the next document waits", "4m1s overdue a is over, overdue c; 4m11s overdue c is over")
		again := about("b")
		again.Since = again.Since.Add(time.Hour)
		n.Tell([]notify.Notice{again}, time.Now())
		time.Sleep(time.Minute)
		r.is(t, "what stands on is not told again, though it began anew", "")
		n.Set(&notify.Target{URL: "http://127.0.0.1/another", Secret: []byte(secret)})
		n.Tell([]notify.Notice{again}, time.Now())
		time.Sleep(time.Minute)
		r.is(t, "another receiver is told what stands", "6m3s overdue b")
		n.Set(nil)
		n.Tell(nil, time.Now())
		time.Sleep(time.Minute)
		r.is(t, "nobody is told", "")
		if c := n.Counts(); c != (notify.Counts{Sent: 6}) {
			t.Errorf("%+v", c)
		}
	})
}

// TestToldApart: what has all in common but what it is about is two things.
func TestToldApart(t *testing.T) {
	inVirtualTime(t, func(n *notify.Notifier, r *receiver, _ *logged) {
		one, two := about("a"), about("a")
		one.About, two.About = "b", "c"
		n.Tell([]notify.Notice{one, two}, time.Now())
		time.Sleep(time.Minute)
		n.Tell([]notify.Notice{two}, time.Now())
		time.Sleep(time.Minute)
		r.is(t, "one of them is over", "1s overdue a, overdue a; 1m1s overdue a is over")
	})
}

// TestWhatComesAndGoes is not told each time.
func TestWhatComesAndGoes(t *testing.T) {
	inVirtualTime(t, func(n *notify.Notifier, r *receiver, _ *logged) {
		a := about("a")
		a.Settle = 2 * time.Minute
		for i := range 20 {
			if n.Tell(nil, time.Now()); i%2 == 0 {
				n.Tell([]notify.Notice{a}, time.Now())
			}
			time.Sleep(time.Minute)
		}
		r.is(t, "never gone for two minutes", "1s overdue a")
		for range 3 {
			time.Sleep(time.Minute)
			n.Tell(nil, time.Now())
		}
		time.Sleep(time.Minute)
		r.is(t, "gone", "21m1s overdue a is over")
		n.Tell([]notify.Notice{a}, time.Now())
		time.Sleep(time.Minute)
		r.is(t, "back", "24m1s overdue a")
	})
}

// TestTriedAgain goes through what a receiver may answer.
func TestTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, try int)
		least  int
		most   int
		within time.Duration // when the last attempt came, at the latest
		counts notify.Counts
	}{
		"taken":          {func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusAccepted) }, 1, 1, time.Second, notify.Counts{Sent: 1}},
		"refused":        {func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusForbidden) }, 1, 1, time.Second, notify.Counts{Failed: 1}},
		"redirected":     {func(w http.ResponseWriter, _ int) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }, 1, 1, time.Second, notify.Counts{Failed: 1}},
		"twice in vain":  {failing(500, "", 2), 3, 3, 4 * time.Second, notify.Counts{Sent: 1}},
		"told to wait":   {failing(429, "90", 1), 2, 2, 91 * time.Second, notify.Counts{Sent: 1}},
		"told too much":  {failing(503, "86400", 1), 2, 2, 301 * time.Second, notify.Counts{Sent: 1}},
		"hung up on":     {hangUp, 3, 3, 4 * time.Second, notify.Counts{Sent: 1}},
		"without answer": {func(_ http.ResponseWriter, try int) { time.Sleep(time.Duration(max(0, 3-try)) * 20 * time.Second) }, 3, 3, 30 * time.Second, notify.Counts{Sent: 1}},
		"never":          {failing(502, "", 1<<30), 15, 40, time.Hour, notify.Counts{Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(n *notify.Notifier, r *receiver, log *logged) {
				var last atomic.Int64 // each attempt may be another connection's goroutine
				r.answer = func(w http.ResponseWriter, try int) {
					last.Store(int64(time.Since(r.began)))
					c.answer(w, try)
				}
				n.Tell([]notify.Notice{about("a")}, time.Now())
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				docs, late := r.received(), time.Duration(last.Load())
				if k := len(docs); k < c.least || k > c.most || late > c.within || n.Counts() != c.counts {
					t.Errorf("%d attempts, the last after %s, %+v\n%s", k, late, n.Counts(), log)
				}
				for _, d := range docs {
					if d.ID != docs[0].ID || d.Notices[0].ID != docs[0].Notices[0].ID {
						t.Error("another id when it is sent again")
					}
				}
			})
		})
	}
}

func failing(status int, after string, times int) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, try int) {
		if try <= times {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(status)
		}
	}
}

func hangUp(_ http.ResponseWriter, try int) {
	if try < 3 {
		panic(http.ErrAbortHandler)
	}
}

// TestTooMany: nobody waits for a receiver that is down, memory is bounded, and a
// fleet that goes offline is a few requests.
func TestTooMany(t *testing.T) {
	inVirtualTime(t, func(n *notify.Notifier, r *receiver, log *logged) {
		var all []notify.Notice
		for i := range notify.MostWaiting + 7 {
			all = append(all, about(fmt.Sprintf("%05d", i)))
		}
		n.Tell(all, time.Now())
		if c := n.Counts(); c.Waiting != notify.MostWaiting || c.Dropped != 7 || !strings.Contains(log.String(), "dropped") {
			t.Errorf("%+v\n%s", c, log)
		}
		time.Sleep(time.Second + 5*notify.Pace)
		synctest.Wait()
		if d := r.received()[0]; d.Dropped != 7 || len(d.Notices) != notify.MostNotices || d.Notices[0].Address != "00007" {
			t.Errorf("%d notices from %s on, %d dropped", len(d.Notices), d.Notices[0].Address, d.Dropped)
		}
		if k := len(r.received()); k != 6 {
			t.Errorf("%d requests in %s", k, 5*notify.Pace)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if c, k := n.Counts(), len(r.received()); k != notify.MostWaiting/notify.MostNotices || c.Sent != notify.MostWaiting {
			t.Errorf("%d requests, %+v", k, c)
		}
	})
}

// TestToldAgainWhenItStandsStill: a receiver that is away for hours hears of what
// stands when it is back, and not of what it would not take.
func TestToldAgainWhenItStandsStill(t *testing.T) {
	for status, want := range map[int]bool{http.StatusBadGateway: true, http.StatusGone: false} {
		inVirtualTime(t, func(n *notify.Notifier, r *receiver, _ *logged) {
			r.answer = failing(status, "", 1<<30)
			n.Tell([]notify.Notice{about("a")}, time.Now())
			time.Sleep(90 * time.Minute)
			r.said()
			r.answer = nil
			n.Tell([]notify.Notice{about("a")}, time.Now())
			time.Sleep(time.Minute)
			if got := r.said(); (got != "") != want {
				t.Errorf("%d: %q", status, got)
			}
		})
	}
}

// TestTheSameIDInAnotherProcess: a receiver can leave out what it has heard.
func TestTheSameIDInAnotherProcess(t *testing.T) {
	var ids []string
	for range 2 {
		inVirtualTime(t, func(n *notify.Notifier, r *receiver, _ *logged) {
			n.Tell([]notify.Notice{about("a")}, time.Now())
			time.Sleep(time.Minute)
			n.Tell(nil, time.Now())
			time.Sleep(time.Minute)
			synctest.Wait()
			docs := r.received()
			ids = append(ids, docs[0].Notices[0].ID, docs[1].Notices[0].ID)
		})
	}
	if ids[0] != ids[2] || ids[1] != ids[3] || ids[0] == ids[1] {
		t.Error(ids)
	}
}

func TestVerify(t *testing.T) {
	now := time.Unix(1_795_384_800, 0)
	body := []byte(`{"a":1}`)
	good := notify.Sign([]byte(secret), body, now)
	if want := "t=1795384800,v1=6040e6a9c0151b01780ea99304a72c98ed722ad11fba2b8b7a131f61877c70ce"; good != want {
		t.Errorf("%s, want %s", good, want)
	}
	for header, fine := range map[string]bool{
		good: true, good + ",v2=00": true, "v1=00," + good: true, strings.Replace(good, ",", ", ", 1): true,
		"": false, "t=1795384800": false, good[13:]: false, strings.Replace(good, "800", "801", 1): false, good[:len(good)-1]: false, good + "00": false,
	} {
		if err := notify.Verify([]byte(secret), header, body, time.Minute, now.Add(time.Minute)); (err == nil) != fine {
			t.Errorf("%s: %v", header, err)
		}
	}
	for _, at := range []time.Time{now.Add(61 * time.Second), now.Add(-61 * time.Second)} {
		if notify.Verify([]byte(secret), good, body, time.Minute, at) == nil {
			t.Error("too old or too new passes")
		}
	}
	for i := range body {
		other := bytes.Clone(body)
		other[i] ^= 1
		if notify.Verify([]byte(secret), good, other, time.Minute, now) == nil {
			t.Errorf("byte %d may change", i)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for url, fine := range map[string]bool{
		"https://hooks.example/resctl?x=1": true, "http://127.0.0.1:8080/": true, "http://[::1]:1": true, "http://localhost/x": true,
		"http://hooks.example": false, "http://10.0.0.1/": false, "http://localhost.example/": false, "ftp://127.0.0.1/": false, "https://": false, "hooks.example": false,
		"https://me:pw@hooks.example": false, "https://hooks.example#x": false, "": false, "https:hooks.example": false, "http://127.0.0.1.example/": false,
	} {
		if err := notify.CheckURL(url); (err == nil) != fine {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestTheExampleIsInTheDocs: what docs/notify.md tells receivers to do is tested.
func TestTheExampleIsInTheDocs(t *testing.T) {
	code, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ = bytes.Cut(code, []byte("// verified"))
	code, _, _ = bytes.Cut(code, []byte("func Example"))
	docs, err := os.ReadFile("../docs/notify.md")
	if err != nil || !bytes.Contains(docs, bytes.TrimSpace(code)) {
		t.Errorf("docs/notify.md does not have the function of example_test.go (%v)", err)
	}
}
