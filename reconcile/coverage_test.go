package reconcile_test

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/resctl/resctl/reservation"
)

// rareSeeds are the histories that reach what the first ones do not; unreached
// lists the pairs that none reaches. Both are found again by -find, which is
// needed when the draw of histories changes.
const (
	rareSeeds = "testdata/rare_seeds.txt"
	unreached = "testdata/unreached.txt"
)

// unreachable says why a pair of phase and event does not meet. Alternatives
// are separated by "|". A pair that is listed as unreached needs a reason here;
// a reason does not excuse a pair that some history reaches.
var unreachable = []struct{ why, phases, events string }{
	{"nothing of it was asked for before it is due, and nothing else ends it", "scheduled",
		"decided|superseded|reported *|requested *|answered *"},
	{"nothing that has ended, or is being cancelled, is asked for", "canceling|fulfilled|no_show|missed|ended|removed|canceled|forgotten",
		"requested ReserveNow"},
	{"nobody looks after it, and an answer that comes late says nothing new", "forgotten", "requested *|answered *|released|superseded|status Unavailable|status Faulted"},
	{"no id of it is left, so no loop watches it", "no_show|missed|removed|canceled",
		"connected|disconnected|booted|paused|resumed|restored|decided|status *"},
	{"its ids are past: what is told of them ends where it began", "missed|removed|canceled", "transaction|reported Expired"},
	{"a call without an answer is over before anything else happens here; the tables of the fold cover the rest",
		"pending|reserved|canceling|fulfilled|no_show|missed|ended|removed|canceled",
		"answered ReserveNow NoAnswer|answered ReserveNow NotSent|answered ReserveNow NotSupported"},
	{"a cancel leaves only what is being cancelled; on others it is that of a stray, whose answers are few", "pending|reserved|unsure|no_show|ended|removed|canceled",
		"answered CancelReservation NotSent|answered CancelReservation NoAnswer|answered CancelReservation NotSupported"},
	{"what is asked for again after its cancel has left is rare; TestLateEvents tells what is left of it", "unsure",
		"answered CancelReservation Accepted|answered CancelReservation Rejected"},
	{"what was never held has no id that a station could speak of", "missed", "requested *|answered *|reported *|released"},
	{"a refusal that comes late finds its id dropped before the window ends", "no_show|ended|fulfilled|removed",
		"answered ReserveNow Rejected|answered ReserveNow Occupied|answered ReserveNow Faulted|answered ReserveNow Unavailable"},
	{"a move holds on only to what is reserved, and lets go of what is not", "scheduled|no_show|ended", "released|superseded"},
	{"time decides before it is asked, not while it is in doubt", "unsure", "decided"},
	{"the end of a window is noted while its station is away; what it says on its return settles it", "ended",
		"disconnected|paused|resumed|transaction|reported Removed|status Occupied|status Reserved|status Unavailable|status Faulted|answered ReserveNow Accepted"},
	{"the id is dropped with its report", "canceled", "reported Removed"},
	{"it comes late, when all has ended, and is rare; TestLateEvents of the fold tells each of them", "no_show|missed|ended|removed|canceled",
		"transaction|released|superseded|booted|paused|resumed|restored|connected|disconnected|decided|requested CancelReservation|reported *|answered *|status *"},
	{"with an id it is pending only while a stranger charges there; a refusal that comes so late is rare, and the tables of the fold tell it", "pending",
		"answered ReserveNow Rejected"},
	{"the answer comes late, to a request that was given up, and is rare; TestLateEvents of the fold tells it", "canceling|fulfilled",
		"answered *|released|superseded|decided"},
}

func excuse(pair string) (why string) {
	phase, event, _ := strings.Cut(pair, " × ")
	for _, u := range unreachable {
		if slices.Contains(strings.Split(u.phases, "|"), phase) && slices.ContainsFunc(strings.Split(u.events, "|"), func(p string) bool {
			prefix, wild := strings.CutSuffix(p, "*")
			return p == event || wild && strings.HasPrefix(event, prefix)
		}) {
			return u.why
		}
	}
	return ""
}

func allPairs() (pairs []string) {
	for _, phase := range reservation.Phases() {
		for _, event := range allEvents() {
			pairs = append(pairs, string(phase)+" × "+event)
		}
	}
	return pairs
}

// allEvents are the events that are told apart when pairs are counted.
func allEvents() []string {
	names := []string{"connected", "disconnected", "booted", "transaction", "declared", "decided", "released", "superseded", "paused", "resumed", "restored",
		"reported Expired", "reported Removed"}
	for _, s := range []string{"Available", "Occupied", "Reserved", "Unavailable", "Faulted"} {
		names = append(names, "status "+s)
	}
	for _, call := range []string{"ReserveNow", "CancelReservation"} {
		names = append(names, "requested "+call)
		for _, outcome := range []string{"Accepted", "Rejected", "NoAnswer", "NotSent", "NotSupported"} {
			names = append(names, "answered "+call+" "+outcome)
		}
	}
	return append(names, "answered ReserveNow Occupied", "answered ReserveNow Faulted", "answered ReserveNow Unavailable")
}

// checkCoverage demands that every pair was reached, or is listed with a reason.
func checkCoverage(t *testing.T, hits map[string]int) {
	t.Helper()
	for seed := range readSeeds(t) {
		for k, v := range draw(seed, historyLength).run(reservation.DefaultFold(), false).coverage {
			hits[k] += v
		}
	}
	listed, err := os.ReadFile(unreached)
	if err != nil {
		t.Fatal(err)
	}
	never := strings.Split(strings.TrimSpace(string(listed)), "\n")
	var missing, wrong []string
	reached := 0
	for _, pair := range allPairs() {
		switch {
		case hits[pair] > 0 && slices.Contains(never, pair):
			wrong = append(wrong, pair)
		case hits[pair] > 0:
			reached++
		case excuse(pair) == "" || !slices.Contains(never, pair):
			missing = append(missing, pair)
		}
	}
	t.Logf("%d of %d pairs of phase and event are reached; the others are listed as unreachable", reached, len(allPairs()))
	if len(wrong) > 0 {
		t.Errorf("listed as unreachable, but reached:\n  %s", strings.Join(wrong, "\n  "))
	}
	if len(missing) > 0 {
		t.Errorf("no history reaches these pairs; look for rare ones with -find:\n  %s", strings.Join(missing, "\n  "))
	}
}

func readSeeds(t *testing.T) map[uint64]string {
	t.Helper()
	f, err := os.Open(rareSeeds)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seeds := map[uint64]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		number, pair, _ := strings.Cut(s.Text(), " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds[n] = pair
	}
	return seeds
}

// findRare writes, for every pair that the first n histories miss, the first
// history that reaches it.
func findRare(t *testing.T, n, limit int) {
	have, _ := runMany(reservation.DefaultFold(), n, false)
	var lines []string
	for seed := uint64(n) + 1; seed <= uint64(limit); seed++ {
		for k := range draw(seed, historyLength).run(reservation.DefaultFold(), false).coverage {
			if have[k] == 0 && slices.Contains(allPairs(), k) {
				have[k] = 1
				lines = append(lines, fmt.Sprintf("%06d %s", seed, k))
			}
		}
	}
	var never []string
	for _, pair := range allPairs() {
		if have[pair] == 0 {
			never = append(never, pair)
		}
	}
	if err := os.WriteFile(unreached, []byte(strings.Join(never, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sort.Strings(lines)
	if err := os.WriteFile(rareSeeds, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
