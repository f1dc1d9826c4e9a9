package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// Addresses that are free are looked for below the ports that systems hand out to
// whoever names none: so nobody is handed one between its choice and its use.
const (
	firstPort = 15_000
	ports     = 15_000
)

var (
	begun = rand.Uint32N(ports) // another one beside another run of the tests
	given atomic.Uint32
)

// unused gives an address of this machine on which nobody listens, never the same twice.
func unused() (string, error) {
	var failed error
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+(begun+given.Add(1))%ports)
		l, err := net.Listen("tcp", address)
		if err == nil {
			return address, l.Close()
		}
		failed = err
	}
	return "", failed
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := unused()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
