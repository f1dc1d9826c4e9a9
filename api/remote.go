package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Remote is a server on the network, and how to come in.
type Remote struct {
	URL   string // https://HOST[:PORT][/PATH]; http:// on this machine, or without a token
	Token string
	CA    *x509.CertPool // whom to trust with its certificate; nil: whom the system trusts
	Whole bool           // ask for tokens of drivers by their characters
}

// DialRemote asks a server who it is. What goes wrong is an *Error that says
// what to do.
func DialRemote(ctx context.Context, r Remote) (*Client, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &Error{Code: codeUnreachable, Message: fmt.Sprintf("%q is not the address of a server. Write it like https://resctl.example", shown(r.URL))}
	}
	if u.Scheme == "http" && r.Token != "" && !loopback(u.Hostname()) {
		return nil, &Error{Code: codeClear, Message: fmt.Sprintf("%s has no TLS: the token could be read by anybody on the way. Use https://%s, or an address of this machine", r.URL, u.Host)}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTimeout, DisableCompression: true,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout, TLSClientConfig: &tls.Config{RootCAs: r.CA, MinVersion: tls.VersionTLS12}}
	c := &Client{base: strings.TrimSuffix(r.URL, "/"), network: &r, http: &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}} // a token is for one server
	return c, c.greet(ctx)
}

// loopback reports whether only this machine is meant.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// sign says who asks.
func (r *Remote) sign(q *http.Request) {
	if r == nil {
		return
	}
	if r.Token != "" {
		q.Header.Set("Authorization", "Bearer "+r.Token)
	}
	if r.Whole {
		q.Header.Set(wholeHeader, "true")
	}
}

// unreached says why nobody answered.
func (r *Remote) unreached(err error) error {
	var ca x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	cause := err
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		cause = wrapped.Err
	}
	switch {
	case errors.As(err, &ca):
		return &Error{Code: codeUntrusted, Message: fmt.Sprintf("%s: its certificate is signed by none that this machine trusts. Name the certificate of who signs in RESCTL_CA_FILE", r.URL)}
	case errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &verify):
		return &Error{Code: codeUntrusted, Message: fmt.Sprintf("%s: %v. Use the name that its certificate has, or give it another certificate", r.URL, cause)}
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return &Error{Code: codeStranger, Message: fmt.Sprintf("%s does not speak TLS. If it is a resctl serve without --api-cert, write http://", r.URL)}
	}
	return &Error{Code: codeUnreachable, Message: fmt.Sprintf("%s does not answer: %v. See that resctl serve runs there with --api, and that the address is right. What was stored stays stored", r.URL, cause)}
}

// theirs checks that a resctl answers, and that it speaks what we do.
func (c *Client) theirs(response *http.Response) error {
	given := response.Header.Get(versionHeader)
	major, _, _ := strings.Cut(given, ".")
	ours, _, _ := strings.Cut(Version, ".")
	switch {
	case given == "":
		return c.stranger(response)
	case major != ours:
		return &Error{Status: response.StatusCode, Code: codeVersions, Message: fmt.Sprintf("the server speaks version %.10q of the API, and this resctl %s. Use a resctl on both sides that speaks the same", given, Version)}
	}
	return nil
}

// shown is an address as it was given, less a password in it.
func shown(address string) string {
	if i := strings.LastIndex(address, "@"); i >= 0 {
		return "…" + address[i:]
	}
	return address
}

// stranger is for an answer that no resctl gives.
func (c *Client) stranger(response *http.Response) error {
	what, kind := response.Header.Get("Content-Type"), ""
	if what != "" {
		kind = fmt.Sprintf(" (%.60s)", what)
	}
	hint := "It is another program, or another version of resctl"
	switch {
	case c.network == nil:
		return &Error{Status: response.StatusCode, Code: codeStranger, Message: fmt.Sprintf("the process that serves the stations answers %s: it is another version of resctl", response.Status)}
	case response.StatusCode/100 == 3:
		hint = fmt.Sprintf("It points to %.100q: write that address if it is the right one", response.Header.Get("Location"))
	case response.StatusCode == http.StatusBadGateway, response.StatusCode == http.StatusServiceUnavailable, response.StatusCode == http.StatusGatewayTimeout:
		hint = "A proxy answers in its place: see that resctl serve runs behind it"
	case response.StatusCode == http.StatusBadRequest && what == "" && strings.HasPrefix(c.network.URL, "http:"): // as net/http answers
		hint = "It may speak TLS: write https:// then"
	case response.StatusCode == http.StatusUpgradeRequired:
		hint = "It may be where stations connect: the API has an address of its own (serve --api)"
	case strings.Contains(what, "html"):
		hint = "It is a web page, of a proxy or a login, and not the API: correct the address, or let the proxy pass /v1/"
	}
	return &Error{Status: response.StatusCode, Code: codeStranger, Message: fmt.Sprintf("%s answers %s%s, as no resctl serve does. %s", c.network.URL, response.Status, kind, hint)}
}
