package limits

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Fleet are stations that stay: they connect again when their socket ends, and
// remember every call that they were sent. Run it in a process of its own.
type Fleet struct {
	url    string
	evses  int
	dialer websocket.Dialer
	dials  chan struct{} // holds an element for each that dials
	booted sync.WaitGroup

	stations []*parked
}

// Heard is a call that a station was sent.
type Heard struct {
	Station int           `json:"station"`
	Action  string        `json:"action"`
	ID      int           `json:"id"` // of the reservation
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took"` // since what it follows from, where that was noted
}

type parked struct {
	id string

	mu    sync.Mutex
	conn  *websocket.Conn // nil: it is on its way
	heard []Heard
	heals chan Heard // nil: nobody waits for a call
}

// NewFleet has n stations connect, boot and report their EVSEs Available.
// Certificates are not looked at.
func NewFleet(ctx context.Context, url string, n, evses int) *Fleet {
	f := &Fleet{url: url, evses: evses, dials: make(chan struct{}, 64)}
	f.dialer = websocket.Dialer{Subprotocols: []string{Protocol}, ReadBufferSize: 512, WriteBufferSize: 512,
		WriteBufferPool: &sync.Pool{}, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	f.booted.Add(n)
	for i := range n {
		s := &parked{id: StationID(i)}
		f.stations = append(f.stations, s)
		go f.stay(ctx, i, s)
	}
	return f
}

// Booted returns when all have booted.
func (f *Fleet) Booted() { f.booted.Wait() }

// Heard returns the calls of all stations, each in its order.
func (f *Fleet) Heard() (all []Heard) {
	for _, s := range f.stations {
		s.mu.Lock()
		all = append(all, s.heard...)
		s.mu.Unlock()
	}
	return all
}

// stay keeps one station connected.
func (f *Fleet) stay(ctx context.Context, i int, s *parked) {
	for booted := false; ; {
		c := f.dial(ctx, s.id)
		if c == nil {
			return
		}
		if !booted {
			if f.boot(c) != nil {
				continue
			}
			booted = true
			f.booted.Done()
		}
		s.mu.Lock()
		s.conn = c
		s.mu.Unlock()
		f.obey(c, i, s)
		_ = c.Close()
	}
}

// dial tries until it is let in. A bounded number do so at a time.
func (f *Fleet) dial(ctx context.Context, id string) *websocket.Conn {
	f.dials <- struct{}{}
	defer func() { <-f.dials }()
	head := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(id+":a password of a station"))}}
	for {
		c, _, err := f.dialer.DialContext(ctx, f.url+"/"+id, head)
		if err == nil {
			return c
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (f *Fleet) boot(c *websocket.Conn) error {
	err := exchange(c, []byte(bootFrame))
	for evse := 1; evse <= f.evses && err == nil; evse++ {
		err = exchange(c, status(nil, evse, "Available"))
	}
	return err
}

// obey accepts whatever is asked, and reports an EVSE that is reserved.
func (f *Fleet) obey(c *websocket.Conn, i int, s *parked) {
	for {
		_, frame, err := c.ReadMessage()
		if err != nil {
			return
		}
		if frame[1] != '2' {
			continue
		}
		h := Heard{Station: i, Action: actionOf(frame), ID: numberOf(frame, `"id":`), At: time.Now()}
		s.mu.Lock()
		s.heard = append(s.heard, h)
		if s.heals != nil {
			s.heals <- h
		}
		err = c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `[3,"%s",{"status":"Accepted"}]`, messageID(frame)))
		if err == nil && h.Action == "ReserveNow" {
			err = c.WriteMessage(websocket.TextMessage, status(nil, evseOf(frame), "Reserved"))
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Heal has one station after the other say that what it held at EVSE 1 was
// removed and, some time later, that the EVSE is Available. It tells of each when
// it was asked anew, and how long after the second report.
func (f *Fleet) Heal(between time.Duration) (all []Heard) {
	for _, s := range f.stations {
		heals := make(chan Heard, 8)
		s.mu.Lock()
		available := bytes.Replace(status(nil, 1, "Available"), []byte(`"s1"`), []byte(`"a"`), 1)
		removed := fmt.Appendf(nil, `[2,"r","ReservationStatusUpdate",{"reservationId":%d,"reservationUpdateStatus":"Removed"}]`, s.last())
		err := s.conn.WriteMessage(websocket.TextMessage, removed)
		s.mu.Unlock()
		time.Sleep(between)
		s.mu.Lock()
		s.heals = heals
		began := time.Now()
		if err == nil {
			err = s.conn.WriteMessage(websocket.TextMessage, available)
		}
		s.mu.Unlock()
		if err != nil {
			continue
		}
		h := <-heals
		h.Took = h.At.Sub(began)
		all = append(all, h)
		s.mu.Lock()
		s.heals = nil
		s.mu.Unlock()
	}
	return all
}

// last is the id that it was asked for last.
func (s *parked) last() int {
	if len(s.heard) == 0 {
		return 0
	}
	return s.heard[len(s.heard)-1].ID
}

func actionOf(frame []byte) string {
	parts := bytes.SplitN(frame, []byte(`"`), 5)
	return string(parts[3])
}

func numberOf(frame []byte, key string) int {
	_, rest, _ := bytes.Cut(frame, []byte(key))
	end := bytes.IndexAny(rest, ",}")
	n, _ := strconv.Atoi(string(rest[:max(end, 0)]))
	return n
}
