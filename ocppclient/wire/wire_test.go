package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func TestDecodeGolden(t *testing.T) {
	for in, want := range map[string]Frame{
		`[2,"a","Heartbeat",{}]`:     {Type: 2, ID: "a", Action: "Heartbeat", Payload: raw(`{}`)},
		`[3,"rc-1",{"status":"A"}]`:  {Type: 3, ID: "rc-1", Payload: raw(`{"status":"A"}`)},
		" [ 3 , \"1\" , { } ] \r\n":  {Type: 3, ID: "1", Payload: raw(`{ }`)},
		`[6,"s","NotifyX",{"a":[]}]`: {Type: 6, ID: "s", Action: "NotifyX", Payload: raw(`{"a":[]}`)},
		`[4,"9","GenericError","",{}]`: {Type: 4, ID: "9", Code: "GenericError",
			Details: raw(`{}`)},
		`[5,"9","FormationViolation","bad",{"x":1}]`: {Type: 5, ID: "9",
			Code: "FormationViolation", Description: "bad", Details: raw(`{"x":1}`)},
		// liberal about errors
		`[4,"9","X"]`:                  {Type: 4, ID: "9", Code: "X"},
		`[4,"9","X",null,null]`:        {Type: 4, ID: "9", Code: "X"},
		`[4,"9","X","d","oops"]`:       {Type: 4, ID: "9", Code: "X", Description: "d", Details: raw(`"oops"`)},
		`[4,"9","X","d",{},"more",17]`: {Type: 4, ID: "9", Code: "X", Description: "d", Details: raw(`{}`)},
		// ids: escapes, other alphabets, 36 characters
		`[3,"a\"b\u00e9",{}]`: {Type: 3, ID: `a"bé`, Payload: raw(`{}`)},
		`[3,"` + strings.Repeat("é", 36) + `",{}]`: {Type: 3, ID: strings.Repeat("é", 36),
			Payload: raw(`{}`)},
	} {
		got, e := Decode([]byte(in))
		if e != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", in, got, e, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for _, c := range []struct {
		in, id string
		typ    int
		code   ErrorCode
	}{
		{``, "-1", 0, RpcFrameworkError},
		{`{}`, "-1", 0, RpcFrameworkError},
		{`hello`, "-1", 0, RpcFrameworkError},
		{`[]`, "-1", 0, RpcFrameworkError},
		{`["2","a","B",{}]`, "-1", 0, RpcFrameworkError},
		{`[2]`, "-1", 2, RpcFrameworkError},
		{`[2,7,"B",{}]`, "-1", 2, RpcFrameworkError},
		{`[2,"","B",{}]`, "-1", 2, RpcFrameworkError},
		{`[2,"` + strings.Repeat("x", 37) + `","B",{}]`, "-1", 2, RpcFrameworkError},
		{`[2.5,"a","B",{}]`, "-1", 2, RpcFrameworkError},
		{`[2,"a"]`, "a", 2, RpcFrameworkError},
		{`[2,"a","",{}]`, "a", 2, RpcFrameworkError},
		{`[2,"a","` + strings.Repeat("x", 65) + `",{}]`, "a", 2, RpcFrameworkError},
		{`[2,"a",{},"B"]`, "a", 2, RpcFrameworkError},
		{`[2,"a","B"]`, "a", 2, RpcFrameworkError},
		{`[2,"a","B",null]`, "a", 2, FormatViolation},
		{`[2,"a","B",[]]`, "a", 2, FormatViolation},
		{`[2,"a","B",{]`, "a", 2, FormatViolation},
		{`[2,"a","B",{"x":01}]`, "a", 2, FormatViolation},
		{`[2,"a","B",` + deep(MaxDepth+1) + `]`, "a", 2, FormatViolation},
		{`[2,"a","B",{},1]`, "a", 2, RpcFrameworkError},
		{`[2,"a","B",{}`, "a", 2, RpcFrameworkError},
		{`[2,"a","B",{}] x`, "a", 2, RpcFrameworkError},
		{`[3,"a","B"]`, "a", 3, FormatViolation},
		{`[4,"a",{}]`, "a", 4, RpcFrameworkError},
		{`[1,"a"]`, "a", 1, MessageTypeNotSupported},
		{`[7,"a","B",{}]`, "a", 7, MessageTypeNotSupported},
		{`[22,"a","B",{}]`, "a", 22, MessageTypeNotSupported},
	} {
		f, e := Decode([]byte(c.in))
		if e == nil || e.Code != c.code || f.ID != c.id || f.Type != c.typ {
			t.Errorf("%s: got %+v, %v; want type %d, id %s, %s", c.in, f, e, c.typ, c.id, c.code)
		}
	}
	if _, e := Decode([]byte(`[2,"a","B",` + deep(MaxDepth) + `]`)); e != nil {
		t.Errorf("depth %d: %v", MaxDepth, e)
	}
}

func TestEncodeGolden(t *testing.T) {
	type payload struct {
		ID int32 `json:"id"`
	}
	call, err1 := Call("rc-1", "ReserveNow", payload{7})
	result, err2 := Result(`q"é`, nil)
	failure, err3 := CallError("", &Error{Description: "why"})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{string(call), `[2,"rc-1","ReserveNow",{"id":7}]`},
		{string(result), `[3,"q\"é",{}]`},
		{string(failure), `[4,"-1","GenericError","why",{}]`},
	} {
		if c[0] != c[1] {
			t.Errorf("got %s, want %s", c[0], c[1])
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	if _, err := Call("a", "B", []int{1}); err == nil {
		t.Error("an array is no payload")
	}
	if _, err := Result("a", (*Frame)(nil)); err == nil {
		t.Error("null is no payload")
	}
	if _, err := Result("a", func() {}); err == nil {
		t.Error("a function is no payload")
	}
	if _, err := CallError("a", nil); err == nil {
		t.Error("nil is no error")
	}
}

func TestDescriptionIsCutBetweenCharacters(t *testing.T) {
	b, err := CallError("a", &Error{Code: InternalError, Description: strings.Repeat("é", 300)})
	if err != nil {
		t.Fatal(err)
	}
	f, e := Decode(b)
	if e != nil || utf8.RuneCountInString(f.Description) != MaxDescription || strings.Trim(f.Description, "é") != "" {
		t.Errorf("got %q, %v", f.Description, e)
	}
	f, _ = Decode([]byte(`[4,"a","X","` + strings.Repeat("y", 300) + `",{}]`))
	if len(f.Description) != MaxDescription {
		t.Errorf("inbound: %d characters", len(f.Description))
	}
}

func TestCanonical(t *testing.T) {
	for in, want := range map[ErrorCode]ErrorCode{
		"FormationViolation":           FormatViolation,
		"OccurenceConstraintViolation": OccurrenceConstraintViolation,
		"RPCFrameworkError":            RpcFrameworkError,
		" notimplemented ":             NotImplemented,
		"VendorTrouble":                "VendorTrouble",
	} {
		if got := in.Canonical(); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	for _, c := range []ErrorCode{FormatViolation, GenericError, InternalError, MessageTypeNotSupported,
		NotImplemented, NotSupported, OccurrenceConstraintViolation, PropertyConstraintViolation,
		ProtocolError, RpcFrameworkError, SecurityError, TypeConstraintViolation} {
		if c.Canonical() != c {
			t.Errorf("%s is not its own canonical form", c)
		}
	}
}

func TestErrorText(t *testing.T) {
	if got := (&Error{Code: NotSupported}).Error(); got != "NotSupported" {
		t.Error(got)
	}
	if got := (&Error{Code: NotSupported, Description: "no"}).Error(); got != "NotSupported: no" {
		t.Error(got)
	}
}

// FuzzDecode holds Decode against encoding/json: what it accepts is JSON of
// the same elements, and what it refuses is not a frame.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`[2,"a","Heartbeat",{}]`, `[3,"a",{"b":[1,-2.5e+3,"\u00e9\n",null,true]}]`,
		`[4,"a","GenericError","d",{}]`, `[2,"a","B",{"x":"\ud800"}]`, `[9,"a"]`, `[2,"a"`, `[04,"a","B",{}]`, "[3,\"\xff\",{}]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, e := Decode(data)
		var parts []json.RawMessage
		valid := json.Unmarshal(data, &parts) == nil
		if e == nil && !valid {
			t.Fatalf("accepted what is no JSON array: %q", data)
		}
		if e == nil {
			checkParts(t, got, parts)
		} else if valid && wellFormed(parts) {
			t.Fatalf("refused %q: %v", data, e)
		}
		if e != nil && (e.Code == "" || got.ID == "") {
			t.Fatalf("an error that cannot be answered: %+v %v", got, e)
		}
	})
}

func checkParts(t *testing.T, f Frame, parts []json.RawMessage) {
	t.Helper()
	var id string
	if json.Unmarshal(parts[1], &id) != nil || id != f.ID {
		t.Fatalf("id %q, want %q", f.ID, id)
	}
	switch f.Type {
	case TypeCall, TypeSend:
		if len(parts) != 4 || string(parts[3]) != string(f.Payload) || !json.Valid(f.Payload) {
			t.Fatalf("payload %s of %s", f.Payload, parts)
		}
	case TypeResult:
		if len(parts) != 3 || string(parts[2]) != string(f.Payload) || !json.Valid(f.Payload) {
			t.Fatalf("payload %s of %s", f.Payload, parts)
		}
	}
}

// wellFormed says whether an array is surely a call or a result.
func wellFormed(parts []json.RawMessage) bool {
	if len(parts) < 3 || depth(parts[len(parts)-1]) > MaxDepth || parts[len(parts)-1][0] != '{' {
		return false
	}
	var id, action string
	if json.Unmarshal(parts[1], &id) != nil || id == "" || utf8.RuneCountInString(id) > MaxID {
		return false
	}
	switch string(parts[0]) {
	case "3":
		return len(parts) == 3
	case "2":
		return len(parts) == 4 && json.Unmarshal(parts[2], &action) == nil && action != "" && len(action) <= maxName
	}
	return false
}

// depth overestimates how deeply a value is nested.
func depth(b []byte) int { return strings.Count(string(b), "{") + strings.Count(string(b), "[") }

func BenchmarkDecode(b *testing.B) {
	for name, in := range map[string]string{
		"result": `[3,"rc-5f2a91c4-1048576",{"status":"Accepted"}]`,
		"call": `[2,"6f1c6f0e-8e25-4c6a-9d7b-0a1b2c3d4e5f","StatusNotification",{"timestamp":` +
			`"2026-11-22T21:00:00Z","connectorStatus":"Reserved","evseId":1,"connectorId":1}]`,
	} {
		b.Run(name, func(b *testing.B) {
			data := []byte(in)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, e := Decode(data); e != nil {
					b.Fatal(e)
				}
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			data := []byte(in)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var parts []json.RawMessage
				if err := json.Unmarshal(data, &parts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCall(b *testing.B) {
	payload := map[string]any{"id": 7, "expiryDateTime": "2026-11-23T06:00:00Z"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Call("rc-5f2a91c4-1048576", "ReserveNow", payload); err != nil {
			b.Fatal(err)
		}
	}
}
