package sim

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/resctl/resctl/ocppclient/v201"
)

// anyQuirks are quirks that tell the truth, if oddly: with them, what a
// station sends is enough to know what its EVSEs are.
func anyQuirks(t *rapid.T) Quirks {
	flag := func(name string) bool { return rapid.IntRange(0, 4).Draw(t, name) == 0 }
	return Quirks{
		SameID:                rapid.SampledFrom([]SameID{SameIDReplaces, SameIDOccupied, SameIDRejected, SameIDAcceptWithoutEffect}).Draw(t, "same id"),
		OtherID:               rapid.SampledFrom([]OtherID{OtherIDOccupied, OtherIDRejected, OtherIDAcceptAndDropFirst}).Draw(t, "other id"),
		PastExpiry:            rapid.SampledFrom([]PastExpiry{PastExpiryRejected, PastExpiryAccepted, PastExpiryHeldForever}).Draw(t, "past expiry"),
		DropsBeforeReplace:    flag("drops"),
		NoUpdate:              flag("no update"),
		UpdateBeforeStatus:    flag("update first"),
		QueueAll:              flag("queue all"),
		UseKeepsReservation:   flag("use keeps"),
		ForeignTokenAllowed:   flag("foreign allowed"),
		ForeignTokenConsumes:  flag("foreign consumes"),
		ForgetsOnReboot:       flag("forgets"),
		BootsAtEveryReconnect: flag("boots"),
		FaultKeepsReservation: flag("fault keeps"),
		UntargetedOnEVSE1:     flag("evse 1"),
		OnePerToken:           flag("one per token"),
		ExpiryDelay:           time.Duration(rapid.IntRange(0, 20).Draw(t, "delay")) * time.Second,
		Skew:                  time.Duration(rapid.IntRange(-90, 90).Draw(t, "skew")) * time.Second,
	}
}

// act draws something that happens.
func draw(t *rapid.T) (string, step) {
	id := int32(rapid.IntRange(1, 4).Draw(t, "id"))
	evse := rapid.IntRange(0, 3).Draw(t, "evse")
	token := fmt.Sprint("t", rapid.IntRange(1, 4).Draw(t, "token"))
	length := time.Duration(rapid.IntRange(-1, 5).Draw(t, "minutes")) * time.Minute
	expires := func(b *bench) step {
		return reserve(id, evse, by(token), func(q *v201.ReserveNowRequest) { q.ExpiryDateTime = v201.At(b.now.Add(length)) })
	}
	acts := map[string]step{
		"reserve": func(b *bench) string { return expires(b)(b) }, "cancel": cancel(id), "use": use(evse, token),
		"leave": at(evse, leave), "plug": at(evse, plug), "unplug": at(evse, unplug), "fault": at(evse, fault),
		"disable": at(evse, disable), "mend": at(evse, mend), "offline": offline, "reconnect": relink, "reboot": reboot,
		"wait":   after(max(0, length)),
		"remove": does(func(m *Machine, now time.Time) []Message { return m.Remove(now, id) }),
	}
	names := []string{"reserve", "reserve", "reserve", "cancel", "use", "leave", "plug", "unplug", "fault", "disable", "mend",
		"offline", "reconnect", "reboot", "wait", "wait", "remove"}
	name := rapid.SampledFrom(names).Draw(t, "act")
	return name, acts[name]
}

// relink reconnects, and boots where the station does.
func relink(b *bench) string {
	messages := b.m.Reconnected(b.now)
	if !b.m.Accepted {
		messages = append(messages, b.m.BootAnswered(b.now, "Accepted")...)
	}
	return line(messages)
}

// Whatever happens: an EVSE is held by one reservation at most, a station that
// is online has reported what its EVSEs are, and a restored one is no other.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, anyQuirks(rt))
		for range rapid.IntRange(1, 40).Draw(rt, "length") {
			name, act := draw(rt)
			if !b.m.connected && (name == "reserve" || name == "cancel") {
				continue
			}
			said := act(b)
			check(rt, b, name+" "+said)
		}
	})
}

func check(t *rapid.T, b *bench, what string) {
	named := map[int]int32{}
	for _, r := range b.m.Reservations {
		if other, taken := named[r.EVSE]; taken && r.EVSE != 0 {
			t.Fatalf("%s: %d and %d hold EVSE %d", what, other, r.ID, r.EVSE)
		}
		named[r.EVSE] = r.ID
	}
	for _, e := range b.m.EVSEs {
		for i, reported := range e.Reported {
			if b.m.online() && reported != b.m.status(e) {
				t.Fatalf("%s: %d.%d is %s, reported %q", what, e.ID, i+1, b.m.status(e), reported)
			}
		}
	}
	snapshot, err := b.m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(b.m.config, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := again.Snapshot(); err != nil || !bytes.Equal(snapshot, second) {
		t.Fatalf("%s: restored\n%s\nas\n%s", what, snapshot, second)
	}
}

// A station without quirks that is always online accounts for every
// reservation that it ever accepted: it holds it, or has said what became of it.
func TestEveryReservationIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t, Quirks{})
		accepted := map[int32]bool{}
		for range rapid.IntRange(1, 40).Draw(rt, "length") {
			name, act := draw(rt)
			if name == "offline" || name == "reconnect" || name == "reboot" {
				continue
			}
			before := map[int32]bool{}
			for _, r := range b.m.Reservations {
				before[r.ID] = true
			}
			said := act(b)
			for _, r := range b.m.Reservations {
				accepted[r.ID] = true
				delete(before, r.ID)
			}
			for id := range before {
				if !accountsFor(said, name, id) {
					rt.Fatalf("%d went without a word: %s %s", id, name, said)
				}
			}
		}
	})
}

func accountsFor(said, name string, id int32) bool {
	for _, word := range []string{fmt.Sprint(id, " Expired"), fmt.Sprint(id, " Removed"), fmt.Sprint(" for ", id)} {
		if bytes.Contains([]byte(said), []byte(word)) {
			return true
		}
	}
	return name == "cancel" && bytes.HasPrefix([]byte(said), []byte("Accepted"))
}
