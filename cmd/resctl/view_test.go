package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// sunday is the evening at which everything here is looked at.
var sunday = time.Date(2026, 11, 22, 18, 48, 0, 0, time.UTC)

func in(d time.Duration) time.Time { return sunday.Add(d) }

func textViewOn(w io.Writer, width int) *textView {
	return &textView{out: newSheet(w, false), err: newSheet(w, false), width: width, clock: func() clock { return clock{now: sunday, zone: time.UTC} }}
}

func declared(address, station string, evse int, hold time.Duration) *reservation.Declaration {
	return &reservation.Declaration{Address: address, Workspace: "depot-a", StationID: station, Target: reservation.Target{EVSE: evse},
		IDToken: reservation.Token{IDToken: "SECRET-" + address, Type: "Central"}, When: reservation.When{Start: sunday, Expiry: in(hold)}}
}

// everySymbol is a plan with one change of each kind.
func everySymbol() *planned {
	night := reservation.Window{Start: in(192 * time.Minute), Expiry: in(672 * time.Minute)}
	now := reservation.Window{Start: in(-time.Hour), Expiry: in(672 * time.Minute)}
	change := func(n int, s reconcile.Symbol, station string, held bool, w reservation.Window) reconcile.Change {
		a := fmt.Sprintf("reservation.van[%q]", fmt.Sprint(n))
		c := reconcile.Change{Address: a, Action: s, StationID: station, EVSE: n % 4, Held: held, Window: w, After: declared(a, station, n%4, 672*time.Minute)}
		if held {
			c.ReservationID = int32(n)
		}
		return c
	}
	longer := change(7, reconcile.Modify, "DEPOT-A-01", true, now)
	longer.Before, longer.Window.Expiry, longer.Codes = declared(longer.Address, "DEPOT-A-01", 3, 600*time.Minute), in(690*time.Minute), []string{"RC102"}
	longer.After.When.Expiry = longer.Window.Expiry
	longer.After.GroupIDToken = &reservation.Token{IDToken: "SECRET-GROUP", Type: "Central"}
	move := change(9, reconcile.Relocate, "DEPOT-A-02", true, now)
	move.FromStationID, move.Before, move.Codes = "DEPOT-A-01", declared(move.Address, "DEPOT-A-01", 1, time.Hour), []string{"RC104"}
	gone := change(31, reconcile.Cancel, "DEPOT-A-02", true, now)
	gone.After, gone.Before, gone.Reason, gone.Codes = nil, gone.After, "no longer declared (was fleet.hcl:41)", []string{"RC101"}
	swap := change(10, reconcile.Replace, "DEPOT-A-02", true, now)
	swap.Before, swap.Codes = declared(swap.Address, "DEPOT-A-02", 1, 672*time.Minute), []string{"RC103"}
	p := &reconcile.Plan{Complete: true, Workspace: "depot-a", Digest: "7f2a-91c4-0000-1111", FitsUntil: in(14 * 24 * time.Hour),
		Changes: []reconcile.Change{change(12, reconcile.Schedule, "DEPOT-A-01", false, night), longer,
			change(1, reconcile.Reserve, "DEPOT-A-03", false, now), move, swap, gone,
			{Address: "station.a", Action: reconcile.Reserve, StationID: "DEPOT-A-01", Station: &reservation.StationEdit{After: &reservation.StationDeclaration{ID: "DEPOT-A-01", PasswordHash: "x"}}}},
		Outstanding: []reconcile.Outstanding{{Address: `reservation.van["19"]`, StationID: "DEPOT-A-01", EVSE: 3, Phase: reservation.Pending,
			Reason: reservation.BecauseOccupied, Info: "plug\x1b[2J", Since: in(-40 * time.Minute)}},
		Findings: []reconcile.Finding{{Code: "RC401", Severity: reconcile.Notice, StationID: "DEPOT-A-03", Since: in(-8 * time.Minute)}},
		Summary:  reconcile.Summary{Reserve: 1, Update: 1, Replace: 1, Move: 1, Cancel: 1, Schedule: 1, Settings: 1, Unchanged: 204, Over: 2}}
	return &planned{Plan: p, place: place{workspace: "depot-a", state: "resctl.db"}, secret: []byte("s"), diags: diag.New(nil)}
}

func TestPlanText(t *testing.T) {
	for _, width := range []int{0, 80} {
		var got bytes.Buffer
		v := textViewOn(&got, width)
		v.Plan(everySymbol())
		golden(t, fmt.Sprintf("testdata/plan-%d.golden", width), got.Bytes())
		if bytes.Contains(got.Bytes(), []byte("SECRET")) {
			t.Error("a token shows")
		}
	}
}

func TestPlanJSON(t *testing.T) {
	var got bytes.Buffer
	v := &jsonView{out: newSheet(&got, false).Writer}
	p := everySymbol()
	p.CreatedAt, p.FormatVersion, p.Lineage = sunday, reconcile.PlanVersion, "lineage"
	v.Plan(p)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/plan.json.golden", got.Bytes())
	if bytes.Contains(got.Bytes(), []byte("SECRET")) {
		t.Error("a token shows")
	}
}

// Every kind of event is told in every format, and none shows a token.
func TestEvents(t *testing.T) {
	token := reservation.Token{IDToken: "SECRET", Type: "Central"}
	content := &reservation.Content{IDToken: token, GroupIDToken: &token, Expiry: in(time.Hour)}
	for _, k := range reservation.Kinds() {
		e := reservation.Event{Kind: k, StationID: "S", Address: "reservation.a", Link: &reservation.Link{Protocol: "ocpp2.0.1"},
			Call: &reservation.Call{Kind: reservation.ReserveNow, Content: content}, Answer: &reservation.Answer{Outcome: reservation.AnswerRejected, Info: "\x1b[2J"},
			Decision: &reservation.Decision{Phase: reservation.Missed}, Transaction: &reservation.TransactionReport{IDToken: &token},
			Change: &reservation.Change{After: &reservation.Wanted{Declaration: reservation.Declaration{IDToken: token}}}}
		var text, lines bytes.Buffer
		tv, jv := textViewOn(&text, 0), &jsonView{out: newSheet(&lines, false).Writer, stream: true}
		tv.Event(e)
		jv.Event(e)
		tv.About(journalLine{e.Masked([]byte("s")), true})
		jv.About(journalLine{e.Masked([]byte("s")), true})
		for _, about := range []reservation.Event{e, {Kind: k}, {Kind: "later"}} {
			if journalText(about.Masked([]byte("s")), clock{now: sunday, zone: time.UTC}) == "" {
				t.Errorf("%s: no text", about.Kind)
			}
		}
		if err := tv.Close(); err != nil {
			t.Fatal(err)
		}
		all := append(text.Bytes(), lines.Bytes()...)
		if bytes.Contains(all, []byte("SECRET")) || bytes.ContainsRune(all, '\x1b') {
			t.Errorf("%s: a token or a control character shows:\n%s", k, all)
		}
		if !bytes.Contains(lines.Bytes(), []byte(`"kind":"`+string(k)+`"`)) {
			t.Errorf("%s: no line:\n%s", k, lines.Bytes())
		}
	}
}

// Every reason has words, and every phase shows.
func TestReasons(t *testing.T) {
	for _, r := range []reservation.Reason{reservation.BecauseOffline, reservation.BecauseTaken, reservation.BecauseOccupied, reservation.BecauseRejected, reservation.BecausePaused} {
		o := &reconcile.Outstanding{Reason: r}
		if reasonText(r) == string(r) || nextText(o, clock{now: sunday, zone: time.UTC}) == "" {
			t.Errorf("%s: no words", r)
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (run with -update if this is meant):\n%s", path, got)
	}
}

// BenchmarkPlanText prints 10,000 changes.
func BenchmarkPlanText(b *testing.B) {
	p := everySymbol()
	p.Changes = nil
	for i := range 10_000 {
		a := fmt.Sprintf("reservation.van[%q]", fmt.Sprint(i))
		s := fmt.Sprintf("ST-%05d", i/20)
		p.Changes = append(p.Changes, reconcile.Change{Address: a, Action: reconcile.Reserve, StationID: s, EVSE: i%20 + 1, After: declared(a, s, 1, time.Hour),
			Window: reservation.Window{Start: sunday, Expiry: in(time.Hour)}})
	}
	b.ReportAllocs()
	for b.Loop() {
		textViewOn(io.Discard, 0).Plan(p)
	}
}
