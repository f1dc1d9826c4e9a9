package sim

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every field of Quirks has one name, and the name sets that field.
func TestQuirkNames(t *testing.T) {
	var all Quirks
	var texts []string
	for _, k := range QuirkNames() {
		text := k.Name
		if k.Values != nil {
			text += "=" + strings.Replace(k.Values[0], aDuration, "-1m30s", 1)
		}
		var one Quirks
		for _, q := range []*Quirks{&one, &all} {
			if err := q.Set(text); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
		if got := one.List(); !slices.Equal(got, []string{text}) {
			t.Errorf("%s: lists %v", text, got)
		}
		if k.Meaning == "" {
			t.Errorf("%s means nothing", k.Name)
		}
		texts = append(texts, text)
	}
	if got := all.List(); !slices.Equal(got, texts) {
		t.Errorf("all: %v", got)
	}
	v := reflect.ValueOf(all)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s has no name", v.Type().Field(i).Name)
		}
	}
}

func TestQuirksThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"nonsense":       "quirk nonsense: there is none of that name",
		"no_update=yes":  "quirk no_update=yes: want no_update",
		"same_id":        "quirk same_id: want same_id=occupied|rejected|accept-without-effect",
		"same_id=never":  "quirk same_id=never: want same_id=occupied|rejected|accept-without-effect",
		"expiry_delay=x": "quirk expiry_delay=x: want expiry_delay=DURATION",
	} {
		if err := new(Quirks).Set(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
