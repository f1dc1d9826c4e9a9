package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/watch"
)

// following is a watched directory without the looking: the test says when.
type following struct {
	t *testing.T
	*watched
	place *workplace
	dir   string
}

func follow(t *testing.T, maxCancel int) *following {
	t.Helper()
	w := takenOver(t)
	t.Cleanup(func() { _ = w.Close() })
	dir := t.TempDir()
	ws := &watches{ledger: w.Ledger, log: w.log, all: map[string]*watched{}}
	x := &watched{watchSettings: watchSettings{workspace: "depot", directory: dir, maxCancel: maxCancel}, watches: ws}
	ws.all["depot"] = x
	return &following{t, x, w, dir}
}

// declares writes what the directory declares: vans by EVSE of one station.
func (f *following) declares(evses ...int) {
	f.t.Helper()
	text := "resctl {\n  workspace = \"depot\"\n}\n"
	for _, n := range evses {
		text += fmt.Sprintf("reservation \"van%d\" {\n  station = \"DEPOT-1\"\n  evse_id = %[1]d\n  id_token = { id_token = \"VAN-%[1]d\", type = \"Central\" }\n  window {\n    start_date_time = \"2026-01-01T00:00:00Z\"\n    expiry_date_time = \"2037-01-01T00:00:00Z\"\n  }\n}\n", n)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "main.hcl"), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// visits hands out what the directory holds.
func (f *following) visits(verdict watch.Verdict, state api.WatchState, summary string) {
	f.t.Helper()
	tree, err := watch.Look(f.dir, nil)
	if got := f.visit(f.t.Context(), tree, err); got != verdict {
		f.t.Errorf("verdict %d, want %d", got, verdict)
	}
	if now := f.now(); now.State != state || !strings.Contains(now.Summary, summary) {
		f.t.Errorf("%s: %s; want %s: %s", now.State, now.Summary, state, summary)
	}
}

type agreeable struct{}

func (agreeable) Call(context.Context, int32, reservation.Call) reservation.Answer {
	return reservation.Answer{Outcome: reservation.AnswerAccepted}
}

// connects lets the station accept all that it is asked for.
func (f *following) connects() {
	f.t.Helper()
	events, err := f.place.db.Append(f.t.Context(), reservation.Event{At: time.Now(), Kind: reservation.Connected, StationID: "DEPOT-1", Link: &reservation.Link{Protocol: "ocpp2.0.1"}})
	if err != nil {
		f.t.Fatal(err)
	}
	told := []reservation.Event{{Kind: reservation.Booted, Boot: &reservation.Boot{Accepted: true}}}
	for n := 1; n <= 4; n++ {
		told = append(told, reservation.Event{Kind: reservation.Status, Status: &reservation.StatusReport{EVSE: n, Connector: 1, Status: "Available"}})
	}
	for i := range told {
		told[i].At, told[i].StationID, told[i].Connection = time.Now().Add(-time.Minute), "DEPOT-1", events[0].Connection
	}
	if _, err := f.place.db.Append(f.t.Context(), told...); err != nil {
		f.t.Fatal(err)
	}
	c := &reconcile.Controller{Journal: f.place.db, Settings: reconcile.Settings{}, Now: time.Now}
	for more := true; more; {
		if more, _, err = c.Step(f.t.Context(), "DEPOT-1", events[0].Connection, agreeable{}); err != nil {
			f.t.Fatal(err)
		}
	}
}

// What was held stays held when it becomes less, until the directory changes.
func TestHeldStaysHeld(t *testing.T) {
	f := follow(t, 10)
	f.declares(1, 2)
	f.visits(watch.Done, api.WatchApplied, "")
	f.declares()
	f.visits(watch.Again, api.WatchHeld, "keeps nothing of 2 active reservations")
	f.visits(watch.Again, api.WatchHeld, "keeps nothing of 2 active reservations")
	f.maxCancel = 0
	f.declares(1)
	f.visits(watch.Done, api.WatchApplied, "") // nothing was held by the station
	f.declares(1, 2)
	f.visits(watch.Done, api.WatchApplied, "")
	f.connects()
	f.declares(1)
	f.visits(watch.Again, api.WatchHeld, "cancels 1 HELD NOW, over 0")
	f.maxCancel = 1
	f.visits(watch.Again, api.WatchHeld, "cancels 1 HELD NOW, over 0")
	f.declares(1, 2)
	f.visits(watch.Done, api.WatchApplied, "")
	if _, err := f.carryOut(t.Context(), &reconcile.Plan{Workspace: "depot"}, reconcile.ProposeOptions{}); !errors.As(err, new(*api.WatchedError)) {
		t.Errorf("nothing is held, and something was stored: %v", err)
	}
}

// What is held is carried out as it was shown: the same changes, and nothing held
// that was not shown so.
func TestHeldIsCarriedOutAsShown(t *testing.T) {
	f := follow(t, 10)
	f.declares(1, 2)
	f.visits(watch.Done, api.WatchApplied, "")
	f.declares()
	f.visits(watch.Again, api.WatchHeld, "keeps nothing")
	seen, err := f.heldPlan(t.Context())
	if err != nil || seen == nil || len(seen.Changes) != 2 {
		t.Fatal(seen, err)
	}
	other := *seen
	other.Digest = "0000-0000-0000-0000"
	if _, err := f.carryOut(t.Context(), &other, reconcile.ProposeOptions{}); !errors.As(err, new(*api.WatchedError)) {
		t.Errorf("another plan: %v", err)
	}
	f.connects()
	if _, err := f.carryOut(t.Context(), seen, reconcile.ProposeOptions{}); !errors.As(err, new(*reconcile.StaleError)) {
		t.Errorf("the station has accepted what was not shown as held: %v", err)
	}
	if seen, err = f.heldPlan(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, err := f.carryOut(t.Context(), seen, reconcile.ProposeOptions{By: "somebody", Revision: "not this one"})
	if err != nil || len(events) != 3 {
		t.Fatal(events, err)
	}
	if p := events[2].Proposal; p.By != "somebody" || p.Revision != "" {
		t.Errorf("proposed by %q, revision %q", p.By, p.Revision)
	}
	f.visits(watch.Done, api.WatchApplied, "")
}

// A tree that changes while it is read is looked at again, and nothing is stored.
func TestMovedWhileRead(t *testing.T) {
	f := follow(t, 10)
	f.declares(1)
	tree, err := watch.Look(f.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.declares(2)
	if got := f.visit(t.Context(), tree, nil); got != watch.Moved {
		t.Errorf("verdict %d", got)
	}
	if meta, err := f.place.Meta(t.Context()); err != nil || len(meta.Serials) != 0 {
		t.Errorf("something was stored: %v, %v", meta, err)
	}
}

// A plan that became stale while it was stored is made again, and nobody is told.
func TestStaleIsPlannedAgain(t *testing.T) {
	f := follow(t, 10)
	f.declares(1)
	f.visits(watch.Done, api.WatchApplied, "")
	before := f.now()
	if got := f.failed(t.Context(), api.Watch{}, fmt.Errorf("propose: %w", &reconcile.StaleError{Address: "reservation.van1"})); got != watch.Moved {
		t.Errorf("verdict %d", got)
	}
	if now := f.now(); now.State != before.State {
		t.Errorf("it is told: %v", now)
	}
	frozen := &reservation.FrozenError{Workspace: "depot", Halt: reservation.Halt{By: "somebody", Reason: "audit"}}
	if got := f.failed(t.Context(), api.Watch{}, frozen); got != watch.Again || f.now().Summary != "frozen by somebody (audit)" {
		t.Errorf("verdict %d: %v", got, f.now())
	}
}

// TestWatchesFollowSettings: what is set anew stops, starts or goes on.
func TestWatchesFollowSettings(t *testing.T) {
	f := follow(t, 10)
	ws := &watches{ledger: f.place.Ledger, state: f.place.path, log: f.place.log}
	ctx, stop := context.WithCancel(t.Context())
	one := watchSettings{"depot", f.dir, time.Hour, 0, 10}
	two := watchSettings{"night", t.TempDir(), time.Hour, 0, 10}
	ws.set(ctx, []watchSettings{one, two})
	depot, night := ws.of("depot"), ws.of("night")
	two.maxCancel = 3
	ws.set(ctx, []watchSettings{one, two})
	if ws.of("depot") != depot || ws.of("night") == night {
		t.Error("one that has not changed was begun anew, or one that has was not")
	}
	ws.set(ctx, []watchSettings{two})
	if ws.of("depot") != nil || len(ws.list()) != 1 {
		t.Errorf("they are %v", ws.list())
	}
	<-depot.ended
	stop()
	ws.set(ctx, nil)
}
