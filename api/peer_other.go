//go:build !linux

package api

import "net"

// peerOf knows nobody here: who asks says so itself.
func peerOf(net.Conn) (uid uint32, ok bool) { return 0, false }
