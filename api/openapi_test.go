package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/resctl/resctl/api"
)

// contract is the description that a server gives of itself.
type contract struct {
	*testing.T
	paths    map[string]map[string]operation
	compiler *jsonschema.Compiler
}

type operation struct {
	Scope       string `json:"x-scope"`
	RequestBody *struct {
		Content map[string]any `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]any `json:"content"`
	} `json:"responses"`
}

func newContract(t *testing.T, text string) *contract {
	t.Helper()
	var d struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	raw, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("openapi.json", raw); err != nil {
		t.Fatal(err)
	}
	return &contract{t, d.Paths, c}
}

// hold holds a body to the schema at a place of the description.
func (c *contract) hold(what, pointer, body string) {
	c.Helper()
	schema, err := c.compiler.Compile("openapi.json#" + pointer)
	if err != nil {
		c.Errorf("%s: %v", what, err)
		return
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		c.Errorf("%s is not as it is described: %v\n%.500s", what, err, body)
	}
}

// TestBodiesAsDescribed: what really goes to and fro is what openapi.json says:
// every route, with an answer and with refusals.
func TestBodiesAsDescribed(t *testing.T) {
	n := connect(t)
	n.populate(t)
	_, _, text := n.ask(t, "GET", "/v1/openapi.json", "", "")
	c := newContract(t, text)
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	described := 0
	for _, methods := range c.paths {
		described += len(methods)
	}
	if described != len(api.Routes()) {
		t.Errorf("%d routes are described, and there are %d", described, len(api.Routes()))
	}
	for _, x := range api.Routes() {
		op, ok := c.paths[x.Path][strings.ToLower(x.Method)]
		if !ok || x.Scope > api.ScopeNone && op.Scope != x.Scope.String() {
			t.Errorf("%s %s: %+v", x.Method, x.Path, op)
			continue
		}
		at := "/paths/" + escape.Replace(x.Path) + "/" + strings.ToLower(x.Method)
		if body := bodies("depot")[x.Path]; op.RequestBody != nil && body != "" {
			c.hold("the request to "+x.Path, at+"/requestBody/content/application~1json/schema", body)
		}
		for _, secret := range []string{"secret-of-admin", "secret-of-night-read", "mistaken", ""} {
			status, header, got := n.route(t, x, "depot", secret)
			response, ok := op.Responses[fmt.Sprint(status)]
			if !ok {
				t.Errorf("%s %s answers %d, which is not described: %.200s", x.Method, x.Path, status, got)
				continue
			}
			media, _, _ := strings.Cut(header.Get("Content-Type"), ";")
			if response.Content[media] == nil {
				t.Errorf("%s %s answers %d with %s, which is not described", x.Method, x.Path, status, media)
			}
			if b, _ := json.Marshal(response.Content[media]); media == "application/json" && !bytes.Contains(b, []byte("/docs/schemas/")) { // those are held where they are made
				c.hold(fmt.Sprintf("%d of %s %s", status, x.Method, x.Path), fmt.Sprintf("%s/responses/%d/content/application~1json/schema", at, status), got)
			}
			n.ask(t, http.MethodGet, "/v1/version", "secret-of-read", "") // wrong tokens are forgiven
		}
	}
}
