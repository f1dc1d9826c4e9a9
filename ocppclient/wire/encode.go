package wire

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Call encodes a request. A nil payload is sent as {}.
func Call(id, action string, payload any) ([]byte, error) {
	body, err := object(payload)
	if err != nil {
		return nil, fmt.Errorf("frame: encode call %s: %w", action, err)
	}
	b := make([]byte, 0, len(`[2,"","",]`)+len(id)+len(action)+len(body))
	b = appendString(append(b, "[2,"...), id)
	b = appendString(append(b, ','), action)
	return closing(b, body), nil
}

// Result encodes the answer to the call with that id. A nil payload is sent as {}.
func Result(id string, payload any) ([]byte, error) {
	body, err := object(payload)
	if err != nil {
		return nil, fmt.Errorf("frame: encode result: %w", err)
	}
	b := make([]byte, 0, len(`[3,"",]`)+len(id)+len(body))
	b = appendString(append(b, "[3,"...), id)
	return closing(b, body), nil
}

// CallError encodes the refusal of the call with that id. The description is
// cut to MaxDescription, and the details are always {}: null is a violation
// that stations choke on.
func CallError(id string, e *Error) ([]byte, error) {
	if e == nil {
		return nil, errors.New("frame: encode error: nil")
	}
	if id == "" {
		id = UnreadableID
	}
	code := e.Code
	if code == "" {
		code = GenericError
	}
	b := appendString([]byte("[4,"), id)
	b = appendString(append(b, ','), string(code))
	b = appendString(append(b, ','), truncate(e.Description, MaxDescription))
	return append(b, ",{}]"...), nil
}

func closing(b, body []byte) []byte {
	return append(append(append(b, ','), body...), ']')
}

// object encodes a payload and makes sure that it is an object.
func object(payload any) ([]byte, error) {
	if payload == nil {
		return []byte("{}"), nil
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	if body[0] != '{' {
		return nil, fmt.Errorf("payload %T is not an object", payload)
	}
	return body, nil
}

// appendString appends a JSON string. Ids and names need no escaping as a
// rule, and then nothing is allocated.
func appendString(b []byte, v string) []byte {
	for i := range len(v) {
		if c := v[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			q, err := json.Marshal(v)
			if err != nil {
				panic("frame: string: " + err.Error()) // strings always encode
			}
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, v...)
	return append(b, '"')
}
