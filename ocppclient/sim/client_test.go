package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
)

// csms is the far end: it answers what stations send, and calls them.
type csms struct {
	t     *testing.T
	url   string
	links chan *link
	hold  string // an action that is left without an answer
	fail  string // an action that is refused once
	block string // a token that may not charge
	every int    // seconds between heartbeats
}

// link is one station's socket as the CSMS has it.
type link struct {
	t       *testing.T
	conn    *websocket.Conn
	writing sync.Mutex
	user    string
	calls   chan wire.Frame // from the station
	answers chan wire.Frame // to our calls
}

func newCSMS(t *testing.T, hold string) *csms {
	c := &csms{t: t, links: make(chan *link, 1000), hold: hold}
	server := httptest.NewServer(http.HandlerFunc(c.accept))
	t.Cleanup(server.Close)
	c.url = "ws" + strings.TrimPrefix(server.URL, "http") + "/ocpp/"
	return c
}

func (c *csms) accept(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{Subprotocols: []string{v201.Protocol}}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	user, password, _ := r.BasicAuth()
	l := &link{t: c.t, conn: conn, user: user + ":" + password + "@" + r.URL.Path,
		calls: make(chan wire.Frame, 1000), answers: make(chan wire.Frame, 10)}
	c.links <- l
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			close(l.calls)
			return
		}
		c.take(l, data)
	}
}

func (c *csms) take(l *link, data []byte) {
	f, broken := wire.Decode(data)
	if broken != nil {
		c.t.Errorf("station sent %s: %v", data, broken)
		return
	}
	if f.Type != wire.TypeCall {
		l.answers <- f
		return
	}
	if c.fail == f.Action {
		c.fail = ""
		frame, _ := wire.CallError(f.ID, &wire.Error{Code: wire.InternalError})
		_ = l.write(frame)
	} else if f.Action != c.hold {
		reply, failed := v201.Receive(f.Action, f.Payload, v201.Env{Now: time.Now(), Boot: "Accepted", Interval: c.every})
		if c.block != "" && strings.Contains(string(f.Payload), `"idToken":"`+c.block+`"`) {
			reply.Response = v201.TransactionEventResponse{IDTokenInfo: &v201.IdTokenInfo{Status: v201.AuthorizationUnknown}}
		}
		if failed != nil {
			c.t.Errorf("station sent %s: %v", data, failed)
		}
		frame, _ := wire.Result(f.ID, reply.Response)
		_ = l.write(frame)
	}
	l.calls <- f
}

func (l *link) write(frame []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.conn.WriteMessage(websocket.TextMessage, frame)
}

// expect wants these calls of the station, in order.
func (l *link) expect(actions ...string) {
	l.t.Helper()
	for _, want := range actions {
		select {
		case f := <-l.calls:
			if f.Action != want {
				l.t.Fatalf("got %s %s, want %s", f.Action, f.Payload, want)
			}
		case <-time.After(10 * time.Second):
			l.t.Fatalf("no %s", want)
		}
	}
}

// call makes a call and returns the status it is answered with.
func (l *link) call(action string, payload any) string {
	l.t.Helper()
	frame, err := wire.Call("m-"+action, action, payload)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.write(frame); err != nil {
		l.t.Fatal(err)
	}
	select {
	case f := <-l.answers:
		var r struct{ Status string }
		_ = json.Unmarshal(f.Payload, &r)
		return r.Status + string(f.Code)
	case <-time.After(10 * time.Second):
		l.t.Fatalf("%s was not answered", action)
	}
	return ""
}

// sync returns when the station has read everything that was written before.
func (l *link) sync() {
	l.t.Helper()
	if got := l.call("Reset", map[string]string{"type": "Immediate"}); got != "NotImplemented" {
		l.t.Fatal(got)
	}
}

func (l *link) reserve(id int32, evse int) string {
	l.t.Helper()
	q := v201.NewReserveNowRequest(id, time.Now().Add(time.Hour), card("A"))
	q.EVSEID = &evse
	return l.call("ReserveNow", q)
}

// run starts a station; the function that it returns stops it.
func run(t *testing.T, c ClientConfig) (*Client, func()) {
	t.Helper()
	c.MinBackOff = time.Millisecond
	client, err := NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	stop := func() {
		cancel()
		if err, open := <-ended; open && err != nil {
			t.Errorf("run: %v", err)
		}
		close(ended)
	}
	return client, stop
}

var bootFrames = []string{"BootNotification", "StatusNotification", "StatusNotification", "StatusNotification"}

func TestClientKeepsItsReservationsOverARestart(t *testing.T) {
	c, dir := newCSMS(t, ""), filepath.Join(t.TempDir(), "stations")
	config := ClientConfig{Station: testConfig(Quirks{}), URL: c.url, Password: "secret", Memory: Directory(dir)}
	config.Station.ID = "DEPOT/1"
	client, stop := run(t, config)
	l := <-c.links
	if l.user != "DEPOT/1:secret@/ocpp/DEPOT/1" {
		t.Errorf("came as %s", l.user)
	}
	l.expect(bootFrames...)
	if got := l.reserve(41, 1); got != "Accepted" {
		t.Fatal(got)
	}
	path := filepath.Join(dir, "station-DEPOT%2F1.json")
	remembered, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(remembered), `"id":41`) {
		t.Fatalf("answered before it was kept: %s, %v", remembered, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	l.expect("StatusNotification")
	if held := client.Holds(); len(held) != 1 || held[0].ID != 41 || client.Calls()["ReserveNow"] != 1 {
		t.Errorf("holds %v, calls %v", held, client.Calls())
	}
	l.sync()
	stop()

	_, stop = run(t, config)
	defer stop()
	l = <-c.links
	if got := l.call("CancelReservation", v201.NewCancelReservationRequest(41)); got != "Accepted" {
		t.Error(got)
	}
	l.expect("StatusNotification") // and no BootNotification before it
}

// A process that is killed ends with the memory as it was when the answer left.
func TestClientKilledAfterItsAnswer(t *testing.T) {
	c, dir := newCSMS(t, "TransactionEvent"), t.TempDir()
	config := ClientConfig{Station: testConfig(Quirks{}), URL: c.url, Memory: Directory(dir)}
	client, stop := run(t, config)
	l := <-c.links
	l.expect(bootFrames...)
	l.reserve(41, 1)
	l.expect("StatusNotification")
	if err := client.Do(func(m *Machine, now time.Time) []Message {
		messages, _ := m.Use(now, 1, card("a"))
		return messages
	}); err != nil {
		t.Fatal(err)
	}
	l.expect("StatusNotification", "TransactionEvent") // which is not answered
	snapshot, err := os.ReadFile(Directory(dir).path("S1"))
	if err != nil {
		t.Fatal(err)
	}
	stop()

	config.Memory = Directory(t.TempDir())
	if err := config.Memory.Save("S1", snapshot, true); err != nil {
		t.Fatal(err)
	}
	again, stop := run(t, config)
	defer stop()
	l = <-c.links
	l.expect("StatusNotification", "TransactionEvent") // its answers were not in the memory yet
	if held := again.Holds(); len(held) != 0 {
		t.Errorf("holds %v", held)
	}
}

func TestClientAnswersWhileItsOwnCallIsOut(t *testing.T) {
	c := newCSMS(t, "StatusNotification")
	_, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect("BootNotification", "StatusNotification")
	if got := l.reserve(41, 1); got != "Accepted" {
		t.Error(got)
	}
	l.sync()
	if len(l.calls) != 0 {
		t.Error("a second call left before the first was answered")
	}
}

func TestClientSendsBeforeItsAnswerWhatAQuirkPutsThere(t *testing.T) {
	c := newCSMS(t, "")
	_, stop := run(t, ClientConfig{Station: testConfig(Quirks{AuthorizeBeforeAnswer: true, StatusBeforeAnswer: true}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	if got := l.reserve(41, 1); got != "Accepted" || len(l.calls) != 2 {
		t.Errorf("%s after %d calls", got, len(l.calls))
	}
	l.expect("Authorize", "StatusNotification")
}

func TestClientComesBack(t *testing.T) {
	c := newCSMS(t, "")
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	l.reserve(41, 1)
	l.expect("StatusNotification")
	l.sync()
	client.Drop()
	l = <-c.links
	if got := l.call("CancelReservation", v201.NewCancelReservationRequest(41)); got != "Accepted" {
		t.Error(got)
	}
	l.expect("StatusNotification")
	if err := client.Do(func(m *Machine, now time.Time) []Message { return m.Reboot(now, true) }); err != nil {
		t.Fatal(err)
	}
	l.expect(bootFrames...)
}

func TestClientRepeatsATransactionEventThatWasRefused(t *testing.T) {
	c := newCSMS(t, "")
	c.fail = "TransactionEvent"
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url, PingInterval: 50 * time.Millisecond})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	if err := client.Do(func(m *Machine, now time.Time) []Message {
		messages, _ := m.Use(now, 1, card("a"))
		return messages
	}); err != nil {
		t.Fatal(err)
	}
	l.expect("StatusNotification", "TransactionEvent", "TransactionEvent")
}

func TestClientEndsTheChargingOfATokenThatIsNotAccepted(t *testing.T) {
	c := newCSMS(t, "")
	c.block = "stranger"
	client, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	for i, who := range []string{"known", "stranger"} {
		if err := client.Do(func(m *Machine, now time.Time) []Message {
			messages, _ := m.Use(now, i+1, card(who))
			return messages
		}); err != nil {
			t.Fatal(err)
		}
	}
	l.expect("StatusNotification", "TransactionEvent", "StatusNotification", "StatusNotification", "TransactionEvent", "TransactionEvent")
	l.sync()
	if err := client.Do(func(m *Machine, now time.Time) []Message {
		if all := m.Look(now).EVSEs; all[0].TransactionID == "" || all[1].TransactionID != "" || !all[1].Plugged {
			t.Errorf("%+v", all)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestClientExpiresByTheClock(t *testing.T) {
	c := newCSMS(t, "")
	_, stop := run(t, ClientConfig{Station: testConfig(Quirks{Skew: time.Hour - 300*time.Millisecond}), URL: c.url})
	defer stop()
	l := <-c.links
	l.expect(bootFrames...)
	q := v201.NewReserveNowRequest(41, time.Now().Add(time.Hour+time.Second), card("A"))
	if got := l.call("ReserveNow", q); got != "Accepted" {
		t.Fatal(got)
	}
	l.expect("ReservationStatusUpdate")
}

func TestClientSendsHeartbeatsAsOftenAsItIsTold(t *testing.T) {
	t.Parallel()
	c := newCSMS(t, "")
	c.every = 1
	_, stop := run(t, ClientConfig{Station: testConfig(Quirks{}), URL: c.url})
	defer stop()
	l := <-c.links
	begin := time.Now()
	l.expect(append(bootFrames, "Heartbeat")...)
	if took := time.Since(begin); took < 900*time.Millisecond {
		t.Errorf("it came after %v", took)
	}
}

func TestAFleetInOneProcess(t *testing.T) {
	c, dialer := newCSMS(t, ""), NewDialer()
	const stations = 100
	for i := range stations {
		station := testConfig(Quirks{})
		station.ID = "S" + string(rune('A'+i/26)) + string(rune('A'+i%26))
		_, stop := run(t, ClientConfig{Station: station, URL: c.url, Dialer: dialer})
		defer stop()
	}
	for range stations {
		l := <-c.links
		l.expect(bootFrames...)
		if got := l.reserve(41, 1); got != "Accepted" {
			t.Error(got)
		}
	}
}

func TestNewClientRefuses(t *testing.T) {
	if _, err := NewClient(ClientConfig{URL: "http://x"}); err == nil {
		t.Error("http was accepted")
	}
	dir := Directory(t.TempDir())
	if err := dir.Save("S1", []byte("{"), false); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(ClientConfig{Station: testConfig(Quirks{}), URL: "ws://x", Memory: dir}); err == nil {
		t.Error("a broken memory was accepted")
	}
}
