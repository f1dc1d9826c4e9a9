package kill

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	killsFlag = flag.Int("kills", 12, "how many times the process is killed")
	seedFlag  = flag.Uint64("seed", 0, "of the moments and edits; 0: at random")
)

// The test binary is the stations' process too.
func TestMain(m *testing.M) {
	if url := os.Getenv(fleetVar); url != "" {
		runFleet(url, os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// build makes the binary under test.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resctl")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/resctl/resctl/cmd/resctl").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}
