package server

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/config/diag"
)

const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

const whole = `ocpp {
  address          = "0.0.0.0:8887"
  security_profile = 3
  unknown_stations = "accept"
  authorization    = "any"
  max_per_address  = -1
  max_message_rate = 50
  tls {
    cert_file          = ["rsa.pem", "/etc/ecdsa.pem"]
    key_file           = ["rsa.key", "/etc/ecdsa.key"]
    client_ca_file     = "stations-ca.pem"
    rsa_key_exchange   = true
  }
}
api {
  address = "127.0.0.1:8880"
  tls {
    cert_file = "api.pem"
    key_file  = "api.key"
  }
  token "ci" {
    sha256     = "` + hash + `"
    scope      = "write"
    workspaces = ["depot-a"]
  }
}
state                = "resctl.db"
first_reservation_id = 1048576
retention            = "90d"
horizon              = "14d"
quiet_period         = "10s"
move_timeout         = "10m"
watch "depot-b" {
  directory  = "config"
  interval   = "60s"
  settle     = "5s"
  max_cancel = 10
}
notify {
  url    = "https://hooks.example/resctl"
  secret = "correct-horse-battery"
}
metrics {
  address = "127.0.0.1:9880"
}
`

const wholeJSON = `{"ocpp": {"address": "0.0.0.0:8887", "security_profile": 3, "unknown_stations": "accept", "authorization": "any", "max_per_address": -1, "max_message_rate": 50,
  "tls": {"cert_file": ["rsa.pem", "/etc/ecdsa.pem"], "key_file": ["rsa.key", "/etc/ecdsa.key"], "client_ca_file": "stations-ca.pem", "rsa_key_exchange": true}},
 "api": {"address": "127.0.0.1:8880", "tls": {"cert_file": "api.pem", "key_file": "api.key"},
  "token": {"ci": {"sha256": "` + hash + `", "scope": "write", "workspaces": ["depot-a"]}}},
 "state": "resctl.db", "first_reservation_id": 1048576, "retention": "90d", "horizon": "14d", "quiet_period": "10s", "move_timeout": "10m",
 "watch": {"depot-b": {"directory": "config", "interval": "60s", "settle": "5s", "max_cancel": 10}},
 "notify": {"url": "https://hooks.example/resctl", "secret": "correct-horse-battery"}, "metrics": {"address": "127.0.0.1:9880"}}`

func ptr[T any](v T) *T { return &v }

func wholeFile() *File {
	return &File{
		OCPP: &OCPP{Address: "0.0.0.0:8887", SecurityProfile: ptr(3), UnknownStations: "accept", Authorization: "any", MaxPerAddress: ptr(-1), MaxMessageRate: ptr(50),
			TLS: &TLS{CertFiles: []string{"etc/rsa.pem", "/etc/ecdsa.pem"}, KeyFiles: []string{"etc/rsa.key", "/etc/ecdsa.key"}, ClientCAFile: "etc/stations-ca.pem", RSAKeyExchange: true}},
		API:   &API{Address: "127.0.0.1:8880", TLS: &APITLS{"etc/api.pem", "etc/api.key"}, Tokens: []Token{{"ci", hash, "write", []string{"depot-a"}}}},
		State: "etc/resctl.db", FirstReservationID: 1048576,
		Retention: ptr(90 * 24 * time.Hour), Horizon: ptr(14 * 24 * time.Hour), QuietPeriod: ptr(10 * time.Second), MoveTimeout: ptr(10 * time.Minute),
		Watches: []Watch{{"depot-b", "etc/config", ptr(time.Minute), ptr(5 * time.Second), ptr(10)}},
		Notify:  &Notify{URL: "https://hooks.example/resctl", Secret: "correct-horse-battery"},
		Metrics: &Metrics{"127.0.0.1:9880"},
	}
}

func text(t *testing.T, diags *diag.Diagnostics) string {
	t.Helper()
	var b bytes.Buffer
	if err := diags.WriteText(&b, diag.TextOptions{Max: -1}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEverySetting: all that a file can say arrives, in both syntaxes.
func TestEverySetting(t *testing.T) {
	for name, src := range map[string]string{"etc/resctl.server.hcl": whole, "etc/resctl.server.hcl.json": wholeJSON} {
		f, diags := Parse(name, []byte(src))
		if diags.Len() > 0 {
			t.Fatal(text(t, diags))
		}
		if !reflect.DeepEqual(f, wholeFile()) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, f, wholeFile())
		}
	}
	if f, diags := Parse("resctl.server.hcl", nil); diags.Len() > 0 || !reflect.DeepEqual(f, &File{}) {
		t.Error("an empty file says nothing", text(t, diags))
	}
}

// TestWrong: what is wrong is named with code, line and what to do.
func TestWrong(t *testing.T) {
	for _, c := range []struct{ src, code, where, says string }{
		{"ocpp {\n  adress = \"127.0.0.1:1\"\n}", codeSetting, "line 2, in ocpp", `Did you mean "address"`},
		{"ocpp {\n  port = 8887\n}", codeSetting, "line 2", "There are address, security_profile"},
		{"oops {\n}", codeSetting, "line 1", `Did you mean "ocpp"`},
		{"state = 5", codeValue, "line 1", "It is a string, not a number."},
		{"state = null", codeValue, "line 1", "its default holds"},
		{"state = \"\"", codeValue, "line 1", "It is empty"},
		{"state = local.x", codeSyntax, "line 1", "Variables may not be used here"},
		{"state = file(\"x\")", codeSyntax, "line 1", "Functions may not be called here"},
		{"state = \"a\"\nstate = \"b\"", codeSyntax, "line 2", "already set"},
		{"state = \"a\\u0000b\"", codeValue, "line 1", "NUL"},
		{"ocpp {\n}\nocpp {\n}", codeSetting, "line 3", "at line 1"},
		{"ocpp {\n  address = \"8887\"\n}", codeValue, "line 2", "host and port"},
		{"ocpp {\n  address = \"127.0.0.1:ocpp\"\n}", codeValue, "line 2", "host and port"},
		{"ocpp {\n  address = \"127.0.0.1:0\"\n}", codeValue, "line 2", "from 1 to 65535"},
		{"ocpp {\n  security_profile = 4\n}", codeValue, "line 2", "from 0 to 3"},
		{"ocpp {\n  security_profile = 1.5\n}", codeValue, "line 2", "whole number"},
		{"ocpp {\n  security_profile = 1e400\n}", codeValue, "line 2", "whole number"},
		{"ocpp {\n  security_profile = 2\n}", codeTogether, "line 2", "needs a tls block"},
		{"ocpp {\n  max_per_address = 0\n}", codeValue, "line 2", "or -1"},
		{"ocpp {\n  max_message_rate = 0\n}", codeValue, "line 2", "or -1"},
		{"ocpp {\n  unknown_stations = \"yes\"\n}", codeChoice, "line 2", "refuse, accept"},
		{"ocpp {\n  tls {\n    cert_file = \"a\"\n  }\n}", codeSetting, "line 2", "key_file"},
		{"ocpp {\n  tls {\n    cert_file = [\"a\", \"b\"]\n    key_file = \"a\"\n  }\n}", codeTogether, "line 4", "2 certificates and 1 keys"},
		{"ocpp {\n  tls {\n    cert_file = []\n    key_file = \"a\"\n  }\n}", codeValue, "line 3", "list"},
		{"ocpp {\n  tls {\n    cert_file = [1]\n    key_file = \"a\"\n    rsa_key_exchange = \"on\"\n  }\n}", codeValue, "line 5", "true or false"},
		{"ocpp {\n  security_profile = 1\n  tls {\n    cert_file = \"a\"\n    key_file = \"a\"\n  }\n}", codeTogether, "line 2", "has no TLS"},
		{"ocpp {\n  security_profile = 3\n  tls {\n    cert_file = \"a\"\n    key_file = \"a\"\n  }\n}", codeTogether, "line 2", "client_ca_file"},
		{"ocpp {\n  security_profile = 2\n  tls {\n    cert_file = \"a\"\n    key_file = \"a\"\n    client_ca_file = \"c\"\n  }\n}", codeTogether, "line 2", "profile 3"},
		{"api {\n}", codeSetting, "line 1", "address"},
		{"api {\n  address = \":8880\"\n  token \"ci\" {\n    sha256 = \"abc\"\n    scope = \"write\"\n  }\n}", codeValue, "line 4", "sha256sum"},
		{"api {\n  address = \":8880\"\n  token \"ci\" {\n    sha256 = \"" + hash + "\"\n    scope = \"root\"\n  }\n}", codeChoice, "line 5", "read, plan, write, admin"},
		{"api {\n  address = \":8880\"\n  token \"ci\" {\n    sha256 = \"" + hash + "\"\n    scope = \"read\"\n    workspaces = [\"a:b\"]\n  }\n}", codeValue, "line 6", "workspace"},
		{"api {\n  address = \":8880\"\n  token \"a b\" {\n    sha256 = \"" + hash + "\"\n    scope = \"read\"\n  }\n}", codeValue, "line 3", "name of a token block"},
		{"retention = \"90 days\"", codeValue, "line 1", `"2d"`},
		{"retention = \"1h\"", codeValue, "line 1", "from 24h to 3650d"},
		{"horizon = \"-1h\"", codeValue, "line 1", "from 1s"},
		{"quiet_period = \"2h\"", codeValue, "line 1", "from 0s to 1h"},
		{"move_timeout = 600", codeValue, "line 1", "string"},
		{"first_reservation_id = 0", codeValue, "line 1", "from 1 to"},
		{"watch \"a\" {\n  directory = \"x\"\n}\nwatch \"a\" {\n  directory = \"y\"\n}", codeSetting, "line 4", "at line 1"},
		{"watch {\n  directory = \"x\"\n}", codeSetting, "line 1", "WORKSPACE"},
		{"watch \"a\" {\n  directory = \"x\"\n  max_cancel = -1\n}", codeValue, "line 3", "from 0"},
		{"notify {\n  url = \"ftp://x\"\n  secret = \"0123456789abcdef\"\n}", codeValue, "line 2", "https"},
		{"notify {\n  url = \"https://u:p@x\"\n  secret = \"0123456789abcdef\"\n}", codeValue, "line 2", "logs"},
		{"notify {\n  url = \"https://x\"\n}", codeTogether, "line 1", "signed"},
		{"notify {\n  url = \"https://x\"\n  secret = \"s3cr3t\"\n}", codeSecret, "line 3", "16 characters"},
		{"notify {\n  url = \"https://x\"\n  secret = \"0123456789abcdef\"\n  secret_file = \"nowhere\"\n}", codeTogether, "line 4", "either"},
		{"notify {\n  url = \"https://x\"\n  secret_file = \"nowhere\"\n}", codeSecret, "line 3", "does not exist"},
		{"upstream {\n  url = \"wss://csms.example/ocpp\"\n  mode = \"control\"\n}", codeNotYet, "line 1", "not in this version"},
		{"state = " + strings.Repeat("[", 100), codeUnreadable, "line 1", "nested"},
		{"state = [for a in [1, 2], for", codeSyntax, "line 1", ""},
		{"state = \"\x00\"", codeFile, "", "NUL"},
		{strings.Repeat("#", 1<<20+1), codeFile, "", "at most"},
	} {
		f, diags := Parse("resctl.server.hcl", []byte(c.src))
		out := text(t, diags)
		if f != nil || !strings.Contains(out, "["+c.code+"]") || !strings.Contains(out, c.where) || !strings.Contains(out, c.says) {
			t.Errorf("%.200q: want %s at %q, saying %q:\n%s", c.src, c.code, c.where, c.says, out)
		}
		if strings.Contains(out, "s3cr3t") || strings.Contains(out, "0123456789abcdef") {
			t.Errorf("a secret shows:\n%s", out)
		}
	}
}

// TestBrokenSecret: where the file cannot be parsed, no line of it shows.
func TestBrokenSecret(t *testing.T) {
	for _, src := range []string{"notify {\n  secret = \"correct-horse\n}", "notify {\n  secret = correct-horse-battery!\n}", "notify { secret = <<X\ncorrect-horse\n", "notify {\n secret = " + strings.Repeat("(", 60) + "\"correct-horse\"" + strings.Repeat(")", 60) + "\n}"} {
		if _, diags := Parse("x.hcl", []byte(src)); !diags.HasErrors() || strings.Contains(text(t, diags), "horse") {
			t.Errorf("%q: %s", src, text(t, diags))
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "resctl.server.hcl")
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	wrong := func(path, code, says string) {
		t.Helper()
		f, diags := Load(path)
		if out := text(t, diags); f != nil || !strings.Contains(out, code) || !strings.Contains(out, says) || strings.Contains(out, "battery") {
			t.Errorf("want %s, %q:\n%s", code, says, out)
		}
	}
	wrong(path, codeFile, "does not exist")
	wrong(dir, codeFile, "regular")
	write("resctl.server.hcl", "notify {\n  url = \"https://x\"\n  secret_file = \"hook.key\"\n}\n", 0o644)
	write("hook.key", "correct-horse-battery\n", 0o644)
	wrong(path, codeSecret, "chmod 600")
	write("hook.key", "battery\n", 0o600)
	wrong(path, codeSecret, "16 characters")
	write("hook.key", "correct-horse-battery\r\n", 0o600)
	f, diags := Load(path)
	if diags.Len() > 0 || f.Notify.Secret != "correct-horse-battery" || f.Notify.SecretFile != filepath.Join(dir, "hook.key") {
		t.Errorf("%+v\n%s", f, text(t, diags))
	}
}

// FuzzParse feeds any bytes as a server file: it may be wrong, but it must end in
// diagnostics that can be printed, never in a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole), false)
	f.Add([]byte(wholeJSON), true)
	f.Add([]byte("ocpp {\n  address = \"${[for a in [\"127.0.0.1:1\"] : a][0]}\"\n  security_profile = 1e999999\n}\nwatch \"${a}\" {\n}\n"), false)
	f.Add([]byte(`{"ocpp": [{"tls": null}, []], "watch": [{"a": {}}, {"a": null}], "api": {"token": {"": {}}}, "retention": "${x}"}`), true)
	f.Fuzz(func(t *testing.T, src []byte, json bool) {
		name := "resctl.server.hcl"
		if json {
			name += ".json"
		}
		if bytes.Contains(src, []byte("secret_file")) {
			return // it would be read
		}
		file, diags := Parse(name, src)
		if (file == nil) != diags.HasErrors() {
			t.Error("a file comes exactly without errors")
		}
		if out := text(t, diags); strings.Contains(out, "Internal error") {
			t.Error(out)
		}
		if _, err := diags.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}
