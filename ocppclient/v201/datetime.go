package v201

import (
	"encoding/json"
	"strings"
	"time"
)

// layout is how times are written: RFC 3339 in UTC, "Z", no fraction. Some
// stations read neither offsets nor fractions.
const layout = "2006-01-02T15:04:05Z"

// layouts are the forms in which stations have been seen to write times. Go
// reads a fraction of any length after the seconds of each.
var layouts = [...]string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05",
}

// DateTime is a moment as OCPP writes it. Reading one never fails, for a
// report is worth more than its time: what cannot be understood is the zero
// time, and Validate tells it from one that was left out.
type DateTime struct {
	time.Time
	malformed bool
}

// At is t as it will be on the wire: UTC, whole seconds.
func At(t time.Time) DateTime { return DateTime{Time: t.UTC().Truncate(time.Second)} }

// MarshalJSON writes UTC with "Z" and without a fraction.
func (d DateTime) MarshalJSON() ([]byte, error) {
	return []byte(d.UTC().Format(`"` + layout + `"`)), nil
}

// UnmarshalJSON reads RFC 3339, and what stations send in its place: no zone
// (taken as UTC), "+02", "+0200", a blank for the T. It never fails.
func (d *DateTime) UnmarshalJSON(b []byte) error {
	*d = DateTime{}
	if string(b) == "null" {
		return nil
	}
	var text string
	d.malformed = true
	if json.Unmarshal(b, &text) != nil {
		return nil
	}
	text = strings.ToUpper(strings.TrimSpace(text))
	for _, l := range layouts {
		if t, err := time.Parse(l, text); err == nil {
			d.set(t.UTC())
			break
		}
	}
	return nil
}

// set keeps a time that JSON can carry further.
func (d *DateTime) set(t time.Time) {
	if t.Year() >= 1 && t.Year() <= 9999 {
		*d = DateTime{Time: t}
	}
}
