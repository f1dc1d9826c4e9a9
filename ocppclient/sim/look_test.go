package sim

import (
	"testing"
	"time"
)

func TestHandsOn(t *testing.T) {
	expireNow := does(func(m *Machine, now time.Time) []Message { return m.Expire(now, 41) })
	lose := does(func(m *Machine, now time.Time) []Message { return m.Lose(now, 41) })
	fast := does(func(m *Machine, now time.Time) []Message { return m.SetSkew(now, 2*time.Hour) })
	beat := does(func(m *Machine, now time.Time) []Message { return m.Advance(now) })
	play(t, []scene{
		{"expires early", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {expireNow, "1.1 Available, 41 Expired"}, {cancel(41), "Rejected"}}},
		{"expires early, and nobody is told", Quirks{NeverReportsExpiry: true, CancelAfterExpiryAccepted: true}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {expireNow, ""}, {cancel(41), "Accepted: 1.1 Available"}}},
		{"is lost", Quirks{}, []act{{reserve(41, 1), "Accepted: 1.1 Reserved"}, {lose, "1.1 Available"}, {holds, ""}}},
		{"a clock that is put forward", Quirks{}, []act{
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {fast, "1.1 Available, 41 Expired"}}},
		{"no interval, no heartbeat", Quirks{}, []act{{beat, ""}}},
	})
}

func TestHeartbeats(t *testing.T) {
	b := newBench(t, Quirks{})
	b.m.SetInterval(30 * time.Second)
	b.m.BootAnswered(b.now, "Accepted")
	for range 3 {
		next := b.m.NextTimer()
		if next.Sub(b.now) != 30*time.Second {
			t.Fatalf("beats after %v", next.Sub(b.now))
		}
		if early := line(b.m.Advance(next.Add(-1))); early != "" {
			t.Errorf("too early: %s", early)
		}
		b.now = next
		if got := line(b.m.Advance(b.now)); got != "Heartbeat" {
			t.Errorf("got %q", got)
		}
	}
	b.m.Disconnected(b.now)
	if !b.m.NextTimer().IsZero() {
		t.Error("beats without a link")
	}
	b.m.Reconnected(b.now)
	if got := b.m.NextTimer().Sub(b.now); got != 30*time.Second {
		t.Errorf("beats %v after it is back", got)
	}
}

func TestIntervalOfABootThatWaits(t *testing.T) {
	b := newBench(t, Quirks{})
	b.m.SetInterval(7 * time.Second)
	b.m.BootAnswered(b.now, "Pending")
	if got := b.m.NextTimer().Sub(b.now); got != 7*time.Second {
		t.Errorf("boots again after %v", got)
	}
}

func TestForce(t *testing.T) {
	force := func(action string, f Forced, times int) func(b *bench) string {
		return func(b *bench) string {
			if err := b.m.Force(action, f, times); err != nil {
				return err.Error()
			}
			return ""
		}
	}
	play(t, []scene{
		{"a status, twice", Quirks{}, []act{
			{force("ReserveNow", Forced{Status: "Occupied"}, 2), ""},
			{reserve(41, 1), "Occupied"}, {reserve(41, 1), "Occupied"}, {reserve(41, 1), "Accepted: 1.1 Reserved"}}},
		{"an error", Quirks{}, []act{
			{force("CancelReservation", Forced{Error: "InternalError"}, 1), ""},
			{reserve(41, 1), "Accepted: 1.1 Reserved"}, {cancel(41), "InternalError"}, {cancel(41), "Accepted: 1.1 Available"}}},
		{"an answer that is lost", Quirks{}, []act{
			{force("ReserveNow", Forced{Silence: true, CarryOut: true}, 1), ""},
			{reserve(41, 1), ": 1.1 Reserved"}, {holds, "41@1"}}},
		{"a call that is lost", Quirks{}, []act{
			{force("ReserveNow", Forced{Silence: true}, 1), ""}, {reserve(41, 1), ""}, {holds, ""}}},
		{"taken back", Quirks{}, []act{
			{force("ReserveNow", Forced{Status: "Rejected"}, 9), ""}, {force("ReserveNow", Forced{}, 0), ""},
			{reserve(41, 1), "Accepted: 1.1 Reserved"}}},
		{"refused", Quirks{}, []act{
			{force("Reset", Forced{Silence: true}, 1), `action "Reset": want ReserveNow or CancelReservation`},
			{force("ReserveNow", Forced{}, 1), "ReserveNow: want exactly one of a status, an error code and silence"},
			{force("CancelReservation", Forced{Status: "Occupied"}, 1), `CancelReservation: status "Occupied": want one of Accepted, Rejected`},
			{force("ReserveNow", Forced{Error: "Nonsense"}, 1), `ReserveNow: error code "Nonsense" is none of OCPP-J`}}},
	})
}

func TestLook(t *testing.T) {
	b := newBench(t, Quirks{})
	reserve(41, 1)(b)
	reserve(42, 0, typed("cType2"))(b)
	use(2, "T42")(b)
	s := b.m.Look(b.now)
	if e := s.EVSEs[0]; e.Status != "Reserved" || e.Reported != "Reserved" || e.Token != nil {
		t.Errorf("%+v", e)
	}
	if e := s.EVSEs[1]; e.Status != "Occupied" || e.TransactionID == "" || e.Token.IDToken != "T42" {
		t.Errorf("%+v", e)
	}
	if len(s.Reservations) != 1 || s.Reservations[0].ID != 41 || !s.Accepted {
		t.Errorf("%+v", s)
	}
	if over := b.m.Look(b.now.Add(24 * time.Hour)); len(over.Reservations) != 0 || len(b.m.Holds()) != 1 {
		t.Error("looking ahead shows what is over, or ends it")
	}
}

func TestSeat(t *testing.T) {
	b := newBench(t, Quirks{})
	reserve(41, 0)(b)
	if got := b.m.Seat(41); got != 1 {
		t.Errorf("any EVSE: %d", got)
	}
	use(1, "stranger")(b)
	if got := b.m.Seat(41); got != 2 {
		t.Errorf("the other one: %d", got)
	}
	if got := b.m.Seat(7); got != 0 {
		t.Errorf("unknown: %d", got)
	}
}

func TestJoinIsOfOneStation(t *testing.T) {
	config := testConfig(Quirks{})
	a, b := NewMachine(config), NewMachine(config)
	a.Join("guest", "depot")
	if _, shared := config.Groups["guest"]; shared || b.config.Groups["guest"] != "" {
		t.Error("another station knows the guest")
	}
}
