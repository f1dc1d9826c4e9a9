package scenarios

import (
	"slices"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Another card for the van, while its charger is held.
func TestStoryATokenEditedWhileHeld(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.van.IDToken.IDToken = "VAN-12-NEW"
		w.apply(w.van)
		m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":` + id + `,"expiryDateTime":"2030-06-01T09:00:00Z","idToken":\{"idToken":"VAN-12-NEW","type":"ISO14443"\},"evseId":1\}\]$`)
		f.answer(m[0], "Accepted")
		w.is(reservation.Held, "")
		f.status("Occupied")
		f.starts("1", "VAN-12-NEW", "")
		w.is(reservation.Fulfilled, reservation.BecauseHolder)
		f.answer(f.canceled(id), "Rejected") // it named no id: the hold may have stayed
		f.quiet()
	})
}

// The station refuses the new content under the id that it holds. What it
// shows then says whether the old content is still there.
func TestStoryAnUpdateIsRefused(t *testing.T) {
	for _, shows := range []string{"Reserved", "Available", ""} {
		t.Run("it shows "+shows, func(t *testing.T) {
			virtual(t, func(w *world) {
				if shows == "" {
					w.van.EVSE = 0
				}
				f, id, message := refusal(w)
				if shows == "Available" {
					f.status("Available")
				}
				f.answer(message, "Rejected")
				if shows == "Reserved" {
					w.is(reservation.Held, reservation.BecauseUpdate)
					if d := w.drifts(); !slices.Equal(d, []reconcile.DriftKind{reconcile.DriftUpdate}) {
						t.Errorf("drift: %v", d)
					}
					w.pass(20 * time.Minute)
					f.quiet()
					return
				}
				f.answer(f.canceled(id), "Rejected")
				w.pass(10 * time.Second)
				m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),"expiryDateTime":"2030-06-01T10:00:00Z",.*\}\]$`)
				if m[1] == id {
					t.Errorf("%s was asked for again, though it is gone", id)
				}
			})
		})
	}
}

// refusal brings a later expiry to the station, and gives the id and the message.
func refusal(w *world) (f *far, id, message string) {
	w.apply(w.van)
	f = w.boot()
	ask := `^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),.*\}\]$`
	m := f.expect(ask)
	f.answer(m[0], "Accepted")
	if w.van.EVSE == 1 {
		f.status("Reserved")
	}
	w.van.When.Expiry = morning.Add(2 * time.Hour)
	w.apply(w.van)
	again := f.expect(ask)
	if again[1] != m[1] {
		w.t.Errorf("asked under %s, and %s is held", again[1], m[1])
	}
	return f, m[1], again[0]
}

// The charger is exchanged, and the new one is called as the old one was.
func TestStoryAStationIsReplaced(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		must(t, f.Close())
		w.pass(10 * time.Minute)
		f = w.dial()
		f.say(`[2,"b1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V","serialNumber":"SN-2"}}]`)
		f.hears(`^\[3,"b1",\{.*"status":"Accepted".*\}\]$`)
		w.is(reservation.Pending, reservation.BecauseReplaced)
		if d := w.drifts(); !slices.Contains(d, reconcile.DriftReplaced) {
			t.Errorf("drift: %v", d)
		}
		f.status("Available")
		w.pass(w.Settings.QuietPeriod)
		if again := f.accepts(); again == id {
			t.Errorf("%s was asked of both stations", id)
		}
		w.is(reservation.Held, "")
		if d := w.drifts(); !slices.Equal(d, []reconcile.DriftKind{reconcile.DriftReplaced}) {
			t.Errorf("drift: %v", d)
		}
	})
}

// The station's clock is an hour ahead: it ends the reservation at nine, which
// it calls ten. It is believed.
func TestStoryAClockAnHourOff(t *testing.T) {
	virtual(t, func(w *world) {
		w.from(0, 2*time.Hour)
		f, id := w.held()
		f.report("TransactionEvent", `{"eventType":"Started","timestamp":"2030-06-01T09:00:10Z","triggerReason":"CablePluggedIn","seqNo":0,"transactionInfo":{"transactionId":"T9"},"evse":{"id":2}}`)
		if d := w.drifts(); !slices.Equal(d, []reconcile.DriftKind{reconcile.DriftClock}) {
			t.Errorf("drift: %v", d)
		}
		w.pass(time.Until(morning.Add(time.Hour)))
		f.update(id, "Expired")
		f.status("Available")
		w.is(reservation.NoShow, "")
		w.pass(time.Hour)
		f.quiet()
	})
}

// A clock that is right does not explain an end half an hour early: the hold is
// lost, and asked for again.
func TestStoryExpiredTooEarly(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.pass(20 * time.Minute)
		f.update(id, "Expired")
		if o := w.now(); o.Phase != reservation.Unsure || o.Heals != 1 { // asked anew
			t.Errorf("it is %s (%s)", o.Phase, o.Reason)
		}
		if d := w.drifts(); len(d) == 0 {
			t.Error("no drift")
		}
		if again := f.accepts(); again == id {
			t.Errorf("%s was asked for twice", id)
		}
		w.is(reservation.Held, "")
	})
}

// The station is away when the window ends. Whether the van came is not known,
// until the station tells what it kept.
func TestStoryOfflineLongerThanTheWindow(t *testing.T) {
	for what, then := range map[string]func(w *world, f *far, id string){
		"it shows Available": func(w *world, f *far, _ string) {
			f.status("Available")
			w.pass(time.Hour)
			f.quiet()
			w.is(reservation.Ended, "")
		},
		"it shows Reserved": func(w *world, f *far, id string) {
			f.status("Reserved")
			w.pass(w.Settings.QuietPeriod)
			f.answer(f.canceled(id), "Accepted")
			f.status("Available")
			f.quiet()
			w.is(reservation.Ended, "")
		},
		"it says that it was used": func(w *world, f *far, id string) {
			f.report("TransactionEvent", `{"eventType":"Started","timestamp":"2030-06-01T08:40:00Z","offline":true,"triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"T1"},"evse":{"id":1},"reservationId":`+id+`}`)
			w.is(reservation.Fulfilled, reservation.BecauseHolder)
			w.pass(time.Hour)
			f.quiet()
		},
	} {
		t.Run(what, func(t *testing.T) {
			virtual(t, func(w *world) {
				f, id := w.held()
				must(t, f.Close())
				w.pass(90 * time.Minute)
				w.is(reservation.Ended, "")
				then(w, w.dial(), id)
				if d := w.drifts(); len(d) > 0 {
					t.Errorf("drift: %v", d)
				}
			})
		})
	}
}

// The station drops what it holds: it is asked for again at once; when it
// happens once more, after a while.
func TestStoryRemovedAndHealed(t *testing.T) {
	virtual(t, func(w *world) {
		f, first := w.held()
		f.update(first, "Removed")
		f.status("Available")
		second := f.accepts()
		f.update(second, "Removed")
		f.status("Available")
		w.is(reservation.Pending, reservation.BecauseRemoved)
		f.quiet()
		if d := w.drifts(); !slices.Equal(d, []reconcile.DriftKind{reconcile.DriftRemoved}) {
			t.Errorf("drift: %v", d)
		}
		w.pass(4 * time.Second)
		f.quiet()
		w.pass(3 * time.Second)
		third := f.accepts()
		w.is(reservation.Held, "")
		if first == second || second == third || first == third {
			t.Errorf("an id was used twice: %s %s %s", first, second, third)
		}
	})
}

// The EVSE of what was dropped goes on showing that it is Reserved, or is out of
// order: it is asked for once it is Available, and of a station that never says
// so after half a minute.
func TestStoryRemovedAndNotYetFree(t *testing.T) {
	for _, shows := range []string{"Reserved", "Faulted", "Unavailable"} {
		for what, then := range map[string]func(w *world, f *far){
			"it is free in the end": func(w *world, f *far) {
				f.say(`[2,"free","StatusNotification",{"timestamp":"2030-06-01T08:00:25Z","evseId":1,"connectorId":1,"connectorStatus":"Available"}]`)
				f.hears(`^\[3,"free",\{\}\]$`)
				f.accepts()
				w.is(reservation.Held, "")
			},
			"it never says so": func(w *world, f *far) {
				w.pass(11 * time.Second)
				message, _ := f.asked()
				f.answer(message, "Accepted")
				w.is(reservation.Held, "")
			},
		} {
			t.Run(shows+": "+what, func(t *testing.T) {
				virtual(t, func(w *world) {
					f, id := w.held()
					if shows != "Reserved" {
						f.status(shows)
					}
					f.say(`[2,"gone","ReservationStatusUpdate",{"reservationId":` + id + `,"reservationUpdateStatus":"Removed"}]`)
					f.hears(`^\[3,"gone",\{\}\]$`)
					w.is(reservation.Pending, reservation.BecauseRemoved)
					w.pass(20 * time.Second)
					f.quiet()
					then(w, f)
				})
			})
		}
	}
}

// Reserved turns to Available, and nothing is said. The driver may be on his way
// to the plug: nothing is asked for three minutes.
func TestStoryAvailableWithNoReport(t *testing.T) {
	for what, c := range map[string]struct {
		policy string
		then   func(w *world, f *far, id string)
	}{
		"he plugs in": {"", func(w *world, f *far, _ string) {
			f.status("Occupied")
			f.starts("1", "VAN-12", "")
			w.is(reservation.Fulfilled, reservation.BecauseHolder)
		}},
		"nobody comes": {"", func(w *world, f *far, _ string) {
			w.pass(61 * time.Second)
			f.accepts()
			w.is(reservation.Held, "")
		}},
		"nobody comes, and it is to be reported": {reservation.Report, func(w *world, f *far, id string) {
			w.pass(61 * time.Second)
			f.answer(f.canceled(id), "Rejected")
			w.is(reservation.Dropped, "")
			f.quiet()
			if d := w.drifts(); !slices.Equal(d, []reconcile.DriftKind{reconcile.DriftRemoved}) {
				w.t.Errorf("drift: %v", d)
			}
		}},
	} {
		t.Run(what, func(t *testing.T) {
			virtual(t, func(w *world) {
				w.van.Lifecycle.OnRemoved = c.policy
				f, id := w.held()
				f.status("Available")
				w.is(reservation.Unsure, reservation.BecauseVanished)
				w.pass(2 * time.Minute)
				f.quiet()
				c.then(w, f, id)
			})
		})
	}
}

// A fault comes and goes. Reserved again: it was held all along. Available for
// ten seconds: it is lost.
func TestStoryAFaultComesAndGoes(t *testing.T) {
	virtual(t, func(w *world) {
		f, _ := w.held()
		f.status("Faulted")
		w.pass(time.Minute)
		f.status("Reserved")
		w.is(reservation.Held, "")
		f.quiet()
		f.status("Unavailable")
		w.pass(time.Minute)
		f.status("Available")
		w.is(reservation.Unsure, reservation.BecauseFault)
		w.pass(9 * time.Second)
		f.quiet()
		w.pass(2 * time.Second)
		f.accepts()
		w.is(reservation.Held, "")
	})
}
