package kill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestKill kills resctl again and again, between any two instructions of it,
// and lets it come to its end at last: nothing may be lost, doubled or left.
func TestKill(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	h := newHarness(t, r)
	took := h.finish()
	open, acted := 0, 0
	for kills := 0; kills < *killsFlag; {
		if r.IntN(3) > 0 {
			h.wanted.edit()
		}
		h.wanted.write(t, h.dir)
		if h.killAfter(time.Duration(r.Int64N(int64(took)))) {
			kills++
		}
		unanswered, last := journal(t, h.state, h.last)
		h.last = last
		held := h.fleet.holds(t)
		for _, u := range unanswered {
			open++
			if u.done(held) {
				acted++
			}
		}
	}
	t.Logf("%d kills; %d calls were recorded and had no answer, of which the station had carried out %d", *killsFlag, open, acted)
	if open == 0 || acted == 0 {
		t.Errorf("no kill fell between sending and recording an answer (seed %d)", seed)
	}
	h.finish()
	h.check()
}

// harness is a configuration, a state, and stations in another process.
type harness struct {
	t       *testing.T
	binary  string
	dir     string
	state   string
	address string
	wanted  *wanted
	fleet   *stations
	last    int64 // of the journal, at the last look
}

func newHarness(t *testing.T, r *rand.Rand) *harness {
	t.Helper()
	h := &harness{t: t, binary: build(t), dir: directory(t), address: freeAddress(t)}
	h.state = filepath.Join(h.dir, "resctl.db")
	h.wanted = &wanted{r: r, blocks: map[string]declared{}}
	for range 2 * fleetSize {
		h.wanted.add()
	}
	h.wanted.write(t, h.dir)
	h.fleet = startFleet(t, "ws://"+h.address)
	return h
}

// directory is kept if the test fails: the journal in it tells why.
func directory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "resctl-kill-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept: %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// freeAddress is below the ports that systems hand out to whoever names none: nobody
// is handed it while the process that listens on it is dead.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(5_000))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// apply is the command that is killed.
func (h *harness) apply(ctx context.Context) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, h.binary, "apply", "--chdir", h.dir, "--listen", h.address, "--auto-approve",
		"--log-level", "error", "--quiet-period", "100ms", "--wait", "4m", "--max-cancel", "1000", "--allow-empty")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// killAfter starts it and kills it, unless it is done before.
func (h *harness) killAfter(moment time.Duration) (killed bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), moment)
	defer cancel()
	cmd, out := h.apply(ctx)
	err := cmd.Run()
	switch cmd.ProcessState.ExitCode() {
	case -1:
		return true
	case 0, exitWaits:
		return false
	}
	h.t.Fatalf("apply ended by itself: %v\n%s", err, out)
	return false
}

// exitWaits: stored, but something due has not settled.
const exitWaits = 4

// finish lets it come to its end, and returns how long that took.
func (h *harness) finish() time.Duration {
	h.t.Helper()
	began := time.Now()
	for try := 1; ; try++ {
		cmd, out := h.apply(h.t.Context())
		err := cmd.Run()
		if err == nil {
			return time.Since(began)
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != exitWaits || try == 2 {
			h.t.Fatalf("apply: %v\n%s", err, out)
		}
	}
}

// shown is what the test needs of show --json.
type shown struct {
	Reservations []struct {
		Address       string `json:"address"`
		StationID     string `json:"station_id"`
		ReservationID int32  `json:"reservation_id"`
		Phase         string `json:"phase"`
	} `json:"reservations"`
}

// check compares what is declared, what resctl believes, and what the stations
// hold: all three must be the same.
func (h *harness) check() {
	h.t.Helper()
	out, err := exec.CommandContext(h.t.Context(), h.binary, "show", "--chdir", h.dir, "--json").Output()
	if err != nil {
		h.t.Fatalf("show: %v", err)
	}
	var s shown
	if err := json.Unmarshal(out, &s); err != nil {
		h.t.Fatal(err)
	}
	believed := map[string][]string{} // by station
	for _, x := range s.Reservations {
		b, wanted := h.wanted.blocks[blockName(x.Address)]
		if x.Phase != "reserved" {
			if wanted {
				h.t.Errorf("%s is %s", x.Address, x.Phase)
			}
			continue
		}
		if !wanted {
			h.t.Errorf("%s is held and not declared", x.Address)
			continue
		}
		believed[x.StationID] = append(believed[x.StationID], line(x.ReservationID, b.evse, b.idToken()))
	}
	held := h.fleet.holds(h.t)
	total := 0
	for i := range fleetSize {
		id := stationID(i)
		var holds []string
		for _, r := range held[id] {
			holds = append(holds, line(r.ID, r.EVSE, r.IDToken.IDToken))
		}
		total += len(holds)
		slices.Sort(holds)
		slices.Sort(believed[id])
		if !slices.Equal(holds, believed[id]) {
			h.t.Errorf("%s holds %v, is believed to hold %v", id, holds, believed[id])
		}
	}
	if total != len(h.wanted.blocks) {
		h.t.Errorf("%d are held, %d are declared", total, len(h.wanted.blocks))
	}
	h.t.Logf("%d are declared, believed and held", total)
}

func blockName(address string) string { return address[len("reservation."):] }

func line(id int32, evse int, token string) string {
	return fmt.Sprintf("%d on EVSE %d for %s", id, evse, token)
}
