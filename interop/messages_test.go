package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reservation"
)

// TestRequests: whatever resctl asks of a station is what the schema says.
func TestRequests(t *testing.T) {
	c := schemas(t)
	r := rand.New(rand.NewPCG(1, 1))
	calls := []reservation.Call{{Kind: reservation.CancelReservation}, {Kind: reservation.ProbeBoot},
		{Kind: reservation.ProbeStatus}, {Kind: reservation.ProbeStatus, EVSE: 1}, {Kind: reservation.ProbeStatus, EVSE: 17}}
	for range 2000 {
		calls = append(calls, reservation.Call{Kind: reservation.ReserveNow, Content: content(t, c, r)})
	}
	sent := map[string]int{}
	for _, call := range calls {
		action, payload, err := v201.Encode(1+r.Int32N(1<<31-1), call)
		if err != nil {
			t.Errorf("%+v: %v", call, err)
			continue
		}
		sent[action]++
		if err := c.check(request(action), encoded(t, payload)); err != nil {
			t.Errorf("%s: %v", encoded(t, payload), err)
		}
	}
	if len(sent) != 3 || sent["TriggerMessage"] != 4 {
		t.Errorf("sent %v", sent)
	}
}

// content is one to reserve, made of what the schema allows.
func content(t *testing.T, c *contracts, r *rand.Rand) *reservation.Content {
	t.Helper()
	m := c.of(t, "urn:ReserveNow.req", r)
	conform(m)
	var q v201.ReserveNowRequest
	if err := json.Unmarshal(encoded(t, m), &q); err != nil {
		t.Fatal(err)
	}
	out := &reservation.Content{IDToken: v201.ToToken(q.IDToken), Expiry: q.ExpiryDateTime.Time}
	out.ConnectorType = string(q.ConnectorType)
	if q.EVSEID != nil {
		out.EVSE = *q.EVSEID
	}
	if q.GroupIDToken != nil {
		group := v201.ToToken(*q.GroupIDToken)
		out.GroupIDToken = &group
	}
	return out
}

// fromStations are the actions that a charging station may call.
var fromStations = []string{"Authorize", "BootNotification", "ClearedChargingLimit", "DataTransfer", "FirmwareStatusNotification",
	"Get15118EVCertificate", "GetCertificateStatus", "Heartbeat", "LogStatusNotification", "MeterValues", "NotifyChargingLimit",
	"NotifyCustomerInformation", "NotifyDisplayMessages", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule", "NotifyEvent",
	"NotifyMonitoringReport", "NotifyReport", "PublishFirmwareStatusNotification", "ReportChargingProfiles",
	"ReservationStatusUpdate", "SecurityEventNotification", "SignCertificate", "StatusNotification", "TransactionEvent"}

// TestResponses: resctl answers every call that a station may make with what
// the schema says, and every other one with an error of the standard.
func TestResponses(t *testing.T) {
	c := schemas(t)
	w := newWorkdir(t, cs1, nobody)
	p := dial(t, w.apply(), "CS-1")
	r := rand.New(rand.NewPCG(2, 2))
	for _, id := range slices.Sorted(maps.Keys(c.written)) {
		action, ok := strings.CutSuffix(strings.TrimPrefix(id, "urn:"), ".req")
		if !ok {
			continue
		}
		for range 40 {
			q := c.of(t, id, r)
			payload, _ := p.ask(action, encoded(t, q))
			if !slices.Contains(fromStations, action) {
				if payload != nil {
					t.Errorf("%s is not for a CSMS, and was answered %s", action, payload)
				}
				continue
			}
			if payload == nil {
				t.Errorf("%s %s was answered with an error", action, encoded(t, q))
				continue
			}
			if err := c.check(response(action), payload); err != nil {
				t.Errorf("%s: answered %s: %v", action, payload, err)
			}
			if action == "TransactionEvent" && (q["idToken"] != nil) != strings.Contains(string(payload), `"idTokenInfo"`) { // E01.FR.12
				t.Errorf("a token is answered with its status: %s, %s", encoded(t, q), payload)
			}
		}
	}
}

// TestBrokenRequests: whatever is wrong with a call, it gets an answer, which
// is a result or an error of the standard, and the socket lives on.
func TestBrokenRequests(t *testing.T) {
	c := schemas(t)
	w := newWorkdir(t, cs1, nobody)
	p := dial(t, w.apply(), "CS-1")
	r := rand.New(rand.NewPCG(3, 3))
	errors := 0
	for _, action := range fromStations {
		for range 100 {
			q := c.of(t, request(action), r)
			mutate(c.written[request(action)], q, r)
			payload, raw := p.ask(action, encoded(t, q))
			if payload == nil {
				errors++
				checkError(t, raw)
			} else if err := c.check(response(action), payload); err != nil {
				t.Errorf("%s %s: answered %s: %v", action, encoded(t, q), payload, err)
			}
		}
	}
	for _, action := range []string{"", "Nonsense", "ReserveNow", "reservationStatusUpdate"} {
		if payload, raw := p.ask(action, []byte("{}")); payload != nil {
			t.Errorf("%q was answered %s", action, payload)
		} else {
			checkError(t, raw)
		}
	}
	if errors == 0 {
		t.Error("nothing was refused")
	}
	t.Logf("%d of %d were refused", errors, 100*len(fromStations))
}

// peer is a station of nothing but a socket.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
	n    int
}

func dial(t *testing.T, a *applying, id string) *peer {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}, EnableCompression: true}
	conn, _, err := dialer.DialContext(t.Context(), "ws://"+a.address+"/"+id, http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: t, conn: conn}
}

// ask makes a call and returns the payload of its result, or nil and the error.
func (p *peer) ask(action string, payload []byte) (result json.RawMessage, raw []byte) {
	p.t.Helper()
	p.n++
	id := fmt.Sprintf("peer-%d", p.n)
	name, err := json.Marshal(action)
	if err == nil {
		err = p.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `[2,%q,%s,%s]`, id, name, payload))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		_, data, err := p.conn.ReadMessage()
		if err != nil {
			p.t.Fatalf("%s %s: %v", action, payload, err)
		}
		called, got, result := parse(data)
		if called == "" && got == id {
			return result, data
		}
	}
}
