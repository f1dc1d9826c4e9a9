package ocppclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// CredentialFiles name what TLS needs. All are PEM.
type CredentialFiles struct {
	// Certificates are the endpoint's, each a chain with the leaf first, and
	// Keys belong to them one by one. A00.FR.318 of 2.0.1 wants one with an
	// ECDSA key and one with an RSA key; each station is shown the one that it
	// can check. Stations of 1.6 may take no RSA key above 2048 bits.
	Certificates, Keys []string
	// ClientCA is whose certificates stations must show; "": none is asked for.
	ClientCA string
	// RSAKeyExchange adds TLS_RSA_WITH_AES_128_GCM_SHA256 and
	// TLS_RSA_WITH_AES_256_GCM_SHA384. OCPP asks a CSMS for them, and some old
	// stations know no others. Without forward secrecy whoever gets the key of
	// the endpoint reads all that was recorded before, passwords included, so
	// they are off, as they are in Go.
	RSAKeyExchange bool
}

// Credentials are read from files, and can be read again while they are used.
type Credentials struct {
	files   CredentialFiles
	current atomic.Pointer[tls.Config]
}

// LoadCredentials reads the files.
func LoadCredentials(files CredentialFiles) (*Credentials, error) {
	c := &Credentials{files: files}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload reads the files again, for connections to come; those that are open
// stay. After an error everything is as it was.
func (c *Credentials) Reload() error {
	use, err := c.Prepare(c.files)
	if err == nil {
		use()
	}
	return err
}

// Prepare reads files that are to take the place of these, and gives what puts
// them there: until then, and after an error, everything is as it was. It is not
// for several goroutines at once.
func (c *Credentials) Prepare(files CredentialFiles) (use func(), err error) {
	fresh, err := files.read()
	if err != nil {
		return nil, err
	}
	return func() {
		c.files = files
		c.current.Store(fresh)
	}, nil
}

// Expiry is when the first of the certificates that are shown ends.
func (c *Credentials) Expiry() time.Time {
	var first time.Time
	for _, pair := range c.current.Load().Certificates {
		if end := pair.Leaf.NotAfter; first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first
}

// TLS is for a server: each handshake uses what was read last.
func (c *Credentials) TLS() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current.Load(), nil },
	}
}

func (f CredentialFiles) read() (*tls.Config, error) {
	if len(f.Certificates) == 0 || len(f.Certificates) != len(f.Keys) {
		return nil, errors.New("tls: as many keys as certificates are needed, and one of each at least")
	}
	c := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"}, // WebSocket is a dialogue of HTTP/1.1
		CipherSuites: cipherSuites(f.RSAKeyExchange),
		// A resumed session would not look at the client's certificate again,
		// and sockets of stations last too long for it to save anything.
		SessionTicketsDisabled: true,
	}
	for i, name := range f.Certificates {
		pair, err := tls.LoadX509KeyPair(name, f.Keys[i])
		if err != nil {
			return nil, fmt.Errorf("tls: certificate %s with key %s: %w", name, f.Keys[i], err)
		}
		c.Certificates = append(c.Certificates, pair)
	}
	if f.ClientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls: certificates of clients: %w", err)
	}
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls: certificates of clients: %s holds none in PEM form", f.ClientCA)
	}
	return c, nil
}

// cipherSuites are those of TLS 1.2; those of 1.3 are not chosen.
func cipherSuites(rsaKeyExchange bool) []uint16 {
	suites := []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	if rsaKeyExchange {
		suites = append(suites, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384)
	}
	return suites
}
