package ocppclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

// lockedDoor admits CP-1 with a password and OPEN without one.
func lockedDoor(password []byte) func(*Config) {
	check := func(given []byte) bool { return bytes.Equal(given, password) }
	return func(c *Config) {
		c.Admit = func(_ context.Context, identity string) (Admission, error) {
			switch {
			case strings.EqualFold(identity, "CP-1"):
				return Admission{Known: true, Identity: "CP-1", CheckPassword: check}, nil
			case identity == "OPEN":
				return Admission{Known: true}, nil
			case identity == "ANY":
				return Admission{Known: true, CheckPassword: func([]byte) bool { return true }}, nil
			case identity == "BROKEN":
				return Admission{}, errors.New("no database")
			}
			return Admission{CheckPassword: check}, nil
		}
	}
}

func TestWhoIsLetIn(t *testing.T) {
	password := []byte("0123456789abcdef")
	e := start(t, listen(t), lockedDoor(password))
	good := basic("CP-1", password)
	for _, c := range []struct {
		name, path string
		protocols  []string
		header     http.Header
		status     int
		says       string
	}{
		{"its password", "/ocpp/CP-1", []string{"ocpp2.0.1"}, good, 101, ""},
		{"no path before it", "/CP-1", []string{"ocpp2.0.1"}, good, 101, ""},
		{"a longer path", "/a/b%2Fc/d/CP-1", []string{"ocpp2.0.1"}, good, 101, ""},
		{"declared in other case", "/cp-1", []string{"ocpp2.0.1"}, basic("Cp-1", password), 101, ""},
		{"one of its protocols is ours", "/CP-1", []string{"ocpp2.1", "ocpp2.0.1", "ocpp1.6"}, good, 101, ""},
		{"no password needed", "/OPEN", []string{"ocpp2.0.1"}, nil, 101, ""},
		{"own page", "/OPEN", []string{"ocpp2.0.1"}, http.Header{"Origin": {"http://" + e.listener.Addr().String()}}, 101, ""},

		{"other page", "/OPEN", []string{"ocpp2.0.1"}, http.Header{"Origin": {"http://evil.example"}}, 403, "page"},
		{"sandboxed page", "/OPEN", []string{"ocpp2.0.1"}, http.Header{"Origin": {"null"}}, 403, "page"},
		{"no identity", "/ocpp/", []string{"ocpp2.0.1"}, good, 404, "identity"},
		{"unknown", "/CP-2", []string{"ocpp2.0.1"}, basic("CP-2", password), 404, "no such station"},
		{"decoded twice", "/CP%252D1", []string{"ocpp2.0.1"}, good, 404, "no such station"},
		{"no password", "/CP-1", []string{"ocpp2.0.1"}, nil, 401, "password"},
		{"no password where any will do", "/ANY", []string{"ocpp2.0.1"}, nil, 401, "password"},
		{"wrong password", "/CP-1", []string{"ocpp2.0.1"}, basic("CP-1", []byte("fedcba9876543210")), 401, "password"},
		{"empty password", "/CP-1", []string{"ocpp2.0.1"}, basic("CP-1", nil), 401, "password"},
		{"other user", "/CP-1", []string{"ocpp2.0.1"}, basic("OPEN", password), 401, "user name"},
		{"other user where none is needed", "/OPEN", []string{"ocpp2.0.1"}, basic("CP-1", password), 401, "user name"},
		{"other scheme", "/CP-1", []string{"ocpp2.0.1"}, http.Header{"Authorization": {"Bearer x"}}, 401, "password"},
		{"no protocol", "/CP-1", nil, good, 400, "ocpp2.0.1"},
		{"other protocol", "/CP-1", []string{"ocpp1.6"}, good, 400, "ocpp2.0.1"},
		{"trouble of ours", "/BROKEN", []string{"ocpp2.0.1"}, nil, 503, "later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _ := e.of(reservation.Connected)
			d := websocket.Dialer{Subprotocols: c.protocols}
			conn, res, err := d.Dial(e.url(c.path), c.header)
			if res == nil || res.StatusCode != c.status {
				t.Fatalf("got %v, %v; want %d", res, err, c.status)
			}
			if err != nil {
				wantRefusal(t, res, c.says)
				if after, _ := e.of(reservation.Connected); len(after) != len(before) {
					t.Error("something was recorded")
				}
				return
			}
			if conn.Subprotocol() != "ocpp2.0.1" {
				t.Errorf("subprotocol %q", conn.Subprotocol())
			}
			if s := <-e.sessions; s.StationID() != "CP-1" && s.StationID() != "OPEN" {
				t.Errorf("identity %q", s.StationID())
			}
			_ = conn.Close()
		})
	}
	if got := e.Stats().Refused; got != 15 {
		t.Errorf("%d refused", got)
	}
}

func wantRefusal(t *testing.T, res *http.Response, says string) {
	t.Helper()
	body, _ := io.ReadAll(res.Body)
	if !strings.Contains(string(body), says) {
		t.Errorf("body %q does not say %q", body, says)
	}
	challenge := res.Header.Get("WWW-Authenticate")
	if (res.StatusCode == 401) != strings.HasPrefix(challenge, "Basic ") {
		t.Errorf("%d with WWW-Authenticate %q", res.StatusCode, challenge)
	}
}

func TestPlainHTTPIsToldWhatThisIs(t *testing.T) {
	e := start(t, listen(t), nil)
	res, err := http.Get("http" + strings.TrimPrefix(e.url("/CP-1"), "ws"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusUpgradeRequired || res.Header.Get("Upgrade") != "websocket" || !res.Close {
		t.Errorf("got %s", res.Status)
	}
}

func TestPasswordsMayBeAnyBytes(t *testing.T) {
	password := []byte{0, 0xff, ':', 0x80, '\n', 'x', 0xc3, 0x28}
	e := start(t, listen(t), lockedDoor(password))
	conn, _, err := e.dialer().Dial(e.url("/CP-1"), basic("CP-1", password))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestIdentityOf(t *testing.T) {
	for path, want := range map[string]string{
		"/ocpp/CP-1":                       "CP-1",
		"/a%2Fb":                           "a/b",
		"/x/a%20b":                         "a b",
		"/a%252Fb":                         "a%2Fb",
		"/a+b":                             "a+b",
		"/%C3%A9":                          "é",
		"/" + strings.Repeat("x", 48):      "x48",
		"/" + strings.Repeat("%C3%A9", 48): "é48",
		"/" + strings.Repeat("x", 49):      "",
		"/":                                "",
		"":                                 "",
		"/CP-1/":                           "",
		"/a:b":                             "",
		"/a%3Ab":                           "",
		"/a%00":                            "",
		"/a%0Ab":                           "",
		"/a%E2%80%AEb":                     "", // right-to-left override
		"/a%FF":                            "",
	} {
		u, err := url.Parse("http://h" + path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := identityOf(u)
		if n := strings.TrimSuffix(want, "48"); n != want {
			want = strings.Repeat(n, 48)
		}
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: got %q, %v; want %q", path, got, ok, want)
		}
	}
}

func TestAnEncodedIdentityIsTheSameEverywhere(t *testing.T) {
	asked := make(chan string, 1)
	e := start(t, listen(t), func(c *Config) {
		c.Admit = func(_ context.Context, identity string) (Admission, error) {
			asked <- identity
			return Admission{Known: true}, nil
		}
	})
	_, s := e.connect(t, "a%2Fb%20c")
	ev := e.wait(t, reservation.Connected, 1)
	if got := <-asked; got != "a/b c" || s.StationID() != got || ev.StationID != got {
		t.Errorf("asked %q, session %q, event %q", got, s.StationID(), ev.StationID)
	}
	if ev.Link == nil || ev.Link.Protocol != "ocpp2.0.1" || ev.Link.Remote == "" {
		t.Errorf("link %+v", ev.Link)
	}
}

func TestVirtualConnectionsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.MaxConnections = 2 })
		f, _ := e.connect(t, "A")
		e.connect(t, "B")
		_, res, _ := e.dialer().Dial(e.url("/C"), nil)
		if res == nil || res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
			t.Fatalf("got %v", res)
		}
		_ = f.Close()
		synctest.Wait()
		if open := e.Stats().Open; open != 1 {
			t.Errorf("%d open", open)
		}
		e.connect(t, "C")
	})
}

func TestVirtualHandshakesThatNeverEndAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		start(t, p, nil)
		conn, err := p.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("GET /CP-1 HTTP/1.1\r\n")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, _ = io.Copy(io.Discard, conn)
		if d := time.Since(began); d < 10*time.Second || d > 11*time.Second {
			t.Errorf("cut off after %v", d)
		}
	})
}

func TestVirtualHandshakesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		start(t, p, func(c *Config) { c.MaxConnections = 1 })
		if _, err := p.dial(t.Context(), "", ""); err != nil { // says nothing
			t.Fatal(err)
		}
		synctest.Wait()
		conn, err := p.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := conn.Read(make([]byte, 1)); err == nil || time.Since(began) > 0 {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestOffers(t *testing.T) {
	const deflate = "permessage-deflate"
	for in, want := range map[string]bool{
		"":                                   false,
		deflate:                              true,
		deflate + "; client_max_window_bits": true,
		deflate + `; client_max_window_bits="12"`:                                   true,
		deflate + "; client_max_window_bits=16":                                     false,
		deflate + "; server_no_context_takeover; client_no_context_takeover":        true,
		deflate + "; server_max_window_bits=10":                                     false,
		deflate + "; server_max_window_bits=10, " + deflate:                         true,
		deflate + "; novelty":                                                       false,
		"x-webkit-deflate-frame":                                                    false,
		"x-webkit-deflate-frame, " + deflate + " ; client_max_window_bits":          true,
		deflate + "; client_no_context_takeover ; server_max_window_bits=15, other": false,
	} {
		got := offers(http.Header{"Sec-Websocket-Extensions": {in}})
		if want != slices.Equal(got, []string{deflate}) {
			t.Errorf("%q: got %q", in, got)
		}
	}
}

func TestCompressedFramesAreRead(t *testing.T) {
	e := start(t, listen(t), func(c *Config) { c.MaxFrame = 4096 })
	d := e.dialer()
	d.EnableCompression = true
	conn, res, err := d.Dial(e.url("/CP-1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if !strings.HasPrefix(res.Header.Get("Sec-Websocket-Extensions"), "permessage-deflate") {
		t.Error("compression was not agreed on")
	}
	f := &far{t, conn}
	for range 3 {
		f.send(`[2,"1","MeterValues",{"filler":"` + strings.Repeat("x", 2000) + `"}]`)
		f.want(`[3,"1",{}]`)
	}
	f.send(`[2,"2","MeterValues",{"bomb":"` + strings.Repeat("x", 1<<20) + `"}]`)
	f.wantClose(websocket.CloseMessageTooBig)
}

func TestCheckExposure(t *testing.T) {
	for _, c := range []struct {
		addr                string
		passwords, insecure bool
		ok                  bool
	}{
		{"127.0.0.1:8887", false, false, true},
		{"127.9.9.9:0", false, false, true},
		{"[::1]:8887", false, false, true},
		{"[::ffff:127.0.0.1]:8887", false, false, true},
		{"localhost:8887", false, false, true},
		{":8887", false, false, false},
		{"0.0.0.0:8887", false, false, false},
		{"[::]:8887", false, false, false},
		{"10.0.0.4:8887", false, false, false},
		{"localhost.example:8887", false, false, false},
		{"0.0.0.0:8887", true, false, true},
		{"0.0.0.0:8887", false, true, true},
		{"8887", true, true, false},
	} {
		err := CheckExposure(c.addr, c.passwords, c.insecure)
		if (err == nil) != c.ok {
			t.Errorf("%+v: got %v", c, err)
		}
		if err != nil && strings.Contains(c.addr, ":") && !strings.Contains(err.Error(), "--insecure") {
			t.Errorf("%v does not say --insecure", err)
		}
	}
}

func TestNewServerChecksItsConfiguration(t *testing.T) {
	r := newRecorder()
	good := Config{Observe: r.observe, Admit: func(context.Context, string) (Admission, error) { return Admission{}, nil }}
	s, err := NewServer(good)
	if err != nil {
		t.Fatal(err)
	}
	if s.cfg.ReadTimeout != 75*time.Second || s.cfg.CallTimeout != 30*time.Second || s.cfg.MaxFrame != 1<<20 {
		t.Errorf("defaults %+v", s.cfg)
	}
	for name, edit := range map[string]func(*Config){
		"no Observe":      func(c *Config) { c.Observe = nil },
		"no Admit":        func(c *Config) { c.Admit = nil },
		"short read":      func(c *Config) { c.PingInterval, c.ReadTimeout = time.Minute, 2*time.Minute },
		"negative":        func(c *Config) { c.CallTimeout = -1 },
		"heartbeat":       func(c *Config) { c.HeartbeatInterval = time.Millisecond },
		"frame":           func(c *Config) { c.MaxFrame = 10 },
		"connections":     func(c *Config) { c.MaxConnections = -1 },
		"no such profile": func(c *Config) { c.Security.Profile = 4 },
		"no TLS":          func(c *Config) { c.Security.Profile = ProfileTLS },
		"TLS for nothing": func(c *Config) { c.Security.TLS = &tls.Config{} },
		"negative writes": func(c *Config) { c.WriteTimeout = -time.Second },
	} {
		c := good
		if edit(&c); true {
			if _, err := NewServer(c); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
	}
}
