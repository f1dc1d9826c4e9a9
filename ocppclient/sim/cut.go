package sim

import (
	"context"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/wire"
)

// Cut is a link that is lost, and what goes with it.
type Cut struct {
	// For is how long the station stays without a link; 0: it comes back
	// after the shortest back-off.
	For time.Duration
	// KeepSocket leaves the old socket open and silent, as a modem does that
	// gets another address: it is for the CSMS to find out.
	KeepSocket bool
	// PowerCycle: the station boots. Forget: it loses its reservations by that.
	PowerCycle, Forget bool
}

// cutting is a Cut under way.
type cutting struct {
	Cut
	done chan struct{}
	err  error
}

// maxKept is how many silent sockets a station keeps; the oldest is closed.
const maxKept = 2

// Drop loses the link, as a modem does; the station connects again.
func (c *Client) Drop() {
	select {
	case c.drop <- struct{}{}:
	default:
	}
}

// Cut loses the link, and returns when it is lost. It fails only if ctx ends
// before, or the memory fails.
func (c *Client) Cut(ctx context.Context, how Cut) error {
	for {
		x, mine := c.sever(how)
		select {
		case <-x.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if mine {
			return x.err
		}
	}
}

// sever begins a cut, unless another one is under way: it then gives that one.
func (c *Client) sever(how Cut) (x *cutting, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut != nil {
		return c.cut, false
	}
	x = &cutting{Cut: how, done: make(chan struct{})}
	if !c.linked {
		c.apply(x)
	} else {
		c.cut = x
		c.Drop()
	}
	return x, true
}

// Reconnect ends the time without a link before it is over.
func (c *Client) Reconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = time.Time{}
	select {
	case c.resume <- struct{}{}:
	default:
	}
}

// Connected reports whether there is a link.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.linked
}

// SetDelay makes the station take up every call of the CSMS so much later.
func (c *Client) SetDelay(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = d
}

// Delay is what SetDelay has set.
func (c *Client) Delay() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.delay
}

// severed carries a cut out, if there is one, and reports whether the socket
// stays open; c.mu is held, and the link is lost.
func (c *Client) severed(conn *websocket.Conn) (keep bool) {
	x := c.cut
	if x == nil {
		return false
	}
	c.cut = nil
	if x.KeepSocket {
		_ = conn.SetReadDeadline(time.Now()) // it answers no pings any more
		c.kept = append(c.kept, conn)
	}
	for len(c.kept) > maxKept {
		_ = c.kept[0].Close()
		c.kept = slices.Delete(c.kept, 0, 1)
	}
	c.apply(x)
	return x.KeepSocket
}

// apply is what a cut does to the station; c.mu is held, and there is no link.
func (c *Client) apply(x *cutting) {
	defer close(x.done)
	now := time.Now()
	c.away = now.Add(max(0, x.For))
	if x.PowerCycle {
		messages := c.m.Reboot(now, !x.Forget)
		c.m.Disconnected(now)
		c.m.Undelivered(messages)
		x.err = c.save(nil, true)
	}
}

// letGo closes what was kept open.
func (c *Client) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.kept {
		_ = conn.Close()
	}
	c.kept = nil
}

// lateCall is a call of the CSMS that is taken up later.
type lateCall struct {
	at    time.Time
	frame wire.Frame
}

// take answers a call, now or later. Calls keep their order.
func (s *session) take(f wire.Frame) error {
	delay := s.Delay()
	if delay <= 0 && len(s.late) == 0 {
		return s.answer(f)
	}
	s.late = append(s.late, lateCall{time.Now().Add(delay), f})
	return nil
}

// answerLate answers what is due.
func (s *session) answerLate(now time.Time) error {
	for len(s.late) > 0 && !now.Before(s.late[0].at) {
		f := s.late[0].frame
		s.late = s.late[1:]
		if err := s.answer(f); err != nil {
			return err
		}
	}
	return nil
}
