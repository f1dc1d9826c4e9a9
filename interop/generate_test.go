package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// generator makes payloads that a schema accepts.
type generator struct {
	root map[string]any
	r    *rand.Rand
}

// of makes one payload for a message.
func (c *contracts) of(t *testing.T, id string, r *rand.Rand) map[string]any {
	t.Helper()
	g := &generator{c.written[id], r}
	v, ok := g.value(g.root).(map[string]any)
	if !ok {
		t.Fatalf("%s is no object", id)
	}
	if err := c.check(id, encoded(t, v)); err != nil {
		t.Fatalf("the generator is wrong: %v\n%s", err, encoded(t, v))
	}
	return v
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// resolve follows a reference.
func resolve(root, s map[string]any) map[string]any {
	for {
		ref, ok := s["$ref"].(string)
		if !ok {
			return s
		}
		s = root["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	}
}

func (g *generator) value(s map[string]any) any {
	s = resolve(g.root, s)
	if enum, ok := s["enum"].([]any); ok {
		return enum[g.r.IntN(len(enum))]
	}
	switch s["type"] {
	case "string":
		return g.text(s)
	case "integer", "number":
		low := number(s, "minimum", 1)
		return low + g.r.IntN(number(s, "maximum", 1<<31-1)-low+1)
	case "boolean":
		return g.r.IntN(2) == 0
	case "array":
		n := max(1, number(s, "minItems", 1))
		list := make([]any, min(n+g.r.IntN(2), number(s, "maxItems", 10)))
		for i := range list {
			list[i] = g.value(s["items"].(map[string]any))
		}
		return list
	case "object":
		return g.object(s)
	}
	return "anything" // customData's further properties have no type
}

// number is a limit of a schema, in whatever way it was read.
func number(s map[string]any, key string, unless int) int {
	if n, ok := s[key].(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return int(f)
		}
	}
	return unless
}

var letters = []rune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=:+|@.* ü€漢🚗\"\\<&")

func (g *generator) text(s map[string]any) string {
	switch s["format"] {
	case "date-time":
		at := time.Unix(1<<30+g.r.Int64N(1<<30), int64(g.r.IntN(1000))*1e6) // 2004 to 2038
		zone := []*time.Location{time.UTC, time.FixedZone("", 3600), time.FixedZone("", -5*3600-1800)}[g.r.IntN(3)]
		return at.In(zone).Format([]string{time.RFC3339, "2006-01-02T15:04:05.000Z07:00"}[g.r.IntN(2)])
	case "uri":
		return "https://example.org/" + fmt.Sprint(g.r.IntN(100))
	}
	most := number(s, "maxLength", 100)
	n := 1 + g.r.IntN(most)
	if g.r.IntN(4) == 0 {
		n = most
	}
	b := make([]rune, n)
	for i := range b {
		b[i] = letters[g.r.IntN(len(letters))]
	}
	return string(b)
}

// object always has what is required, and each of the rest half of the time.
func (g *generator) object(s map[string]any) map[string]any {
	o := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if required(s, name) || g.r.IntN(2) == 0 {
			o[name] = g.value(properties[name].(map[string]any))
		}
	}
	if s["additionalProperties"] != false && g.r.IntN(2) == 0 {
		o["extra"] = map[string]any{"n": g.r.IntN(9)}
	}
	return o
}

func required(s map[string]any, name string) bool {
	list, _ := s["required"].([]any)
	return slices.Contains(list, any(name))
}
