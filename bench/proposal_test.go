package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state"
)

// BenchmarkProposal is how long, in milliseconds, a station's report waits at
// most while a proposal of 10,000 is stored. The limit is the bare insertion of
// the proposal's rows.
func BenchmarkProposal(b *testing.B) {
	const n, evses = 1000, 10
	before, rows := proposalRows(b, n, evses)
	var longest, limit time.Duration
	for b.Loop() {
		inside(b, func(tb testing.TB) {
			db := openState(tb, filepath.Join(tb.TempDir(), "resctl.db"))
			tb.Cleanup(func() { _ = db.Close() })
			longest += longestWait(tb, db, n, evses)
		})
		limit += commitsOnce(b, before, rows)
	}
	per := func(d time.Duration) float64 { return 1000 * d.Seconds() / float64(b.N) }
	report(b, per(longest), per(limit), longest.Seconds()/limit.Seconds(), 1.5)
}

// proposalRows are the rows of the proposal, in the one group that they are,
// and a state in which they are not yet.
func proposalRows(tb testing.TB, n, evses int) (before string, groups [][]limits.Row) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "resctl.db")
	var db *state.DB
	r := record(func() { db = openState(tb, path) })
	defer db.Close()
	before = duplicate(tb, path)
	r.forget()
	propose(tb, db, n, evses)
	return before, r.take(tb)
}

func propose(tb testing.TB, db *state.DB, n, evses int) {
	tb.Helper()
	l := &reconcile.Ledger{Store: db, Settings: settings(), Now: time.Now}
	if _, err := l.Propose(tb.Context(), plan(tb, l, desired(n, evses)), reconcile.ProposeOptions{}); err != nil {
		tb.Fatal(err)
	}
}

// longestWait reports, one after the other, from a station that the proposal
// does not name, until it is stored.
func longestWait(tb testing.TB, db *state.DB, n, evses int) (longest time.Duration) {
	tb.Helper()
	stored := make(chan struct{})
	go func() {
		defer close(stored)
		propose(tb, db, n, evses)
	}()
	statuses := []reservation.EVSEStatus{reservation.Occupied, reservation.Available}
	for i := 0; ; i++ {
		began := time.Now()
		mustAppend(tb, db, reservation.Event{Kind: reservation.Status, StationID: "REPORTING",
			Status: &reservation.StatusReport{EVSE: 1, Connector: 1, Status: statuses[i%2]}})
		longest = max(longest, time.Since(began))
		select {
		case <-stored:
			return longest
		default:
		}
	}
}
