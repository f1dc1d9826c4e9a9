package limits

import (
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// Depot is a bare endpoint with sockets that can be spoken to. What a Fleet
// says is acknowledged.
type Depot struct {
	// Came, if it is not nil, hears of each socket how many there have been.
	Came func(n int)
	// Report, if it is not nil, sees each call before it is acknowledged and,
	// if it returns a function, has that called afterwards.
	Report func(s *Socket, frame []byte) (then func() error, err error)

	mu      sync.Mutex
	sockets []*Socket
}

// Socket is one that is written by one at a time.
type Socket struct {
	mu   sync.Mutex
	conn *websocket.Conn
}

// Serve lets stations in until the listener is closed.
func (d *Depot) Serve(l net.Listener) error {
	up := websocket.Upgrader{Subprotocols: []string{Protocol}, ReadBufferSize: 512, WriteBufferSize: 512, WriteBufferPool: &sync.Pool{}}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		s := &Socket{conn: c}
		d.mu.Lock()
		d.sockets = append(d.sockets, s)
		n := len(d.sockets)
		d.mu.Unlock()
		go d.read(s)
		if d.Came != nil {
			d.Came(n)
		}
	}))
}

// Close cuts all sockets off.
func (d *Depot) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sockets {
		_ = s.conn.Close()
	}
}

// Burst reserves EVSE 1 of every station at once.
func (d *Depot) Burst() {
	for i, s := range d.sockets {
		go func() { _ = s.Reserve(i + 1) }()
	}
}

// Reserve sends a ReserveNow for EVSE 1.
func (s *Socket) Reserve(id int) error {
	return s.write(fmt.Appendf(nil, reserveFrame, id, 1<<20+id, id, 1))
}

const reserveFrame = `[2,"rc-0123456789ab-%d","ReserveNow",{"id":%d,"expiryDateTime":"2036-11-23T06:00:00Z",` +
	`"idToken":{"idToken":"TOKEN%06d","type":"ISO14443"},"evseId":%d}]`

func (s *Socket) write(frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

func (d *Depot) read(s *Socket) {
	defer s.conn.Close()
	for {
		_, frame, err := s.conn.ReadMessage()
		if err == nil && frame[1] == '2' {
			err = d.answer(s, frame)
		}
		if err != nil {
			return
		}
	}
}

func (d *Depot) answer(s *Socket, frame []byte) (err error) {
	var then func() error
	if d.Report != nil {
		then, err = d.Report(s, frame)
	}
	if err == nil {
		err = s.write(fmt.Appendf(nil, `[3,"%s",{}]`, messageID(frame)))
	}
	if err == nil && then != nil {
		err = then()
	}
	return err
}

// Healing is the bare way of healing: what was reported is committed and
// acknowledged, the request is committed, and sent. Each heal has three groups
// of rows: what comes before, the report, and the request.
func Healing(db *Database, heals [][3][]Row) *Depot {
	n := 0
	return &Depot{Report: func(s *Socket, frame []byte) (func() error, error) {
		switch string(messageID(frame)) {
		case "r":
			return nil, db.Commit(heals[n][0])
		case "a":
			request := func() error {
				err := db.Commit(heals[n][2])
				n++
				if err == nil {
					err = s.Reserve(n)
				}
				return err
			}
			return request, db.Commit(heals[n][1])
		}
		return nil, nil
	}}
}
