package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/resctl/resctl/web"
)

func get(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	web.Handler().ServeHTTP(w, r)
	return w.Result()
}

// TestFiles: each comes with its sort and a policy that lets nothing else in,
// and only once.
func TestFiles(t *testing.T) {
	for path, sort := range map[string]string{"/": "text/html", "/index.html": "text/html", "/style.css": "text/css", "/main.js": "text/javascript", "/icon.svg": "image/svg+xml"} {
		a := get(t, "GET", path)
		policy := a.Header.Get("Content-Security-Policy")
		if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), sort) || !strings.HasPrefix(policy, "default-src 'none'; ") ||
			strings.Contains(policy, "unsafe") || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, a.StatusCode, a.Header)
		}
		if again := get(t, "GET", path, "If-None-Match", a.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
	for _, x := range []struct {
		method, path string
		status       int
	}{{"GET", "/files/main.js", 404}, {"GET", "/../web.go", 404}, {"GET", "/nothing", 404}, {"POST", "/", 405}, {"HEAD", "/", 200}} {
		if a := get(t, x.method, x.path); a.StatusCode != x.status {
			t.Errorf("%s %s: %d, want %d", x.method, x.path, a.StatusCode, x.status)
		}
	}
}
