package ocppclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Config is what a Server needs. Observe and Admit must be set; a limit or a
// time that is zero gets its default.
type Config struct {
	// Observe records a fact before the station is told that it arrived; on an
	// error the station is told that it did not. For Connected events the
	// returned event carries the connection's number; the Seq of one that
	// changed nothing, and was not written down, is 0. It is called in order
	// for each socket, and at the same time for different ones. An answer that
	// came too late for its call is an Answered event that names the station,
	// the connection and the reservation id, but no address.
	Observe func(ctx context.Context, ev reservation.Event) (reservation.Event, error)

	// Joined is told of a socket when it has been recorded and before anything
	// is read from it, and Left when it has ended and before that is recorded.
	// From then on it may be called, and every call of it has ended. Both must
	// return soon, and not wait for the station. A server that stops closes its
	// sockets after the answers to the calls that are open: who makes them
	// should begin no others by then.
	Joined, Left func(s *Session)

	// Admit says whether a station is known, before its socket is opened.
	Admit func(ctx context.Context, identity string) (Admission, error)

	// Authorize says whether a token may charge, and which group it is in. If
	// it is nil nobody may.
	Authorize func(ctx context.Context, station string, t reservation.Token) (accepted bool, group *reservation.Token)

	Security Security // the zero value: no TLS, and passwords where Admit demands one

	Log *slog.Logger // nil: nothing is logged

	CallTimeout       time.Duration // for the answer to a call; 30 s
	PingInterval      time.Duration // 30 s; negative: no pings
	ReadTimeout       time.Duration // silence after which a socket is dead; 2.5 pings, or none without pings
	WriteTimeout      time.Duration // for one frame; a station that reads slower is cut off; 10 s
	HandshakeTimeout  time.Duration // for TLS and the request's head; 10 s
	ShutdownTimeout   time.Duration // for sessions to end by themselves; 10 s
	HeartbeatInterval time.Duration // told to stations that boot; 300 s
	MaxFrame          int64         // bytes in one message, unpacked; 1 MiB
	MaxConnections    int           // open sockets, and as many handshakes; 65536
	// MaxPerAddress are connections that Run takes from one address, or from
	// one /64 of IPv6, but for this machine's; 1024; negative: any number.
	// Stations behind one router, or a proxy, share an address.
	MaxPerAddress int
	// MaxHandshakeRate is how many connections from other machines Run takes
	// in a second; others wait. 500; negative: any number.
	MaxHandshakeRate int
	// MaxMessageRate is how many messages of one station are read in a second,
	// in the long run: 2000 may come at once, and others wait at the station. A
	// connection counts as 100, each 10 KiB of a message and each further fact
	// in it as one more, a fact that is written down as 4 more, and a token that
	// may not charge as 10 more. 100, at most a million; negative: any number.
	MaxMessageRate int
	// RefusalDelay is how long an unknown identity, or one without its proof,
	// waits for its refusal, so that guessing is slow. 500 ms; negative: not.
	RefusalDelay time.Duration
}

// Admission says whether and how a station may come in.
type Admission struct {
	Known bool
	// Identity is how the station is declared, where that is not how it
	// writes itself: identities are compared without case. Empty: as written.
	Identity string
	// CheckPassword compares in constant time; nil: no password is required.
	// Given for an unknown station, it is called and not believed, so that
	// the time of a refusal tells nothing.
	CheckPassword func(password []byte) bool
	// Hint is for the log of a refusal: why a station that somebody declares is
	// not known all the same.
	Hint string
	// SerialNumber is the common name that the station's certificate must have
	// at security profile 3, and what it must say when it boots (B01.FR.11 of
	// 2.0.1). Empty: it has not been declared, and the station stays outside.
	SerialNumber string
	// Stranger is a station that nothing declares and that may come in all the
	// same: without a password where there is no security profile, and with any
	// certificate that verifies at profile 3. At the others it stays outside.
	Stranger bool
}

// minReadPings is how many ping intervals a station may at least be silent.
const minReadPings = 2.5

// complete checks a configuration and fills in its defaults.
func (c Config) complete() (Config, error) {
	if c.Observe == nil || c.Admit == nil {
		return c, errors.New("ocpp endpoint: Observe and Admit are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		value *time.Duration
		unset time.Duration
	}{
		{&c.CallTimeout, 30 * time.Second},
		{&c.PingInterval, 30 * time.Second},
		{&c.WriteTimeout, 10 * time.Second},
		{&c.HandshakeTimeout, 10 * time.Second},
		{&c.ShutdownTimeout, 10 * time.Second},
		{&c.HeartbeatInterval, 300 * time.Second},
		{&c.RefusalDelay, 500 * time.Millisecond},
	} {
		if *d.value == 0 {
			*d.value = d.unset
		}
	}
	if c.MaxFrame == 0 {
		c.MaxFrame = 1 << 20
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 1 << 16
	}
	if c.MaxPerAddress == 0 {
		c.MaxPerAddress = 1024
	}
	if c.MaxHandshakeRate == 0 {
		c.MaxHandshakeRate = 500
	}
	if c.MaxMessageRate == 0 {
		c.MaxMessageRate = 100
	}
	if err := c.Security.check(); err != nil {
		return c, err
	}
	return c.completeLiveness()
}

func (c Config) completeLiveness() (Config, error) {
	least := time.Duration(minReadPings * float64(max(c.PingInterval, 0)))
	if c.ReadTimeout == 0 {
		c.ReadTimeout = least
	}
	switch {
	case c.ReadTimeout < least:
		return c, fmt.Errorf("ocpp endpoint: read timeout %v: less than %v, two and a half pings", c.ReadTimeout, least)
	case c.CallTimeout < 0 || c.WriteTimeout < 0 || c.HandshakeTimeout < 0 || c.ShutdownTimeout < 0:
		return c, errors.New("ocpp endpoint: a timeout is negative")
	case c.HeartbeatInterval < time.Second:
		return c, fmt.Errorf("ocpp endpoint: heartbeat interval %v: less than a second", c.HeartbeatInterval)
	case c.MaxFrame < 1024 || c.MaxConnections < 0 || c.MaxMessageRate > 1e6:
		return c, errors.New("ocpp endpoint: a limit is too small to work with, or too large")
	}
	return c, nil
}
