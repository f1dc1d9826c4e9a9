package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/sim/control"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reservation"
)

// depot is a CSMS, one station that is connected to it, and its control.
type depot struct {
	t        *testing.T
	control  *httptest.Server
	sessions chan *ocppclient.Session

	mu     sync.Mutex
	events []string // what the CSMS was told, in order
	heard  *sync.Cond
}

func newDepot(t *testing.T, showTokens bool, quirks ...string) *depot {
	d := &depot{t: t, sessions: make(chan *ocppclient.Session, 10)}
	d.heard = sync.NewCond(&d.mu)
	server, err := ocppclient.NewServer(ocppclient.Config{
		Observe: d.observe,
		Joined:  func(s *ocppclient.Session) { d.sessions <- s },
		Admit: func(context.Context, string) (ocppclient.Admission, error) {
			return ocppclient.Admission{Known: true}, nil
		},
		CallTimeout: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	station := sim.Config{ID: "DEPOT/1", Serial: "SN", Vendor: "V", Model: "M", EVSEs: []sim.EVSE{
		{ID: 1, Connectors: []v201.ConnectorType{"cCCS2"}}, {ID: 2, Connectors: []v201.ConnectorType{"cType2"}}}}
	for _, q := range quirks {
		if err := station.Quirks.Set(q); err != nil {
			t.Fatal(err)
		}
	}
	client, err := sim.NewClient(sim.ClientConfig{Station: station, URL: "ws://" + l.Addr().String() + "/ocpp", MinBackOff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = server.Run(ctx, l) })
	running.Go(func() { _ = client.Run(ctx) })
	d.control = httptest.NewServer(control.Handler(control.Config{Stations: []*sim.Client{client}, ShowTokens: showTokens}))
	t.Cleanup(func() { d.control.Close(); cancel(); running.Wait() })
	d.expect("booted", "1 Available", "2 Available")
	return d
}

func (d *depot) observe(_ context.Context, e reservation.Event) (reservation.Event, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := string(e.Kind)
	switch e.Kind {
	case reservation.Connected, reservation.Disconnected:
		e.Connection = 1
	case reservation.Status:
		text = fmt.Sprintf("%d %s", e.Status.EVSE, e.Status.Status)
	case reservation.Reported:
		text = fmt.Sprintf("%d %s", e.ReservationID, e.Update)
	case reservation.Transaction:
		text = fmt.Sprintf("transaction at %d for %d", e.Transaction.EVSE, e.ReservationID)
	}
	d.events = append(d.events, text)
	d.heard.Broadcast()
	return e, nil
}

// expect waits until the CSMS has been told each of these, in whatever order.
func (d *depot) expect(want ...string) {
	d.t.Helper()
	end := time.Now().Add(10 * time.Second)
	stop := time.AfterFunc(10*time.Second, d.heard.Broadcast)
	defer stop.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range want {
		for !slices.Contains(d.events, w) {
			if !time.Now().Before(end) {
				d.t.Fatalf("the CSMS was not told %q, but %q", w, d.events)
			}
			d.heard.Wait()
		}
		at := slices.Index(d.events, w)
		d.events = slices.Delete(d.events, at, at+1)
	}
}

// session is the newest socket.
func (d *depot) session() *ocppclient.Session {
	d.t.Helper()
	select {
	case s := <-d.sessions:
		return s
	case <-time.After(10 * time.Second):
		d.t.Fatal("the station does not come")
	}
	return nil
}

// reserve asks the station for an EVSE (0: any) for an hour, for VAN-1 and
// everybody of DEPOT; what it answers comes back.
func reserve(s *ocppclient.Session, id int32, evse int) reservation.Outcome {
	return s.Call(context.Background(), id, reservation.Call{Kind: reservation.ReserveNow, Content: &reservation.Content{
		Target:  reservation.Target{EVSE: evse},
		IDToken: reservation.Token{IDToken: "VAN-1", Type: "Central"}, GroupIDToken: &reservation.Token{IDToken: "DEPOT", Type: "Central"},
		Expiry: time.Now().Add(time.Hour)}}).Outcome
}

func cancel(s *ocppclient.Session, id int32) reservation.Outcome {
	return s.Call(context.Background(), id, reservation.Call{Kind: reservation.CancelReservation}).Outcome
}

// ask sends a request to the control; its status and body come back.
func (d *depot) ask(method, path, body string, edit ...func(*http.Request)) (int, string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.control.URL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range edit {
		e(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		d.t.Errorf("%s %s: content type %q", method, path, got)
	}
	return response.StatusCode, string(b)
}

const at = "/stations/DEPOT%2F1"

// do lets something happen at the station, which must work; it says how the
// station then is.
func (d *depot) do(action, body string) string {
	d.t.Helper()
	status, text := d.ask(http.MethodPost, at+"/"+action, body)
	if status != http.StatusOK {
		d.t.Fatalf("%s %s: %d %s", action, body, status, text)
	}
	var a struct {
		Version string `json:"format_version"`
		Station struct {
			Connected bool
			EVSEs     []struct{ Status string }
			Held      []struct {
				ID int `json:"reservation_id"`
			} `json:"reservations"`
		}
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil || a.Version != control.FormatVersion {
		d.t.Fatalf("%s: %v", text, err)
	}
	var parts []string
	for _, e := range a.Station.EVSEs {
		parts = append(parts, e.Status)
	}
	for _, r := range a.Station.Held {
		parts = append(parts, fmt.Sprint(r.ID))
	}
	if !a.Station.Connected {
		parts = append(parts, "offline")
	}
	return strings.Join(parts, " ")
}

func (d *depot) expectDo(action, body, want string) {
	d.t.Helper()
	if got := d.do(action, body); got != want {
		d.t.Fatalf("%s %s: got %q, want %q", action, body, got, want)
	}
}
