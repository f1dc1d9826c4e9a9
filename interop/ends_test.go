package interop

import (
	"testing"

	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
)

// holding is a station that holds EVSE 1 for T1, and an apply that goes on.
func holding(t *testing.T, blocks ...string) (*workdir, *station, *applying, *reservation.ReserveNowRequest) {
	t.Helper()
	if len(blocks) == 0 {
		blocks = []string{onEVSE("van", "1", "T1", "8h")}
	}
	w := newWorkdir(t, append(blocks, cs1, nobody)...)
	s := newStation(t, "CS-1")
	a := w.apply()
	s.connect(a)
	s.boot()
	r := s.reserve()
	w.untilPhase("van", "reserved")
	return w, s, a, r
}

// TestRemoved: what the station dropped is asked for again, under a new id.
func TestRemoved(t *testing.T) {
	w, s, a, first := holding(t)
	s.ends(first.ID, reservation.ReservationUpdateStatusRemoved)
	again := s.reserve()
	if again.ID == first.ID || *again.EvseID != 1 || again.IdToken.IdToken != "T1" || !again.ExpiryDateTime.Equal(first.ExpiryDateTime.Time) {
		t.Errorf("asked %+v after %+v", again, first)
	}
	w.until("van", "reserved anew", func(r held) bool { return r.Phase == "reserved" && r.ReservationID == again.ID })
	a.stop()
	s.nothing()
}

// TestRemovedReported: unless it is only to be reported.
func TestRemovedReported(t *testing.T) {
	w, s, a, first := holding(t, `
reservation "van" {
  station  = station.cs1
  evse_id  = 1
  id_token = { id_token = "T1", type = "ISO14443" }
  hold_for = "8h"
  lifecycle { on_removed = "report" }
}
`)
	s.ends(first.ID, reservation.ReservationUpdateStatusRemoved)
	if r := w.untilPhase("van", "removed"); r.Held {
		t.Errorf("removed: %+v", r)
	}
	a.stop()
	s.nothing()
}

// TestExpiredEarly: a station whose clock is hours ahead has let go, and its
// driver still wants to come.
func TestExpiredEarly(t *testing.T) {
	w, s, a, first := holding(t)
	s.ends(first.ID, reservation.ReservationUpdateStatusExpired)
	again := s.reserve()
	if again.ID == first.ID {
		t.Errorf("asked again under id %d, which is over", again.ID)
	}
	w.until("van", "reserved anew", func(r held) bool { return r.Phase == "reserved" && r.ReservationID == again.ID })
	a.stop()
	s.nothing()
}

// TestUnwantedThoughAvailable: a station that comes back and says Available may
// hold what is no longer wanted all the same. It is cancelled at once: nobody
// waits for a driver of it.
func TestUnwantedThoughAvailable(t *testing.T) {
	w, s, a, first := holding(t)
	a.stop()
	w.declare(cs1)
	a = w.apply("--quiet-period", "1s")
	s.reconnected(a)
	s.status(1, availability.ConnectorStatusAvailable)
	if id := s.cancel(); id != first.ID {
		t.Errorf("cancelled %d, not %d", id, first.ID)
	}
	a.done(exitDone)
	s.nothing()
}

// charge reports the start of a transaction, and gives back what resctl says
// of the token.
func (s *station) charge(id string, evse, reservationID int, token types.IdToken) types.AuthorizationStatus {
	s.t.Helper()
	r, err := s.TransactionEvent(transactions.TransactionEventStarted, types.Now(), transactions.TriggerReasonAuthorized, 0,
		transactions.Transaction{TransactionID: id}, func(r *transactions.TransactionEventRequest) {
			r.Evse = &types.EVSE{ID: evse}
			r.IDToken = &token
			if reservationID != 0 {
				r.ReservationID = &reservationID
			}
		})
	if err != nil || r.IDTokenInfo == nil {
		s.t.Fatalf("transaction: %+v, %v", r, err)
	}
	return r.IDTokenInfo.Status
}

// TestUsed: a reservation that its driver used is over, whatever comes after.
func TestUsed(t *testing.T) {
	for name, withID := range map[string]bool{"with the id": true, "without the id": false} {
		t.Run(name, func(t *testing.T) {
			w, s, a, first := holding(t)
			id := 0
			if withID {
				id = first.ID
			}
			s.mu.Lock()
			delete(s.holds, first.ID)
			s.mu.Unlock()
			s.status(1, availability.ConnectorStatusOccupied)
			if got := s.charge("TX-1", 1, id, types.IdToken{IdToken: "t1", Type: types.IdTokenTypeISO14443}); got != types.AuthorizationStatusAccepted {
				t.Errorf("the driver is %s", got)
			}
			w.untilPhase("van", "fulfilled")
			if got := 0; !withID { // the station might hold it still, for nobody
				if got = s.cancel(); got != first.ID {
					t.Errorf("cancelled %d, not %d", got, first.ID)
				}
			}
			w.until("van", "let go", func(r held) bool { return r.Phase == "fulfilled" && r.ReservationID == 0 })
			s.status(1, availability.ConnectorStatusAvailable)
			a.stop()
			s.nothing()
			w.declare(cs1, onEVSE("van", "1", "T1", "8h"), onEVSE("other", "3", "T2", "8h"))
			a = w.apply()
			s.reconnected(a)
			if r := s.reserve(); r.IdToken.IdToken != "T2" {
				t.Errorf("asked %+v", r)
			}
			a.done(exitDone)
			s.nothing()
			if r := w.now("van"); r.Phase != "fulfilled" || r.Held {
				t.Errorf("used: %+v", r)
			}
		})
	}
}

// TestAuthorize: the drivers of declared reservations may charge, with their
// group; strangers may not, and their charging is nobody's use.
func TestAuthorize(t *testing.T) {
	w, s, a, _ := holding(t, `
reservation "van" {
  station        = station.cs1
  evse_id        = 1
  id_token       = { id_token = "T1", type = "Central" }
  group_id_token = { id_token = "G1", type = "Central" }
  hold_for       = "8h"
}
`)
	r, err := s.Authorize("T1", types.IdTokenTypeCentral)
	if err != nil || r.IdTokenInfo.Status != types.AuthorizationStatusAccepted || r.IdTokenInfo.GroupIdToken == nil || r.IdTokenInfo.GroupIdToken.IdToken != "G1" {
		t.Errorf("driver: %+v, %v", r, err)
	}
	if r, err = s.Authorize("T9", types.IdTokenTypeCentral); err != nil || r.IdTokenInfo.Status != types.AuthorizationStatusUnknown {
		t.Errorf("stranger: %+v, %v", r, err)
	}
	if got := s.charge("TX-9", 2, 0, types.IdToken{IdToken: "T9", Type: types.IdTokenTypeCentral}); got == types.AuthorizationStatusAccepted {
		t.Errorf("a stranger is %s", got)
	}
	if h, err := s.Heartbeat(); err != nil || h.CurrentTime.IsZero() {
		t.Errorf("heartbeat: %+v, %v", h, err)
	}
	if got := w.now("van"); got.Phase != "reserved" {
		t.Errorf("after a stranger elsewhere: %+v", got)
	}
	a.stop()
	s.nothing()
}
