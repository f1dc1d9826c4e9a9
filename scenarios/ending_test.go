package scenarios

import (
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

func TestScenario23NothingIsHeardOfAnEndWhileOffline(t *testing.T) {
	virtual(t, func(w *world) {
		f, _ := w.held()
		must(t, f.Close())
		w.pass(time.Hour)
		w.is(reservation.Held, "")
		w.pass(2 * time.Minute)
		w.is(reservation.Ended, "")
	})
}

func TestScenario25RemovedIsAskedForUnderANewID(t *testing.T) {
	w := begin(t)
	f, id := w.held()
	f.status("Available")
	f.update(id, "Removed")
	if _, again := f.asked(); again == id {
		t.Errorf("%s was asked for twice", id)
	}
}

func TestScenario26StartedWithOurIDFulfils(t *testing.T) {
	w := begin(t)
	f, id := w.held()
	f.report("TransactionEvent", `{"eventType":"Started","timestamp":"NOW","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"T1"},"evse":{"id":1},"reservationId":`+id+`}`)
	w.is(reservation.Fulfilled, reservation.BecauseHolder)
	f.quiet()
}

func TestScenario29OtherIDsChangeNothing(t *testing.T) {
	w := begin(t)
	f, _ := w.held()
	for _, id := range []string{"0", "-1", "77"} {
		f.update(id, "Removed")
	}
	w.is(reservation.Held, "")
}
