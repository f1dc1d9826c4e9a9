package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/notify"
	"github.com/resctl/resctl/reconcile"
)

// soonOver is how long before its end a certificate is warned of.
const soonOver = 30 * 24 * time.Hour

// checkup is what serve --check found: what serve would do, and why it would not.
type checkup struct {
	FormatVersion string      `json:"format_version"`
	Starts        bool        `json:"would_start"`
	Errors        int         `json:"errors"`
	Warnings      int         `json:"warnings"`
	Lines         []checkLine `json:"checks"`

	file  string
	taken map[string]string // addresses, by whose they are
	open  []net.Listener    // until all addresses have been tried
}

// checkLine is one thing that was looked at.
type checkLine struct {
	Mark string `json:"result"` // ok, warning or error
	Code string `json:"code,omitempty"`
	Text string `json:"text"`
}

func (k *checkup) ok(format string, args ...any) {
	k.Lines = append(k.Lines, checkLine{"ok", "", fmt.Sprintf(format, args...)})
}

func (k *checkup) warn(format string, args ...any) {
	k.Warnings++
	k.Lines = append(k.Lines, checkLine{"warning", "", fmt.Sprintf(format, args...)})
}

// fail takes in what keeps serve from starting. It reports whether there is such.
func (k *checkup) fail(err error) bool {
	if err == nil {
		return false
	}
	k.Errors++
	p := asProblem(err)
	k.Lines = append(k.Lines, checkLine{"error", p.code, ended(p.summary) + " " + p.detail})
	return true
}

// ended is a summary as a sentence.
func ended(text string) string {
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// checkServe looks at everything that serve would use, and changes nothing.
func (c *cli) checkServe(ctx context.Context, f serveFlags) error {
	k := &checkup{FormatVersion: formatVersion, file: f.file, taken: map[string]string{}}
	defer func() {
		for _, l := range k.open {
			_ = l.Close()
		}
	}()
	watched, err := f.settled()
	if k.fail(err) {
		return c.checked(k)
	}
	now := time.Now()
	live := c.checkState(ctx, k, f)
	for _, file := range f.security.files.Certificates {
		k.certificate("the certificate of the endpoint", file, now, false)
	}
	if file := f.security.files.ClientCA; file != "" {
		k.certificate("the certificates that stations' come from", file, now, true)
	}
	k.address("stations connect to", f.listen, "listen", live)
	if f.api.address != "" {
		k.address("the API is at", f.api.address, "api", live)
	}
	if file := f.api.cert; file != "" {
		_, err := f.api.load()
		if !k.fail(err) {
			k.certificate("the certificate of the API", file, now, false)
		}
	}
	if f.metrics != "" {
		k.address("metrics are at", f.metrics, "metrics", live)
		k.fail(checkMetrics(f.metrics, f.insecure))
	}
	for _, w := range watched {
		k.directory(w)
	}
	if f.notify.url != "" {
		k.ok("what a person should look at is sent to %s, signed; drift when it is older than %s", notify.Place(f.notify.url), spans{&f.notify.grace})
	}
	if text := f.rules.words(); text != "" {
		k.ok("%s", text)
	}
	k.ok("the journal is kept for %s, a proof looks %s ahead, a move takes %s at most", spans{&f.rules.retention}, spans{&f.rules.horizon}, spans{&f.rules.move})
	return c.checked(k)
}

func (c *cli) checked(k *checkup) error {
	k.Starts = k.Errors == 0
	c.view.About(k)
	if k.Errors > 0 {
		return exit(exitError)
	}
	return nil
}

// checkState looks at the state, and at who could come in by it. It reports
// whether another process serves it: that one has its addresses.
func (c *cli) checkState(ctx context.Context, k *checkup, f serveFlags) (live bool) {
	path := c.statePath()
	client, err := api.Dial(ctx, api.SocketOf(path))
	if live = err == nil && client != nil; live {
		_ = client.Close()
	}
	w, err := lookAt(ctx, path)
	if k.fail(err) {
		return live
	}
	defer func() { _ = w.Close() }()
	switch {
	case w.db == nil:
		if st, err := os.Stat(filepath.Dir(path)); err != nil || !st.IsDir() {
			k.fail(problemf(codeState, "The state cannot be made", "There is no directory %s.", filepath.Dir(path)))
			return live
		}
		k.ok("the state %s is new: it would be made", harmless(path))
	case live:
		k.ok("the state %s is served by a process that runs", harmless(path))
	default:
		k.ok("the state %s can be read", harmless(path))
	}
	if k.fail(w.checkKind(ctx, false)) {
		return live
	}
	stored, err := w.Read(ctx)
	if k.fail(err) || k.fail(w.secure(f.security, f.listen, f.insecure, &reconcile.Plan{}, stored)) || k.fail(checkStrangers(f.rules, w.security.Profile, f.listen)) {
		return live
	}
	k.ok("security profile %d, %s", w.security.Profile, count(len(stored.Declarations), "declared station"))
	return live
}

// certificate looks at when the certificates of a file count. That they can be
// read, and have their keys, has been looked at with the profile.
func (k *checkup) certificate(what, file string, now time.Time, all bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for n := 0; ; n++ {
		block, rest := pem.Decode(b)
		if block == nil {
			return
		}
		b = rest
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			n--
			continue
		}
		name := harmless(cmp.Or(c.Subject.CommonName, c.Subject.String(), "without a name"))
		switch until := c.NotAfter.Local().Format("2 Jan 2006 15:04"); {
		case now.Before(c.NotBefore):
			k.fail(problemf(codeCredentials, "A certificate does not count yet", "%s: %s counts from %s on.", file, name, c.NotBefore.Local().Format("2 Jan 2006 15:04")))
		case now.After(c.NotAfter):
			k.fail(problemf(codeCredentials, "A certificate has expired", "%s: %s expired on %s. Stations do not accept it; put a new one there.", file, name, until))
		case c.NotAfter.Sub(now) < soonOver:
			k.warn("%s, %s: %s expires on %s, in %s", what, harmless(file), name, until, distance(c.NotAfter.Sub(now)))
		case n == 0 || all:
			k.ok("%s, %s: %s, until %s", what, harmless(file), name, until)
		}
	}
}

// address tries whether one can be listened on.
func (k *checkup) address(what, address, flag string, live bool) {
	l, err := net.Listen("tcp", address)
	other := k.taken[address]
	switch {
	case other != "":
		k.fail(problemf(codeAddress, "Cannot listen on "+address+" twice", "--%s has it as well. Choose another address with --%s.", other, flag))
	case err == nil:
		k.open = append(k.open, l)
		k.ok("%s %s", what, address)
	case live && errors.Is(err, syscall.EADDRINUSE):
		k.ok("%s %s, which is in use, as is the state", what, address)
	default:
		k.fail(problemf(codeAddress, "Cannot listen on "+address, "%s. Choose another address with --%s.", reasonOf(err, address), flag))
	}
	if !strings.HasSuffix(address, ":0") { // any port
		k.taken[address] = flag
	}
}

// directory looks at one that is to be watched.
func (k *checkup) directory(w watchSettings) {
	names, err := config.Files(w.directory)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.warn("%s is to follow %s, which is not there: serve would wait for it (RC708)", harmless(w.workspace), harmless(w.directory))
	case err != nil:
		k.fail(problemf(codeDirectory, "A directory cannot be read", "%s is to follow %s: %s.", w.workspace, w.directory, reasonOf(err, w.directory)))
	case len(names) == 0:
		k.warn("%s follows %s, which has no *.hcl file", harmless(w.workspace), harmless(w.directory))
	default:
		k.ok("%s follows %s: %s, looked at every %s", harmless(w.workspace), harmless(w.directory), count(len(names), "file"), spans{&w.interval})
	}
}

// checkup shows what was found.
func (v *textView) checkup(k *checkup) {
	inks := map[string]string{"ok": greenInk, "warning": yellowInk, "error": redInk}
	for _, l := range k.Lines {
		v.out.ink(inks[l.Mark], l.Mark)
		v.out.fill(9 - len(l.Mark))
		if l.Code != "" {
			v.out.put(l.Code, " ")
		}
		v.out.line(harmless(strings.ReplaceAll(l.Text, "\n", " ")))
	}
	v.out.line()
	by := "serve"
	if k.file != "" {
		by = "serve --config " + harmless(k.file)
	}
	if k.Errors > 0 {
		v.out.line(by, " would not start: ", count(k.Errors, "error"), ", ", count(k.Warnings, "warning"), ".")
	} else {
		v.out.line(by, " would start: ", count(k.Warnings, "warning"), ".")
	}
}
