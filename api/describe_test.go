package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// told is what the description says of a route beyond what the route says.
type told struct {
	about    string
	params   []param
	in, out  reflect.Type
	document string // the schema of docs/schemas that the answer is of
	media    string // of an answer that is not JSON
	statuses []int  // besides 200, and what all routes have
}

type param struct {
	name, about, format string
	required            bool
}

func of[T any]() reflect.Type { return reflect.TypeFor[T]() }

// descriptions are of all routes.
func descriptions() map[string]told {
	one := []param{{"workspace", "of this workspace; needed where several have the address", "", false}, {"address", "of a reservation, as a plan shows it", "", true}}
	follow := []param{{"after", "begin after the event with this id; the header Last-Event-ID does the same, and goes before it", "", false},
		{"since", "begin at this time (RFC 3339), or so long ago (2h)", "", false}, {"station", "of the station with this identity", "", false},
		{"workspace", "of this workspace", "", false}, {"address", "of addresses that match this glob", "", false}}
	bad, conflict := []int{400}, []int{400, 409}
	return map[string]told{
		"/v1/openapi.json":       {about: "This description.", out: of[map[string]any]()},
		"/v1/health":             {about: "Whether somebody is there.", out: of[condition]()},
		"/v1/ready":              {about: "Whether stations are kept as they are declared; with 503, why not.", out: of[condition](), statuses: []int{503}},
		"/v1/version":            {about: "Which versions there are, and who the caller is taken for.", out: of[Info]()},
		"/v1/state":              {about: "As resctl show --json.", document: "state"},
		"/v1/stations":           {about: "As resctl stations --json.", document: "stations"},
		"/v1/timeline":           {about: "As resctl timeline --json.", document: "timeline", params: []param{{"from", "two hours ago if it is left out", "date-time", false}, {"until", "a day after from if it is left out", "date-time", false}}, statuses: bad},
		"/v1/drift":              {about: "As resctl drift --json.", document: "drift", params: []param{{"grace", "only what is older, such as 5m, which it is if it is left out", "", false}}, statuses: bad},
		"/v1/why":                {about: "As resctl why --json.", document: "why", params: one, statuses: []int{400, 404}},
		"/v1/events":             {about: "The journal as server-sent events, for ever: data is one line as resctl events --json writes it, id its sequence. What a later version records comes as well.", params: follow, media: "text/event-stream", statuses: bad},
		calendarPath:             {about: "The windows that match as an iCalendar file. Its ETag may come back as If-None-Match.", params: []param{{"workspace", "of this workspace", "", false}, {"station", "of the station with this identity", "", false}, {"address", "of this address", "", false}}, media: "text/calendar", statuses: []int{304, 404}},
		"/v1/plan":               {about: "Makes the plan of a configuration. Tokens come back as fingerprints.", in: of[desired](), out: of[*reconcile.Plan](), statuses: []int{400, 409}},
		"/v1/edit":               {about: "Makes the plan of state mv and state rm.", in: of[edit](), out: of[*reconcile.Plan](), statuses: conflict},
		"/v1/propose":            {about: "Stores a plan whole, or refuses it whole. Its befores may be as they were shown, its afters are whole.", in: of[proposal](), out: of[[]reservation.Event](), statuses: conflict},
		"/v1/freeze":             {about: "Lets workspaces take no proposals.", in: of[halting](), out: of[nothing](), statuses: bad},
		"/v1/unfreeze":           {about: "Lifts freezes.", in: of[halting](), out: of[nothing](), statuses: bad},
		"/v1/pause":              {about: "Lets nothing be asked of stations.", in: of[halting](), out: of[nothing](), statuses: bad},
		"/v1/resume":             {about: "Lifts pauses.", in: of[halting](), out: of[nothing](), statuses: bad},
		"/v1/erase":              {about: "Erases a token of a driver from all that is stored. For tokens that are limited to no workspace.", in: of[Erasing](), out: of[Erased](), statuses: conflict},
		copyPath:                 {about: "A copy of the whole state as one file, with all that is secret. Repr-Digest has its SHA-256. For tokens that are limited to no workspace.", media: "application/vnd.sqlite3", statuses: []int{503}},
		"/v1/ledger/masked":      {about: "Shows a plan that the caller has whole: tokens become fingerprints.", in: of[proposal](), out: of[*reconcile.Plan](), statuses: bad},
		"/v1/ledger/meta":        {about: "What the state knows of itself. The key of fingerprints is left out.", in: of[nothing](), out: of[reservation.Meta]()},
		"/v1/ledger/last":        {about: "The journal's highest sequence.", in: of[nothing](), out: of[int64]()},
		"/v1/ledger/state":       {about: "All that is wanted and believed, in short.", in: of[nothing](), out: of[*reconcile.State]()},
		"/v1/ledger/wanted":      {about: "What is wanted at addresses; none: at all of the workspace.", in: of[addresses](), out: of[[]reservation.Wanted]()},
		"/v1/ledger/occurrences": {about: "All that is known of addresses.", in: of[addresses](), out: of[[]reservation.Placed]()},
		"/v1/ledger/unsettled":   {about: "What is due at a station, or at several, and not settled.", in: of[which](), out: of[[]reconcile.Outstanding]()},
		"/v1/ledger/drift":       {about: "What a person should look at.", in: of[age](), out: of[[]reconcile.Drifted]()},
		"/v1/ledger/watches":     {about: "The directories that are kept applied.", in: of[nothing](), out: of[[]Watch]()},
		"/v1/ledger/held":        {about: "The plan that is held for a workspace; null: none is.", in: of[which](), out: of[*reconcile.Plan]()},
		"/v1/ledger/began":       {about: "The checkpoint after which the journal begins.", in: of[nothing](), out: of[reservation.Checkpoint]()},
		"/v1/ledger/proposals":   {about: "The latest proposal of each workspace.", in: of[nothing](), out: of[map[string]reservation.Event]()},
		"/v1/ledger/events":      {about: "Lines of the journal, one JSON object a line; the last is {\"end\":true}, or an error.", in: of[lines](), media: "application/jsonl", statuses: bad},
	}
}

type object = map[string]any

// describer makes schemas of Go types.
type describer struct {
	t       *testing.T
	schemas object
}

// TestDescribed holds openapi.json against the routes and the types of their
// bodies; -update writes it anew.
func TestDescribed(t *testing.T) {
	d := &describer{t, object{}}
	paths, all := object{}, descriptions()
	for _, x := range Routes() {
		about, ok := all[x.Path]
		if !ok {
			t.Errorf("nothing describes %s %s", x.Method, x.Path)
		}
		delete(all, x.Path)
		paths[x.Path] = object{strings.ToLower(x.Method): d.operation(x, about)}
	}
	for path := range all {
		t.Errorf("%s is described, and no route", path)
	}
	d.schemas["Failure"] = object{"type": "object", "required": []string{"error"}, "properties": object{"error": d.schema(of[failure]())}}
	got := object{"openapi": "3.1.0", "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
		"info": object{"title": "resctl serve", "version": Version, "license": object{"name": "see LICENSE"},
			"description": "Documents for pages and scripts (GET), and the methods that the commands of resctl use (POST). Through the socket beside the state everybody who can open it may do everything; over the network a token is needed. Tokens of drivers are fingerprints. Unknown keys may appear in a later minor version. See docs/api.md."},
		"servers": []object{{"url": "/"}}, "security": []object{{"bearer": []string{}}, {"password": []string{}}}, "paths": paths,
		"components": object{"schemas": d.schemas, "securitySchemes": object{
			"bearer":   object{"type": "http", "scheme": "bearer"},
			"password": object{"type": "http", "scheme": "basic", "description": "The token is the password; the name does not matter. For calendars, which can send nothing else."}}}}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := os.ReadFile("openapi.json"); err != nil || !bytes.Equal(there, b.Bytes()) {
		t.Errorf("openapi.json is not what the routes say; go test ./api -run TestDescribed -update writes it anew (%v)", err)
	}
}

func (d *describer) operation(x Route, about told) object {
	name := strings.NewReplacer("/v1/", "", "/", "-", ".", "-").Replace(x.Path)
	op := object{"operationId": name, "summary": about.about}
	if x.Scope == ScopeNone {
		op["security"] = []object{}
	} else {
		op["description"] = "Needs scope " + x.Scope.String() + "."
		op["x-scope"] = x.Scope.String()
	}
	var params []object
	for _, p := range about.params {
		schema := object{"type": "string"}
		if p.format != "" {
			schema["format"] = p.format
		}
		params = append(params, object{"name": p.name, "in": "query", "required": p.required, "description": p.about, "schema": schema})
	}
	if params != nil {
		op["parameters"] = params
	}
	if about.in != nil {
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": d.schema(about.in)}}}
	}
	op["responses"] = d.responses(x, about)
	return op
}

func (d *describer) responses(x Route, about told) object {
	ok := object{"description": "Done."}
	switch {
	case about.media != "":
		ok["content"] = object{about.media: object{"schema": object{"type": "string"}}}
	case about.document != "":
		ok["content"] = object{"application/json": object{"schema": object{"$ref": "https://github.com/resctl/resctl/blob/main/docs/schemas/" + about.document + ".schema.json"}}}
	case about.out != nil:
		ok["content"] = object{"application/json": object{"schema": d.schema(about.out)}}
	}
	out := object{"200": ok}
	statuses := append([]int{400, 500}, about.statuses...) // 400: another major version
	if x.Scope > ScopeNone {
		statuses = append(statuses, 401, 403, 429)
	}
	if x.Weight > Light {
		statuses = append(statuses, 503)
	}
	if x.Method == http.MethodPost {
		statuses = append(statuses, 413, 415)
	}
	for _, status := range statuses {
		ref := object{"$ref": "#/components/schemas/Failure"}
		if x.Path == "/v1/ready" && status == 503 {
			ref = d.schema(about.out)
		}
		if status == http.StatusNotModified {
			out["304"] = object{"description": "Not Modified."}
			continue
		}
		out[strconv.Itoa(status)] = object{"description": http.StatusText(status) + ".", "content": object{"application/json": object{"schema": ref}}}
	}
	return out
}

func (d *describer) schema(t reflect.Type) object {
	switch {
	case t == of[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == of[time.Duration]():
		return object{"type": "integer", "description": "in nanoseconds"}
	case t.Kind() != reflect.Pointer && (t.Implements(of[json.Marshaler]()) || t.Implements(of[encoding.TextMarshaler]())):
		return object{"type": "string"}
	case t.Kind() == reflect.Pointer:
		return object{"anyOf": []object{d.schema(t.Elem()), {"type": "null"}}}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Interface:
		return object{}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": []string{"string", "null"}, "contentEncoding": "base64"}
		}
		return object{"type": []string{"array", "null"}, "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": d.schema(t.Elem())}
	case reflect.Struct:
		return d.named(t)
	}
	d.t.Errorf("nothing says how %s is written", t)
	return nil
}

// named puts a struct among the components.
func (d *describer) named(t reflect.Type) object {
	name := strings.ReplaceAll(t.String(), "*", "")
	if name == "api.nothing" {
		return object{"type": "object"}
	}
	if d.schemas[name] == nil {
		d.schemas[name] = object{}
		properties := object{}
		d.fields(t, properties)
		d.schemas[name] = object{"type": "object", "properties": properties}
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (d *describer) fields(t reflect.Type, properties object) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			d.fields(inner, properties)
			continue
		case !f.IsExported() || name == "-" || properties[name] != nil:
			continue
		case name == "":
			name = f.Name
		}
		properties[name] = d.schema(f.Type)
	}
}
