package interop

import (
	"testing"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
)

const cs1 = `
station "cs1" {
  id = "CS-1"
  evse "1" { connector_types = ["cCCS2"] }
  evse "2" { connector_types = ["cCCS2"] }
  evse "3" { connector_types = ["sType2"] }
  evse "4" { connector_types = ["sType2"] }
}
`

// nobody keeps apply waiting, until it is stopped: its station never comes.
const nobody = `
station "nobody" {
  id = "NOBODY"
  evse "1" { connector_types = ["cCCS2"] }
}
reservation "never" {
  station  = station.nobody
  evse_id  = 1
  id_token = { id_token = "N0", type = "Central" }
  hold_for = "8h"
}
`

// onEVSE holds an EVSE of CS-1 for a token.
func onEVSE(name, evse, token, until string) string {
	return `
reservation "` + name + `" {
  station  = station.cs1
  evse_id  = ` + evse + `
  id_token = { id_token = "` + token + `", type = "ISO14443" }
  hold_for = "` + until + `"
}
`
}

const byType = `
reservation "type" {
  station        = station.cs1
  connector_type = "sType2"
  id_token       = { id_token = "T-TYPE", type = "eMAID" }
  hold_for       = "8h"
}
`

const anyEVSE = `
reservation "any" {
  station  = station.cs1
  id_token = { id_token = "T-ANY", type = "Central", additional_info = [{ additional_id_token = "A-1", type = "fleet" }] }
  hold_for = "8h"
}
`

const byGroup = `
reservation "group" {
  station        = station.cs1
  evse_id        = 2
  id_token       = { id_token = "T-GROUP", type = "Central" }
  group_id_token = { id_token = "G-1", type = "Central" }
  hold_for       = "8h"
}
`

// about reports whether a time is so far from now, give or take half a minute.
func about(t *types.DateTime, from time.Duration) bool {
	return t != nil && (time.Until(t.Time)-from).Abs() < 30*time.Second
}

// TestEveryTarget reserves in every way there is, and what is held is not asked
// for again.
func TestEveryTarget(t *testing.T) {
	w := newWorkdir(t, cs1, onEVSE("named", "1", "T-NAMED", "8h"), byType, anyEVSE, byGroup)
	s := newStation(t, "CS-1")
	a := w.apply()
	s.connect(a)
	s.boot()
	asked := map[string]*reservation.ReserveNowRequest{}
	for range 4 {
		r := s.reserve()
		asked[r.IdToken.IdToken] = r
		if !about(r.ExpiryDateTime, 8*time.Hour) {
			t.Errorf("expiry %v", r.ExpiryDateTime)
		}
	}
	a.done(exitDone)
	s.nothing()
	if r := asked["T-NAMED"]; r.EvseID == nil || *r.EvseID != 1 || r.ConnectorType != "" || r.IdToken.Type != types.IdTokenTypeISO14443 {
		t.Errorf("named: %+v", r)
	}
	if r := asked["T-TYPE"]; r.EvseID != nil || r.ConnectorType != "sType2" || r.IdToken.Type != types.IdTokenTypeEMAID {
		t.Errorf("by type: %+v", r)
	}
	if r := asked["T-ANY"]; r.EvseID != nil || r.ConnectorType != "" || len(r.IdToken.AdditionalInfo) != 1 ||
		r.IdToken.AdditionalInfo[0].AdditionalIdToken != "A-1" || r.IdToken.AdditionalInfo[0].Type != "fleet" {
		t.Errorf("any: %+v", r)
	}
	if r := asked["T-GROUP"]; r.GroupIdToken == nil || r.GroupIdToken.IdToken != "G-1" || *r.EvseID != 2 {
		t.Errorf("group: %+v", r)
	}
	for name, token := range map[string]string{"named": "T-NAMED", "type": "T-TYPE", "any": "T-ANY", "group": "T-GROUP"} {
		if r := w.now(name); r.Phase != "reserved" || !r.Held || r.ReservationID != asked[token].ID {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if k := read[shown](w, "show").Stations[0]; k.Protocol != "ocpp2.0.1" || k.Vendor != "Vendor" || k.Model != "Model" || k.Serial != "SN-CS-1" {
		t.Errorf("station: %+v", k)
	}
}

// TestLife of one reservation: held, left alone, prolonged, let go. The station
// stays up and connects to each apply without booting.
func TestLife(t *testing.T) {
	w := newWorkdir(t, cs1, onEVSE("van", "1", "T1", "8h"))
	s := newStation(t, "CS-1")
	a := w.apply()
	s.connect(a)
	s.boot()
	first := s.reserve()
	a.done(exitDone)

	if out, code := w.resctl("plan", "--detailed-exitcode"); code != exitDone {
		t.Errorf("plan: exit %d\n%s", code, out)
	}
	// A second reservation shows that the loop was at work, and let the first be.
	w.declare(cs1, onEVSE("van", "1", "T1", "8h"), onEVSE("other", "3", "T2", "8h"))
	a = w.apply()
	s.reconnected(a)
	if r := s.reserve(); r.IdToken.IdToken != "T2" || r.ID == first.ID {
		t.Errorf("asked %+v, not only for what is new", r)
	}
	a.done(exitDone)
	s.nothing()

	w.declare(cs1, onEVSE("van", "1", "T1", "10h"), onEVSE("other", "3", "T2", "8h"))
	if out, code := w.resctl("plan", "--detailed-exitcode"); code != exitChanges {
		t.Errorf("plan: exit %d\n%s", code, out)
	}
	a = w.apply()
	s.reconnected(a)
	if r := s.reserve(); r.ID != first.ID || !about(r.ExpiryDateTime, 10*time.Hour) || r.IdToken.IdToken != "T1" {
		t.Errorf("prolonged with %+v, was %+v", r, first)
	}
	a.done(exitDone)
	s.nothing()
	if r := w.now("van"); r.Phase != "reserved" || r.ReservationID != first.ID || !about(types.NewDateTime(r.Window.Expiry), 10*time.Hour) {
		t.Errorf("prolonged: %+v", r)
	}

	w.declare(cs1, onEVSE("other", "3", "T2", "8h"))
	a = w.apply()
	s.reconnected(a)
	if id := s.cancel(); id != first.ID {
		t.Errorf("cancelled %d, not %d", id, first.ID)
	}
	a.done(exitDone)
	s.nothing()
	if len(s.holds) != 1 {
		t.Errorf("the station holds %v", s.holds)
	}
	if r := w.now("van"); r.Held || r.Phase == "reserved" {
		t.Errorf("let go: %+v", r)
	}
	if r := w.now("other"); r.Phase != "reserved" {
		t.Errorf("the other: %+v", r)
	}
}

// TestReplace: another EVSE is another reservation, asked for once the first is gone.
func TestReplace(t *testing.T) {
	w := newWorkdir(t, cs1, onEVSE("van", "1", "T1", "8h"))
	s := newStation(t, "CS-1")
	a := w.apply()
	s.connect(a)
	s.boot()
	first := s.reserve()
	a.done(exitDone)
	w.declare(cs1, onEVSE("van", "2", "T1", "8h"))
	a = w.apply()
	s.reconnected(a)
	if id := s.cancel(); id != first.ID {
		t.Errorf("cancelled %d, not %d", id, first.ID)
	}
	if r := s.reserve(); r.ID == first.ID || *r.EvseID != 2 {
		t.Errorf("asked %+v", r)
	}
	a.done(exitDone)
	s.nothing()
}

// TestReconnect: a line that was cut is no reason to ask for anything again.
func TestReconnect(t *testing.T) {
	w := newWorkdir(t, cs1, nobody, onEVSE("van", "1", "T1", "8h"))
	s := newStation(t, "CS-1")
	a := w.apply()
	s.connect(a)
	s.boot()
	first := s.reserve()
	w.untilPhase("van", "reserved")
	before := s.relay.connections()
	s.relay.cut()
	poll(t, "reconnect", func() bool { return s.relay.connections() > before && s.IsConnected() }, func() any { return before })
	// Another car comes and goes: a sign of life that resctl looks at.
	s.status(2, availability.ConnectorStatusOccupied)
	s.status(2, availability.ConnectorStatusAvailable)
	if r := w.now("van"); r.Phase != "reserved" || r.ReservationID != first.ID {
		t.Errorf("after a cut line: %+v", r)
	}
	a.stop()
	w.declare(cs1, onEVSE("van", "1", "T1", "8h"), onEVSE("other", "3", "T2", "8h"))
	a = w.apply()
	s.reconnected(a)
	if r := s.reserve(); r.IdToken.IdToken != "T2" {
		t.Errorf("asked %+v", r)
	}
	a.done(exitDone)
	s.nothing()
	if n := s.relay.calls("TriggerMessage"); n != 0 {
		t.Errorf("%d triggers: it had booted", n)
	}
}
