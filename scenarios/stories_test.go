package scenarios

import (
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// from puts the window of the reservation somewhere into the morning.
func (w *world) from(start, end time.Duration) {
	w.van.When = reservation.When{Start: morning.Add(start), Expiry: morning.Add(end)}
}

// starts and ends are events of a transaction; more is what else is said in it.
func (f *far) starts(evse, token, more string) {
	f.t.Helper()
	f.say(`[2,"t1","TransactionEvent",{"eventType":"Started","timestamp":"NOW","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"T-` + token + `"},"evse":{"id":` + evse + `,"connectorId":1},"idToken":{"idToken":"` + token + `","type":"ISO14443"}` + more + `}]`)
	f.hears(`^\[3,"t1",\{"idTokenInfo":\{"status":"Accepted"\}\}\]$`)
}

func (f *far) ends(evse, token string) {
	f.t.Helper()
	f.report("TransactionEvent", `{"eventType":"Ended","timestamp":"NOW","triggerReason":"EVDeparted","seqNo":9,"transactionInfo":{"transactionId":"T-`+token+`"},"evse":{"id":`+evse+`}}`)
}

// waits is why the reservation, though it is due, is not asked for.
func (w *world) waits() reservation.Reason {
	w.t.Helper()
	all, err := w.Unsettled(w.t.Context(), station, "")
	must(w.t, err)
	if len(all) != 1 {
		w.t.Fatalf("not settled: %+v", all)
	}
	return all[0].Reason
}

// drifts is what a person should look at, by kind.
func (w *world) drifts() (kinds []reconcile.DriftKind) {
	w.t.Helper()
	for _, d := range w.drift() {
		kinds = append(kinds, d.Kind)
	}
	return kinds
}

// The van is there at half past eight, and charges. Its window opens at nine:
// there is nothing left to hold.
func TestStoryTheEarlyVan(t *testing.T) {
	virtual(t, func(w *world) {
		w.from(time.Hour, 3*time.Hour)
		w.apply(w.van)
		f := w.boot()
		w.pass(30 * time.Minute)
		f.status("Occupied")
		f.starts("1", "VAN-12", "")
		w.is(reservation.Scheduled, "")
		w.pass(30 * time.Minute)
		w.is(reservation.Fulfilled, reservation.BecauseHolder)
		f.ends("1", "VAN-12")
		f.status("Available")
		w.pass(2 * time.Hour)
		f.quiet()
		w.is(reservation.Fulfilled, reservation.BecauseHolder)
	})
}

// Somebody charges at nine who should have gone. Nobody stops him; the window
// waits, and is reserved when he leaves.
func TestStoryTheOverstayingCar(t *testing.T) {
	virtual(t, func(w *world) {
		w.from(time.Hour, 3*time.Hour)
		w.apply(w.van)
		f := w.boot()
		f.status("Occupied")
		f.starts("1", "STRANGER", "")
		w.pass(80 * time.Minute)
		f.quiet()
		if why := w.waits(); why != reservation.BecauseTaken {
			t.Errorf("it waits: %s", why)
		}
		if d := w.drifts(); len(d) != 1 || d[0] != reconcile.DriftOverdue {
			t.Errorf("drift: %v", d)
		}
		f.ends("1", "STRANGER")
		message, _ := f.asked()
		f.answer(message, "Occupied") // his cable is still in
		w.is(reservation.Pending, reservation.BecauseOccupied)
		f.status("Available")
		f.accepts()
		w.is(reservation.Held, "")
	})
}

// One window ends at nine, the next on the EVSE begins at five past, with ten
// minutes of lead.
func backToBack(w *world) (f *far, first string) {
	w.from(0, time.Hour)
	next := w.van
	next.Address, next.IDToken.IDToken = "reservation.next", "VAN-7"
	next.When = reservation.When{Start: morning.Add(65 * time.Minute), Expiry: morning.Add(2 * time.Hour)}
	next.Activation.LeadTime = reservation.Duration(10 * time.Minute)
	w.apply(w.van, next)
	f = w.boot()
	first = f.accepts()
	w.pass(time.Until(morning.Add(time.Hour - time.Second)))
	f.quiet() // its lead time has begun, and the first has not ended
	return f, first
}

func TestStoryBackToBackWindows(t *testing.T) {
	virtual(t, func(w *world) {
		f, first := backToBack(w)
		f.update(first, "Expired")
		w.is(reservation.NoShow, "")
		m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),"expiryDateTime":"2030-06-01T10:00:00Z","idToken":\{"idToken":"VAN-7","type":"ISO14443"\},"evseId":1\}\]$`)
		if m[1] == first {
			t.Errorf("%s was asked for twice", first)
		}
	})
}

func TestStoryBackToBackWindowsAndTheFirstIsStillThere(t *testing.T) {
	virtual(t, func(w *world) {
		f, first := backToBack(w)
		w.pass(time.Second)
		message := f.canceled(first)
		f.quiet() // not both at once
		f.answer(message, "Accepted")
		w.is(reservation.Ended, "")
		f.status("Available")
		f.asked()
	})
}

// Nobody waits for the EVSE, and it is Reserved a minute after the end.
func TestStoryAnEndThatTheStationForgets(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.pass(time.Until(morning.Add(time.Hour + 59*time.Second)))
		f.quiet()
		w.pass(2 * time.Second)
		f.answer(f.canceled(id), "Accepted")
		w.is(reservation.Ended, "")
		f.status("Available")
		f.quiet()
	})
}

// The van charges, leaves, and is back before its window is over.
func TestStoryTheVanThatComesBack(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		f.status("Occupied")
		f.starts("1", "VAN-12", `,"reservationId":`+id)
		w.is(reservation.Fulfilled, reservation.BecauseHolder)
		f.ends("1", "VAN-12")
		f.status("Available")
		w.pass(20 * time.Minute)
		f.status("Occupied")
		f.starts("1", "VAN-12", "")
		f.quiet()
		w.is(reservation.Fulfilled, reservation.BecauseHolder)
	})
}

func TestStoryTheVanThatComesBackAndHoldsAgain(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.Lifecycle.OnUsed = reservation.HoldAgain
		f, id := w.held()
		for range 2 {
			f.status("Occupied")
			f.starts("1", "VAN-12", `,"reservationId":`+id)
			w.pass(10 * time.Minute)
			f.quiet()
			w.is(reservation.Pending, reservation.BecauseOccupied)
			f.ends("1", "VAN-12")
			f.status("Available")
			before := id
			if id = f.accepts(); id == before {
				t.Errorf("%s was asked for twice", id)
			}
			w.is(reservation.Held, "")
		}
	})
}

// Nobody comes within twenty minutes. Those in which the station was away, and
// nobody could have been seen, do not count.
func TestStoryNoShowAndRelease(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.Activation.NoShowAfter = reservation.Duration(20 * time.Minute)
		f, id := w.held()
		w.pass(10 * time.Minute)
		must(t, f.Close())
		w.pass(15 * time.Minute)
		f = w.dial()
		w.pass(9 * time.Minute)
		f.quiet()
		w.is(reservation.Held, "")
		w.pass(time.Minute + time.Second)
		f.answer(f.canceled(id), "Accepted")
		w.is(reservation.NoShow, "")
		f.status("Available")
		w.pass(time.Hour)
		f.quiet()
		w.is(reservation.NoShow, "")
		if d := w.drifts(); len(d) > 0 {
			t.Errorf("drift: %v", d)
		}
	})
}
