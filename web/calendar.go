package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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
}

// Calendar writes entries as an iCalendar file (RFC 5545), by start. It has no
// token in it. stamp is when it was made; a calendar that has changed in nothing
// else is the same calendar.
func Calendar(name string, entries []Entry, stamp time.Time) []byte {
	var c calendar
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.line("PRODID:-//resctl//resctl//EN")
	c.line("CALSCALE:GREGORIAN")
	c.line("METHOD:PUBLISH")
	c.text("NAME", name)
	c.text("X-WR-CALNAME", name)
	c.line("REFRESH-INTERVAL;VALUE=DURATION:PT15M")
	c.line("X-PUBLISHED-TTL:PT15M")
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.Window.Start.Compare(b.Window.Start) })
	for i := range entries {
		c.entry(&entries[i], stamp)
	}
	c.line("END:VCALENDAR")
	return c.out.Bytes()
}

type calendar struct{ out bytes.Buffer }

func (c *calendar) entry(e *Entry, stamp time.Time) {
	c.line("BEGIN:VEVENT")
	c.line("UID:" + uid(e))
	c.line("DTSTAMP:" + utc(stamp))
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
