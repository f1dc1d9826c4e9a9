package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// started is a TransactionEvent at EVSE 1 of a driver whom the station let in.
func started(id string) string { return transaction("Started", id) }

func transaction(kind, id string) string {
	return `{"eventType":"` + kind + `","timestamp":"NOW","triggerReason":"Authorized","seqNo":0,"transactionInfo":{"transactionId":"T1"},"evse":{"id":1},"reservationId":` + id + `}`
}

func TestScenario21ExpiredEndsItOnce(t *testing.T) {
	steps := map[string]func(f *far, id string){
		"Available": func(f *far, _ string) { f.status("Available") },
		"Expired":   func(f *far, id string) { f.update(id, "Expired") },
	}
	for order := range permutations("Available", "Expired", "Expired") {
		t.Run(strings.Join(order, ", "), func(t *testing.T) {
			virtual(t, func(w *world) {
				f, id := w.held()
				w.pass(time.Hour - w.Settings.QuietPeriod)
				for _, step := range order {
					steps[step](f, id)
					w.pass(time.Second)
					f.quiet()
				}
				w.is(reservation.NoShow, "")
				w.pass(time.Hour)
				f.quiet()
				w.is(reservation.NoShow, "")
				if o := w.now(); !o.Since.Before(morning.Add(time.Hour+3*time.Second)) || w.entered(reservation.NoShow) != 1 {
					t.Errorf("it ended %d times, last at %v", w.entered(reservation.NoShow), o.Since)
				}
			})
		})
	}
}

func TestScenario21ExpiredThatWasKeptEndsItOnce(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		must(t, f.Close())
		w.pass(2 * time.Hour)
		w.is(reservation.Ended, "")
		f = w.dial()
		f.status("Available")
		f.update(id, "Expired")
		w.is(reservation.NoShow, "") // until then it was not known how it ended
		f.update(id, "Expired")
		w.pass(time.Hour)
		f.quiet()
		if n := w.entered(reservation.NoShow); n != 1 {
			t.Errorf("it ended %d times", n)
		}
	})
}

func TestScenario23NothingIsHeardOfAnEndWhileOffline(t *testing.T) {
	virtual(t, func(w *world) {
		f, _ := w.held()
		must(t, f.Close())
		w.pass(time.Hour)
		w.is(reservation.Held, "")
		w.pass(2 * time.Minute)
		w.is(reservation.Ended, "")
		if d := w.drift(); len(d) != 0 {
			t.Errorf("drift: %+v", d)
		}
	})
}

func TestScenario23NothingIsHeardOfAnEndWhileOnline(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.pass(time.Hour - w.Settings.QuietPeriod + 59*time.Second)
		w.is(reservation.Held, "")
		f.quiet()
		w.pass(2 * time.Second)
		f.answer(f.canceled(id), "Rejected") // it shows Reserved still
		w.is(reservation.Ended, "")
		f.quiet()
	})
}

func TestScenario24ExpiredALittleEarlyIsBelieved(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.pass(59*time.Minute + 10*time.Second - w.Settings.QuietPeriod)
		f.update(id, "Expired")
		f.status("Available")
		w.is(reservation.NoShow, "")
		w.pass(time.Minute)
		f.quiet()
	})
}

func TestScenario24ExpiredEarlyByAClockThatIsKnownIsBelieved(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		ahead := w.Now().Add(10 * time.Minute).Format(time.RFC3339)
		f.report("TransactionEvent", `{"eventType":"Started","timestamp":"`+ahead+`","triggerReason":"CablePluggedIn","seqNo":0,"transactionInfo":{"transactionId":"T9"},"evse":{"id":2}}`)
		w.pass(50*time.Minute - w.Settings.QuietPeriod)
		f.update(id, "Expired")
		f.status("Available")
		w.is(reservation.NoShow, "")
		w.pass(time.Minute)
		f.quiet()
		if d := w.drift(); len(d) != 1 || d[0].Kind != reconcile.DriftClock {
			t.Errorf("drift: %+v", d)
		}
	})
}

func TestScenario24ExpiredMuchTooEarlyEndsTheIDOnly(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		w.pass(20 * time.Minute)
		f.status("Available")
		f.update(id, "Expired")
		message, again := f.asked()
		if again == id {
			t.Errorf("%s was asked for again, and the station said that it is gone", id)
		}
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
		if o := w.now(); !slices.Contains(o.Past, 4096) || o.Heals != 1 {
			t.Errorf("the end of %s is not remembered: %+v", id, o)
		}
	})
}

func TestScenario25RemovedIsAskedForUnderANewID(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		f.status("Available")
		f.update(id, "Removed")
		again := f.accepts()
		if again == id {
			t.Errorf("%s was asked for twice", id)
		}
		w.is(reservation.Held, "")
		f.status("Available") // from the second time on at a pace
		f.update(again, "Removed")
		w.is(reservation.Pending, reservation.BecauseRemoved)
		w.pass(4 * time.Second)
		f.quiet()
		w.pass(3 * time.Second)
		f.asked()
	})
}

func TestScenario25RemovedIsOnlyReportedWhereItsPolicySaysSo(t *testing.T) {
	virtual(t, func(w *world) {
		w.van.Lifecycle.OnRemoved = reservation.Report
		f, id := w.held()
		f.status("Available")
		f.update(id, "Removed")
		w.is(reservation.Dropped, reservation.BecauseRemoved)
		w.pass(20 * time.Minute)
		f.quiet()
		if d := w.drift(); len(d) != 1 || d[0].Kind != reconcile.DriftRemoved {
			t.Errorf("drift: %+v", d)
		}
	})
}

// faulted runs a story for both ways in which an EVSE goes out of service.
func faulted(t *testing.T, story func(w *world, status string)) {
	t.Helper()
	for _, status := range []string{"Faulted", "Unavailable"} {
		t.Run(status, func(t *testing.T) {
			virtual(t, func(w *world) { story(w, status) })
		})
	}
}

func TestScenario25AFaultThatEndsReservedChangesNothing(t *testing.T) {
	faulted(t, func(w *world, status string) {
		f, _ := w.held()
		f.status(status)
		w.pass(10 * time.Minute)
		f.quiet()
		f.status("Available")
		w.pass(8 * time.Second)
		f.status("Reserved")
		w.is(reservation.Held, "")
		w.pass(10 * time.Minute)
		f.quiet()
	})
}

func TestScenario25AvailableAfterAFaultIsARemoval(t *testing.T) {
	faulted(t, func(w *world, status string) {
		f, id := w.held()
		f.status(status)
		f.status("Available")
		w.is(reservation.Unsure, reservation.BecauseFault)
		w.pass(9 * time.Second)
		f.quiet()
		w.pass(2 * time.Second)
		message, again := f.asked() // who still has it says Accepted as well
		if again != id {
			w.t.Errorf("asked under %s, and nobody said that %s is gone", again, id)
		}
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
	})
}

func TestScenario25AvailableAfterAFaultIsOnlyReportedWhereItsPolicySaysSo(t *testing.T) {
	faulted(t, func(w *world, status string) {
		w.van.Lifecycle.OnRemoved = reservation.Report
		f, id := w.held()
		f.status(status)
		f.status("Available")
		w.pass(11 * time.Second)
		f.answer(f.canceled(id), "Rejected")
		w.is(reservation.Dropped, "")
		w.pass(10 * time.Minute)
		f.quiet()
	})
}

func TestScenario26ATransactionWithOurIDFulfils(t *testing.T) {
	for _, kind := range []string{"Started", "Updated", "Ended"} {
		t.Run(kind, func(t *testing.T) {
			virtual(t, func(w *world) {
				f, id := w.held()
				f.status("Available")
				f.status("Occupied")
				f.report("TransactionEvent", transaction(kind, id))
				w.is(reservation.Fulfilled, reservation.BecauseHolder)
				f.status("Available")
				w.pass(2 * time.Hour)
				f.quiet()
				w.is(reservation.Fulfilled, "")
				if p := w.plan(w.van); len(p.Changes) != 0 || len(p.Outstanding) != 0 {
					t.Errorf("it is to be asked for again: %+v", p)
				}
			})
		})
	}
}

func TestScenario26TheIDComesAfterThePlug(t *testing.T) {
	virtual(t, func(w *world) { // TxStartPoint EVConnected
		f, id := w.held()
		f.report("TransactionEvent", `{"eventType":"Started","timestamp":"NOW","triggerReason":"CablePluggedIn","seqNo":0,"transactionInfo":{"transactionId":"T1"},"evse":{"id":1}}`)
		w.is(reservation.Held, "")
		f.quiet()
		f.report("TransactionEvent", transaction("Updated", id))
		w.is(reservation.Fulfilled, "")
		f.quiet()
	})
}

func TestScenario27AvailableWithoutAWordIsNotAskedBeforeACableCouldBePlugged(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		f.status("Available")
		w.is(reservation.Unsure, reservation.BecauseVanished)
		w.pass(179 * time.Second)
		f.quiet()
		w.is(reservation.Unsure, "")
		w.pass(2 * time.Second)
		message, again := f.asked() // who still has it says Accepted as well
		if again != id {
			t.Errorf("asked under %s, and nobody said that %s is gone", again, id)
		}
		f.answer(message, "Accepted")
		w.is(reservation.Held, "")
	})
}

func TestScenario27ADriverWhoPlugsInMeanwhileHasUsedIt(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		f.status("Available")
		w.pass(2 * time.Minute)
		f.status("Occupied")
		w.pass(5 * time.Minute)
		f.quiet() // what the car means is not known yet
		f.report("TransactionEvent", started(id))
		w.is(reservation.Fulfilled, "")
		f.quiet()
	})
}

func TestScenario29OtherIDsChangeNothing(t *testing.T) {
	virtual(t, func(w *world) {
		f, _ := w.held()
		for _, id := range []string{"0", "-1", "77", "null"} {
			for _, update := range []string{"Removed", "Expired"} {
				f.update(id, update)
			}
		}
		for _, id := range []string{"0", "-1", "77", "null"} {
			e := strings.Replace(started(id), `"evse":{"id":1}`, `"evse":{"id":2}`, 1)
			f.report("TransactionEvent", e)
			f.report("TransactionEvent", strings.Replace(e, "Started", "Ended", 1))
		}
		w.is(reservation.Held, "")
		f.quiet()
	})
}

// What a station kept while it was offline is told in any order, and partly twice.
func TestScenario30AnyOrderOfWhatWasKeptEndsTheSame(t *testing.T) {
	const at = `"timestamp":"2030-06-01T08:10:00Z","offline":true`
	reports := map[string]func(f *far, id string){
		"start": func(f *far, id string) {
			f.report("TransactionEvent", strings.Replace(started(id), `"timestamp":"NOW"`, at, 1))
		},
		"end": func(f *far, id string) {
			f.report("TransactionEvent", strings.Replace(transaction("Ended", id), `"timestamp":"NOW"`, at, 1))
		},
		"Available": func(f *far, _ string) { f.status("Available") },
	}
	for order := range permutations("start", "start", "end", "Available") {
		t.Run(strings.Join(order, ", "), func(t *testing.T) {
			virtual(t, func(w *world) {
				f, id := w.held()
				must(t, f.Close())
				w.pass(20 * time.Minute)
				f = w.dial()
				for _, step := range order {
					reports[step](f, id)
					w.pass(time.Second)
				}
				w.is(reservation.Fulfilled, reservation.BecauseHolder)
				w.pass(time.Hour)
				f.quiet()
				w.is(reservation.Fulfilled, reservation.BecauseHolder)
				if n := w.entered(reservation.Fulfilled); n != 1 {
					t.Errorf("it was fulfilled %d times", n)
				}
			})
		})
	}
}

func TestScenario30ARepeatedRemovalIsOne(t *testing.T) {
	virtual(t, func(w *world) {
		f, id := w.held()
		f.status("Available")
		f.update(id, "Removed")
		again := f.accepts()
		for _, update := range []string{"Removed", "Expired", "Removed"} {
			f.update(id, update)
		}
		w.is(reservation.Held, "")
		f.quiet()
		if o := w.now(); fmt.Sprint(o.ID) != again || o.Heals != 1 {
			t.Errorf("%s is believed no longer: %+v", again, o)
		}
	})
}
