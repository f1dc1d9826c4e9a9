// Command resctl keeps charging-station reservations the way a configuration
// declares them. This is the only place where the rooms of the program meet:
// wire.go knows stations, storage and the engine; the commands know a ledger,
// and the views know how things are written down.
package main

import (
	"os"
	"runtime/debug"
)

func main() {
	collectLess()
	c := newCLI(os.Stdin, os.Stdout, os.Stderr, os.Environ())
	ctx, stop := interruptible(c.stderr)
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// collectLess trades memory for time: heaps are small here, and most of what is
// allocated is gone at once. GOGC and GOMEMLIMIT mean what they always do.
func collectLess() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(2 << 30) // from here on memory counts more
}
