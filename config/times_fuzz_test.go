package config

import (
	"encoding/json"
	"testing"
	"time"
)

// FuzzTimes: whatever is written as the times of a window is refused, or is one
// that begins before it ends, can be written as JSON, and is in whole seconds.
func FuzzTimes(f *testing.F) {
	f.Add("2026-11-22T22:00:00+01:00", "2026-11-23T06:00:00+01:00")
	f.Add("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z")
	f.Add("0000-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z")
	f.Add("2026-11-22T22:00:00.999999999Z", "2026-11-22T22:00:01Z")
	f.Add("2026-02-29T00:00:00Z", "2026-06-30T23:59:60Z")
	f.Fuzz(func(t *testing.T, start, expiry string) {
		content, err := json.Marshal(map[string]any{"reservation": map[string]any{"a": map[string]any{
			"station": "S", "id_token": map[string]string{"id_token": "A", "type": "Central"},
			"window": map[string]string{"start_date_time": start, "expiry_date_time": expiry},
		}}})
		if err != nil {
			t.Skip()
		}
		cfg, diags := Load(Options{Dir: write(t, map[string]string{"main.hcl.json": string(content)})})
		if diags.HasErrors() {
			return
		}
		w := cfg.Reservations[0].When
		if !w.Start.Before(w.Expiry) || w.Start.Truncate(time.Second) != w.Start || w.Expiry.Truncate(time.Second) != w.Expiry {
			t.Errorf("%q to %q is %v", start, expiry, w)
		}
		if _, err := json.Marshal(w); err != nil {
			t.Errorf("%q to %q: %v", start, expiry, err)
		}
	})
}
