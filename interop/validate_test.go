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

	"github.com/resctl/resctl/ocppclient/v201"
)

// parsers are the messages of functional block H, each read and written again.
var parsers = map[string]func([]byte) ([]byte, error){
	"urn:ReserveNow.req":               parser[v201.ReserveNowRequest],
	"urn:ReserveNow.conf":              parser[v201.ReserveNowResponse],
	"urn:CancelReservation.req":        parser[v201.CancelReservationRequest],
	"urn:CancelReservation.conf":       parser[v201.CancelReservationResponse],
	"urn:ReservationStatusUpdate.req":  parser[v201.ReservationStatusUpdateRequest],
	"urn:ReservationStatusUpdate.conf": parser[v201.ReservationStatusUpdateResponse],
}

func parser[M interface{ Validate() error }](b []byte) ([]byte, error) {
	m, err := v201.Parse[M](b)
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// deliberate are the only differences between what our Validate accepts and
// what the schema accepts, by what is done to which property.
var deliberate = map[string]string{
	// Accepted, though the schema does not: stations send it, and it does no harm.
	"unknown property":              "more than the standard has is passed over",
	"null":                          "null is absence",
	"other case":                    "names are read without regard to case",
	"missing statusInfo.reasonCode": "stations leave out what they have no reason for",
	"missing additionalInfo.additionalIdToken": "an empty one is no token",
	"missing additionalInfo.type":              "free text that nobody reads",
	"missing idToken.idToken":                  "NoAuthorization has none",
	"missing groupIdToken.idToken":             "NoAuthorization has none",
	"empty connectorType":                      "an empty one is absence",
	"lax time expiryDateTime":                  "the moment can be told all the same",

	// Refused, though the schema accepts it: it would be misunderstood.
	"zero id":                    "stations use it for none",
	"negative id":                "stations use it for none",
	"huge id":                    "an integer has 31 bits (part 2, data types)",
	"zero reservationId":         "stations use it for none",
	"negative reservationId":     "stations use it for none",
	"huge reservationId":         "an integer has 31 bits (part 2, data types)",
	"zero evseId":                "is the whole station, which cannot be reserved",
	"negative evseId":            "is no EVSE",
	"fraction id":                "1.0 is no way to write an integer",
	"fraction reservationId":     "1.0 is no way to write an integer",
	"fraction evseId":            "1.0 is no way to write an integer",
	"late expiryDateTime":        "there are stations that keep time in 32 bits",
	"empty idToken.idToken":      "is for NoAuthorization only",
	"empty groupIdToken.idToken": "is for NoAuthorization only",
	"no token idToken.type":      "NoAuthorization comes with an empty token",
	"no token groupIdToken.type": "NoAuthorization comes with an empty token",
	"empty customData.vendorId":  "nobody's data is nobody's",
}

// TestValidate: ours accepts exactly what the schema accepts, but for the
// differences above, each of which exists.
func TestValidate(t *testing.T) {
	c := schemas(t)
	r := rand.New(rand.NewPCG(4, 4))
	seen := map[string]bool{}
	verdicts := map[bool]int{}
	for _, id := range slices.Sorted(maps.Keys(parsers)) {
		for range 4000 {
			m := c.of(t, id, r)
			conform(m)
			valid := encoded(t, m)
			back, err := parsers[id](valid)
			if err != nil {
				t.Errorf("%s refuses %s: %v", id, valid, err)
			} else if err := c.check(id, back); err != nil {
				t.Errorf("%s reads %s and writes %s: %v", id, valid, back, err)
			}
			what := mutate(c.written[id], m, r)
			broken := encoded(t, m)
			wrong := c.check(id, broken)
			_, err = parsers[id](broken)
			verdicts[wrong == nil]++
			if (wrong == nil) == (err == nil) {
				continue
			}
			key := difference(what)
			if key == "" {
				t.Errorf("%s: %s: %s: the schema says %v, we say %v", id, what, broken, wrong, err)
			}
			seen[key] = true
		}
	}
	for key := range deliberate {
		if !seen[key] {
			t.Errorf("%q is no difference any more", key)
		}
	}
	t.Logf("the schema accepts %d and refuses %d of what was changed", verdicts[true], verdicts[false])
}

// difference is the line of the table for what was done, or "".
func difference(what string) string {
	kind, path, _ := strings.Cut(what, ": ")
	steps := strings.Split(path, ".")
	for i := range steps {
		if key := kind + " " + strings.Join(steps[i:], "."); deliberate[key] != "" {
			return key
		}
	}
	if deliberate[kind] != "" {
		return kind
	}
	return ""
}

// conform brings a payload under the rules that the schema does not have.
func conform(m map[string]any) {
	for _, name := range []string{"idToken", "groupIdToken"} {
		if token, ok := m[name].(map[string]any); ok && token["type"] == "NoAuthorization" {
			token["idToken"] = ""
		}
	}
	if at, ok := m["expiryDateTime"].(string); ok {
		if parsed, err := time.Parse(time.RFC3339, at); err != nil || parsed.Year() > v201.MaxYear {
			m["expiryDateTime"] = "2037-06-01T00:00:00Z"
		}
	}
}

// place is a property of a payload, and what the schema says of it.
type place struct {
	path   string
	in     map[string]any // the object that has it
	name   string
	of     map[string]any // schema of the object
	schema map[string]any
}

// places lists every property that a payload has.
func places(root, s, m map[string]any, path string) (all []place) {
	s = resolve(root, s)
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		of, ok := properties[name].(map[string]any)
		if !ok {
			continue
		}
		p := place{strings.TrimPrefix(path+"."+name, "."), m, name, s, resolve(root, of)}
		all = append(all, p)
		switch v := m[name].(type) {
		case map[string]any:
			all = append(all, places(root, p.schema, v, p.path)...)
		case []any:
			for _, x := range v {
				if o, ok := x.(map[string]any); ok {
					all = append(all, places(root, p.schema["items"].(map[string]any), o, p.path)...)
				}
			}
		}
	}
	return all
}

// mutate changes one thing in a payload, and says what to which property.
func mutate(root, m map[string]any, r *rand.Rand) (what string) {
	all := places(root, root, m, "")
	if len(all) == 0 {
		m["unheardOf"] = 1
		return "unknown property: "
	}
	p := all[r.IntN(len(all))]
	changes := mutations(p)
	kind := slices.Sorted(maps.Keys(changes))[r.IntN(len(changes))]
	changes[kind]()
	return kind + ": " + p.path
}

// mutations are the changes that make sense at a place.
func mutations(p place) map[string]func() {
	set := func(v any) func() { return func() { p.in[p.name] = v } }
	all := map[string]func(){
		"null":       set(nil),
		"missing":    func() { delete(p.in, p.name) },
		"wrong type": set([]any{true}),
		"string":     set("no"),
		"other case": func() { p.in[strings.ToUpper(p.name)] = p.in[p.name]; delete(p.in, p.name) },
	}
	if p.of["additionalProperties"] == false {
		all["unknown property"] = func() { p.in["unheardOf"] = 1 }
	}
	switch p.schema["type"] {
	case "string":
		delete(all, "string")
		all["number"], all["empty"] = set(7), set("")
		if n := number(p.schema, "maxLength", 0); n > 0 {
			all["too long"] = set(strings.Repeat("ü", n+1))
			all["long"] = func() {
				p.in[p.name] = strings.Repeat("ü", n)
				if p.name == "idToken" {
					p.in["type"] = "Central" // any but NoAuthorization
				}
			}
		}
		if p.schema["enum"] != nil {
			all["not listed"] = set("Wanted")
			all["listed in other case"] = set(strings.ToLower(fmt.Sprint(p.in[p.name])) + "X")
			all["no token"] = set("NoAuthorization")
		}
		if p.schema["format"] == "date-time" {
			all["late"], all["garbage"] = set("2041-01-01T00:00:00Z"), set("tomorrow")
			all["lax time"] = set("2026-11-22T20:00:00+0100")
			all["thirteenth month"] = set("2026-13-22T20:00:00Z")
		}
	case "integer":
		all["zero"], all["negative"], all["huge"] = set(0), set(-1), set(1<<31)
		all["fraction"], all["half"] = set(json.RawMessage("1.0")), set(1.5)
	case "array":
		all["empty"] = set([]any{})
	}
	return all
}
