package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// certificates NAME...: ca.pem, a certificate and key of this machine
// (server.pem, server.key), and for each name those of a station (NAME.pem).
func certificates(ts *testscript.TestScript, _ bool, args []string) {
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	certify(ts, "ca", ca, signer, ca, signer)
	for i, name := range append([]string{"server"}, args...) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		certify(ts, name, &x509.Certificate{SerialNumber: big.NewInt(int64(i) + 2), Subject: pkix.Name{CommonName: name},
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter}, key, ca, signer)
	}
}

// certify signs a certificate and writes it and its key.
func certify(ts *testscript.TestScript, name string, c *x509.Certificate, key *ecdsa.PrivateKey, ca *x509.Certificate, signer *ecdsa.PrivateKey) {
	der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), signer)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for file, b := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		ts.Check(os.WriteFile(ts.MkAbs(name+file), pem.EncodeToMemory(b), 0o600))
	}
}
