package web_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/web"
)

func night() web.Entry {
	start := time.Date(2026, 11, 22, 22, 0, 0, 0, time.FixedZone("CET", 3600))
	return web.Entry{Workspace: "depot-a", Address: `reservation.van["12"]`, StationID: "DEPOT-A-01", Target: reservation.Target{EVSE: 1},
		Window: reservation.Window{Start: start, Expiry: start.Add(8 * time.Hour)}, Phase: reservation.Held, Changed: start.Add(-time.Hour + 750*time.Millisecond)}
}

// TestCalendar is what a calendar program is given, to the letter.
func TestCalendar(t *testing.T) {
	got := string(web.Calendar("depot-a", []web.Entry{night()}))
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//resctl//resctl//EN
CALSCALE:GREGORIAN
NAME:depot-a
X-WR-CALNAME:depot-a
REFRESH-INTERVAL;VALUE=DURATION:PT15M
X-PUBLISHED-TTL:PT15M
BEGIN:VEVENT
UID:6ecaa896f1e77c180ebcc4b56491c8c1@resctl
DTSTAMP:20261122T200000Z
LAST-MODIFIED:20261122T200000Z
SEQUENCE:128160075
DTSTART:20261122T210000Z
DTEND:20261123T050000Z
SUMMARY:van["12"]\, DEPOT-A-01 EVSE 1: reserved
LOCATION:DEPOT-A-01 EVSE 1
DESCRIPTION:reservation.van["12"] of workspace depot-a\nresctl why reservat
 ion.van["12"] says more.
CATEGORIES:reserved
STATUS:CONFIRMED
TRANSP:TRANSPARENT
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAnEntryKeepsItsUID: a calendar updates what it has, whatever became of it.
func TestAnEntryKeepsItsUID(t *testing.T) {
	uid := func(e web.Entry) string {
		c := parse(t, web.Calendar("c", []web.Entry{e}))
		return c["UID"][0]
	}
	first := night()
	same := first
	same.Phase, same.Window.Expiry, same.Target.EVSE, same.Window.Start = reservation.Fulfilled, first.Window.Expiry.Add(time.Hour), 2, first.Window.Start.UTC()
	next := first
	next.Window.Start = first.Window.Start.AddDate(0, 0, 1)
	other := first
	other.Workspace = "depot-b"
	if uid(first) != uid(same) || uid(first) == uid(next) || uid(first) == uid(other) {
		t.Error(uid(first), uid(same), uid(next), uid(other))
	}
}

// TestSequence: it begins at 0, and grows with every change.
func TestSequence(t *testing.T) {
	sequence := func(changed time.Time) int {
		e := night()
		e.Changed = changed
		n, err := strconv.ParseInt(parse(t, web.Calendar("c", []web.Entry{e}))["SEQUENCE"][0], 10, 32)
		if err != nil {
			t.Error(err)
		}
		return int(n)
	}
	start := night().Window.Start
	first := start // when a calendar has it for the first time
	for web.Span(first).Overlaps(night().Window) {
		first = first.Add(-time.Hour)
	}
	last := -1
	for i, at := range []time.Time{first, first.Add(2 * time.Hour), start, start.Add(20 * time.Millisecond), start.Add(time.Second), start.AddDate(0, 6, 0)} {
		n := sequence(at)
		if n <= last {
			t.Errorf("changed at %s: %d after %d", at, n, last)
		}
		if i == 0 && n != 0 {
			t.Errorf("new, it has %d", n)
		}
		last = n
	}
	sequence(start.AddDate(10, 0, 0)) // fits
}

// TestSameCalendar: it tells nothing of when it was asked for, nor of the order
// in which its entries were found.
func TestSameCalendar(t *testing.T) {
	a, b := night(), night()
	b.Address = "reservation.other"
	if one, two := web.Calendar("c", []web.Entry{a, b}), web.Calendar("c", []web.Entry{b, a}); !bytes.Equal(one, two) {
		t.Errorf("%s\n%s", one, two)
	}
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	if web.Span(noon) != web.Span(noon.Add(11*time.Hour)) || web.Span(noon) == web.Span(noon.Add(13*time.Hour)) {
		t.Error(web.Span(noon))
	}
}

// TestAnyCalendarIsOne: whatever a name holds, lines are short, end as they
// must, and read back to what was written.
func TestAnyCalendarIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := night()
		e.StationID = rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune(`a,;:\"'é漢🚐`+"\r\n\t\x00\x1b")), rapid.Rune())).Draw(t, "station")
		e.Address = `reservation.van["` + rapid.StringN(0, 90, -1).Draw(t, "key") + `"]`
		c := parse(t, web.Calendar(e.StationID, []web.Entry{e, e}))
		clean := func(s string) string {
			s = strings.Map(func(r rune) rune {
				if r < ' ' && r != '\n' || r == 0x7f {
					return -1
				}
				return r
			}, s)
			return s
		}
		if got, want := c["LOCATION"][0], clean(e.StationID+" EVSE 1"); got != want {
			t.Fatalf("read %q, wrote %q", got, want)
		}
		if got, want := c["DESCRIPTION"][1], clean(e.Address); !strings.HasPrefix(got, want) {
			t.Fatalf("read %q, wrote %q", got, want)
		}
	})
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// parse reads a calendar by the letter of RFC 5545: values by property, in order.
func parse(t failer, b []byte) map[string][]string {
	t.Helper()
	text, depth := string(b), []string{}
	if !strings.HasSuffix(text, "\r\n") || !utf8.Valid(b) {
		t.Fatalf("it does not end as it must, or is no UTF-8: %q", text)
	}
	raw := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	var lines []string
	for _, l := range raw {
		if len(l) > 75 || strings.ContainsAny(l, "\r\n") || !utf8.ValidString(l) {
			t.Fatalf("%q is no line", l)
		}
		if more, ok := strings.CutPrefix(l, " "); ok {
			lines[len(lines)-1] += more
			continue
		}
		lines = append(lines, l)
	}
	all := map[string][]string{}
	for _, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if !ok || name == "" {
			t.Fatalf("%q has no name and value", l)
		}
		name, _, _ = strings.Cut(name, ";")
		switch name {
		case "BEGIN":
			depth = append(depth, value)
		case "END":
			if len(depth) == 0 || depth[len(depth)-1] != value {
				t.Fatalf("%s ends in %v", value, depth)
			}
			depth = depth[:len(depth)-1]
		}
		all[name] = append(all[name], unescape(t, value))
	}
	if len(depth) > 0 {
		t.Fatalf("open: %v", depth)
	}
	return all
}

func unescape(t failer, s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) || !strings.ContainsRune(`\;,nN`, rune(s[i])) {
			t.Fatalf("%q is escaped wrongly", s)
		}
		fmt.Fprint(&out, strings.NewReplacer("n", "\n", "N", "\n").Replace(s[i:i+1]))
	}
	return out.String()
}
