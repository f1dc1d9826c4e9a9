package main

import (
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

// TestWhoChargesIsNotStopped: a token that was let charge is let do so until its
// transaction has ended, though nothing is declared for it any more. One that was
// refused stays refused, whatever its station makes of that.
func TestWhoChargesIsNotStopped(t *testing.T) {
	w := takenOver(t)
	defer w.Close()
	known, err := newRoster(t.Context(), w.Store, nil)
	if err != nil {
		t.Fatal(err)
	}
	charges := func(what, id, kind string) {
		t.Helper()
		token := reservation.Token{IDToken: id, Type: "Central"}
		may, _ := known.authorize(t.Context(), "DEPOT-1", token)
		if _, err := w.observe(t.Context(), reservation.Event{At: time.Now().UTC(), Kind: reservation.Transaction, StationID: "DEPOT-1",
			Transaction: &reservation.TransactionReport{ID: "T-" + id, Type: kind, EVSE: 2, IDToken: &token, Refused: !may}}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	expect := func(what, id string, want bool) {
		t.Helper()
		if may, _ := known.authorize(t.Context(), "DEPOT-1", reservation.Token{IDToken: id, Type: "Central"}); may != want {
			t.Errorf("%s: %s may charge: %v, want %v", what, id, may, want)
		}
	}
	van := nightly(t)
	declare(t, w, van)
	charges("declared", "van", "Started")
	charges("a stranger", "stranger", "Started")
	van.IDToken.IDToken = "OTHER"
	declare(t, w, van)
	expect("its declaration has gone", "VAN", true)
	expect("refused when he began", "STRANGER", false)
	charges("it goes on", "van", "Updated")
	expect("it goes on", "VAN", true)
	charges("he leaves", "van", "Ended")
	expect("he has left", "VAN", false)
}
