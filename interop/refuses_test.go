package interop

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
	"github.com/lorenzodonini/ocpp-go/ws"
)

// TestNotSupported: a station that answers with a CALLERROR does no
// reservations, until it boots again.
func TestNotSupported(t *testing.T) {
	w := newWorkdir(t, cs1, onEVSE("van", "1", "T1", "8h"), onEVSE("other", "2", "T2", "8h"))
	s := newStation(t, "CS-1")
	s.SetReservationHandler(nil)
	a := w.apply()
	s.connect(a)
	s.boot()
	var last plan
	poll(t, "unsupported", func() bool {
		last = read[plan](w, "plan")
		o := last.Outstanding
		return len(o) == 2 && o[0].Reason == "unsupported" && o[1].Reason == "unsupported" && o[0].Phase == "pending" && o[1].Phase == "pending"
	}, func() any { return last })
	if n := s.relay.calls("ReserveNow"); n != 1 {
		t.Errorf("asked %d times, though once says it all", n)
	}
	s.SetReservationHandler(&handlers{s}) // as after an update of its firmware
	s.boot()
	s.reserve()
	s.reserve()
	a.done(exitDone)
	s.nothing()
	if r := w.now("van"); r.Phase != "reserved" {
		t.Errorf("after a boot: %+v", r)
	}
}

// TestRejected: what the station says is shown, and it is not asked again
// before something about it has changed.
func TestRejected(t *testing.T) {
	w := newWorkdir(t, cs1, nobody, onEVSE("van", "1", "T1", "8h"))
	s := newStation(t, "CS-1")
	s.answers(func(*reservation.ReserveNowRequest) (*reservation.ReserveNowResponse, error) {
		r := reservation.NewReserveNowResponse(reservation.ReserveNowStatusRejected)
		r.StatusInfo = types.NewStatusInfo("NotEnabled", "ask the operator about T1")
		return r, nil
	})
	a := w.apply()
	s.connect(a)
	s.boot()
	s.reserve()
	w.until("van", "rejected", func(r held) bool { return r.Phase == "pending" && r.Reason == "rejected" })
	found := false
	for _, o := range read[plan](w, "plan").Outstanding {
		if o.Address == "reservation.van" {
			found = strings.Contains(o.Info, "NotEnabled") && strings.Contains(o.Info, "ask the operator")
			if strings.Contains(o.Info, "T1") {
				t.Errorf("the token is shown: %q", o.Info)
			}
		}
	}
	if out, _ := w.resctl("plan"); !found || !strings.Contains(out, "NotEnabled") {
		t.Errorf("what the station says is not shown:\n%s", out)
	}
	s.nothing()
	s.answers(nil)
	s.status(1, availability.ConnectorStatusFaulted) // evidence
	s.status(1, availability.ConnectorStatusAvailable)
	s.reserve()
	w.untilPhase("van", "reserved")
	a.stop()
}

// TestOccupied: a bay that is in use is asked for once it is free.
func TestOccupied(t *testing.T) {
	w := newWorkdir(t, cs1, onEVSE("van", "1", "T1", "8h"))
	s := newStation(t, "CS-1")
	s.answers(func(*reservation.ReserveNowRequest) (*reservation.ReserveNowResponse, error) {
		return reservation.NewReserveNowResponse(reservation.ReserveNowStatusOccupied), nil
	})
	a := w.apply()
	s.connect(a)
	s.boot()
	s.reserve()
	s.status(1, availability.ConnectorStatusOccupied)
	w.until("van", "occupied", func(r held) bool { return r.Phase == "pending" && r.Reason == "occupied" && !r.Held })
	s.answers(nil)
	s.status(1, availability.ConnectorStatusAvailable)
	s.reserve()
	a.done(exitDone)
}

const withPassword = `
station "cs1" {
  id       = "CS-1"
  password = "correct horse battery"
  evse "1" { connector_types = ["cCCS2"] }
}
`

// TestPassword: only the station itself comes in.
func TestPassword(t *testing.T) {
	w := newWorkdir(t, withPassword, onEVSE("van", "1", "T1", "8h"))
	a := w.apply()
	for name, give := range map[string]func(*ws.Client){
		"none":           func(*ws.Client) {},
		"wrong password": func(c *ws.Client) { c.SetBasicAuth("CS-1", "wrong horse battery!") },
		"other user":     func(c *ws.Client) { c.SetBasicAuth("CS-2", "correct horse battery") },
	} {
		s := newStation(t, "CS-1")
		give(s.client)
		s.relay.to(a)
		var refused ws.HttpConnectionError
		if err := s.Start(s.relay.url() + "/ocpp"); !errors.As(err, &refused) || refused.HttpCode != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	stranger := newStation(t, "CS-9")
	stranger.client.SetBasicAuth("CS-9", "correct horse battery")
	stranger.relay.to(a)
	var refused ws.HttpConnectionError
	if err := stranger.Start(stranger.relay.url() + "/ocpp"); !errors.As(err, &refused) || refused.HttpCode != http.StatusNotFound {
		t.Errorf("unknown: %v", err)
	}
	s := newStation(t, "CS-1")
	s.client.SetBasicAuth("CS-1", "correct horse battery")
	s.connect(a)
	s.boot()
	s.reserve()
	a.done(exitDone)
	if out := a.out.String(); strings.Contains(out, "horse") {
		t.Errorf("a password is shown:\n%s", out)
	}
}

// TestBootInLife: after a boot the station is asked, under the same id, what
// it still holds; one that shows Reserved is not asked at all.
func TestBootInLife(t *testing.T) {
	w, s, a, first := holding(t)
	s.mu.Lock()
	clear(s.holds)
	s.mu.Unlock()
	if _, err := s.BootNotification(provisioning.BootReasonWatchdog, "Model", "Vendor"); err != nil {
		t.Fatal(err)
	}
	for evse := 1; evse <= evses; evse++ {
		s.status(evse, availability.ConnectorStatusAvailable)
	}
	if r := s.reserve(); r.ID != first.ID {
		t.Errorf("asked %+v, after %+v", r, first)
	}
	w.untilPhase("van", "reserved")
	s.nothing()
	if _, err := s.BootNotification(provisioning.BootReasonWatchdog, "Model", "Vendor"); err != nil {
		t.Fatal(err)
	}
	s.status(1, availability.ConnectorStatusReserved)
	w.untilPhase("van", "reserved")
	a.stop()
	s.nothing()
}
