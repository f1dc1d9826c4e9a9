package main

import (
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// supervisor is what started this process and wants to hear how it is, in the
// way of systemd (sd_notify): datagrams to a socket. The zero one wants nothing.
type supervisor struct {
	socket   string
	watchdog time.Duration // it ends a process that is silent for so long; 0: it waits
}

func newSupervisor(getenv func(string) string) supervisor {
	s := supervisor{socket: getenv("NOTIFY_SOCKET")}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	if pid := getenv("WATCHDOG_PID"); err == nil && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.watchdog = time.Duration(usec) * time.Microsecond
	}
	return s
}

// tell sends one datagram. A path that begins with @ has no file (unix(7)).
func (s supervisor) tell(lines ...string) error {
	if s.socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte(strings.Join(lines, "\n")))
	return err
}

// notify tells the supervisor, and logs it if that fails.
func (w *workplace) notify(lines ...string) {
	if err := w.supervisor.tell(lines...); err != nil {
		w.log.Error("the supervisor could not be told", "said", lines[0], "error", err)
	}
}

// keepAlive tells the supervisor that this process does not hang, twice as often
// as it has to, until ctx ends.
func (w *workplace) keepAlive(ctx context.Context) {
	if w.supervisor.socket == "" || w.supervisor.watchdog <= 0 {
		return
	}
	for {
		if err := w.alive(ctx); err != nil {
			w.log.Error("this process hangs", "error", err)
		} else {
			w.notify("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.supervisor.watchdog / 2):
		}
	}
}
