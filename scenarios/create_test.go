package scenarios

import (
	"testing"

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

func TestScenario01AcceptedIsReserved(t *testing.T) {
	w := begin(t)
	f, _ := w.held()
	f.quiet()
	if o := w.now(); o.Seen != reservation.Reserved {
		t.Errorf("Reserved was not observed: %+v", o)
	}
}

func TestScenario03OccupiedIsPacedUntilAvailable(t *testing.T) {
	w := begin(t)
	w.apply(w.van)
	f := w.boot()
	message, first := f.asked()
	f.answer(message, "Occupied")
	w.is(reservation.Pending, reservation.BecauseOccupied)
	f.quiet()
	f.status("Occupied")
	f.status("Available")
	if _, again := f.asked(); again == first {
		t.Errorf("%s was asked for twice", first)
	}
}

func TestScenario05RejectedIsNotRepeated(t *testing.T) {
	w := begin(t)
	w.apply(w.van)
	f := w.boot()
	message, _ := f.asked()
	f.say(`[3,"` + message + `",{"status":"Rejected","statusInfo":{"reasonCode":""}}]`)
	w.is(reservation.Pending, reservation.BecauseRejected)
	f.quiet()
}
