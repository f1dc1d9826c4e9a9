package day

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// callTimeout is after how long a station may be asked something else, though
// it has not answered: the endpoint's default.
const callTimeout = 30 * time.Second

// wires is what went over the sockets of all stations, as seen from outside.
type wires struct {
	mu    sync.Mutex
	of    map[string]*link // by station
	wrong []string
}

// link is what the sockets of one station have in common: at most one of our
// calls is open over all of them.
type link struct {
	open   []*sent
	sent   []*sent // all of them
	frames []frame
}

// sent is a call of ours.
type sent struct {
	id      string
	at      time.Time
	socket  *tap
	action  string
	about   int32 // the reservation id
	payload json.RawMessage
	status  string // in the answer; "": there is none
}

type frame struct {
	at   time.Time
	text string
}

func newWires() *wires { return &wires{of: map[string]*link{}} }

func (w *wires) link(station string) *link {
	if w.of[station] == nil {
		w.of[station] = &link{}
	}
	return w.of[station]
}

// tap is the end of a socket at our side, listened to.
type tap struct {
	net.Conn
	wires   *wires
	station string // "": it has not said yet
	in, out stream
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.hears(p[:n])
	if err != nil && !isTimeout(err) {
		c.ends("lost")
	}
	return n, err
}

func (c *tap) Write(p []byte) (int, error) {
	c.says(p)
	return c.Conn.Write(p)
}

func (c *tap) Close() error {
	c.ends("closed")
	return c.Conn.Close()
}

func isTimeout(err error) bool {
	t, ok := err.(net.Error)
	return ok && t.Timeout()
}

// hears takes what the station sent.
func (c *tap) hears(p []byte) {
	c.wires.mu.Lock()
	defer c.wires.mu.Unlock()
	for _, text := range c.in.feed(p) {
		if c.station == "" {
			request, _, _ := strings.Cut(text, " HTTP/")
			c.station = path.Base(request)
			c.note("connects")
			continue
		}
		c.note("< " + text)
		if m := parse(text); m.kind == 3 || m.kind == 4 {
			c.wires.link(c.station).answer(m)
		}
	}
}

// says takes what is about to be sent.
func (c *tap) says(p []byte) {
	c.wires.mu.Lock()
	defer c.wires.mu.Unlock()
	for _, text := range c.out.feed(p) {
		m := parse(text)
		c.note("> " + text)
		if m.kind != 2 {
			continue
		}
		l, now := c.wires.link(c.station), time.Now()
		for _, s := range l.open {
			if now.Sub(s.at) < callTimeout {
				c.wires.wrong = append(c.wires.wrong, fmt.Sprintf("%s is asked %s at %s while %s is open", c.station, m.id, now.Format(clock), s.id))
			}
		}
		asked := &sent{id: m.id, at: now, socket: c, action: m.action, payload: m.payload}
		l.open, l.sent = append(l.open, asked), append(l.sent, asked)
		var about struct{ ID, ReservationID int32 }
		_ = json.Unmarshal(m.payload, &about)
		switch m.action {
		case "ReserveNow":
			asked.about = about.ID
		case "CancelReservation":
			asked.about = about.ReservationID
		case "TriggerMessage":
		default:
			c.wires.wrong = append(c.wires.wrong, fmt.Sprintf("%s is asked to %s", c.station, m.action))
		}
	}
}

// answer takes what answers a call, in time or late; an error has no status.
func (l *link) answer(m message) {
	l.open = slices.DeleteFunc(l.open, func(s *sent) bool { return s.id == m.id })
	for _, s := range slices.Backward(l.sent) {
		if s.id == m.id && s.status == "" {
			var result struct{ Status string }
			_ = json.Unmarshal(m.payload, &result)
			s.status = cmp.Or(result.Status, "error")
			return
		}
	}
}

// ends closes the calls of a socket: nobody can answer them on it any more.
func (c *tap) ends(how string) {
	c.wires.mu.Lock()
	defer c.wires.mu.Unlock()
	if c.station == "" {
		return
	}
	c.note(how)
	l := c.wires.link(c.station)
	l.open = slices.DeleteFunc(l.open, func(s *sent) bool { return s.socket == c })
}

func (c *tap) note(text string) {
	l := c.wires.link(c.station)
	l.frames = append(l.frames, frame{time.Now(), fmt.Sprintf("%p %s", c, text)})
}

// stream takes a direction of a socket apart: the head of HTTP first, then
// messages.
type stream struct {
	rest     []byte
	upgraded bool
	message  []byte
}

func (s *stream) feed(p []byte) (texts []string) {
	s.rest = append(s.rest, p...)
	if !s.upgraded {
		head, rest, whole := bytes.Cut(s.rest, []byte("\r\n\r\n"))
		if !whole {
			return nil
		}
		texts = append(texts, string(head))
		s.rest, s.upgraded = slices.Clone(rest), true
	}
	for {
		text, size := s.next()
		if size == 0 {
			return texts
		}
		s.rest = s.rest[size:]
		if text != "" {
			texts = append(texts, text)
		}
	}
}

// next is the message that the first frame completes, if it does, and the size
// of that frame; 0: it is not whole yet. RFC 6455, 5.2.
func (s *stream) next() (text string, size int) {
	if len(s.rest) < 2 {
		return "", 0
	}
	code, n, head := s.rest[0]&0x0f, int(s.rest[1]&0x7f), 2
	switch n {
	case 126:
		head = 4
	case 127:
		head = 10
	}
	var mask []byte
	masked := s.rest[1]&0x80 != 0
	if masked {
		head += 4
	}
	if len(s.rest) < head {
		return "", 0
	}
	switch n {
	case 126:
		n = int(binary.BigEndian.Uint16(s.rest[2:]))
	case 127:
		n = int(binary.BigEndian.Uint64(s.rest[2:]))
	}
	if len(s.rest) < head+n {
		return "", 0
	}
	if code > 1 {
		return "", head + n // a ping, a pong, a close
	}
	if masked {
		mask = s.rest[head-4 : head]
	}
	for i, b := range s.rest[head : head+n] {
		if masked {
			b ^= mask[i%4]
		}
		s.message = append(s.message, b)
	}
	if s.rest[0]&0x80 == 0 {
		return "", head + n // more of it follows
	}
	text, s.message = string(s.message), nil
	return text, head + n
}

// message is as much of one as is looked at: 2 is a call, 3 and 4 answer one
// (OCPP-J, 4.2). It is read here and not by the room that wrote it.
type message struct {
	kind       int
	id, action string
	payload    json.RawMessage
}

func parse(text string) (m message) {
	var parts []json.RawMessage
	if json.Unmarshal([]byte(text), &parts) != nil || len(parts) < 3 {
		return m
	}
	_ = json.Unmarshal(parts[0], &m.kind)
	_ = json.Unmarshal(parts[1], &m.id)
	if m.kind == 3 {
		m.payload = parts[2]
	}
	if m.kind == 2 && len(parts) == 4 {
		_ = json.Unmarshal(parts[2], &m.action)
		m.payload = parts[3]
	}
	return m
}
