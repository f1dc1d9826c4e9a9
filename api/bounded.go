package api

import (
	"net"
	"net/netip"
	"sync"
)

// How many connections there may be at once: to those that are too many the
// door is shut, so that they do not keep others waiting.
const (
	maxConnections = 1024
	maxOfAddress   = 128
)

// Bounded is a listener for the network, with as many connections at once as a
// server answers, in all and of one address.
func Bounded(l net.Listener) net.Listener {
	return &bounded{Listener: l, of: map[netip.Prefix]int{}}
}

type bounded struct {
	net.Listener
	mu  sync.Mutex
	all int
	of  map[netip.Prefix]int // by where they come from
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(c.RemoteAddr().String())
		if b.enter(from) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { b.leave(from) })}, nil
		}
		_ = c.Close()
	}
}

func (b *bounded) enter(from netip.Prefix) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= maxConnections || b.of[from] >= maxOfAddress {
		return false
	}
	b.all++
	b.of[from]++
	return true
}

func (b *bounded) leave(from netip.Prefix) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.of[from]--; b.of[from] == 0 {
		delete(b.of, from)
	}
}

// counted gives its place back when it closes.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
