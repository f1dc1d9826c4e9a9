package ocppclient

import (
	"fmt"
	"net"
	"net/netip"
)

// CheckExposure refuses to listen where strangers could pose as a station: on
// an address that other hosts reach, although some station has no password.
// With insecure, which is for --insecure, it allows it.
func CheckExposure(addr string, allHavePasswords, insecure bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("ocpp address %q: %w", addr, err)
	}
	if allHavePasswords || insecure || loopback(host) {
		return nil
	}
	return fmt.Errorf("ocpp address %q: other hosts can reach it, and not every station has a password: "+
		"anyone could pose as a station; give each station block a password, listen on 127.0.0.1, "+
		"or say --insecure", addr)
}

// loopback reports whether only this host reaches the address. A name is not
// looked up, for what it means may change; an empty host means every address.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
