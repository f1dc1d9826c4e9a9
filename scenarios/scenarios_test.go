package scenarios

import (
	"testing"

	"github.com/resctl/resctl/reservation"
)

// held brings the reservation to reserved and gives its id.
func held(t *testing.T) (w *world, f *far, id string) {
	t.Helper()
	w = begin(t)
	w.declare(nil, w.want)
	f = w.boot()
	message, id := f.asked()
	f.status("Reserved")
	f.answer(message, "Accepted")
	w.is(reservation.Held, "")
	return w, f, id
}

func TestScenario01AcceptedIsReserved(t *testing.T) {
	_, f, _ := held(t)
	f.quiet()
}

func TestScenario03OccupiedIsPacedUntilAvailable(t *testing.T) {
	w := begin(t)
	w.declare(nil, w.want)
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
	w.declare(nil, w.want)
	f := w.boot()
	message, _ := f.asked()
	f.say(`[3,"` + message + `",{"status":"Rejected","statusInfo":{"reasonCode":""}}]`)
	w.is(reservation.Pending, reservation.BecauseRejected)
	f.quiet()
}

func TestScenario18And19ACancelThatIsAnsweredEnds(t *testing.T) {
	for _, status := range []string{"Accepted", "Rejected"} {
		t.Run(status, func(t *testing.T) {
			w, f, id := held(t)
			w.declare(w.want, nil)
			m := f.expect(`^\[2,"([^"]+)","CancelReservation",\{"reservationId":` + id + `\}\]$`)
			f.answer(m[0], status)
			w.is(reservation.Canceled, "")
			f.quiet()
		})
	}
}

func TestScenario25RemovedIsAskedForUnderANewID(t *testing.T) {
	_, f, id := held(t)
	f.status("Available")
	f.say(`[2,"r1","ReservationStatusUpdate",{"reservationId":` + id + `,"reservationUpdateStatus":"Removed"}]`)
	f.expect(`^\[3,"r1",\{\}\]$`)
	if _, again := f.asked(); again == id {
		t.Errorf("%s was asked for twice", id)
	}
}

func TestScenario26StartedWithOurIDFulfils(t *testing.T) {
	w, f, id := held(t)
	f.say(`[2,"t1","TransactionEvent",{"eventType":"Started","timestamp":"2036-01-01T00:00:00Z","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"T1"},"evse":{"id":1},"reservationId":` + id + `}]`)
	f.expect(`^\[3,"t1",\{.*\}\]$`)
	w.is(reservation.Fulfilled, reservation.BecauseHolder)
	f.quiet()
}

func TestScenario29OtherIDsChangeNothing(t *testing.T) {
	w, f, _ := held(t)
	for _, id := range []string{"0", "-1", "77"} {
		f.say(`[2,"r1","ReservationStatusUpdate",{"reservationId":` + id + `,"reservationUpdateStatus":"Removed"}]`)
		f.expect(`^\[3,"r1",\{\}\]$`)
	}
	w.is(reservation.Held, "")
}
