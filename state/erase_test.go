package state

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// TestErase: no byte of the state's files has an erased token, in any spelling, and
// the journal still gives the books.
func TestErase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resctl.db")
	db := mustOpenAt(t, path, Options{})
	now := time.Now().UTC().Truncate(time.Second)
	w := statetest.Want("w", "reservation.a", "S", 1, now)
	w.IDToken = reservation.Token{IDToken: "Secret-04A1", Type: "ISO14443"}
	other := statetest.Want("w", "reservation.b", "S", 2, now)
	update := func(serial int64, e ...reservation.Event) {
		t.Helper()
		if _, err := db.Update(t.Context(), reservation.Changeset{Workspace: "w", Serial: serial, Events: e}); err != nil {
			t.Fatal(err)
		}
	}
	update(0, statetest.Declare(nil, w), statetest.Declare(nil, other))
	c := stored(t, db, statetest.Connect("S")).Connection
	id := stored(t, db, statetest.Request(w, c, 0)).ReservationID
	stored(t, db, statetest.Answer(w, c, id, reservation.AnswerAccepted))
	use := func(kind, token string) reservation.Event {
		return reservation.Event{Kind: reservation.Transaction, StationID: "S", Transaction: &reservation.TransactionReport{ID: "T", Type: kind, EVSE: 1,
			IDToken: &reservation.Token{IDToken: token, Type: "ISO14443"}}}
	}
	stored(t, db, use("Started", "secret-04a1")) // a reader spells it in its own way
	checkpointAt(t, db, now)
	var used *InUseError
	if _, err := db.Erase(t.Context(), "SECRET-04A1", "ann", now); !errors.As(err, &used) || strings.Join(used.Where, " ") != "reservation.a a transaction at S" {
		t.Fatalf("in use: %v", err)
	}
	update(1, statetest.Declare(w, nil))
	stored(t, db, use("Ended", "secret-04a1"))
	letGo := statetest.Request(w, c, id)
	letGo.Call = &reservation.Call{Kind: reservation.CancelReservation}
	stored(t, db, letGo)
	letGo.Kind, letGo.Answer = reservation.Answered, &reservation.Answer{Outcome: reservation.AnswerAccepted}
	stored(t, db, letGo)
	if _, err := db.Erase(t.Context(), "NOBODY", "ann", now); !errors.Is(err, ErrNoToken) {
		t.Errorf("of nobody: %v", err)
	}
	m, err := db.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !anyFileHas(t, path, "04a1") {
		t.Error("it was never there: the test shows nothing")
	}
	token, err := db.TokenOf(t.Context(), w.IDToken.Fingerprint(m.Secret))
	if err != nil || !strings.EqualFold(token, "SECRET-04A1") {
		t.Fatal(token, err)
	}
	done, err := db.Erase(t.Context(), token, "ann", now)
	if err != nil || done.Rows < 8 || done.Left != 0 {
		t.Fatalf("%+v %v", done, err)
	}
	if anyFileHas(t, path, "04a1") {
		t.Error("its bytes are still there")
	}
	sameAsReplayed(t, db)
	if all, err := db.Wanted(t.Context(), "w"); err != nil || len(all) != 1 || !all[0].IDToken.Equal(other.IDToken) {
		t.Error(all, err)
	}
	stored(t, db, statetest.Connect("S")) // it goes on
	spellings := map[string]bool{}
	for e, err := range db.EventsUntil(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if x := e.Transaction; x != nil {
			spellings[x.IDToken.IDToken] = true
		}
		if e.Kind == reservation.Declared && e.Address == w.Address && e.Change.After != nil {
			spellings[e.Change.After.IDToken.IDToken] = true
		}
	}
	var folded []string
	for s := range spellings {
		folded = append(folded, s)
	}
	if len(folded) != 2 || !strings.EqualFold(folded[0], folded[1]) || !strings.HasPrefix(strings.ToLower(folded[0]), "erased-") {
		t.Errorf("its spellings are now %v", folded)
	}
}

func anyFileHas(t *testing.T, path, text string) bool {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(b), []byte(text)) {
			return true
		}
	}
	return false
}
