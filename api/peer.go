package api

import (
	"context"
	"net"
	"os/user"
	"strconv"
)

type peerKey struct{}

// peer is who is at the other end of a Unix socket.
type peer struct {
	uid   uint32
	known bool // by the kernel's word
}

// withPeer remembers who is at the other end of a connection, if that is one of
// a Unix socket.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	if _, ok := c.(*net.UnixConn); !ok {
		return ctx
	}
	uid, known := peerOf(c)
	return context.WithValue(ctx, peerKey{}, peer{uid, known})
}

// peerName is who asks through a Unix socket, by the kernel's word; "" where it
// gives none. false: the request came another way.
func peerName(ctx context.Context) (string, bool) {
	p, ok := ctx.Value(peerKey{}).(peer)
	if !ok || !p.known {
		return "", ok
	}
	id := strconv.FormatUint(uint64(p.uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username, true
	}
	return "uid " + id, true
}
