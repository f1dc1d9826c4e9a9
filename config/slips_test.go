package config

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSlips: what the schema of the JSON syntax refuses is wrong, and what it
// takes is right: an editor that uses it says what resctl says.
func TestSlips(t *testing.T) {
	const good = `{"station": {"s": {"id": "S-1", "evse": {"1": {"connector_types": ["cCCS2"]}}}},
		"reservation": {"van": {"station": "${station.s}", "evse_id": 1, "id_token": {"id_token": "A", "type": "Central"}, "hold_for": "8h",
		"lifecycle": {"on_used": "done"}}}}`
	const hold, schedule = `"hold_for": "8h"`, `"schedule": {"time_zone": "Europe/Amsterdam", "days": ["MO"], "start_time": "22:00", "end_time": "06:00"}`
	schema := compiledLanguage(t)
	for _, c := range []struct {
		what, old, new string
		right          bool
	}{
		{"nothing changed", ``, ``, true},
		{"a number as a template", `"evse_id": 1`, `"evse_id": "${1 + 0}"`, true},
		{"a number as text", `"evse_id": 1`, `"evse_id": "1"`, true},
		{"null for what is optional", `"evse_id": 1`, `"evse_id": null`, true},
		{"a token as a template", `{"id_token": "A", "type": "Central"}`, `"${{ id_token = \"A\", type = \"Central\" }}"`, true},
		{"a list of blocks", `"lifecycle": {"on_used": "done"}`, `"lifecycle": [{"on_used": "done"}]`, true},
		{"a list of labelled blocks", `"evse": {"1": {"connector_types": ["cCCS2"]}}`, `"evse": [{"1": {}}, {"2": {}}]`, true},
		{"the other choice", `"done"`, `"hold_again"`, true},
		{"a choice as a template", `"done"`, `"${\"hold_again\"}"`, true},
		{"days", `"8h"`, `"1d12h"`, true},
		{"a comment", `"evse_id": 1`, `"//": "why", "evse_id": 1`, true},
		{"a list as a template", `["cCCS2"]`, `"${[\"cCCS2\"]}"`, true},
		{"a boolean as text", `"on_used": "done"`, `"prevent_cancel": "true"`, true},
		{"for_each over an object", `"evse_id": 1`, `"for_each": {"a": 1}, "evse_id": "${each.value}"`, true},
		{"locals of any name", `{"station": {"s"`, `{"locals": {"x": {"y": [1, null]}}, "station": {"s"`, true},
		{"a schedule", hold, schedule, true},
		{"a schedule by a rule, from templates", hold, strings.NewReplacer(`"days": ["MO"]`, `"rrule": "FREQ=DAILY", "start_date": "${\"2026-11-01\"}", "except_dates": ["2026-11-02", "${\"2026-11-03\"}"]`).Replace(schedule), true},
		{"seconds", hold, strings.Replace(schedule, "22:00", "22:00:30", 1), true},

		{"no day", hold, strings.Replace(schedule, "MO", "MON", 1), false},
		{"no time of day", hold, strings.Replace(schedule, "22:00", "24:00", 1), false},
		{"no end_time", hold, strings.Replace(schedule, `, "end_time": "06:00"`, "", 1), false},
		{"no date", hold, strings.Replace(schedule, `"days"`, `"start_date": "2026-02-30", "days"`, 1), false},
		{"a day for days", hold, strings.Replace(schedule, `["MO"]`, `"MO"`, 1), false},
		{"a misspelt argument", `"evse_id"`, `"evse"`, false},
		{"a misspelt argument in a nested block", `"on_used"`, `"on_use"`, false},
		{"a misspelt block", `"reservation":`, `"reservations":`, false},
		{"a misspelt nested block", `"lifecycle"`, `"life_cycle"`, false},
		{"a block in another", `"hold_for": "8h"`, `"hold_for": "8h", "station": {"x": {}}`, false},
		{"a nested block outside", `{"station": {"s"`, `{"lifecycle": {}, "station": {"s"`, false},
		{"a missing label", `"evse": {"1": {"connector_types": ["cCCS2"]}}`, `"evse": {"connector_types": ["cCCS2"]}`, false},
		{"a label too many", `"lifecycle": {"on_used": "done"}`, `"lifecycle": {"x": {"on_used": "done"}}`, false},
		{"a missing argument", `"station": "${station.s}", `, ``, false},
		{"a block for an argument", `"evse_id": 1`, `"evse_id": {"id": 1}`, false},
		{"an argument for a block", `"lifecycle": {"on_used": "done"}`, `"lifecycle": "done"`, false},
		{"null for what is required", `{"id_token": "A", "type": "Central"}`, `null`, false},
		{"no such choice", `"done"`, `"hold"`, false},
		{"no duration", `"8h"`, `"8 hours"`, false},
		{"a fraction of an EVSE", `"evse_id": 1`, `"evse_id": 1.5`, false},
		{"a token as text", `{"id_token": "A", "type": "Central"}`, `"A"`, false},
		{"a token with a misspelt key", `"type": "Central"`, `"typ": "Central"`, false},
		{"a word for a list", `["cCCS2"]`, `"cCCS2"`, false},
		{"a number for a boolean", `"on_used": "done"`, `"prevent_cancel": 1`, false},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.what, err, text)
		}
		if err := schema.Validate(v); (err == nil) != c.right {
			t.Errorf("%s: the schema says %v", c.what, err)
		}
		if _, ds := Load(Options{Dir: write(t, map[string]string{"main.hcl.json": text}), Version: "0.3.1"}); ds.HasErrors() == c.right {
			t.Errorf("%s: resctl says %v", c.what, ds.All())
		}
	}
}
