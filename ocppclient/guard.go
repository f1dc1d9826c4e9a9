package ocppclient

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// guard stands between a listener and everything that costs something, TLS
// above all. It closes what comes from an address that has enough connections,
// and lets others in at a limited pace: who has to wait does so in the queue of
// the system. Connections from this machine pass: a proxy stands in front.
type guard struct {
	net.Listener
	most     int           // connections of one address; negative: any number
	interval time.Duration // between two; 0: none
	refusals *refusals

	closed chan struct{}
	once   sync.Once
	next   time.Time // when the next one may come in; of Accept alone

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func newGuard(l net.Listener, c Config, r *refusals) *guard {
	g := &guard{Listener: l, most: c.MaxPerAddress, refusals: r, closed: make(chan struct{}), open: map[netip.Prefix]int{}}
	if c.MaxHandshakeRate > 0 {
		g.interval = time.Second / time.Duration(c.MaxHandshakeRate)
	}
	return g
}

// Accept returns the next connection that may come in.
func (g *guard) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, foreign := origin(conn.RemoteAddr())
		if !foreign {
			return conn, nil
		}
		if !g.enter(from) {
			_ = conn.Close()
			g.refusals.add(RefusedAddress, "station refused", "remote", conn.RemoteAddr().String(), "reason", "too many connections from its address")
			continue
		}
		guarded := &guardedConn{Conn: conn, leave: sync.OnceFunc(func() { g.leave(from) })}
		if !g.wait() {
			_ = guarded.Close()
			return nil, net.ErrClosed
		}
		return guarded, nil
	}
}

// Close ends Accept, also one that keeps its pace.
func (g *guard) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

// wait returns when the next may come in; false: the guard was closed.
func (g *guard) wait() bool {
	var d time.Duration
	d, g.next = pace(time.Now(), g.next, g.interval)
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.closed:
		return false
	}
}

// pace says how long one that comes now has to wait, and when the one behind it
// is due. What was not used in the last second may come at once.
func pace(now, next time.Time, interval time.Duration) (wait time.Duration, after time.Time) {
	if earliest := now.Add(interval - time.Second); next.Before(earliest) {
		next = earliest
	}
	return next.Sub(now), next.Add(interval)
}

func (g *guard) enter(from netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most >= 0 && g.open[from] >= g.most {
		return false
	}
	g.open[from]++
	return true
}

func (g *guard) leave(from netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[from]--; g.open[from] == 0 {
		delete(g.open, from)
	}
}

// origin is whose connection it is: an address or, as one host has as many of
// these as it likes, 64 bits of an IPv6 address. False: it is of this machine,
// or of no network.
func origin(a net.Addr) (netip.Prefix, bool) {
	at, err := netip.ParseAddrPort(a.String())
	ip := at.Addr().Unmap().WithZone("")
	if err != nil || ip.IsLoopback() {
		return netip.Prefix{}, false
	}
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	from, err := ip.Prefix(bits)
	return from, err == nil
}

// guardedConn gives its place back when it is closed.
type guardedConn struct {
	net.Conn
	leave func()
}

// Close may be called more than once.
func (c *guardedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
