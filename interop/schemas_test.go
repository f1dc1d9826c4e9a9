package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contracts are the JSON schemas of OCPP 2.0.1 by id: urn:ReserveNow.req and
// urn:ReserveNow.conf, each compiled and as it was written.
type contracts struct {
	compiled map[string]*jsonschema.Schema
	written  map[string]map[string]any
}

// messages is how many schemas the standard has.
const messages = 128

var loaded = sync.OnceValues(load)

// schemas are those of the standard; the test is skipped where they cannot be had.
func schemas(t *testing.T) *contracts {
	t.Helper()
	c, err := loaded()
	if err != nil {
		npmMissing(t, err)
	}
	return c
}

func load() (*contracts, error) {
	dir, err := installed()
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, "node_modules", "ocpp-rpc", "lib", "schemas", "ocpp2_0_1.json"))
	if err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	all, ok := parsed.([]any)
	if !ok || len(all) != messages {
		return nil, fmt.Errorf("%d schemas, want %d", len(all), messages)
	}
	c := &contracts{map[string]*jsonschema.Schema{}, map[string]map[string]any{}}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, one := range all {
		s := one.(map[string]any)
		id := s["$id"].(string)
		c.written[id] = s
		if err := compiler.AddResource(id, s); err != nil {
			return nil, err
		}
	}
	for id := range c.written {
		if c.compiled[id], err = compiler.Compile(id); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// check holds a payload against a schema.
func (c *contracts) check(id string, payload []byte) error {
	s, ok := c.compiled[id]
	if !ok {
		return fmt.Errorf("there is no schema %s", id)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func request(action string) string  { return "urn:" + action + ".req" }
func response(action string) string { return "urn:" + action + ".conf" }

// checkFrames holds every frame that resctl sent in a test against the schemas.
func checkFrames(t *testing.T, frames []frame) {
	t.Helper()
	c, err := loaded()
	if err != nil {
		return // TestRequests and TestResponses say so
	}
	asked := map[string]string{} // the station's calls
	for _, f := range frames {
		action, id, payload := parse(f.Data)
		switch {
		case f.FromStation && action != "":
			asked[id] = action
		case f.FromStation:
		case action != "":
			err = c.check(request(action), payload)
		case payload != nil:
			err = c.check(response(asked[id]), payload)
		default:
			checkError(t, f.Data)
		}
		if err != nil {
			t.Errorf("resctl sent %s: %v", f.Data, err)
		}
	}
}

// checkError holds a CALLERROR against part 4 of the standard.
func checkError(t *testing.T, data []byte) {
	t.Helper()
	var parts []json.RawMessage
	var code, text string
	err := json.Unmarshal(data, &parts)
	if err != nil || len(parts) != 5 || string(parts[0]) != "4" || !strings.HasPrefix(string(parts[4]), "{") {
		t.Errorf("not a CALLERROR: %s", data)
		return
	}
	if json.Unmarshal(parts[2], &code) != nil || json.Unmarshal(parts[3], &text) != nil || !errorCodes[code] || len([]rune(text)) > 255 {
		t.Errorf("not a CALLERROR of 2.0.1: %s", data)
	}
}

var errorCodes = map[string]bool{"FormatViolation": true, "GenericError": true, "InternalError": true,
	"MessageTypeNotSupported": true, "NotImplemented": true, "NotSupported": true, "OccurrenceConstraintViolation": true,
	"PropertyConstraintViolation": true, "ProtocolError": true, "RpcFrameworkError": true, "SecurityError": true,
	"TypeConstraintViolation": true}
