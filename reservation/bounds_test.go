package reservation_test

import (
	"fmt"
	"testing"

	. "github.com/resctl/resctl/reservation"
)

// TestWhatAStationSaysIsRememberedWithinBounds: of connectors the first count,
// of open transactions the youngest; those that are there go on changing.
func TestWhatAStationSaysIsRememberedWithinBounds(t *testing.T) {
	s := tell(t)
	status := func(evse int, v EVSEStatus) {
		s.event(Event{Kind: Status, Status: &StatusReport{EVSE: evse, Connector: 1, Status: v}})
	}
	transaction := func(id, kind string) {
		s.event(Event{Kind: Transaction, Transaction: &TransactionReport{ID: id, Type: kind, EVSE: 2}})
	}
	for i := range 1200 {
		status(i+1, Available)
	}
	for i := range 600 {
		transaction(fmt.Sprint(i), "Started")
	}
	cs, txs := s.b.Station.Connectors, s.b.Station.Transactions
	if len(cs) != 1000 || len(txs) != 500 || txs[0].ID != "100" || txs[499].ID != "599" {
		t.Fatalf("%d connectors, %d transactions", len(cs), len(txs))
	}
	status(1000, Occupied)
	status(1001, Occupied)
	transaction("599", "Ended")
	transaction("0", "Ended") // of which nothing is known any more
	cs, txs = s.b.Station.Connectors, s.b.Station.Transactions
	if len(cs) != 1000 || cs[999].Status != Occupied || len(txs) != 499 {
		t.Errorf("then %d connectors, the last %s, %d transactions", len(cs), cs[999].Status, len(txs))
	}
	s.reserve(7, AnswerAccepted).use(7, "VAN").is(Fulfilled, BecauseHolder, 0)
}
