package scenarios

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// far is a station that says what the test tells it to. What it hears waits in
// two lines: requests, and answers to what it said.
type far struct {
	t *testing.T
	w *world
	*websocket.Conn
	requests, answers chan string
	said              int
}

// dial connects as the station, in 2.0.1 unless other versions are offered.
func (w *world) dial(offered ...string) *far {
	w.t.Helper()
	return w.dialAs(station, offered...)
}

func (w *world) dialAs(identity string, offered ...string) *far {
	w.t.Helper()
	d := w.dialer
	if d.Subprotocols = offered; len(offered) == 0 {
		d.Subprotocols = []string{"ocpp2.0.1"}
	}
	conn, _, err := d.Dial(w.url+identity, nil)
	must(w.t, err)
	f := &far{t: w.t, w: w, Conn: conn, requests: make(chan string, 256), answers: make(chan string, 256)}
	w.t.Cleanup(func() { _ = conn.Close() })
	go f.listen()
	return f
}

// listen hears until the socket ends; both lines are closed then.
func (f *far) listen() {
	defer close(f.requests)
	defer close(f.answers)
	for {
		_, data, err := f.ReadMessage()
		switch {
		case err != nil:
			return
		case strings.HasPrefix(string(data), "[2,"):
			f.requests <- string(data)
		default:
			f.answers <- string(data)
		}
	}
}

// boot connects, boots, and shows two EVSEs as Available. What was kept
// is said by then: it may be asked for something.
func (w *world) boot() *far {
	w.t.Helper()
	f := w.dial()
	f.boot()
	return f
}

func (f *far) boot() {
	f.t.Helper()
	f.say(`[2,"b1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V","serialNumber":"SN-1"}}]`)
	f.hears(`^\[3,"b1",\{.*"status":"Accepted".*\}\]$`)
	f.status("Available")
	f.statusOf(2, "Available")
	if f.w.isVirtual {
		f.w.pass(f.w.Settings.QuietPeriod)
	}
}

// say sends a frame; NOW in it is the time.
func (f *far) say(frame string) {
	f.t.Helper()
	frame = strings.ReplaceAll(frame, "NOW", time.Now().UTC().Format(time.RFC3339))
	must(f.t, f.WriteMessage(websocket.TextMessage, []byte(frame)))
	if f.w.isVirtual {
		synctest.Wait()
	}
}

// next takes the first frame of a line, and gives what the pattern's groups match.
func (f *far) next(line <-chan string, pattern string) []string {
	f.t.Helper()
	frame, ok := f.take(line)
	if !ok {
		f.t.Fatalf("heard nothing, want %s", pattern)
	}
	m := regexp.MustCompile(pattern).FindStringSubmatch(frame)
	if m == nil {
		f.t.Fatalf("heard %s, want %s", frame, pattern)
	}
	return m[1:]
}

// take gives the first frame of a line. In virtual time it is there, or will not be.
func (f *far) take(line <-chan string) (frame string, ok bool) {
	if f.w.isVirtual {
		synctest.Wait()
		select {
		case frame, ok = <-line:
		default:
		}
		return frame, ok
	}
	select {
	case frame, ok = <-line:
	case <-time.After(5 * time.Second):
	}
	return frame, ok
}

// hears expects an answer to what it said.
func (f *far) hears(pattern string) []string {
	f.t.Helper()
	return f.next(f.answers, pattern)
}

// expect expects a request.
func (f *far) expect(pattern string) []string {
	f.t.Helper()
	return f.next(f.requests, pattern)
}

// report says something that is acknowledged with an empty object.
func (f *far) report(action, payload string) {
	f.t.Helper()
	f.said++
	f.say(fmt.Sprintf(`[2,"s%d","%s",%s]`, f.said, action, payload))
	f.hears(fmt.Sprintf(`^\[3,"s%d",\{\}\]$`, f.said))
}

// status reports the status of EVSE 1.
func (f *far) status(s string) {
	f.t.Helper()
	f.statusOf(1, s)
}

func (f *far) statusOf(evse int, s string) {
	f.t.Helper()
	f.report("StatusNotification", fmt.Sprintf(`{"timestamp":"NOW","connectorStatus":"%s","evseId":%d,"connectorId":1}`, s, evse))
}

// update reports how a reservation has ended.
func (f *far) update(id, s string) {
	f.t.Helper()
	f.report("ReservationStatusUpdate", `{"reservationId":`+id+`,"reservationUpdateStatus":"`+s+`"}`)
}

// asked expects a ReserveNow of EVSE 1 and gives its message id and reservation id.
func (f *far) asked() (message, id string) {
	f.t.Helper()
	m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),.*"evseId":1\}\]$`)
	return m[0], m[1]
}

// askedAny expects a ReserveNow of any EVSE.
func (f *far) askedAny() (message, id string) {
	f.t.Helper()
	m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),"expiryDateTime":"[^"]+","idToken":\{[^}]*\}\}\]$`)
	return m[0], m[1]
}

// canceled expects a CancelReservation of the id and gives its message id.
func (f *far) canceled(id string) (message string) {
	f.t.Helper()
	return f.expect(`^\[2,"([^"]+)","CancelReservation",\{"reservationId":` + id + `\}\]$`)[0]
}

func (f *far) answer(message, status string) {
	f.t.Helper()
	f.say(`[3,"` + message + `",{"status":"` + status + `"}]`)
}

// accepts answers a ReserveNow with Accepted, shows Reserved, and gives the id.
func (f *far) accepts() (id string) {
	f.t.Helper()
	message, id := f.asked()
	f.answer(message, "Accepted")
	f.status("Reserved")
	return id
}

// quiet proves that nothing was asked before the answer to a heartbeat.
func (f *far) quiet() {
	f.t.Helper()
	f.say(`[2,"h1","Heartbeat",{}]`)
	f.hears(`^\[3,"h1",\{"currentTime":"[^"]+Z"\}\]$`)
	if f.w.isVirtual {
		synctest.Wait()
	}
	if len(f.requests) > 0 {
		f.t.Fatalf("asked without need: %s", <-f.requests)
	}
}
