package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
)

var evening = time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)

// bench is a station under test and the time it is.
type bench struct {
	t   *testing.T
	m   *Machine
	now time.Time
}

// step does something to the station and says what it answered and sent.
type step func(*bench) string

func testConfig(q Quirks) Config {
	return Config{ID: "S1", Serial: "SN1", Vendor: "V", Model: "M", Quirks: q,
		EVSEs:  []EVSE{{1, []v201.ConnectorType{"cCCS2"}}, {2, []v201.ConnectorType{"cCCS2", "cType2"}}},
		Groups: map[string]string{"member": "depot"}}
}

func newBench(t *testing.T, q Quirks) *bench {
	b := &bench{t, NewMachine(testConfig(q)), evening}
	b.m.Boot(b.now)
	b.m.BootAnswered(b.now, "Accepted")
	return b
}

// line writes messages so that a person can compare them.
func line(messages []Message) string {
	var parts []string
	for _, msg := range messages {
		text := msg.Action
		switch p := msg.Payload.(type) {
		case v201.StatusNotificationRequest:
			text = fmt.Sprintf("%d.%d %s", p.EVSEID, p.ConnectorID, p.ConnectorStatus)
		case v201.NotifyEventRequest:
			text = fmt.Sprintf("event %d.%d %s", p.EventData[0].Component.EVSE.ID, p.EventData[0].Component.EVSE.ConnectorID, p.EventData[0].ActualValue)
		case v201.ReservationStatusUpdateRequest:
			text = fmt.Sprintf("%d %s", p.ReservationID, p.ReservationUpdateStatus)
		case v201.TransactionEventRequest:
			text = fmt.Sprintf("%s at %d", p.EventType, p.EVSE.ID)
			if p.IDToken != nil {
				text += " by " + p.IDToken.IDToken
			}
			if p.ReservationID != nil {
				text += fmt.Sprintf(" for %d", *p.ReservationID)
			}
			if p.Offline {
				text += " offline"
			}
		}
		if msg.BeforeAnswer {
			text = "first " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func (b *bench) call(action string, q any) string {
	payload, err := json.Marshal(q)
	if err != nil {
		b.t.Fatal(err)
	}
	response, callErr, after := b.m.Handle(b.now, action, payload)
	if callErr != nil {
		return strings.TrimSuffix(string(callErr.Code)+": "+line(after), ": ")
	}
	answered, err := json.Marshal(response)
	if err != nil {
		b.t.Fatal(err)
	}
	var r struct{ Status string }
	if err := json.Unmarshal(answered, &r); err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSuffix(r.Status+": "+line(after), ": ")
}

func card(id string) v201.IdToken { return v201.IdToken{IDToken: id, Type: v201.Central} }

// reserve asks for an EVSE (0: any) for an hour.
func reserve(id int32, evse int, edit ...func(*v201.ReserveNowRequest)) step {
	return func(b *bench) string {
		q := v201.NewReserveNowRequest(id, evening.Add(time.Hour), card(fmt.Sprint("t", id)))
		if evse != 0 {
			q.EVSEID = &evse
		}
		for _, e := range edit {
			e(&q)
		}
		return b.call("ReserveNow", q)
	}
}

func typed(c v201.ConnectorType) func(*v201.ReserveNowRequest) {
	return func(q *v201.ReserveNowRequest) { q.ConnectorType = c }
}

func by(token string) func(*v201.ReserveNowRequest) {
	return func(q *v201.ReserveNowRequest) { q.IDToken = card(token) }
}

func group(q *v201.ReserveNowRequest) {
	g := card("DEPOT")
	q.GroupIDToken = &g
}

func until(d time.Duration) func(*v201.ReserveNowRequest) {
	return func(q *v201.ReserveNowRequest) { q.ExpiryDateTime = v201.At(evening.Add(d)) }
}

func cancel(id int32) step {
	return func(b *bench) string {
		return b.call("CancelReservation", v201.NewCancelReservationRequest(id))
	}
}

func use(evse int, token string) step {
	return func(b *bench) string {
		messages, ok := b.m.Use(b.now, evse, card(token))
		return strings.TrimSuffix(fmt.Sprintf("%t: %s", ok, line(messages)), ": ")
	}
}

func does(f func(m *Machine, now time.Time) []Message) step {
	return func(b *bench) string { return line(f(b.m, b.now)) }
}

func at(evse int, f func(m *Machine, now time.Time, evse int) []Message) step {
	return does(func(m *Machine, now time.Time) []Message { return f(m, now, evse) })
}

// after lets time pass.
func after(d time.Duration) step {
	return func(b *bench) string {
		b.now = b.now.Add(d)
		return line(b.m.Advance(b.now))
	}
}

func offline(b *bench) string {
	b.m.Disconnected(b.now)
	return ""
}

func reboot(b *bench) string {
	messages := b.m.Reboot(b.now, true)
	return line(append(messages, b.m.BootAnswered(b.now, "Accepted")...))
}

func holds(b *bench) string {
	var ids []string
	for _, r := range b.m.Holds() {
		ids = append(ids, fmt.Sprintf("%d@%d", r.ID, r.EVSE))
	}
	return strings.Join(ids, " ")
}

var (
	fault     = (*Machine).Fault
	mend      = (*Machine).Clear
	disable   = (*Machine).SetUnavailable
	plug      = (*Machine).Plug
	unplug    = (*Machine).Unplug
	leave     = (*Machine).EndUse
	reconnect = does((*Machine).Reconnected)
)

// scene is a story: what is done, and what the station answers and sends.
type scene struct {
	name   string
	quirks Quirks
	acts   []act
}

type act struct {
	do   step
	want string
}

func play(t *testing.T, scenes []scene) {
	t.Helper()
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t, s.quirks)
			for i, a := range s.acts {
				if got := a.do(b); got != a.want {
					t.Fatalf("act %d:\n got %q\nwant %q", i+1, got, a.want)
				}
			}
		})
	}
}
