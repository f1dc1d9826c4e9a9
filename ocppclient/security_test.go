package ocppclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

// dialTLS connects as a station over TLS.
func (e *endpoint) dialTLS(identity string, c *tls.Config, h http.Header) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}, TLSClientConfig: c}
	return d.Dial("wss://"+e.listener.Addr().String()+"/ocpp/"+identity, h)
}

// status is how a handshake was answered; 0: not at all.
func status(conn *websocket.Conn, res *http.Response, _ error) int {
	if conn != nil {
		_ = conn.Close()
	}
	if res == nil {
		return 0
	}
	return res.StatusCode
}

func load(t *testing.T, files CredentialFiles) *Credentials {
	t.Helper()
	c, err := LoadCredentials(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// secured is an endpoint of a profile, with a certificate of a.
func secured(t *testing.T, a *authority, p Profile, admit func(string) Admission) *endpoint {
	t.Helper()
	cert, key := a.server("server", ecdsaKey(t))
	files := CredentialFiles{Certificates: []string{cert}, Keys: []string{key}}
	if p == ProfileMutual {
		files.ClientCA = a.file
	}
	credentials := load(t, files)
	return start(t, listen(t), func(c *Config) {
		c.Security = Security{Profile: p, TLS: credentials.TLS()}
		c.Admit = func(_ context.Context, id string) (Admission, error) { return admit(id), nil }
	})
}

func TestFromProfile1OnEveryStationHasAPassword(t *testing.T) {
	password := []byte("0123456789abcdef")
	for p, want := range map[Profile]int{ProfileNone: 101, ProfileBasic: 401} {
		strange := start(t, listen(t), func(c *Config) {
			c.Security.Profile = p
			c.Admit = func(context.Context, string) (Admission, error) { return Admission{Known: true, Stranger: true}, nil }
		})
		if got := status(strange.dialer().Dial(strange.url("/X"), nil)); got != want {
			t.Errorf("profile %d, a stranger: %d", p, got)
		}
		e := start(t, listen(t), func(c *Config) {
			lockedDoor(password)(c)
			c.Security.Profile = p
		})
		if got := status(e.dialer().Dial(e.url("/OPEN"), nil)); got != want {
			t.Errorf("profile %d, no password declared: %d", p, got)
		}
		if got := status(e.dialer().Dial(e.url("/OPEN"), basic("OPEN", password))); got != want {
			t.Errorf("profile %d, a password that nobody declared: %d", p, got)
		}
		if got := status(e.dialer().Dial(e.url("/CP-1"), basic("CP-1", password))); got != 101 {
			t.Errorf("profile %d: %d", p, got)
		}
	}
}

func TestProfile2(t *testing.T) {
	a := newAuthority(t)
	e := secured(t, a, ProfileTLS, func(id string) Admission {
		return Admission{Known: id != "CP-9", CheckPassword: func(p []byte) bool { return string(p) == "0123456789abcdef" }}
	})
	good, trusting := basic("CP-1", []byte("0123456789abcdef")), &tls.Config{RootCAs: a.pool}
	for name, c := range map[string]struct {
		id     string
		tls    *tls.Config
		header http.Header
		want   int
	}{
		"its password":      {"CP-1", trusting, good, 101},
		"TLS 1.2":           {"CP-1", &tls.Config{RootCAs: a.pool, MaxVersion: tls.VersionTLS12}, good, 101},
		"TLS 1.3":           {"CP-1", &tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS13}, good, 101},
		"TLS 1.1":           {"CP-1", &tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, good, 0},
		"unknown authority": {"CP-1", &tls.Config{}, good, 0},
		"no password":       {"CP-1", trusting, nil, 401},
		"another user":      {"CP-2", trusting, good, 401},
		"unknown":           {"CP-9", trusting, basic("CP-9", []byte("0123456789abcdef")), 404},
	} {
		if got := status(e.dialTLS(c.id, c.tls, c.header)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := status(e.dialer().Dial(e.url("/CP-1"), good)); got == 101 {
		t.Error("it came in without TLS")
	}
}

func TestProfile3(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	e := secured(t, a, ProfileMutual, func(id string) Admission {
		return map[string]Admission{
			"CP-1":     {Known: true, SerialNumber: "SN-1", CheckPassword: func([]byte) bool { return false }},
			"NAMELESS": {Known: true},
			"STRANGER": {Known: true, Stranger: true},
		}[id]
	})
	stranger := other.client("SN-1", nil)
	stranger.RootCAs = a.pool
	for name, c := range map[string]struct {
		id     string
		tls    *tls.Config
		header http.Header
		want   int
	}{
		"its serial number":              {"CP-1", a.client("SN-1", nil), nil, 101},
		"its identity":                   {"CP-1", a.client("CP-1", nil), nil, 403},
		"of another station":             {"CP-1", a.client("SN-2", nil), nil, 403},
		"a serial number longer by one":  {"CP-1", a.client("SN-11", nil), nil, 403},
		"no serial number is declared":   {"NAMELESS", a.client("SN-1", nil), nil, 403},
		"nor in the certificate":         {"NAMELESS", a.client("", nil), nil, 403},
		"a stranger":                     {"STRANGER", a.client("SN-7", nil), nil, 101},
		"a stranger without a name":      {"STRANGER", a.client("", nil), nil, 403},
		"unknown":                        {"CP-9", a.client("SN-1", nil), nil, 404},
		"another user":                   {"CP-1", a.client("SN-1", nil), basic("CP-2", nil), 403},
		"no certificate":                 {"CP-1", &tls.Config{RootCAs: a.pool}, nil, 0},
		"of another authority":           {"CP-1", stranger, nil, 0},
		"expired":                        {"CP-1", a.client("SN-1", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), nil, 0},
		"a server's, not a client's":     {"CP-1", a.client("SN-1", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), nil, 0},
		"the same, once more, with 1.2":  {"CP-1", tls12(a.client("SN-1", nil)), nil, 101},
		"without a certificate with 1.2": {"CP-1", tls12(&tls.Config{RootCAs: a.pool}), nil, 0},
	} {
		if got := status(e.dialTLS(c.id, c.tls, c.header)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func tls12(c *tls.Config) *tls.Config { c.MaxVersion = tls.VersionTLS12; return c }

func TestAtProfile3AStationBootsAsItsCertificateSays(t *testing.T) {
	a := newAuthority(t)
	e := secured(t, a, ProfileMutual, func(string) Admission { return Admission{Known: true, SerialNumber: "SN-1"} })
	conn, _, err := e.dialTLS("CP-1", a.client("SN-1", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	f := &far{t, conn}
	boot := func(serial string) {
		f.send(`[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"` + serial + `}}]`)
	}
	boot(`,"serialNumber":"SN-1"`)
	if got := f.read(); !strings.Contains(got, "Accepted") {
		t.Fatal(got)
	}
	boot(`,"serialNumber":"SN-2"`)
	if got := f.read(); !strings.Contains(got, "SecurityError") {
		t.Fatal(got)
	}
	f.wantClose(websocket.ClosePolicyViolation)
	if booted, _ := e.of(reservation.Booted); len(booted) != 1 {
		t.Errorf("recorded %v", booted)
	}
}

func TestAMountedEndpointHoldsItsProfile(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.server("server", ecdsaKey(t))
	r := newRecorder()
	s, err := NewServer(Config{Observe: r.observe,
		Security: Security{ProfileMutual, load(t, CredentialFiles{Certificates: []string{cert}, Keys: []string{key}, ClientCA: a.file}).TLS()},
		Admit: func(context.Context, string) (Admission, error) {
			return Admission{Known: true, SerialNumber: "SN-1"}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	for _, serve := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		srv := serve(s)
		d := websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}}
		if srv.TLS != nil {
			d.TLSClientConfig = clientTLS(srv)
		}
		if got := status(d.Dial("ws"+strings.TrimPrefix(srv.URL, "http")+"/CP-1", nil)); got != 403 {
			t.Errorf("%s: %d", srv.URL, got)
		}
		srv.Close()
	}
}

func TestCipherSuites(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.server("rsa", rsaKey(t))
	cert2, key2 := a.server("ecdsa", ecdsaKey(t))
	rsaOnly := CredentialFiles{Certificates: []string{cert}, Keys: []string{key}}
	exchange := rsaOnly
	exchange.RSAKeyExchange = true
	both := CredentialFiles{Certificates: []string{cert2, cert}, Keys: []string{key2, key}}
	for _, c := range []struct {
		name   string
		files  CredentialFiles
		suite  uint16
		accept bool
	}{
		{"RSA key exchange is off", rsaOnly, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, false},
		{"until it is asked for", exchange, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, true},
		{"in both sizes", exchange, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, true},
		{"but without GCM it stays off", exchange, tls.TLS_RSA_WITH_AES_128_CBC_SHA, false},
		{"CBC is off", rsaOnly, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false},
		{"a station that knows ECDSA alone", both, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true},
		{"a station that knows RSA alone", both, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true},
		{"ECDSA without its certificate", rsaOnly, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, false},
	} {
		e := start(t, listen(t), func(cfg *Config) {
			cfg.Security = Security{ProfileTLS, load(t, c.files).TLS()}
		})
		conn, err := tls.Dial("tcp", e.listener.Addr().String(), &tls.Config{RootCAs: a.pool, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{c.suite}})
		if (err == nil) != c.accept {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			if got := conn.ConnectionState().CipherSuite; got != c.suite {
				t.Errorf("%s: %s", c.name, tls.CipherSuiteName(got))
			}
			_ = conn.Close()
		}
	}
}

func TestCredentialsAreReadAgain(t *testing.T) {
	a, next := newAuthority(t), newAuthority(t)
	cert, key := a.server("server", ecdsaKey(t))
	clients := filepath.Join(t.TempDir(), "clients.pem")
	replace := func(to, from string) {
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	replace(clients, a.file)
	credentials := load(t, CredentialFiles{Certificates: []string{cert}, Keys: []string{key}, ClientCA: clients})
	e := start(t, listen(t), func(c *Config) {
		c.Security = Security{ProfileMutual, credentials.TLS()}
		c.Admit = func(context.Context, string) (Admission, error) {
			return Admission{Known: true, SerialNumber: "SN-1"}, nil
		}
	})
	station := a.client("SN-1", nil)
	station.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	conn, _, err := e.dialTLS("CP-1", station, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	newCert, newKey := next.server("server", ecdsaKey(t))
	replace(cert, newCert)
	if credentials.Reload() == nil {
		t.Error("a certificate was taken with the key of another")
	}
	if got := status(e.dialTLS("CP-2", station, nil)); got != 101 {
		t.Errorf("after a reload that failed: %d", got)
	}
	replace(key, newKey)
	replace(clients, next.file)
	if err := credentials.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := status(e.dialTLS("CP-1", station, nil)); got != 0 {
		t.Errorf("the old authority still counts: %d", got)
	}
	station.RootCAs = next.pool // a session from before must not stand for a certificate
	if got := status(e.dialTLS("CP-1", station, nil)); got != 0 {
		t.Errorf("the certificate of the old authority still counts: %d", got)
	}
	if got := status(e.dialTLS("CP-3", next.client("SN-1", nil), nil)); got != 101 {
		t.Errorf("after a reload: %d", got)
	}
	(&far{t, conn}).alive() // what is open stays
}

func TestCredentialsThatCannotBeUsed(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.server("server", ecdsaKey(t))
	for says, files := range map[string]CredentialFiles{
		"one of each":      {},
		"as many keys":     {Certificates: []string{cert}},
		"does not match":   {Certificates: []string{a.file}, Keys: []string{key}},
		"no such file":     {Certificates: []string{cert}, Keys: []string{key + "x"}},
		"none in PEM":      {Certificates: []string{cert}, Keys: []string{key}, ClientCA: key},
		"of clients: open": {Certificates: []string{cert}, Keys: []string{key}, ClientCA: "x"},
	} {
		if _, err := LoadCredentials(files); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}
