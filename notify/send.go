package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	attemptTimeout = 10 * time.Second // of one request, answer included
	firstWait      = time.Second      // before the second attempt; doubled each time
	longestWait    = 5 * time.Minute  // between two attempts, whatever Retry-After says
	giveUp         = time.Hour        // after the first attempt, a document is dropped
	answerRead     = 4 << 10          // bytes of an answer; the rest is not looked at
)

// CheckURL refuses what is no address of a webhook, or one that sends what it is told
// in the clear to another machine.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Fragment != "" || u.Opaque != "":
		return errors.New("it is no address such as https://hooks.example/resctl")
	case u.User != nil:
		return errors.New("user and password do not belong into it: they would show in logs")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return errors.New("http goes in the clear to another machine; use https")
	}
	return errors.New("it is no https address")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Place is a URL as it may be shown: what comes after the host is often a secret.
func Place(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// newClient follows no redirects: a signed body is for whom it was made.
func newClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Timeout:       attemptTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dial, Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: attemptTimeout, ResponseHeaderTimeout: attemptTimeout, MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout: 90 * time.Second, MaxIdleConns: 1, MaxConnsPerHost: 1, DisableCompression: true, ForceAttemptHTTP2: true},
	}
}

// verdict is what an attempt came to.
type verdict struct {
	ok    bool
	again bool          // it may go better later
	after time.Duration // not before
	why   string        // without address or secret
}

// attempt sends a body once.
func attempt(ctx context.Context, client *http.Client, t *Target, id string, body []byte, now time.Time) verdict {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return verdict{why: "it is no address"}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "resctl/"+t.Version)
	r.Header.Set("Resctl-Document", id)
	r.Header.Set(Header, Sign(t.Secret, body, now))
	answer, err := client.Do(r)
	if err != nil {
		var with *url.Error // it repeats the address
		if errors.As(err, &with) {
			err = with.Err
		}
		return verdict{again: true, why: err.Error()}
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, answerRead)
	v := verdict{why: "it answered " + strconv.Itoa(answer.StatusCode)}
	switch s := answer.StatusCode; {
	case s >= 200 && s < 300:
		v.ok = true
	case s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, s >= 500:
		v.again, v.after = true, retryAfter(answer.Header.Get("Retry-After"), now)
	}
	return v
}

// retryAfter reads seconds, or a time.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if n, err := strconv.Atoi(text); err == nil {
		return min(max(0, time.Duration(min(n, 1<<20))*time.Second), longestWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, at.Sub(now)), longestWait)
	}
	return 0
}

// backOff is how long to wait after the nth attempt: a second, doubled each time up
// to five minutes, of which a random part up to half is left out, so that many do
// not come at once.
func backOff(n int) time.Duration {
	d := longestWait
	if n < 10 {
		d = min(d, firstWait<<(n-1))
	}
	return d - rand.N(d/2)
}

// sleep waits unless ctx ends, which it reports.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
