package main

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/sim/control"
	"github.com/resctl/resctl/ocppclient/v201"
)

// controlRequest is a request to the control, as documents show it.
var controlRequest = regexp.MustCompile(`(?m)^curl http://127\.0\.0\.1:8090(\S+)(?: -d '([^']*)')?$`)

// TestControlExamples runs every request that docs/simulate.md shows against
// stations of which each holds 41 at EVSE 1, for a group.
func TestControlExamples(t *testing.T) {
	found := controlRequest.FindAllStringSubmatch(read(t, top+"docs/simulate.md"), -1)
	actions := map[string]bool{}
	for _, x := range found {
		server := httptest.NewServer(control.Handler(control.Config{Stations: []*sim.Client{
			holding(t, "SIM-00001"), holding(t, "DEPOT-A-01")}}))
		method := http.MethodGet
		if x[2] != "" {
			method = http.MethodPost
		}
		if status, text, err := ask(method, server.URL+x[1], x[2]); err != nil || status != http.StatusOK {
			t.Errorf("%s: %d %s %v", x[0], status, text, err)
		}
		actions[x[1][strings.LastIndex(x[1], "/")+1:]] = true
		server.Close()
	}
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`[a-z]+`(?:, )?)+) \\| ").FindAllStringSubmatch(read(t, top+"docs/simulate.md"), -1) {
		for _, name := range strings.Split(m[1], ", ") {
			if name = strings.Trim(name, "`"); !actions[name] {
				t.Errorf("%s has no example", name)
			}
		}
	}
	if len(found) < 20 {
		t.Errorf("%d examples", len(found))
	}
}

// holding is a station that was let in, and has lost its link since.
func holding(t *testing.T, id string) *sim.Client {
	t.Helper()
	fleet := fleetFlags{url: "ws://127.0.0.1:1/", count: 1, idFormat: id, evses: 2, connectors: []string{"cCCS2"}}
	stations, err := fleet.stations()
	if err != nil {
		t.Fatal(err)
	}
	client, err := sim.NewClient(sim.ClientConfig{Station: stations[0], URL: fleet.url})
	if err != nil {
		t.Fatal(err)
	}
	evse := 1
	q := v201.NewReserveNowRequest(41, time.Now().Add(time.Hour), v201.IdToken{IDToken: "VAN", Type: v201.Central})
	q.EVSEID, q.GroupIDToken = &evse, &v201.IdToken{IDToken: "DEPOT", Type: v201.Central}
	payload, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Do(func(m *sim.Machine, now time.Time) []sim.Message {
		m.Boot(now)
		m.BootAnswered(now, "Accepted")
		_, _, messages := m.Handle(now, "ReserveNow", payload)
		return messages
	}); err != nil || len(client.Holds()) != 1 {
		t.Fatalf("%v, holds %v", err, client.Holds())
	}
	return client
}

// A certificate that is given is believed, and no other.
func TestStationsTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	url := "wss" + strings.TrimPrefix(server.URL, "https")
	for env, want := range map[string]string{"": "certificate", "RESCTL_CA_FILE=" + ca: "bad handshake"} {
		c := newCLI(nil, os.Stdout, os.Stderr, []string{env})
		link, err := c.simulatedLink(simulateFlags{fleet: fleetFlags{url: url}, maxBackOff: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		conn, response, err := link.Dialer.Dial(url, nil)
		if err == nil {
			_ = conn.Close()
		}
		if response != nil {
			_ = response.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", env, err, want)
		}
	}
}
