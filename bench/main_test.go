package bench

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/limits"
)

// The test binary runs itself again for what has to be in another process.
const (
	stationsVar = "RESCTL_BENCH_STATIONS" // URL
	numberVar   = "RESCTL_BENCH_NUMBER"   // of stations
	evsesVar    = "RESCTL_BENCH_EVSES"    // of each
	evaluateVar = "RESCTL_BENCH_EVALUATE" // directory
)

var stationsFlag = flag.Int("stations", 10_000, "how many stations are idle, come back, and so on")

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(childVar) != "":
		beChild(os.Getenv(childVar))
	case os.Getenv(stationsVar) != "":
		n, _ := strconv.Atoi(os.Getenv(numberVar))
		evses, _ := strconv.Atoi(os.Getenv(evsesVar))
		awaitEndpoint(os.Getenv(stationsVar))
		_ = limits.Stations(os.Getenv(stationsVar), n, evses) // ends with the first socket
	case os.Getenv(evaluateVar) != "":
		values, err := limits.Evaluate(os.Getenv(evaluateVar))
		fmt.Println(values)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		flag.Parse()
		os.Exit(m.Run())
	}
}

// stations connects so many from another process.
func stations(tb testing.TB, url string, n, evses int) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stationsVar+"="+url, numberVar+"="+strconv.Itoa(n), evsesVar+"="+strconv.Itoa(evses))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// awaitEndpoint returns when somebody listens.
func awaitEndpoint(url string) {
	for retry := time.NewTicker(20 * time.Millisecond); ; <-retry.C {
		if c, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://")); err == nil {
			_ = c.Close()
			return
		}
	}
}

// report prints what a benchmark found as metrics, from which make bench makes
// its table. Whether the ratio should be large or small is said by least.
func report(b *testing.B, ours, limit, ratio, wanted float64) {
	b.ReportMetric(ours, "ours")
	b.ReportMetric(limit, "limit")
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(wanted, "wanted")
	b.ReportMetric(0, "ns/op") // leaves it out
}

// scope is a testing.TB whose cleanups run when its work is done: an iteration
// of a benchmark leaves nothing behind for the next.
type scope struct {
	testing.TB
	cleanups []func()
}

// Cleanup registers f for the end of the scope.
func (s *scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func inside(tb testing.TB, f func(testing.TB)) {
	s := &scope{TB: tb}
	defer func() {
		for i := len(s.cleanups) - 1; i >= 0; i-- {
			s.cleanups[i]()
		}
	}()
	f(s)
}
