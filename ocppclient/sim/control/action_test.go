package control_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

func TestReservationsEnd(t *testing.T) {
	d := newDepot(t, false)
	s := d.session()
	for _, x := range []struct{ action, body, told string }{
		{"remove", "", "41 Removed"},
		{"remove", `{"reservation_id": 41}`, "41 Removed"},
		{"remove", `{"evse_id": 1, "silently": true}`, "1 Available"},
		{"expire", `{"reservation_id": 41}`, "41 Expired"},
		{"fault", `{"evse_id": 1}`, "41 Removed"},
		{"unavailable", `{"evse_id": 1}`, "41 Removed"},
	} {
		d.do("clear", `{"evse_id": 1}`)
		if got := reserve(s, 41, 1); got != reservation.AnswerAccepted {
			t.Fatalf("before %s: %s", x.action, got)
		}
		d.expect("1 Reserved")
		if got := d.do(x.action, x.body); strings.Contains(got, "41") || strings.Contains(got, "Reserved") {
			t.Errorf("%s: it still holds: %s", x.action, got)
		}
		d.expect(x.told)
	}
	d.expect("1 Faulted", "1 Unavailable")
}

func TestDriversCome(t *testing.T) {
	d := newDepot(t, false)
	s := d.session()
	reserve(s, 41, 1)
	d.expectDo("use", "", "Occupied Available")
	d.expect("transaction at 1 for 41")
	d.expectDo("unplug", `{"evse_id": 1}`, "Available Available")

	reserve(s, 42, 0)
	d.expectDo("use", `{"evse_id": 2, "group_member": true}`, "Available Occupied")
	d.expect("transaction at 2 for 42")
	d.expectDo("unplug", `{"evse_id": 2}`, "Available Available")

	d.expectDo("plug", `{"evse_id": 2}`, "Available Occupied")
	d.expectDo("plug", `{"evse_id": 1, "id_token": {"id_token": "STRANGER"}}`, "Occupied Occupied")
	d.expect("transaction at 1 for 0")
	if got := reserve(s, 43, 1); got != reservation.AnswerOccupied {
		t.Error(got)
	}
}

func TestAStrangerAtAReservedEVSE(t *testing.T) {
	d := newDepot(t, false)
	reserve(d.session(), 41, 1)
	const stranger = `{"evse_id": 1, "id_token": {"id_token": "STRANGER", "type": "Central"}}`
	if status, text := d.ask(http.MethodPost, at+"/plug", stranger); status != http.StatusConflict || !strings.Contains(text, "EVSE 1 is Reserved") {
		t.Errorf("%d %s", status, text)
	}
	lenient := newDepot(t, false, "foreign_token_consumes")
	reserve(lenient.session(), 41, 1)
	lenient.expectDo("plug", stranger, "Occupied Available")
}

func TestLinks(t *testing.T) {
	d := newDepot(t, false)
	reserve(d.session(), 41, 1)
	d.expectDo("disconnect", `{"for": "1h"}`, "Reserved Available 41 offline")
	d.expect("disconnected")
	d.expectDo("reboot", `{"memory": "keep", "for": "1h"}`, "Reserved Available 41 offline")
	d.expectDo("reboot", `{"memory": "forget", "for": "1h"}`, "Available Available offline")
	d.do("connect", "")
	s := d.session()
	d.expect("booted")
	d.do("disconnect", `{"keep_socket": true}`)
	d.session()
	select {
	case <-s.Done():
		t.Error("the old socket is closed")
	default:
	}
}

func TestAnswers(t *testing.T) {
	d := newDepot(t, false)
	s := d.session()
	d.do("answer", `{"action": "ReserveNow", "status": "Faulted", "times": 2}`)
	for _, want := range []reservation.Outcome{reservation.AnswerFaulted, reservation.AnswerFaulted, reservation.AnswerAccepted} {
		if got := reserve(s, 41, 1); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	d.do("answer", `{"action": "CancelReservation", "error": "NotSupported"}`)
	if got := cancel(s, 41); got != reservation.AnswerNotSupported {
		t.Error(got)
	}
	d.do("answer", `{"action": "CancelReservation", "silence": true, "carry_out": true}`)
	if got := cancel(s, 41); got != reservation.AnswerNone {
		t.Error(got)
	}
	if got := cancel(s, 41); got != reservation.AnswerRejected {
		t.Errorf("it was canceled: %s", got)
	}
	d.do("delay", `{"by": "50ms"}`)
	begin := time.Now()
	if got := reserve(s, 42, 1); got != reservation.AnswerAccepted || time.Since(begin) < 50*time.Millisecond {
		t.Errorf("%s after %v", got, time.Since(begin))
	}
	d.do("delay", `{"by": "0s"}`)
	d.expectDo("skew", `{"by": "2h"}`, "Available Available")
	d.expect("42 Expired")
}
