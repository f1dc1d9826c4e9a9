package scenarios

import (
	"context"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
	"github.com/resctl/resctl/state/statetest"
)

const station = "CP-1"

// world is the endpoint, the state and the loop, and one reservation of EVSE 1.
type world struct {
	t    *testing.T
	db   *state.DB
	url  string
	want *reservation.Wanted
}

func begin(t *testing.T) *world {
	t.Helper()
	db, err := state.Open(t.Context(), filepath.Join(t.TempDir(), "resctl.db"), state.Options{FirstReservationID: 4096})
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &world{t: t, db: db, url: "ws://" + l.Addr().String() + "/ocpp/" + station}
	w.want = statetest.Want("default", "reservation.van", station, 1, time.Now().Add(-time.Minute))
	settings := reconcile.Settings{QuietPeriod: time.Millisecond, QuietMax: time.Second, Patience: 2 * time.Second}
	c := &reconcile.Controller{Journal: db, Settings: settings, Now: time.Now}
	server, err := ocppclient.NewServer(ocppclient.Config{
		Observe: func(ctx context.Context, e reservation.Event) (reservation.Event, error) {
			stored, err := db.Append(ctx, e)
			if err != nil {
				return e, err
			}
			return stored[0], nil
		},
		Serve: func(ctx context.Context, s *ocppclient.Session) {
			changed, stop := db.Wake(s.StationID())
			defer stop()
			_ = c.Run(ctx, s.StationID(), s.Connection(), s, changed)
		},
		Admit: func(context.Context, string) (ocppclient.Admission, error) {
			return ocppclient.Admission{Known: true}, nil
		},
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, l) }()
	t.Cleanup(func() { cancel(); <-ended; _ = db.Close() })
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// declare puts after in the place of before.
func (w *world) declare(before, after *reservation.Wanted) {
	w.t.Helper()
	e := statetest.Declare(before, after)
	e.At = time.Now().UTC().Truncate(time.Millisecond)
	_, err := w.db.Append(w.t.Context(), e)
	must(w.t, err)
}

// is waits until the reservation is in a phase, for a reason if one is given.
func (w *world) is(p reservation.Phase, why reservation.Reason) {
	w.t.Helper()
	changed, stop := w.db.Wake(station)
	defer stop()
	late := time.After(5 * time.Second)
	for {
		found, err := w.db.Occurrences(w.t.Context(), "default", "reservation.van")
		must(w.t, err)
		if len(found) == 1 && found[0].Phase == p && (why == "" || found[0].Reason == why) {
			return
		}
		select {
		case <-changed:
		case <-late:
			w.t.Fatalf("it never became %s (%s): %+v", p, why, *found[0].Occurrence)
		}
	}
}

// far is a station that says what the test tells it to.
type far struct {
	t *testing.T
	*websocket.Conn
}

func (w *world) dial() *far {
	w.t.Helper()
	conn, _, err := (&websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}}).Dial(w.url, nil)
	must(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	return &far{w.t, conn}
}

// boot connects, boots, and shows EVSE 1 as Available.
func (w *world) boot() *far {
	w.t.Helper()
	f := w.dial()
	f.say(`[2,"b1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V","serialNumber":"SN-1"}}]`)
	f.expect(`^\[3,"b1",\{.*"status":"Accepted".*\}\]$`)
	f.status("Available")
	return f
}

func (f *far) say(frame string) {
	f.t.Helper()
	must(f.t, f.WriteMessage(websocket.TextMessage, []byte(frame)))
}

// expect reads the next frame, but for acknowledgements of statuses, which race
// our calls, and gives what the pattern's groups matched.
func (f *far) expect(pattern string) []string {
	f.t.Helper()
	_ = f.SetReadDeadline(time.Now().Add(5 * time.Second))
	data := []byte(`[3,"s1",{}]`)
	for string(data) == `[3,"s1",{}]` {
		var err error
		_, data, err = f.ReadMessage()
		must(f.t, err)
	}
	m := regexp.MustCompile(pattern).FindStringSubmatch(string(data))
	if m == nil {
		f.t.Fatalf("got %s, want %s", data, pattern)
	}
	return m[1:]
}

func (f *far) status(s string) {
	f.t.Helper()
	f.say(strings.ReplaceAll(`[2,"s1","StatusNotification",{"timestamp":"2036-01-01T00:00:00Z","connectorStatus":"STATUS","evseId":1,"connectorId":1}]`, "STATUS", s))
}

// asked expects a ReserveNow and gives its message id and reservation id.
func (f *far) asked() (message, id string) {
	f.t.Helper()
	m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),.*"evseId":1.*\}\]$`)
	return m[0], m[1]
}

func (f *far) answer(message, status string) {
	f.t.Helper()
	f.say(`[3,"` + message + `",{"status":"` + status + `"}]`)
}

// quiet proves that nothing was sent before the answer to a heartbeat.
func (f *far) quiet() {
	f.t.Helper()
	f.say(`[2,"h1","Heartbeat",{}]`)
	f.expect(`^\[3,"h1",\{"currentTime":"[^"]+Z"\}\]$`)
}
