package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// lived is a station with everything in its memory.
func lived(t *testing.T) *bench {
	b := newBench(t, Quirks{CancelAfterExpiryAccepted: true, QueueAll: true})
	reserve(39, 2, until(time.Minute))(b)
	after(time.Minute)(b)
	reserve(40, 0, typed("cType2"), group)(b)
	reserve(41, 1)(b)
	offline(b)
	use(1, "t41")(b)
	reserve(42, 0)(b)
	return b
}

func TestSnapshotGolden(t *testing.T) {
	got, err := lived(t).m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, append(got, '\n'), "", "  "); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "snapshot.json")
	if *update {
		if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("the snapshot changed (%v):\n%s", err, pretty.Bytes())
	}
}

func TestRestoreGoesOnWhereItWas(t *testing.T) {
	was := lived(t)
	snapshot, err := was.m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	m, err := Restore(was.m.config, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	is := &bench{t, m, was.now}
	for _, s := range []step{holds, reconnect, cancel(39), at(1, leave), after(time.Hour), holds} {
		if a, b := s(was), s(is); a != b {
			t.Errorf("before %q, after %q", a, b)
		}
	}
}

func TestRestoreRefusesAndAdapts(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"version":2}`, "[]"} {
		if _, err := Restore(testConfig(Quirks{}), []byte(bad)); err == nil {
			t.Errorf("%q was restored", bad)
		}
	}
	b := newBench(t, Quirks{})
	reserve(41, 1)(b)
	reserve(42, 2)(b)
	snapshot, err := b.m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig(Quirks{})
	c.EVSEs = c.EVSEs[:1]
	m, err := Restore(c, snapshot)
	if err != nil || holds(&bench{t, m, evening}) != "41@1" {
		t.Errorf("%v, %v", m.Holds(), err)
	}
}

func TestUndeliveredIsSentAgain(t *testing.T) {
	b := newBench(t, Quirks{})
	reserve(41, 1)(b)
	messages, _ := b.m.Use(b.now, 1, card("t41"))
	b.m.Disconnected(b.now)
	b.m.Undelivered(messages)
	if got := reconnect(b); got != "1.1 Occupied, Started at 1 by t41 for 41" {
		t.Error(got)
	}
	b.m.Remove(b.now, 41)
	if got := line(b.m.Reconnected(b.now)); got != "" {
		t.Error(got)
	}
}
