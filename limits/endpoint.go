package limits

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

// Endpoint is the bare other side of Stations.
type Endpoint struct {
	listener net.Listener
	sockets  chan *websocket.Conn
}

// Listen opens an endpoint on a free port of this host.
func Listen() (*Endpoint, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &Endpoint{listener: l, sockets: make(chan *websocket.Conn)}
	up := websocket.Upgrader{Subprotocols: []string{Protocol}, ReadBufferSize: 1024, WriteBufferSize: 1024}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := up.Upgrade(w, r, nil); err == nil {
			e.sockets <- c
		}
	}))
	return e, nil
}

// URL is where stations connect.
func (e *Endpoint) URL() string { return "ws://" + e.listener.Addr().String() }

// Close takes no further stations.
func (e *Endpoint) Close() error { return e.listener.Close() }

// Boot waits for n stations and hears their boot and first statuses.
func (e *Endpoint) Boot(n, evses int) ([]*websocket.Conn, error) {
	var all errgroup.Group
	booted := make([]*websocket.Conn, n)
	for i := range n {
		booted[i] = <-e.sockets
		all.Go(func() error {
			for range evses + 1 {
				if err := hear(booted[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return booted, all.Wait()
}

// hear reads a station's call and acknowledges it.
func hear(c *websocket.Conn) error {
	_, frame, err := c.ReadMessage()
	if err != nil {
		return err
	}
	if frame[1] != '2' {
		return errors.New("limits: not a call: " + string(frame))
	}
	return c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `[3,"%s",{}]`, messageID(frame)))
}

// RoundTrips reserves every EVSE of every station, one call at a time at each,
// and hears that it is Reserved. It returns how long that took.
func RoundTrips(sockets []*websocket.Conn, evses int) (time.Duration, error) {
	began := time.Now()
	var all errgroup.Group
	for i, c := range sockets {
		all.Go(func() error {
			for evse := 1; evse <= evses; evse++ {
				id := i*evses + evse
				if err := c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, reserveFrame, id, 1<<20+id, id, evse)); err != nil {
					return err
				}
				if _, _, err := c.ReadMessage(); err != nil {
					return err
				}
				if err := hear(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := all.Wait()
	return time.Since(began), err
}
