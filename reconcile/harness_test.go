package reconcile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/resctl/resctl/reservation"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "run the one history of this seed, and print it")
	seedsFlag = flag.Int("seeds", 0, "how many histories to run (default 1500, 200 with -short)")
	findFlag  = flag.Int("find", 0, "look for rare pairs of phase and event in so many histories")
)

const historyLength = 60

func eventName(e reservation.Event) string {
	switch e.Kind {
	case reservation.Status:
		return "status " + string(e.Status.Status)
	case reservation.Reported:
		return "reported " + string(e.Update)
	case reservation.Requested:
		return "requested " + string(e.Call.Kind)
	case reservation.Answered:
		return "answered " + string(e.Call.Kind) + " " + string(e.Answer.Outcome)
	}
	return string(e.Kind)
}

// concerns reports whether an event may move an occurrence at all.
func concerns(e reservation.Event, o *reservation.Occurrence) bool {
	switch e.Kind {
	case reservation.Status:
		return o.Active() && o.Target().Aims(e.Status.EVSE)
	case reservation.Transaction:
		return o.ID != 0 && o.ID == e.ReservationID || slices.Contains(o.Past, e.ReservationID) ||
			o.Active() && o.Target().Aims(e.Transaction.EVSE)
	case reservation.Reported:
		return o.ID == e.ReservationID || slices.Contains(o.Past, e.ReservationID)
	case reservation.Connected, reservation.Disconnected, reservation.Booted, reservation.Paused, reservation.Resumed, reservation.Restored:
		return o.Active()
	case reservation.Requested, reservation.Answered:
		return e.ReservationID != 0 && (o.ID == e.ReservationID || slices.Contains(o.Past, e.ReservationID)) ||
			e.Address != "" && o.ID == 0 && o.Key == e.Key() && e.Kind == reservation.Requested
	case reservation.Declared:
		return o.Address == e.Address
	}
	return o.Key == e.Key()
}

// TestHistories lives many histories through and holds each against what must
// never happen. A failure prints its seed and a shortened history;
// -seed=N runs it again exactly.
func TestHistories(t *testing.T) {
	if *seedFlag != 0 {
		w := draw(*seedFlag, historyLength).run(reservation.DefaultFold(), true)
		t.Log(strings.Join(w.trace, "\n"))
		if w.failure != "" {
			t.Fatal(w.failure)
		}
		return
	}
	n := seeds(1500, 200)
	if *findFlag > 0 {
		findRare(t, n, *findFlag)
		return
	}
	coverage, failed := runMany(reservation.DefaultFold(), n, false)
	if failed != nil {
		short := shorten(*failed, reservation.DefaultFold())
		w := short.run(reservation.DefaultFold(), true)
		t.Fatalf("seed %d: %s\nquirks: %s\nshortened to %d of %d: %v\n\n%s", failed.seed, w.failure,
			quirksOf(short), len(short.ops), len(failed.ops), short.ops, strings.Join(w.trace, "\n"))
	}
	if !testing.Short() && *seedsFlag == 0 {
		checkCoverage(t, coverage)
	}
}

func seeds(n, short int) int {
	switch {
	case *seedsFlag != 0:
		return *seedsFlag
	case testing.Short():
		return short
	}
	return n
}

func quirksOf(h history) string {
	b, _ := json.Marshal(h.quirks)
	return string(b)
}

// runMany runs the seeds from 1 on, on all cores, and returns the first that
// failed, in seed order.
func runMany(fold reservation.Fold, n int, stopAtFirst bool) (map[string]int, *history) {
	var mu sync.Mutex
	coverage := map[string]int{}
	var failed *history
	next := uint64(0)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				next++
				seed := next
				stop := int(seed) > n || failed != nil && (stopAtFirst || seed > failed.seed)
				mu.Unlock()
				if stop {
					return
				}
				h := draw(seed, historyLength)
				w := h.run(fold, false)
				mu.Lock()
				for k, v := range w.coverage {
					coverage[k] += v
				}
				if w.failure != "" && (failed == nil || seed < failed.seed) {
					failed = &h
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return coverage, failed
}

// shorten drops what a failure does not need.
func shorten(h history, fold reservation.Fold) history {
	for size := len(h.ops) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(h.ops); {
			try := h
			try.ops = slices.Concat(h.ops[:i], h.ops[i+size:])
			if try.run(fold, false).failure != "" {
				h = try
			} else {
				i += size
			}
		}
	}
	return h
}

// TestEveryRuleIsNeeded drops each rule of the fold in turn: the histories must
// notice.
func TestEveryRuleIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the rules are dropped in the full run only")
	}
	for _, rule := range reservation.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			if _, failed := runMany(reservation.Without(rule.Name), 3000, true); failed == nil {
				t.Errorf("nothing misses the rule %q: it goes, or the harness learns", rule.Name)
			}
		})
	}
}

func sameBook(a, b *reservation.Book) bool {
	if a == nil || b == nil {
		return (a == nil || len(a.Occurrences) == 0) && (b == nil || len(b.Occurrences) == 0)
	}
	return bytes.Equal(bookJSON(a), bookJSON(b))
}

func bookJSON(b *reservation.Book) []byte {
	out, err := json.Marshal(struct {
		S reservation.Station
		O []*reservation.Occurrence
	}{b.Station, b.Occurrences})
	if err != nil {
		panic(err)
	}
	return out
}
