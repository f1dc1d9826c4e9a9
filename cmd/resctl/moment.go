package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// moment reads a time as people write it: RFC 3339, a date, a date and time, a
// time of today, or a duration, which is counted from now: back for sign -1, unless
// it begins with a plus.
func (c clock) moment(text string, sign int) (time.Time, error) {
	if ahead, ok := strings.CutPrefix(text, "+"); ok {
		text, sign = ahead, 1
	}
	if d, err := length(text); err == nil {
		return c.now.Add(time.Duration(sign) * d), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, c.zone); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse("15:04", text); err == nil {
		y, m, d := c.now.In(c.zone).Date()
		return time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, c.zone), nil
	}
	return time.Time{}, problemf(codeUsage, "Not a time: "+strconv.Quote(text),
		"Write a time, such as 2026-11-22T18:00:00Z, 2026-11-22, 18:00, or a duration, such as 90m, 12h, 2d.")
}

var inDays = regexp.MustCompile(`^(\d+)d`)

// spans are a flag that takes a duration, in days as well.
type spans struct{ d *time.Duration }

// spanVar is a flag for a duration that is not negative.
func spanVar(f *pflag.FlagSet, d *time.Duration, name string, value time.Duration, usage string) {
	*d = value
	f.Var(spans{d}, name, usage)
}

// Set reads it.
func (s spans) Set(text string) error {
	d, err := length(text)
	switch {
	case err != nil:
		return errors.New("write a duration like 90m, 12h or 2d")
	case d < 0:
		return errors.New("it cannot be negative")
	}
	*s.d = d
	return nil
}

// Type is how pflag calls it.
func (spans) Type() string { return "duration" }

// String is how it is typed: "5m" and not "5m0s", and "14d".
func (s spans) String() string {
	const day = 24 * time.Hour
	if *s.d >= 2*day && *s.d%day == 0 {
		return strconv.Itoa(int(*s.d/day)) + "d"
	}
	text := s.d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, nothing) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// length is a duration as Go reads it, and in days.
func length(text string) (time.Duration, error) {
	days := time.Duration(0)
	if m := inDays.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n > 3650 {
			return 0, strconv.ErrRange
		}
		days, text = time.Duration(n)*24*time.Hour, strings.TrimPrefix(text, m[0])
		if text == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(text)
	return days + d, err
}
