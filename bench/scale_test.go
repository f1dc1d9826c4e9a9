package bench

import (
	"testing"
	"time"
)

// These run the benchmarks of many stations with few, and look at what they
// measure only as far as it cannot depend on the machine.

func TestIdle(t *testing.T) {
	for _, how := range []string{"plain", "tls"} {
		if ours, bare := idle(t, how, 20); ours == 0 || bare == 0 {
			t.Errorf("%s: %v and %v bytes", how, ours, bare)
		}
	}
	if used := silence(t, 5, time.Second, 100*time.Millisecond); used > time.Minute {
		t.Errorf("%v for nothing", used)
	}
}

func TestWindows(t *testing.T) {
	var late []time.Duration
	windows(t, 10, false, &late)
	if first := late[0]; first < 0 {
		t.Errorf("asked %v before its window opened", -first)
	}
	if n := len(bareBurst(t, 10)); n != 10 {
		t.Errorf("%d of the limit were asked", n)
	}
}

// TestReconnect is that nobody is asked twice.
func TestReconnect(t *testing.T) {
	before, groups := reconnect(t, 10, true, nil)
	commitsOnce(t, before, groups)
	if took := bareAccepts(t, 10); took <= 0 {
		t.Errorf("they were back after %v", took)
	}
}

// TestHeal is that what is replayed are the commits of heals.
func TestHeal(t *testing.T) {
	before, heals := healings(t, 5)
	if n := len(bareHeal(t, 5, before, heals)); n != 5 {
		t.Errorf("%d heals of the limit", n)
	}
}
