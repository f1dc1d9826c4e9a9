package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
)

// BenchmarkIdle is the resident memory of a station that is silent, in bytes: of
// all that serves it, with two windows ahead, against a socket that somebody
// reads. What the process takes before the first station came is left out.
func BenchmarkIdle(b *testing.B) {
	for _, how := range []string{"plain", "tls"} {
		b.Run(how, func(b *testing.B) {
			var ours, bare float64
			for b.Loop() {
				o, l := idle(b, how, *stationsFlag)
				ours, bare = ours+o, bare+l
			}
			report(b, ours/float64(b.N), bare/float64(b.N), ours/bare, 1.3)
		})
	}
}

// idle gives bytes per station.
func idle(tb testing.TB, how string, n int) (ours, bare float64) {
	tb.Helper()
	inside(tb, func(tb testing.TB) {
		var certificate string
		if how == "tls" {
			certificate = newCertificate(tb)
		}
		empty := role{State: emptyState(tb), TLS: certificate, Pings: 30 * time.Second}
		full := empty
		full.State = windowsAhead(tb, n)
		ours = perStation(tb, n, empty, full)
		bare = perStation(tb, n, role{TLS: certificate}, role{TLS: certificate})
	})
	return ours, bare
}

// perStation is the resident memory of a server with n stations, less that of
// one without any.
func perStation(tb testing.TB, n int, empty, full role) (bytes float64) {
	tb.Helper()
	var without, with usage
	inside(tb, func(tb testing.TB) { startChild(tb, empty).ask("measure", &without) })
	inside(tb, func(tb testing.TB) {
		c := startChild(tb, full)
		parked(tb, c, n)
		c.ask("measure", &with)
	})
	if with.Goroutines > without.Goroutines+n+n/50+8 {
		tb.Errorf("%d stations are silent, and there are %d goroutines; %d without them", n, with.Goroutines, without.Goroutines)
	}
	return float64(with.Resident-without.Resident) / float64(n)
}

// BenchmarkProcessor is how much of one processor silence takes, with pings at
// their default pace and without, in milliseconds per minute.
func BenchmarkProcessor(b *testing.B) {
	for _, row := range []struct {
		name   string
		pings  time.Duration
		wanted float64
	}{{"no_pings", 0, 0.002}, {"pings", 30 * time.Second, 0.03}} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				used := silence(b, *stationsFlag, row.pings, time.Minute)
				report(b, millis(used), millis(time.Minute), used.Minutes(), row.wanted)
			}
		})
	}
}

// silence is how long n silent stations keep a processor busy in such a time.
func silence(tb testing.TB, n int, pings, lasting time.Duration) (used time.Duration) {
	tb.Helper()
	inside(tb, func(tb testing.TB) {
		c := startChild(tb, role{State: windowsAhead(tb, n), Pings: pings})
		parked(tb, c, n)
		var u usage
		c.ask("measure", &u) // which tidies up as well
		time.Sleep(lasting / 6)
		var before, after time.Duration
		c.ask("cpu", &before)
		time.Sleep(lasting)
		c.ask("cpu", &after)
		used = after - before
	})
	return used
}

// parked connects n stations to a server, and returns when all have booted.
func parked(tb testing.TB, server *child, n int) *child {
	tb.Helper()
	var url string
	server.ask("url", &url)
	fleet := startChild(tb, role{Fleet: url, N: n, EVSEs: 1})
	var booted bool
	fleet.ask("boot", &booted)
	return fleet
}

func emptyState(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "resctl.db")
	if err := openState(tb, path).Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// windowsAhead is a state in which n stations have two windows in some hours.
func windowsAhead(tb testing.TB, n int) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "resctl.db")
	db := openState(tb, path)
	defer db.Close()
	want := desired(n, 2)
	for i := range want.Reservations {
		d := &want.Reservations[i]
		d.Target.EVSE = 1
		d.When.Start = time.Now().Add(time.Duration(5+3*(i%2)) * time.Hour).UTC().Truncate(time.Second)
		d.When.Expiry, d.When.HoldFor = d.When.Start.Add(2*time.Hour), 0
	}
	l := &reconcile.Ledger{Store: db, Settings: settings(), Now: time.Now}
	if _, err := l.Propose(tb.Context(), plan(tb, l, want), reconcile.ProposeOptions{By: "bench"}); err != nil {
		tb.Fatal(err)
	}
	return path
}

// newCertificate is a directory with one of this host.
func newCertificate(tb testing.TB) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, dir, "server.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(tb, dir, "server.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return dir
}
