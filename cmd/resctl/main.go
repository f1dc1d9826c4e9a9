// Command resctl keeps charging-station reservations the way a configuration
// declares them. This is the only place where the rooms of the program meet:
// wire.go knows stations, storage and the engine; the commands know a ledger,
// and the views know how things are written down.
package main

import (
	"os"
)

func main() {
	c := newCLI(os.Stdin, os.Stdout, os.Stderr, os.Environ())
	ctx, stop := interruptible(c.stderr)
	code := c.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
