package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// held brings the reservation to reserved and gives its id.
func (w *world) held() (f *far, id string) {
	w.t.Helper()
	w.apply(w.van)
	f = w.boot()
	id = f.accepts()
	w.is(reservation.Held, "")
	return f, id
}

// outstanding is how a plan shows the reservation, which is due and not held.
func (w *world) outstanding() reconcile.Outstanding {
	w.t.Helper()
	all := w.plan(w.van).Outstanding
	i := slices.IndexFunc(all, func(o reconcile.Outstanding) bool { return o.Address == w.van.Address })
	if i < 0 {
		w.t.Fatalf("outstanding: %+v", all)
	}
	return all[i]
}

// severity is that of a finding; "" where there is none of the code.
func severity(p *reconcile.Plan, code string) reconcile.Severity {
	for _, f := range p.Findings {
		if f.Code == code {
			return f.Severity
		}
	}
	return ""
}

func TestScenario01AcceptedIsReserved(t *testing.T) {
	w := begin(t)
	w.apply(w.van)
	f := w.boot()
	message, _ := f.asked()
	f.answer(message, "Accepted")
	f.status("Reserved")
	w.is(reservation.Held, "")
	f.quiet()
	if o := w.now(); o.Seen != reservation.Reserved {
		t.Errorf("Reserved was not observed: %+v", o)
	}
}

func TestScenario02NothingChangedSendsNothing(t *testing.T) {
	virtual(t, func(w *world) {
		f, _ := w.held()
		for range 3 {
			if p := w.apply(w.van); len(p.Changes) != 0 || len(p.Outstanding) != 0 {
				t.Errorf("a plan of nothing: %+v", p)
			}
			w.pass(10 * time.Minute)
			f.quiet()
		}
		w.is(reservation.Held, "")
	})
}

func TestScenario03OccupiedIsPacedUntilAvailable(t *testing.T) {
	virtual(t, func(w *world) { paced(w, "Occupied", reservation.BecauseOccupied) })
}

func TestScenario04FaultedAndUnavailableArePacedUntilAvailable(t *testing.T) {
	t.Run("Faulted", func(t *testing.T) {
		virtual(t, func(w *world) { paced(w, "Faulted", reservation.BecauseFaulted) })
	})
	t.Run("Unavailable", func(t *testing.T) {
		virtual(t, func(w *world) { paced(w, "Unavailable", reservation.BecauseUnavailable) })
	})
}

// paced shows that what is answered so is asked for a few times in half an hour,
// and at once when the EVSE is Available, each time under a new id.
func paced(w *world, status string, why reservation.Reason) {
	t := w.t
	w.apply(w.van)
	f := w.boot()
	used := map[string]bool{}
	refuse := func() {
		message, id := f.asked()
		if used[id] {
			t.Errorf("%s was asked for twice", id)
		}
		used[id] = true
		f.answer(message, status)
		w.is(reservation.Pending, why)
		f.quiet()
	}
	refuse()
	f.status(status)
	f.quiet()
	w.pass(4 * time.Second)
	f.quiet()
	for end := w.Now().Add(30 * time.Minute); w.Now().Before(end); w.pass(time.Second) {
		if len(f.requests) > 0 {
			refuse()
		}
	}
	if n := len(used); n < 8 || n > 14 {
		t.Errorf("asked %d times in half an hour", n)
	}
	if o := w.outstanding(); o.Reason != why || o.Until.IsZero() {
		t.Errorf("it is shown as %+v", o)
	}
	f.status("Available")
	if id := f.accepts(); used[id] {
		t.Errorf("%s was asked for twice", id)
	}
	w.is(reservation.Held, "")
}

func TestScenario05RejectedIsShownAndNotRepeated(t *testing.T) {
	for info, want := range map[string]string{
		`{"reasonCode":""}`: "",
		`{"reasonCode":"UnknownEvse","additionalInfo":"no EVSE 1 here"}`: "UnknownEvse: no EVSE 1 here",
	} {
		virtual(t, func(w *world) {
			w.apply(w.van)
			f := w.boot()
			message, _ := f.asked()
			f.say(`[3,"` + message + `",{"status":"Rejected","statusInfo":` + info + `}]`)
			w.is(reservation.Pending, reservation.BecauseRejected)
			if o := w.outstanding(); o.Reason != reservation.BecauseRejected || o.Info != want {
				t.Errorf("it is shown as %+v", o)
			}
			if d := w.drift(); len(d) != 1 || d[0].Kind != reconcile.DriftRefused || d[0].Info != want {
				t.Errorf("drift: %+v", d)
			}
			w.pass(30 * time.Minute)
			f.quiet()
			f.status("Occupied") // new evidence
			f.asked()
		})
	}
}

func TestScenario06AStationWithoutReservationsIsAskedAgainOnceItBoots(t *testing.T) {
	for _, code := range []string{"NotImplemented", "NotSupported"} {
		t.Run(code, func(t *testing.T) {
			virtual(t, func(w *world) {
				other := w.van
				other.Address, other.EVSE, other.IDToken.IDToken = "reservation.wagon", 2, "WAGON"
				w.apply(w.van, other)
				f := w.boot()
				message, _ := f.asked()
				f.say(`[4,"` + message + `","` + code + `","",{}]`)
				w.is(reservation.Pending, reservation.BecauseUnsupported)
				w.pass(20 * time.Minute)
				f.status("Occupied")
				f.status("Available")
				f.quiet() // not for the other one either
				if o := w.outstanding(); o.Reason != reservation.BecauseUnsupported || o.Info != code {
					t.Errorf("it is shown as %+v", o)
				}
				other.IDToken.IDToken = "WAGON-2"
				if p := w.plan(w.van, other); severity(p, "RC404") != reconcile.Warning {
					t.Errorf("a plan to ask for more: %+v", p.Findings)
				}
				must(t, f.Close())
				f = w.dial()
				w.pass(time.Minute)
				f.quiet() // nor after a reconnect
				f.boot()
				f.accepts()
				w.is(reservation.Held, "")
			})
		})
	}
}

func TestScenario08ARejectedReservationOfAnyEVSESaysSo(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.EVSE = 0
		w.apply(w.van)
		f := w.boot()
		message, _ := f.askedAny()
		f.say(`[3,"` + message + `",{"status":"Rejected","statusInfo":{"reasonCode":"UnsupportedParam"}}]`)
		w.is(reservation.Pending, reservation.BecauseRejected)
		if o := w.outstanding(); o.EVSE != 0 || o.Info != "UnsupportedParam" {
			t.Errorf("it is shown as %+v", o)
		}
		w.pass(30 * time.Minute)
		f.quiet()
	})
}

func TestScenario09AnyEVSEIsReservedWithoutAStatus(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.EVSE = 0
		w.apply(w.van)
		f := w.boot()
		message, _ := f.askedAny()
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
		for _, s := range []string{"Occupied", "Available"} {
			f.status(s)
			f.statusOf(2, s)
			w.pass(10 * time.Minute)
			f.quiet()
		}
		w.is(reservation.Held, "")
		if d, p := w.drift(), w.plan(w.van); len(d) != 0 || len(p.Outstanding) != 0 {
			t.Errorf("drift: %+v, outstanding: %+v", d, p.Outstanding)
		}
	})
}

func TestScenario10AConnectorTypeIsSentInsteadOfAnEVSE(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.Target = reservation.Target{ConnectorType: "cCCS2"}
		w.apply(w.van)
		f := w.boot()
		m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":4096,"expiryDateTime":"2030-06-01T09:00:00Z","connectorType":"cCCS2","idToken":\{"idToken":"VAN-12","type":"ISO14443"\}\}\]$`)
		f.answer(m[0], "Accepted")
		w.is(reservation.Held, "")
	})
}

func TestScenario10AConnectorTypeOf21IsNotSentIn201(t *testing.T) {
	unsaid(t, "RC406", func(d *reservation.Declaration) { d.Target = reservation.Target{ConnectorType: "cNACS"} })
}

func TestScenario11ATokenThatIsTooLongIsNotSent(t *testing.T) {
	unsaid(t, "RC405", func(d *reservation.Declaration) { d.IDToken.IDToken = strings.Repeat("7", 37) })
}

// unsaid shows that what OCPP 2.0.1 cannot say is a warning while nobody knows
// that the station speaks it, an error once it has, and sent in neither case.
func unsaid(t *testing.T, code string, edit func(*reservation.Declaration)) {
	t.Helper()
	virtual(t, func(w *world) {
		edit(&w.van)
		if s := severity(w.apply(w.van), code); s != reconcile.Warning {
			t.Errorf("for a station that nobody has seen: %s", s)
		}
		f := w.boot()
		w.is(reservation.Pending, reservation.BecauseRefused)
		w.pass(30 * time.Minute)
		f.quiet()
		again := w.van
		again.Address = "reservation.wagon"
		if s := severity(w.plan(again), code); s != reconcile.Error {
			t.Errorf("for a station that speaks 2.0.1: %s", s)
		}
	})
}

func TestScenario12AWindowThatIsOverIsNotSent(t *testing.T) {
	virtual(t, func(w *world) {
		f := w.boot()
		w.van.When = reservation.When{Start: morning.Add(-time.Hour), Expiry: morning.Add(-time.Second)}
		if p := w.apply(w.van); severity(p, "RC302") == "" || len(p.Changes) != 0 {
			t.Errorf("the plan does not say that it is over: %+v", p)
		}
		w.pass(time.Minute)
		f.quiet()
	})
}

func TestScenario12AWindowThatIsNearlyOverIsNotSent(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.When.Expiry = morning.Add(time.Minute)
		w.apply(w.van)
		w.pass(45 * time.Second) // and it is quiet for 10
		f := w.dial()
		f.say(`[2,"b1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]`)
		f.hears(`"Accepted"`)
		f.status("Available")
		w.pass(2 * time.Minute)
		f.quiet()
		w.is(reservation.Missed, "")
	})
}

func TestScenario13TimesAreSentInUTC(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	for name, when := range map[string]reservation.When{
		"window":   {Start: morning.In(berlin), Expiry: morning.Add(30*time.Minute + 250*time.Millisecond).In(berlin)},
		"hold_for": {HoldFor: reservation.Duration(30 * time.Minute)},
		"schedule": {Schedule: &reservation.Schedule{TimeZone: "Europe/Berlin", StartTime: "09:00", EndTime: "10:30", Days: []string{"SA"}}},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(w *world) {
				w.van.When = when
				w.apply(w.van)
				f := w.boot()
				f.expect(`^\[2,"[^"]+","ReserveNow",\{"id":4096,"expiryDateTime":"2030-06-01T08:30:00Z",`)
			})
		})
	}
}

func TestScenario14AGroupIsSentAndItsMembersUseIt(t *testing.T) {
	virtual(t, func(w *world) {
		group := reservation.Token{IDToken: "DEPOT", Type: "Central"}
		w.van.GroupIDToken = &group
		w.authorize = func(t reservation.Token) (bool, *reservation.Token) { return t.IDToken == "MEMBER", &group }
		w.apply(w.van)
		f := w.boot()
		m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),.*,"evseId":1,"groupIdToken":\{"idToken":"DEPOT","type":"Central"\}\}\]$`)
		f.say(`[2,"a1","Authorize",{"idToken":{"idToken":"MEMBER","type":"ISO14443"}}]`)
		f.hears(`^\[3,"a1",\{"idTokenInfo":\{"status":"Accepted","groupIdToken":\{"idToken":"DEPOT","type":"Central"\}\}\}\]$`)
		f.answer(m[0], "Accepted")
		f.status("Reserved")
		w.is(reservation.Held, "")
		f.say(`[2,"t1","TransactionEvent",{"eventType":"Started","timestamp":"NOW","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"T1"},"evse":{"id":1},"idToken":{"idToken":"MEMBER","type":"ISO14443"},"reservationId":` + m[1] + `}]`)
		f.hears(`^\[3,"t1",\{"idTokenInfo":\{"status":"Accepted","groupIdToken":\{"idToken":"DEPOT","type":"Central"\}\}\}\]$`)
		w.is(reservation.Fulfilled, reservation.BecauseGroup)
		f.quiet()
	})
}
