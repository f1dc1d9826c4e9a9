// Package web is what a browser is shown: a page that looks at the reservations
// of a fleet through the API, and calendars. Both show what they are given, and
// neither changes anything.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strconv"
)

//go:embed files
var files embed.FS

// policy lets the page load what comes with it and ask where it comes from, and
// nothing else; what a station said could not run even if it were taken for markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// sorts are literal: what a system's own table says of a file's end differs.
func sorts() map[string]string {
	return map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
}

// file is one of the page, as it is sent.
type file struct {
	body []byte
	sort string // of content
	tag  string
}

// Handler serves the page. Its files hold no data, so anybody may have them;
// what it shows is asked for with a token.
func Handler() http.Handler {
	all := load()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		f, ok := all[r.URL.Path]
		switch {
		case !ok:
			http.Error(w, "There is no such page. The page is at /, the API below /v1/.", http.StatusNotFound)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "The page is only looked at.", http.StatusMethodNotAllowed)
			return
		}
		h.Set("ETag", f.tag)
		h.Set("Cache-Control", "no-cache") // kept, and asked for: another version may have come
		if r.Header.Get("If-None-Match") == f.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", f.sort)
		h.Set("Content-Length", strconv.Itoa(len(f.body)))
		_, _ = w.Write(f.body) // net/http leaves the body out of an answer to HEAD
	})
}

// load reads the files, by the path that they are at.
func load() map[string]file {
	all := map[string]file{}
	names, _ := fs.Glob(files, "files/*") // the pattern is well-formed
	for _, name := range names {
		body, _ := files.ReadFile(name) // it is in the program
		sum := sha256.Sum256(body)
		f := file{body, sorts()[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
		all["/"+path.Base(name)] = f
		if path.Base(name) == "index.html" {
			all["/"] = f
		}
	}
	return all
}
