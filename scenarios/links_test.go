package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func TestScenario31NoAnswerIsDoubtAndTheSameIDIsAskedAgain(t *testing.T) {
	virtual(t, func(w *world) {
		w.apply(w.van)
		f := w.boot()
		_, id := f.asked()
		w.pass(29 * time.Second)
		w.is(reservation.Unsure, reservation.BecauseAsked)
		w.pass(2 * time.Second)
		w.is(reservation.Unsure, reservation.BecauseNoAnswer)
		f.quiet()
		w.pass(6 * time.Second)
		message, again := f.asked()
		if again != id {
			t.Errorf("asked under %s, and %s may be there", again, id)
		}
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
	})
}

func TestScenario32AnAnswerAfterAReconnectIsNoOtherCalls(t *testing.T) {
	virtual(t, func(w *world) {
		w.apply(w.van)
		f := w.boot()
		message, id := f.asked()
		must(t, f.Close())
		w.pass(time.Second)
		w.is(reservation.Unsure, reservation.BecauseNoAnswer)
		f = w.dial()
		f.answer(message, "Accepted")
		w.is(reservation.Unsure, reservation.BecauseNoAnswer) // who shared nothing with that socket is not believed
		w.pass(w.Settings.QuietPeriod)
		message, again := f.asked()
		if again != id {
			t.Errorf("asked under %s, and %s may be there", again, id)
		}
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
	})
}

func TestScenario35AReconnectWithoutABoot(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		must(t, f.Close())
		w.pass(time.Minute)
		w.restart()
		f = w.dial()
		w.pass(10 * time.Minute)
		f.quiet() // what is held and unchanged is not asked for again
		w.is(reservation.Held, "")
		w.apply()
		f.answer(f.canceled(id), "Accepted") // and it is spoken to
		w.is(reservation.Canceled, "")
	})
}

func TestScenario36ABootInBetween(t *testing.T) {
	for _, shows := range []string{"Reserved", "Available"} {
		t.Run(shows, func(t *testing.T) {
			virtual(t, func(w *world) {
				f, id := w.held()
				f.say(`[2,"b2","BootNotification",{"reason":"Watchdog","chargingStation":{"model":"M","vendorName":"V","serialNumber":"SN-1"}}]`)
				f.hears(`^\[3,"b2",\{.*"status":"Accepted".*\}\]$`)
				w.is(reservation.Unsure, reservation.BecauseBoot)
				w.pass(10 * time.Second)
				f.quiet() // before it has shown anything
				f.status(shows)
				if shows == "Available" { // which proves nothing: some still hold it
					message, again := f.asked()
					if again != id {
						t.Errorf("asked under %s, and %s may be there", again, id)
					}
					f.answer(message, "Accepted")
				}
				w.is(reservation.Held, "")
				f.quiet()
			})
		})
	}
}

// A station that is Pending answers what it is asked with SecurityError
// (B02.FR.09); or it has told so when it booted.
func TestScenario39NothingIsAskedBeforeTheBootIsAccepted(t *testing.T) {
	for what, pending := range map[string]func(w *world) *far{
		"it was told Pending": func(w *world) *far {
			f := w.dial()
			_, err := w.db.Append(w.t.Context(), reservation.Event{At: time.Now().UTC(), Kind: reservation.Booted, StationID: station,
				Boot: &reservation.Boot{Accepted: false, Reason: "PowerUp", Vendor: "V", Model: "M", Serial: "SN-1"}})
			must(w.t, err)
			return f
		},
		"it says SecurityError": func(w *world) *far {
			f := w.boot()
			message, _ := f.asked()
			f.say(`[4,"` + message + `","SecurityError","",{}]`)
			return f
		},
	} {
		t.Run(what, func(t *testing.T) {
			virtual(t, func(w *world) {
				w.apply(w.van)
				f := pending(w)
				f.status("Available")
				w.pass(w.Settings.QuietPeriod)
				f.quiet()
				if why := w.waits(); why != reservation.BecauseBooting {
					t.Errorf("it waits: %s", why)
				}
				w.pass(w.Settings.Patience)
				m := f.expect(`^\[2,"([^"]+)","TriggerMessage",\{"requestedMessage":"BootNotification"\}\]$`)
				f.answer(m[0], "Accepted")
				f.quiet()
				f.boot()
				f.accepts()
				w.is(reservation.Held, "")
			})
		})
	}
}

// notifies reports the status of EVSE 1 as a change of its connector's variable.
func (f *far) notifies(s string) {
	f.t.Helper()
	f.report("NotifyEvent", `{"generatedAt":"NOW","seqNo":0,"eventData":[{"eventId":1,"timestamp":"NOW","trigger":"Delta","actualValue":"`+s+`","eventNotificationType":"HardWiredNotification","component":{"name":"Connector","evse":{"id":1,"connectorId":1}},"variable":{"name":"AvailabilityState"}}]}`)
}

func TestScenario40NotifyEventCountsAsStatusNotification(t *testing.T) {
	virtual(t, func(w *world) {
		w.apply(w.van)
		f := w.dial()
		f.say(`[2,"b1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]`)
		f.hears(`^\[3,"b1",\{.*"status":"Accepted".*\}\]$`)
		f.notifies("Available")
		w.pass(w.Settings.QuietPeriod)
		message, _ := f.asked()
		f.answer(message, "Occupied")
		f.notifies("Occupied")
		f.quiet()
		f.notifies("Available")
		message, _ = f.asked()
		f.notifies("Reserved")
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
		if o := w.now(); o.Seen != reservation.Reserved {
			t.Errorf("Reserved was not observed: %+v", o)
		}
		f.notifies("Available")
		w.is(reservation.Unsure, reservation.BecauseVanished)
	})
}

// foreign is what is shown as such.
func (w *world) foreign() string {
	w.t.Helper()
	st, err := w.Read(w.t.Context())
	must(w.t, err)
	var all []string
	for _, f := range st.Foreign {
		all = append(all, fmt.Sprintf("%s EVSE %d id %d", f.StationID, f.EVSE, f.ReservationID))
	}
	return strings.Join(all, ", ")
}

func TestScenario45WhatIsForeignIsShownAndLeftAlone(t *testing.T) {
	virtual(t, func(w *world) {
		f := w.boot()
		f.status("Reserved")
		if got := w.foreign(); got != "CP-1 EVSE 1 id 0" {
			t.Errorf("foreign: %q", got)
		}
		w.apply(w.van)
		message, _ := f.asked()
		f.answer(message, "Occupied")
		for range 60 { // it is asked for again at a pace, and nothing is ever cancelled
			if w.pass(10 * time.Second); len(f.requests) > 0 {
				message, _ := f.asked()
				f.answer(message, "Occupied")
			}
		}
		if d := w.drifts(); !slices.Equal(d, []reconcile.DriftKind{reconcile.DriftForeign}) {
			t.Errorf("drift: %v", d)
		}
		f.report("TransactionEvent", `{"eventType":"Started","timestamp":"NOW","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"T1"},"evse":{"id":2},"reservationId":77}`)
		if got := w.foreign(); got != "CP-1 EVSE 1 id 0, CP-1 EVSE 2 id 77" {
			t.Errorf("foreign: %q", got)
		}
		f.report("TransactionEvent", `{"eventType":"Ended","timestamp":"NOW","triggerReason":"EVDeparted","seqNo":1,"transactionInfo":{"transactionId":"T1"}}`)
		f.status("Available")
		f.accepts()
		w.is(reservation.Held, "")
		if got := w.foreign(); got != "" {
			t.Errorf("foreign: %q", got)
		}
	})
}

// What was ours is not foreign while its station has had no time to say that it
// is gone; what shows for longer is nobody's that we know.
func TestScenario45WhatWasOursIsNotForeign(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.pass(time.Minute)
		w.apply()
		f.answer(f.canceled(id), "Accepted")
		w.pass(59 * time.Second)
		if got := w.foreign(); got != "" {
			t.Errorf("foreign: %q", got)
		}
		w.pass(time.Second)
		if got := w.foreign(); got != "CP-1 EVSE 1 id 0" {
			t.Errorf("foreign: %q", got)
		}
		f.starts("1", "STRANGER", `,"reservationId":`+id)
		f.quiet()
		f.status("Occupied")
		if got := w.foreign(); got != "" {
			t.Errorf("a known id is foreign: %q", got)
		}
	})
}

func TestScenario46AnotherVersionIsRefusedAndIDsStay(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		must(t, f.Close())
		w.pass(time.Minute)
		d := w.dialer
		d.Subprotocols = []string{"ocpp1.6"}
		_, res, err := d.DialContext(context.Background(), w.url+station, nil)
		if err != websocket.ErrBadHandshake || res.StatusCode != http.StatusBadRequest {
			t.Fatalf("1.6 is answered %v, %v", res, err)
		}
		w.is(reservation.Held, "")
		f = w.dial("ocpp2.1", "ocpp2.0.1")
		if f.Subprotocol() != "ocpp2.0.1" {
			t.Errorf("it speaks %q", f.Subprotocol())
		}
		w.pass(w.Settings.QuietPeriod)
		f.quiet()
		w.is(reservation.Held, "")
		w.apply()
		f.answer(f.canceled(id), "Accepted")
		w.is(reservation.Canceled, "")
	})
}
