package control_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient/sim/control"
)

func TestRefuses(t *testing.T) {
	d := newDepot(t, false)
	s := d.session()
	reserve(s, 41, 1)
	reserve(s, 42, 2)
	for _, x := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/nonsense", "", 404, "there are /, /stations"},
		{"GET", "/stations/a/b/c", "", 404, "there are /, /stations"},
		{"GET", "/stations/NOBODY", "", 404, `station \"NOBODY\"`},
		{"POST", "/stations", "", 405, "want GET"},
		{"GET", at + "/remove", "", 405, "want POST"},
		{"POST", at + "/explode", "", 404, "there are answer, clear, connect"},
		{"POST", "/stations/NOBODY/remove", "", 404, "NOBODY"},
		{"POST", at + "/remove", "{", 400, "body: unexpected EOF"},
		{"POST", at + "/remove", "[]", 400, "body: "},
		{"POST", at + "/remove", `{"reservation": 41}`, 400, `unknown field \"reservation\"`},
		{"POST", at + "/remove", `{} {}`, 400, "something follows"},
		{"POST", at + "/remove", `{"reservation_id": 9}`, 404, "does not hold 9"},
		{"POST", at + "/remove", "", 400, "the station holds 2: which?"},
		{"POST", at + "/expire", `{"evse_id": 3}`, 404, "no reservation names EVSE 3"},
		{"POST", at + "/use", `{"evse_id": 3}`, 404, "no EVSE 3"},
		{"POST", at + "/use", `{"evse_id": 1, "id_token": {"id_token": "X"}}`, 400, "goes with group_member"},
		{"POST", at + "/plug", "", 400, "which EVSE?"},
		{"POST", at + "/plug", `{"evse_id": 1, "id_token": {"id_token": ""}}`, 400, "id_token: "},
		{"POST", at + "/plug", `{"evse_id": 1, "id_token": {"id_token": "X", "type": "Nonsense"}}`, 400, "id_token: idToken.type"},
		{"POST", at + "/fault", `{"evse_id": 9}`, 404, "no EVSE 9"},
		{"POST", at + "/reboot", `{"memory": "lose"}`, 400, "want keep or forget"},
		{"POST", at + "/disconnect", `{"for": "soon"}`, 400, "want a duration"},
		{"POST", at + "/disconnect", `{"for": 7}`, 400, "want a duration"},
		{"POST", at + "/disconnect", `{"for": "-1s"}`, 400, "for: want 0s to 24h0m0s"},
		{"POST", at + "/delay", `{"by": "1h"}`, 400, "by: want 0s to 10m0s"},
		{"POST", at + "/skew", `{"by": "99999h"}`, 400, "by: want -8784h0m0s to 8784h0m0s"},
		{"POST", at + "/answer", `{"action": "Reset"}`, 400, "want ReserveNow or CancelReservation"},
		{"POST", at + "/answer", `{"action": "ReserveNow", "times": -1}`, 400, "want 0 or more"},
		{"POST", at + "/remove", strings.Repeat(" ", 70_000), 413, "longer than 65536 bytes"},
	} {
		status, text := d.ask(x.method, x.path, x.body)
		if status != x.status || !strings.Contains(text, x.want) || !strings.HasPrefix(text, `{"format_version":"1.0","error":{"code":"`) {
			t.Errorf("%s %s %.60s: %d %s", x.method, x.path, x.body, status, text)
		}
	}
	if got := d.do("skew", `{"by": "0s"}`); got != "Reserved Reserved 41 42" {
		t.Errorf("what was refused had an effect: %s", got)
	}
}

// A page in a browser on the same machine must not command stations.
func TestRefusesWebPages(t *testing.T) {
	d := newDepot(t, false)
	for name, edit := range map[string]func(*http.Request){
		"another page":        func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"a page without name": func(r *http.Request) { r.Header.Set("Origin", "null") },
		"our own address":     func(r *http.Request) { r.Header.Set("Origin", d.control.URL) },
		"a name for us":       func(r *http.Request) { r.Host = "evil.example" },
		"with a port":         func(r *http.Request) { r.Host = "evil.example:8090" },
		"an address of ours":  func(r *http.Request) { r.Host = "192.0.2.1:8090" },
	} {
		for _, method := range []string{"GET", "POST"} {
			if status, text := d.ask(method, "/stations", "", edit); status != http.StatusForbidden {
				t.Errorf("%s: %d %s", name, status, text)
			}
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:1", "127.0.0.1:9", "127.1.2.3", "[::1]:80", "[::1]", "[::ffff:127.0.0.1]"} {
		if status, text := d.ask("GET", "/", "", func(r *http.Request) { r.Host = host }); status != http.StatusOK {
			t.Errorf("%s: %d %s", host, status, text)
		}
	}
}

func TestListen(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1", ""} {
		if l, err := control.Listen(address); err == nil {
			t.Errorf("%s is taken as %s", address, l.Addr())
		}
	}
	l, err := control.Listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(l.Addr().String()); err == nil {
		t.Error("an address is taken twice")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- control.Serve(ctx, l, control.Handler(control.Config{})) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", response, err)
	}
	_ = response.Body.Close()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not end")
	}
}

func TestServeFails(t *testing.T) {
	l, err := control.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := control.Serve(t.Context(), l, nil); err == nil {
		t.Error("it serves on a closed listener")
	}
}
