package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// node is a station in JavaScript: testdata/node/station.js.
type node struct {
	t    *testing.T
	in   io.Writer
	said chan []json.RawMessage // what it wrote, but what it was asked
	// asked is what it was asked: action and payload.
	asked chan []json.RawMessage
}

// startNode starts one that connects to an apply.
func startNode(t *testing.T, a *applying, id, password, mode string) *node {
	t.Helper()
	dir, err := installed()
	if err != nil {
		npmMissing(t, err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		npmMissing(t, err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/node/station.js", dir, "ws://"+a.address, id, password, mode)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	n := &node{t: t, in: in, said: make(chan []json.RawMessage, 64), asked: make(chan []json.RawMessage, 64)}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.listen(out)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("node: %s", &errs)
		}
	})
	return n
}

func (n *node) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var what []json.RawMessage
		if json.Unmarshal(lines.Bytes(), &what) != nil || len(what) == 0 {
			continue
		}
		if string(what[0]) == `"asked"` {
			n.asked <- what[1:]
		} else {
			n.said <- what
		}
	}
	close(n.said)
}

func (n *node) tell(what ...any) {
	n.t.Helper()
	b, err := json.Marshal(what)
	if err == nil {
		_, err = n.in.Write(append(b, '\n'))
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// says waits for a word, and returns what comes with it.
func (n *node) says(word string) []json.RawMessage {
	n.t.Helper()
	end := time.After(patience)
	for {
		select {
		case what, open := <-n.said:
			switch {
			case !open:
				n.t.Fatalf("the station ended before it said %q", word)
			case string(what[0]) == `"`+word+`"`:
				return what[1:]
			}
			n.t.Fatalf("the station says %s, not %q", what, word)
		case <-end:
			n.t.Fatalf("the station does not say %q", word)
		}
	}
}

// call makes a call of the station's, which resctl is to answer with a result.
func (n *node) call(action string, payload any) (result map[string]any) {
	n.t.Helper()
	n.tell("call", action, payload)
	if err := json.Unmarshal(n.says("result")[0], &result); err != nil {
		n.t.Fatal(err)
	}
	return result
}

func (n *node) boot() {
	n.t.Helper()
	if r := n.call("BootNotification", fields{"reason": "PowerUp", "chargingStation": fields{"model": "M", "vendorName": "V"}}); r["status"] != "Accepted" {
		n.t.Fatalf("boot: %v", r)
	}
	n.status("Available")
}

func (n *node) status(status string) {
	n.t.Helper()
	n.call("StatusNotification", fields{"timestamp": instant(), "connectorStatus": status, "evseId": 1, "connectorId": 1})
}

type fields map[string]any

func instant() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// next is what it is asked next, which must be that action.
func (n *node) next(action string) (payload fields) {
	n.t.Helper()
	select {
	case what := <-n.asked:
		if string(what[0]) != `"`+action+`"` {
			n.t.Fatalf("asked %s, not %s", what, action)
		}
		if err := json.Unmarshal(what[1], &payload); err != nil {
			n.t.Fatal(err)
		}
	case <-time.After(patience):
		n.t.Fatalf("not asked: %s", action)
	}
	return payload
}

// TestNode: the life of a reservation at a station in JavaScript. Before it
// answers it asks resctl itself; in strict mode it holds every frame, of both
// sides, against the schemas.
func TestNode(t *testing.T) {
	for _, mode := range []string{"lax", "strict"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorkdir(t, withPassword, nobody, onEVSE("van", "1", "T1", "8h"))
			a := w.apply()
			if mode == "lax" {
				if why := startNode(t, a, "CS-1", "wrong horse battery!", mode).says("refused"); string(why[0]) != "401" {
					t.Errorf("refused: %s", why)
				}
			}
			n := startNode(t, a, "CS-1", "correct horse battery", mode)
			if got := string(n.says("connected")[0]); got != `"ocpp2.0.1"` {
				t.Errorf("protocol %s", got)
			}
			n.tell("answer", "ReserveNow", fields{"status": "Accepted"}, true)
			n.boot()
			first := n.next("ReserveNow")
			if got := string(n.says("authorized")[0]); got != `"Accepted"` {
				t.Errorf("the driver is %s", got)
			}
			if r := w.untilPhase("van", "reserved"); float64(r.ReservationID) != first["id"] {
				t.Errorf("reserved: %+v, asked %v", r, first)
			}

			n.tell("answer", "ReserveNow", fields{"status": "Accepted", "statusInfo": fields{"reasonCode": "Unspecified"}})
			n.status("Available")
			n.call("ReservationStatusUpdate", fields{"reservationId": first["id"], "reservationUpdateStatus": "Removed"})
			again := n.next("ReserveNow")
			if again["id"] == first["id"] {
				t.Errorf("asked again under id %v", again["id"])
			}
			w.untilPhase("van", "reserved")
			n.status("Reserved")

			got := n.call("TransactionEvent", fields{"eventType": "Updated", "timestamp": instant(), "triggerReason": "Authorized", "seqNo": 1,
				"transactionInfo": fields{"transactionId": "TX"}, "evse": fields{"id": 1}, "reservationId": again["id"],
				"idToken": fields{"idToken": "T1", "type": "ISO14443"}})
			if info, _ := got["idTokenInfo"].(map[string]any); info["status"] != "Accepted" {
				t.Errorf("the driver is %v", got)
			}
			w.untilPhase("van", "fulfilled")
			if h := n.call("Heartbeat", fields{}); h["currentTime"] == nil {
				t.Errorf("heartbeat: %v", h)
			}
			n.tell("call", "DataTransfer", fields{"vendorId": "x"})
			n.says("result")
			a.stop()
			n.says("closed") // and nothing was invalid before
			if len(n.asked) != 0 {
				t.Errorf("asked once too often: %s", <-n.asked)
			}
		})
	}
}

// TestNodeCancel: a cancel that the station does not know is as good as one
// that it does.
func TestNodeCancel(t *testing.T) {
	w := newWorkdir(t, withPassword, onEVSE("van", "1", "T1", "8h"))
	a := w.apply()
	n := startNode(t, a, "CS-1", "correct horse battery", "strict")
	n.says("connected")
	n.tell("answer", "ReserveNow", fields{"status": "Accepted"})
	n.boot()
	first := n.next("ReserveNow")
	a.done(exitDone)
	n.says("closed")

	w.declare(withPassword)
	a = w.apply()
	n = startNode(t, a, "CS-1", "correct horse battery", "strict")
	n.says("connected")
	n.tell("answer", "CancelReservation", fields{"status": "Rejected", "statusInfo": fields{"reasonCode": ""}})
	if q := n.next("CancelReservation"); q["reservationId"] != first["id"] {
		t.Errorf("cancelled %v, not %v", q, first)
	}
	a.done(exitDone)
	if r := w.now("van"); r.Held || r.ReservationID != 0 {
		t.Errorf("let go: %+v", r)
	}
}
