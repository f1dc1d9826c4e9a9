package kill

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
)

// fleetVar is set in the process in which the stations live: to the URL that
// they connect to.
const fleetVar = "RESCTL_KILL_FLEET"

const (
	fleetSize = 24
	evses     = 3
)

func stationID(i int) string { return fmt.Sprintf("KILL-%02d", i) }

// quirks make a third of the fleet deviate from the standard, each in its way.
func quirks(i int) sim.Quirks {
	switch i % 12 {
	case 1:
		return sim.Quirks{SameID: sim.SameIDOccupied}
	case 4:
		return sim.Quirks{SameID: sim.SameIDRejected, StatusBeforeAnswer: true}
	case 7:
		return sim.Quirks{StatusBeforeAnswer: true}
	case 10:
		return sim.Quirks{NotifyEventInsteadOfStatus: true}
	}
	return sim.Quirks{}
}

// refusesUpdates reports whether a station refuses an id that it holds.
func refusesUpdates(i int) bool { return quirks(i).SameID != sim.SameIDReplaces }

// fleet are stations that answer slowly, so that a kill may find a call open.
type fleet struct{ clients map[string]*sim.Client }

// runFleet is the stations' process: for every line on in it writes what all
// stations hold, and it ends with in.
func runFleet(url string, in io.Reader, out io.Writer) {
	dialer := sim.NewDialer()
	dialer.NetDialContext = slowDial
	f := fleet{map[string]*sim.Client{}}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for i := range fleetSize {
		c := sim.Config{ID: stationID(i), Serial: "SN-" + stationID(i), Vendor: "resctl", Model: "Kill", Quirks: quirks(i)}
		for evse := 1; evse <= evses; evse++ {
			c.EVSEs = append(c.EVSEs, sim.EVSE{ID: evse, Connectors: []v201.ConnectorType{"cCCS2"}})
		}
		client, err := sim.NewClient(sim.ClientConfig{Station: c, URL: url, Dialer: dialer,
			MinBackOff: 20 * time.Millisecond, MaxBackOff: 60 * time.Millisecond})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		f.clients[c.ID] = client
		all.Go(func() { _ = client.Run(ctx) })
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		held := map[string][]sim.Reservation{}
		for id, c := range f.clients {
			held[id] = c.Holds()
		}
		_ = json.NewEncoder(out).Encode(held)
	}
	cancel()
	all.Wait()
}

// slowConn is a link on which every frame of the station takes a moment.
type slowConn struct{ net.Conn }

func slowDial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	return slowConn{c}, err
}

func (c slowConn) Write(b []byte) (int, error) {
	<-time.After(time.Duration(rand.IntN(int(slowest))))
	return c.Conn.Write(b)
}

const slowest = 30 * time.Millisecond

// stations is the fleet as the test sees it.
type stations struct {
	in  io.WriteCloser
	out *json.Decoder
}

func startFleet(t *testing.T, url string) *stations {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fleetVar+"="+url)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &stations{in, json.NewDecoder(out)}
}

// holds asks the stations' process.
func (s *stations) holds(t *testing.T) map[string][]sim.Reservation {
	t.Helper()
	held := map[string][]sim.Reservation{}
	_, err := fmt.Fprintln(s.in)
	if err == nil {
		err = s.out.Decode(&held)
	}
	if err != nil {
		t.Fatalf("stations' process: %v", err)
	}
	return held
}
