package ocppclient

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// abroad is a listener whose connections come from the addresses given, one
// after the other and from the last for ever.
type abroad struct {
	net.Listener
	from []string
}

func (a *abroad) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	from := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(a.from[0]))
	if len(a.from) > 1 {
		a.from = a.from[1:]
	}
	return distant{c, from}, nil
}

type distant struct {
	net.Conn
	from net.Addr
}

func (d distant) RemoteAddr() net.Addr { return d.from }

func TestConnectionsOfOneAddressAreLimited(t *testing.T) {
	l := listen(t)
	e := start(t, &abroad{l, []string{
		"192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "[::ffff:192.0.2.1]:4", "192.0.2.2:1",
		"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8:0:1::1]:1", "192.0.2.1:5",
	}}, func(c *Config) { c.MaxPerAddress = 2 })
	first, s := e.connect(t, "CP-1")
	for i, want := range []int{101, 0, 0, 101, 101, 101, 0, 101} {
		conn, res, err := e.dialer().Dial(e.url("/CP-"+strconv.Itoa(i+2)), nil)
		if err == nil {
			defer func() { _ = conn.Close() }()
		}
		if got := 0; res != nil {
			got = res.StatusCode
			if got != want {
				t.Errorf("connection %d: %d, want %d", i+2, got, want)
			}
		} else if want != 0 {
			t.Errorf("connection %d: %v, want %d", i+2, err, want)
		}
	}
	_ = first.Close()
	<-s.Done()
	e.wait(t, "disconnected", 1)
	for end := time.Now().Add(5 * time.Second); ; { // the socket is closed after that was recorded
		conn, _, err := e.dialer().Dial(e.url("/CP-1"), nil)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the place was not given back: %v", err)
		}
	}
}

func TestConnectionsOfThisMachineAreNotLimited(t *testing.T) {
	e := start(t, listen(t), func(c *Config) { c.MaxPerAddress, c.MaxHandshakeRate = 1, 1 })
	for _, id := range []string{"A", "B", "C"} {
		e.dial(t, id)
	}
}

func TestVirtualHandshakesHaveAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		start(t, &abroad{p, []string{"192.0.2.1:1"}}, func(c *Config) { c.MaxHandshakeRate = 2 })
		began := time.Now()
		var came []time.Duration
		for range 6 {
			if _, err := p.dial(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
			came = append(came, time.Since(began))
		}
		// Two at once, of the second before; one more is taken and waits; the
		// others come as it is let in.
		if want := time.Second; came[2] != 0 || came[5]-came[3] != want {
			t.Errorf("they came at %v", came)
		}
	})
}

func TestPace(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	wait, next := pace(now, time.Time{}, 500*time.Millisecond)
	if wait > 0 || next.After(now) {
		t.Errorf("the first waits %v", wait)
	}
	for _, want := range []time.Duration{0, 500 * time.Millisecond, time.Second} {
		if wait, next = pace(now, next, 500*time.Millisecond); wait != want {
			t.Errorf("waits %v, want %v", wait, want)
		}
	}
	if wait, _ = pace(now.Add(time.Hour), next, 500*time.Millisecond); wait > 0 {
		t.Errorf("after an hour it waits %v", wait)
	}
}

func TestVirtualAGuardThatWaitsIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		e := start(t, &abroad{p, []string{"192.0.2.1:1"}}, func(c *Config) { c.MaxHandshakeRate = 1 })
		for range 3 {
			if _, err := p.dial(t.Context(), "", ""); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if err := e.stop(); err != nil || time.Since(began) > 0 {
			t.Errorf("stopped after %v: %v", time.Since(began), err)
		}
	})
}

func TestVirtualTLSHandshakesThatNeverEndAreCutOff(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.server("server", ecdsaKey(t))
	credentials := load(t, CredentialFiles{Certificates: []string{cert}, Keys: []string{key}})
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		start(t, p, func(c *Config) { c.Security = Security{ProfileTLS, credentials.TLS()} })
		conn, err := p.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte{22, 3, 1, 2, 0}); err != nil { // the head of a ClientHello
			t.Fatal(err)
		}
		began := time.Now()
		_, _ = io.Copy(io.Discard, conn)
		if d := time.Since(began); d < 10*time.Second || d > 11*time.Second {
			t.Errorf("cut off after %v", d)
		}
	})
}

// A head that never ends does not keep its connection, nor does a body: no request
// of a station has one.
func TestVirtualWhatDripsIsCutOff(t *testing.T) {
	for name, head := range map[string]string{
		"head":            "GET /CP-1 HTTP/1.1\r\nX: ",
		"body of a POST":  "POST /CP-1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
		"body of upgrade": "GET /CP-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 1000\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			start(t, p, nil)
			conn, err := p.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			_, err = conn.Write([]byte(head))
			for err == nil && time.Since(began) < time.Minute {
				time.Sleep(time.Second)
				_, err = conn.Write([]byte("x"))
			}
			if d := time.Since(began); d > 12*time.Second {
				t.Errorf("%s: it dripped for %v", name, d)
			}
		})
	}
}

// Who asks again and again and reads no answer does not keep a connection.
func TestVirtualAnswersThatNobodyReadsEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		start(t, p, nil)
		conn, err := p.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for err == nil && time.Since(began) < time.Minute {
			_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		}
		if d := time.Since(began); d > 12*time.Second {
			t.Errorf("it went on for %v", d)
		}
	})
}

func TestLongHeadsAreRefused(t *testing.T) {
	e := start(t, listen(t), nil)
	_, res, _ := e.dialer().Dial(e.url("/CP-1"), http.Header{"X-Long": {strings.Repeat("x", 32<<10)}})
	if res == nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %v", res)
	}
}
