package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func TestScenario15ALaterExpiryGoesOutUnderTheSameID(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.van.When.Expiry = morning.Add(90 * time.Minute)
		w.apply(w.van)
		m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":` + id + `,"expiryDateTime":"2030-06-01T09:30:00Z","idToken":\{"idToken":"VAN-12","type":"ISO14443"\},"evseId":1\}\]$`)
		f.answer(m[0], "Accepted")
		w.is(reservation.Held, "")
		w.pass(80 * time.Minute)
		f.quiet()
		w.is(reservation.Held, "")
		if o := w.now(); len(o.Past) != 0 || !o.Held.Expiry.Equal(w.van.When.Expiry) {
			t.Errorf("more than one reservation, or another expiry: %+v", o)
		}
	})
}

func TestScenario16AnotherEVSEIsAskedForOnceTheFirstIsFree(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.van.EVSE = 2
		w.apply(w.van)
		message := f.canceled(id)
		f.quiet()
		f.answer(message, "Accepted")
		m := f.expect(`^\[2,"([^"]+)","ReserveNow",\{"id":(\d+),.*"evseId":2\}\]$`)
		if m[1] == id {
			t.Errorf("%s was asked for at another EVSE", id)
		}
		f.answer(m[0], "Rejected")
		w.is(reservation.Pending, reservation.BecauseRejected)
		f.quiet()
		if o := w.now(); o.ID != 0 || o.Held != nil {
			t.Errorf("it is believed at the station: %+v", o)
		}
		if d := w.drift(); len(d) != 1 || d[0].Kind != reconcile.DriftRefused {
			t.Errorf("drift: %+v", d)
		}
	})
}

func TestScenario16AnotherStationIsAskedBeforeTheFirstLetsGo(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		other := w.dialAs("CP-2")
		other.boot()
		w.van.StationID = "CP-2"
		w.apply(w.van)
		message, again := other.asked()
		f.quiet() // it is held there until it is held here
		if again == id {
			t.Errorf("%s was asked for at another station", id)
		}
		other.answer(message, "Accepted")
		f.answer(f.canceled(id), "Accepted")
		other.quiet()
		w.isAt("CP-2", reservation.Held)
		w.isAt(station, reservation.Canceled)
	})
}

// refusedUpdate brings an update under the same id to a refusal.
func refusedUpdate(w *world) (f *far, id string) {
	f, id = w.held()
	w.van.When.Expiry = morning.Add(90 * time.Minute)
	w.apply(w.van)
	message, again := f.asked()
	if again != id {
		w.t.Errorf("asked under %s, and %s is held", again, id)
	}
	f.answer(message, "Rejected")
	return f, id
}

func TestScenario17AnUpdateIsRefusedWhileReservedShows(t *testing.T) {
	virtual(t, func(w *world) {
		f, _ := refusedUpdate(w)
		w.is(reservation.Held, reservation.BecauseUpdate)
		f.quiet()
		if o := w.now(); !o.Held.Expiry.Equal(morning.Add(time.Hour)) {
			t.Errorf("it is believed until %v", o.Held.Expiry)
		}
		if d := w.drift(); len(d) != 1 || d[0].Kind != reconcile.DriftUpdate {
			t.Errorf("drift: %+v", d)
		}
	})
}

func TestScenario17AnUpdateIsRefusedAndNothingShows(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.EVSE = 0
		w.apply(w.van)
		f := w.boot()
		message, id := f.askedAny()
		f.answer(message, "Accepted")
		w.van.When.Expiry = morning.Add(90 * time.Minute)
		w.apply(w.van)
		message, _ = f.askedAny()
		f.answer(message, "Rejected")
		message = f.canceled(id)
		w.is(reservation.Canceling, "")
		f.answer(message, "Rejected")
		w.pass(time.Minute)
		message, again := f.askedAny()
		if again == id {
			t.Errorf("%s was asked for again, though it is gone", id)
		}
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
	})
}

func TestScenario18And19ACancelThatIsAnsweredEnds(t *testing.T) {
	for _, status := range []string{"Accepted", "Rejected"} {
		t.Run(status, func(t *testing.T) {
			virtual(t, func(w *world) {
				f, id := w.held()
				w.apply()
				f.answer(f.canceled(id), status)
				w.is(reservation.Canceled, "")
				f.status("Available")
				w.pass(2 * time.Hour)
				f.quiet()
				w.is(reservation.Canceled, "")
				if last := w.answers(); !strings.Contains(last, status) {
					t.Errorf("the journal does not say that it was %s: %s", status, last)
				}
			})
		})
	}
}

func TestScenario20ACancelIsRepeatedUntilItIsAnswered(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.apply()
		f.canceled(id)
		w.pass(30 * time.Second)
		w.is(reservation.Canceling, "")
		f.quiet()
		w.pass(7 * time.Second)
		f.canceled(id)
		must(t, f.Close())
		w.pass(5 * time.Minute)
		w.is(reservation.Canceling, "")
		w.restart()
		f = w.dial()
		w.pass(w.Settings.QuietPeriod)
		message := f.canceled(id)
		f.answer(message, "Accepted")
		w.is(reservation.Canceled, "")
		f.quiet()
	})
}
