package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/resctl/resctl/reservation"
)

// Entry is one window in a calendar.
type Entry struct {
	Workspace, Address string
	StationID          string
	Target             reservation.Target
	Window             reservation.Window
	Phase              reservation.Phase
	Changed            time.Time // when it became what is shown of it
}

// What a calendar has: programs that read it look again several times a day.
const (
	calendarPast  = 7 * day
	calendarAhead = 14 * day
	day           = 24 * time.Hour
)

// Span is the time of which a calendar made at now has the windows: whole days
// of UTC, so that one that is asked for often changes with them alone.
func Span(now time.Time) reservation.Window {
	today := now.UTC().Truncate(day)
	return reservation.Window{Start: today.Add(-calendarPast), Expiry: today.Add(calendarAhead + day)}
}

// Calendar writes entries as an iCalendar file (RFC 5545, RFC 7986), by start.
// It has no token in it, and nothing of when it was made: of the same entries it
// is the same to the byte.
func Calendar(name string, entries []Entry) []byte {
	var c calendar
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.line("PRODID:-//resctl//resctl//EN")
	c.line("CALSCALE:GREGORIAN")
	// Without a METHOD, DTSTAMP is when an entry changed last (section 3.8.7.2).
	c.text("NAME", name)
	c.text("X-WR-CALNAME", name)
	c.line("REFRESH-INTERVAL;VALUE=DURATION:PT15M")
	c.line("X-PUBLISHED-TTL:PT15M")
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.Window.Start.Compare(b.Window.Start), cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Address, b.Address))
	})
	for i := range entries {
		c.entry(&entries[i])
	}
	c.line("END:VCALENDAR")
	return c.out.Bytes()
}

type calendar struct{ out bytes.Buffer }

func (c *calendar) entry(e *Entry) {
	c.line("BEGIN:VEVENT")
	c.line("UID:" + uid(e))
	c.line("DTSTAMP:" + utc(e.Changed))
	c.line("LAST-MODIFIED:" + utc(e.Changed))
	c.line("SEQUENCE:" + strconv.FormatInt(sequence(e), 10))
	c.line("DTSTART:" + utc(e.Window.Start))
	c.line("DTEND:" + utc(e.Window.Expiry))
	where := e.StationID + " " + placeText(e.Target)
	c.text("SUMMARY", strings.TrimPrefix(e.Address, "reservation.")+", "+where+": "+string(e.Phase))
	c.text("LOCATION", where)
	c.text("DESCRIPTION", e.Address+" of workspace "+e.Workspace+"\nresctl why "+e.Address+" says more.")
	c.text("CATEGORIES", string(e.Phase))
	c.line("STATUS:" + status(e.Phase))
	c.line("TRANSP:TRANSPARENT") // it is the charger that is busy, not who looks at this
	c.line("END:VEVENT")
}

// uid names an occurrence as the product does: by workspace, address and start.
func uid(e *Entry) string {
	sum := sha256.Sum256([]byte(e.Workspace + "\x00" + e.Address + "\x00" + utc(e.Window.Start)))
	return hex.EncodeToString(sum[:16]) + "@resctl"
}

// sequence grows with every change (section 3.8.7.4). The state counts none, so it
// is the time from when the window first came into a calendar to the last change:
// 0 for what is as it was then. In hundredths of a second it fits 32 bits.
func sequence(e *Entry) int64 {
	since := e.Changed.Sub(e.Window.Start.UTC().Truncate(day).Add(-calendarAhead))
	return min(max(int64(since/(10*time.Millisecond)), 0), math.MaxInt32)
}

func placeText(t reservation.Target) string {
	switch {
	case t.EVSE != 0:
		return "EVSE " + strconv.Itoa(t.EVSE)
	case t.ConnectorType != "":
		return "any EVSE with " + t.ConnectorType
	}
	return "any EVSE"
}

// status is one of the three that an event may have.
func status(p reservation.Phase) string {
	switch p {
	case reservation.Held, reservation.Fulfilled, reservation.NoShow, reservation.Ended:
		return "CONFIRMED"
	case reservation.Canceled, reservation.Missed, reservation.Dropped:
		return "CANCELLED"
	}
	return "TENTATIVE"
}

func utc(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// escapes are of RFC 5545, section 3.3.11. Other control characters may not be
// in a text at all.
var escapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`)

func (c *calendar) text(name, value string) {
	value = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(value, "�"))
	c.line(name + ":" + escapes.Replace(value))
}

// line folds what is longer than 75 octets (section 3.1), and never within a
// character.
func (c *calendar) line(s string) {
	for room := 75; len(s) > room; room = 74 { // what follows begins with a space
		at := room
		for !utf8.RuneStart(s[at]) {
			at--
		}
		c.out.WriteString(s[:at] + "\r\n ")
		s = s[at:]
	}
	c.out.WriteString(s + "\r\n")
}
