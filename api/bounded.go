package api

import (
	"net"
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
	return &bounded{Listener: l, of: map[string]int{}}
}

type bounded struct {
	net.Listener
	mu  sync.Mutex
	all int
	of  map[string]int // by address
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		if b.enter(host) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { b.leave(host) })}, nil
		}
		_ = c.Close()
	}
}

func (b *bounded) enter(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= maxConnections || b.of[host] >= maxOfAddress {
		return false
	}
	b.all++
	b.of[host]++
	return true
}

func (b *bounded) leave(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.of[host]--; b.of[host] == 0 {
		delete(b.of, host)
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
