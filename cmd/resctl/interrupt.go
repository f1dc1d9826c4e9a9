package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// oneWish is within what time several signals are one: a wrapper such as timeout(1)
// passes on what its whole group was sent already.
const oneWish = 500 * time.Millisecond

// errInterrupted is the cause of a context that Ctrl-C, or SIGTERM, ended.
var errInterrupted = errors.New("interrupted")

// interruptible gives a context that the first Ctrl-C ends; whoever works then
// comes to an orderly end. The second one ends the process at once, which loses
// nothing either: what was asked of a station is on disk before it leaves.
func interruptible(w io.Writer) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(errInterrupted)
		for first := time.Now(); time.Since(first) < oneWish; {
			<-signals
		}
		fmt.Fprintln(w, "\nEnded at once. What was stored stays stored; the next run goes on from there.")
		os.Exit(exitError)
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

func interrupted(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errInterrupted) }
