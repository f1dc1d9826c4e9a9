package lang

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"8h": 8 * time.Hour, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0,
		"65535d2562047h": -1, "d": -1, "-1d": -1, "1d-1h": -1, "1.5d": -1, "1d1d": -1, "": -1, "10 minutes": -1,
	} {
		got, err := ParseDuration(text)
		if err == nil != (want >= 0) || err == nil && got != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}

// FuzzDuration: what can be read is as long as it says, and days are never
// negative.
func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"8h", "1d12h", "65535d2562047h", "-1h", "1d-1h", "9223372036s", "٣d", "1dd", "0x1d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if plain, err := time.ParseDuration(text); err == nil && plain != d {
			t.Errorf("%q is %s, and %s by itself", text, d, plain)
		} else if err != nil && d < 0 {
			t.Errorf("%q is %s", text, d)
		}
	})
}
