package day

import (
	"encoding/binary"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheTapSeesTwoOpenCalls over two sockets of one station, and takes none
// for open that was answered, has had its time or lost its socket.
func TestTheTapSeesTwoOpenCalls(t *testing.T) {
	for name, c := range map[string]struct {
		between func(first *tap)
		wrong   int
	}{
		"nothing":  {func(*tap) {}, 1},
		"answer":   {func(first *tap) { first.hears(text(`[3,"a",{}]`)) }, 0},
		"not ours": {func(first *tap) { first.hears(text(`[3,"other",{}]`)) }, 1},
		"too soon": {func(*tap) { time.Sleep(callTimeout - time.Millisecond) }, 1},
		"time-out": {func(*tap) { time.Sleep(callTimeout) }, 0},
		"end":      {func(first *tap) { _ = first.Close() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWires()
				first, second := tapped(w), tapped(w)
				first.says(text(`[2,"a","ReserveNow",{"id":7}]`))
				c.between(first)
				second.says(text(`[2,"b","ReserveNow",{"id":7}]`))
				if len(w.wrong) != c.wrong || len(w.of["S"].sent) != 2 {
					t.Error(w.wrong, w.of["S"].sent)
				}
			})
		})
	}
}

// tapped is a socket of station S that is open.
func tapped(w *wires) *tap {
	near, _ := net.Pipe()
	c := &tap{Conn: near, wires: w}
	c.hears([]byte("GET /S HTTP/1.1\r\n\r\n"))
	c.says([]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
	return c
}

// text is a whole message that is not masked.
func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(s))), s...)
}
