package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/config/lang"
)

// What OCPP allows. Tables, so that a further version is a line.

// maxToken is the most characters of an id token by version; "" is their union.
var maxToken = map[string]int{"1.6": 20, "2.0.1": 36, "2.1": 255, "": 255}

var ocppVersions = []string{"1.6", "2.0.1", "2.1"}

const noAuthorization = "NoAuthorization"

// tokenTypes are the eight of 2.0.1 and, after them, those that 2.1 added.
var (
	tokenTypes   = []string{"Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", noAuthorization}
	tokenTypes21 = []string{"DirectPayment", "EVCCID", "VIN"}
)

// connectorTypes are the 22 of 2.0.1 and those that 2.1 added.
var (
	connectorTypes = []string{"cCCS1", "cCCS2", "cG105", "cTesla", "cType1", "cType2",
		"s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7", "sType2", "sType3",
		"Other1PhMax16A", "Other1PhOver16A", "Other3Ph", "Pan", "wInductive", "wResonant", "Undetermined", "Unknown"}
	connectorTypes21 = []string{"cChaoJi", "cGBT-DC", "cLECCS", "cMCS", "cNACS", "cNACS-CCS1", "cCCS1-NACS", "cUltraChaoJi", "sType1"}
)

const maxIdentity = 48

// CheckIdentity says what is wrong with an OCPP identity, or "". OCPP's
// identifierString also has ":", which would break basic authentication.
func CheckIdentity(id string) string {
	switch {
	case id == "":
		return "it is empty"
	case len(id) > maxIdentity:
		return fmt.Sprintf("it has %d characters; at most %d are allowed", utf8.RuneCountInString(id), maxIdentity)
	}
	for _, r := range id {
		if !identifierRune(r) || r == ':' {
			return fmt.Sprintf("it holds %q; letters, digits and * - _ = + | @ . are allowed", r)
		}
	}
	return ""
}

func identifierRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("*-_=:+|@.", r)
}

// connector reads a connector type.
func (s *scope) connector(value, name, version string, expr hcl.Expression) bool {
	known := slices.Concat(connectorTypes, connectorTypes21)
	if !slices.Contains(known, value) {
		s.wrong(codeTarget, "Unknown connector type",
			fmt.Sprintf("%s is %q, which is not one of OCPP's connector types.%s They are %s.", name, value, didYouMean(value, known), strings.Join(known, ", ")), expr)
		return false
	}
	if version == "2.0.1" && slices.Contains(connectorTypes21, value) {
		s.wrong(codeTarget, "Unknown connector type", fmt.Sprintf("%s is %q, which OCPP 2.0.1 does not have; it came with 2.1.", name, value), expr)
		return false
	}
	return true
}

// ParseDuration reads a duration as Go writes it, and days before it: "8h",
// "1h30m", "2d", "1d12h". A day is 24 hours.
func ParseDuration(text string) (time.Duration, error) { return lang.ParseDuration(text) }

// endOfTime is where stations that count seconds in 32 bits wrap around.
var endOfTime = time.Date(2038, 1, 19, 0, 0, 0, 0, time.UTC)

// instant reads an RFC 3339 time with a zone, in whole seconds, to UTC.
func (s *scope) instant(a *hcl.Attribute) (time.Time, bool) {
	text, ok := s.text(a)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		s.wrong(codeTimestamp, "Invalid time", fmt.Sprintf(`%s must be a date and time with a zone, such as "2026-11-22T22:00:00+01:00" or "2026-11-22T21:00:00Z".`, a.Name), a.Expr)
	case t.Nanosecond() != 0:
		s.wrong(codeTimestamp, "Invalid time", fmt.Sprintf("%s must be in whole seconds: some stations read no fractions.", a.Name), a.Expr)
	case !t.Before(endOfTime):
		s.wrong(codeTimestamp, "Invalid time", fmt.Sprintf("%s must lie before 19 January 2038, where the clocks of some stations end.", a.Name), a.Expr)
	case t.Year() < 2000:
		s.wrong(codeTimestamp, "Invalid time", fmt.Sprintf("%s lies before the year 2000.", a.Name), a.Expr)
	default:
		return t.UTC(), true
	}
	return time.Time{}, false
}

// resembling gives the declared station that an undeclared identity probably
// means, or "". Stations are numbered, and identities of other workspaces are
// welcome, so a different number or a different single letter is no typo; other
// case or separators, and a slip within a word, are.
func (l *loader) resembling(id string) string {
	if found, ok := l.typos[id]; ok {
		return found
	}
	if l.resembles == nil {
		l.resembles, l.typos = map[string][]string{}, map[string]string{}
		for _, known := range names(l.byID) {
			key := numbersOf(known)
			l.resembles[key] = append(l.resembles[key], known)
		}
	}
	found := ""
	for _, known := range l.resembles[numbersOf(id)] {
		if slip(wordsOf(id), wordsOf(known)) {
			found = known
			break
		}
	}
	l.typos[id] = found
	return found
}

func runs(s string, want func(rune) bool) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !want(r) })
}

// numbersOf gives the numbers in an identity without leading zeros: "1.42".
func numbersOf(id string) string {
	out := runs(id, func(r rune) bool { return r >= '0' && r <= '9' })
	for i := range out {
		out[i] = strings.TrimLeft(out[i], "0")
	}
	return strings.Join(out, ".")
}

func wordsOf(id string) []string {
	return runs(strings.ToLower(id), func(r rune) bool { return r >= 'a' && r <= 'z' })
}

// slip reports whether two lists of words are the same but for one word of at
// least four letters that is nearly the same.
func slip(a, b []string) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	differ := 0
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		differ++
		if len(b[i]) < 4 || closest(a[i], []string{b[i]}) == "" {
			return false
		}
	}
	return differ <= 1
}
