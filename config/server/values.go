package server

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/config/lang"
)

// What settings may be: the flags have the same bounds.
const (
	MinRetention          = 24 * time.Hour
	MaxRetention          = 3650 * 24 * time.Hour
	MinHorizon            = time.Second
	MaxHorizon            = 3650 * 24 * time.Hour
	MaxQuietPeriod        = time.Hour
	MinMoveTimeout        = time.Second
	MaxMoveTimeout        = 30 * 24 * time.Hour
	MinInterval           = 10 * time.Millisecond
	MaxInterval           = 24 * time.Hour
	MaxGrace              = 24 * time.Hour
	MaxFirstReservationID = 1 << 30 // above it too few are left
	minSecret             = 16      // characters
)

// where is the place of a value.
func (b *block) where(name string) *hcl.Range {
	if a := b.attrs[name]; a != nil {
		return a.Expr.Range().Ptr()
	}
	return b.at
}

// value evaluates a setting, of which there is nothing to refer to.
func (b *block) value(name string) (cty.Value, bool) {
	a := b.attrs[name]
	if a == nil {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(nil)
	if b.r.adopt(diags, codeSyntax) {
		return cty.NilVal, false
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() || !v.IsWhollyKnown() {
		b.wrong(name, "it is null; leave the setting out, and its default holds")
		return cty.NilVal, false
	}
	return v, true
}

// wrong says what a value should be.
func (b *block) wrong(name, what string, args ...any) {
	b.r.err(codeValue, b.where(name), "Invalid value for "+name, capital(fmt.Sprintf(what, args...))+".")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// text reads a string that is not empty.
func (b *block) text(name string) string {
	v, ok := b.value(name)
	switch {
	case !ok:
	case v.Type() != cty.String:
		b.wrong(name, "it is a string, not %s", diag.Article(v.Type()))
	case v.AsString() == "":
		b.wrong(name, "it is empty; leave the setting out, and its default holds")
	default:
		return v.AsString()
	}
	return ""
}

// texts reads a string, or a list of them, of which none is empty.
func (b *block) texts(name string) (list []string) {
	v, ok := b.value(name)
	if !ok {
		return nil
	}
	if v.Type() == cty.String {
		v = cty.TupleVal([]cty.Value{v})
	}
	if !v.Type().IsTupleType() || v.LengthInt() == 0 {
		b.wrong(name, "it is a string, or a list of them")
		return nil
	}
	for _, e := range v.AsValueSlice() {
		if e.IsNull() || e.Type() != cty.String || e.AsString() == "" {
			b.wrong(name, "each of the list is a string, and none is empty")
			return nil
		}
		list = append(list, e.AsString())
	}
	return list
}

func (b *block) flag(name string) bool {
	v, ok := b.value(name)
	if ok && v.Type() != cty.Bool {
		b.wrong(name, "it is true or false")
		return false
	}
	return ok && v.True()
}

// whole reads a whole number within bounds; nil: there is none.
func (b *block) whole(name string, least, most int) *int {
	v, ok := b.value(name)
	if !ok {
		return nil
	}
	if v.Type() == cty.Number {
		if n, exact := v.AsBigFloat().Int64(); exact == 0 && n >= int64(least) && n <= int64(most) {
			i := int(n)
			return &i
		}
	}
	b.wrong(name, "it is a whole number from %d to %d", least, most)
	return nil
}

// duration reads one within bounds; nil: there is none.
func (b *block) duration(name string, least, most time.Duration) *time.Duration {
	if b.attrs[name] == nil {
		return nil
	}
	text := b.text(name)
	if text == "" {
		return nil
	}
	d, err := lang.ParseDuration(text)
	switch {
	case err != nil:
		b.wrong(name, "a duration is written like \"90m\", \"12h\" or \"2d\"")
	case d < least || d > most:
		b.wrong(name, "it is a duration from %s to %s", words(least), words(most))
	default:
		return &d
	}
	return nil
}

// words is a duration as it is typed.
func words(d time.Duration) string {
	if d >= 48*time.Hour {
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
	text := d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, nothing) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func (b *block) choice(name string, known ...string) string {
	text := b.text(name)
	for _, k := range known {
		if text == k {
			return k
		}
	}
	if text != "" {
		b.r.err(codeChoice, b.where(name), "Unknown value for "+name, "It is one of "+strings.Join(known, ", ")+".")
	}
	return ""
}

// address reads host:port with a port in digits. An empty host is every address.
func (b *block) address(name string) string {
	text := b.text(name)
	if text == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(text)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || n == 0 || strings.ContainsAny(host, " /\t") {
		b.wrong(name, "an address is host and port, such as \"127.0.0.1:8887\", with a port from 1 to 65535")
		return ""
	}
	return text
}

// path reads one that begins in the directory of the file.
func (b *block) path(name string) string {
	text := b.text(name)
	switch {
	case text == "":
		return ""
	case strings.ContainsRune(text, 0):
		b.wrong(name, "the path holds a NUL character")
		return ""
	}
	return b.r.beside(text)
}

func (b *block) paths(name string) (list []string) {
	for _, text := range b.texts(name) {
		if strings.ContainsRune(text, 0) {
			b.wrong(name, "the path holds a NUL character")
			return nil
		}
		list = append(list, b.r.beside(text))
	}
	return list
}

func (b *block) names(name string) (list []string) {
	for _, text := range b.texts(name) {
		if !nameable(text) {
			b.wrong(name, "the name of a workspace has letters, digits, \"-\", \"_\" and \".\"; leave the list out for all workspaces")
			return nil
		}
		list = append(list, text)
	}
	return list
}

var hexHash = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)

func (b *block) hash(name string) string {
	text := b.text(name)
	if text != "" && !hexHash.MatchString(text) {
		b.wrong(name, "it is the SHA-256 of the token, 64 hexadecimal digits: printf %%s \"$TOKEN\" | sha256sum")
		return ""
	}
	return strings.ToLower(text)
}

func (b *block) url(name string) string {
	text := b.text(name)
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Fragment != "" {
		b.wrong(name, "it is an http or https address, such as \"https://hooks.example/resctl\"")
		return ""
	}
	if u.User != nil {
		b.wrong(name, "user and password do not belong into it: they would show in logs")
		return ""
	}
	return text
}

// secret reads one that stands in the file. Whatever it is, it is shown nowhere.
func (b *block) secret(name string) string {
	if b.attrs[name] == nil {
		return ""
	}
	text := b.text(name)
	if text != "" && len(text) >= 4 {
		b.r.secrets = append(b.r.secrets, text)
	}
	if text != "" && len([]rune(text)) < minSecret {
		b.r.err(codeSecret, b.where(name), "Secret too short", fmt.Sprintf("A secret has %d characters at least, random ones.", minSecret))
		return ""
	}
	return text
}

// secretFile reads a secret from a file.
func (r *reader) secretFile(path string, at *hcl.Range) string {
	text, err := ReadSecret(path)
	if err != nil {
		r.err(codeSecret, at, "Secret cannot be used", fmt.Sprintf("The file %q: %s.", path, err))
		return ""
	}
	r.secrets = append(r.secrets, text)
	return text
}

// ReadSecret reads a secret as secret_file names it: 16 characters or more of a
// file that others cannot read, without the newlines at its end. No error shows it.
func ReadSecret(path string) (string, error) {
	no := func(why string) (string, error) { return "", errors.New(why) }
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return no(lang.Reason(err))
	case !info.Mode().IsRegular():
		return no(lang.ErrNotRegular.Error())
	case info.Mode().Perm()&0o004 != 0 && os.PathSeparator == '/':
		return no("everybody on this machine can read it; chmod 600 it")
	}
	b, err := read(path, 64<<10)
	if err != nil {
		return no(lang.Reason(err))
	}
	text := strings.TrimRight(string(b), "\r\n")
	if lang.BadText(b) >= 0 || len([]rune(text)) < minSecret {
		return no(fmt.Sprintf("a secret has %d characters at least, random ones", minSecret))
	}
	return text, nil
}
