package ocppclient

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

// obliging answers every request on the socket with Accepted, as cheaply as
// can be: what is measured is the near end.
func obliging(conn *websocket.Conn) {
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		id := string(data[4:]) // [2,"
		id = id[:strings.IndexByte(id, '"')]
		if conn.WriteMessage(websocket.TextMessage, []byte(`[3,"`+id+`",{"status":"Accepted"}]`)) != nil {
			return
		}
	}
}

// BenchmarkReserveNow is one ReserveNow and its answer over TCP on this host:
// through a Session, and between two bare ends that send the same bytes; with
// one station, and with many at the same time.
func BenchmarkReserveNow(b *testing.B) {
	frame := []byte(`[2,"rc-0123456789ab-1","ReserveNow",{"id":1048576,"expiryDateTime":"2036-11-23T06:00:00Z",` +
		`"idToken":{"idToken":"VAN-12","type":"Central"},"evseId":1}]`)
	for _, stations := range []int{1, 64} {
		b.Run(fmt.Sprintf("session/stations=%d", stations), func(b *testing.B) {
			dial, sessions := benchSessions(b)
			benchMany(b, stations, func() func() error {
				go obliging(dial())
				s, c := <-sessions, reserveNow()
				return func() error {
					if got := s.Call(b.Context(), 1<<20, c); got.Outcome != reservation.AnswerAccepted {
						return fmt.Errorf("answer %+v", got)
					}
					return nil
				}
			})
		})
		b.Run(fmt.Sprintf("bare/stations=%d", stations), func(b *testing.B) {
			dial, conns := benchBare(b)
			benchMany(b, stations, func() func() error {
				go obliging(dial())
				conn := <-conns
				return func() error {
					err := conn.WriteMessage(websocket.TextMessage, frame)
					if err == nil {
						_, _, err = conn.ReadMessage()
					}
					return err
				}
			})
		})
	}
}

// benchMany shares b.N round trips among stations that work at the same time.
func benchMany(b *testing.B, stations int, connect func() func() error) {
	b.ReportAllocs()
	var trips []func() error
	for range stations {
		trips = append(trips, connect())
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for _, trip := range trips {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := trip(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func benchSessions(b *testing.B) (func() *websocket.Conn, <-chan *Session) {
	sessions := make(chan *Session, 1)
	r := newRecorder()
	srv, err := NewServer(Config{
		Observe: r.observe,
		Admit:   func(context.Context, string) (Admission, error) { return Admission{Known: true}, nil },
		Joined:  func(s *Session) { sessions <- s },
	})
	if err != nil {
		b.Fatal(err)
	}
	h := httptest.NewServer(srv)
	b.Cleanup(func() { _ = srv.Shutdown(context.Background()); h.Close() })
	n := 0
	return func() *websocket.Conn { n++; return benchDial(b, fmt.Sprintf("%s/CP-%d", h.URL, n)) }, sessions
}

func benchBare(b *testing.B) (func() *websocket.Conn, <-chan *websocket.Conn) {
	conns := make(chan *websocket.Conn, 1)
	up := websocket.Upgrader{Subprotocols: []string{"ocpp2.0.1"}}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			b.Error(err)
			return
		}
		conns <- c
	}))
	b.Cleanup(h.Close)
	return func() *websocket.Conn { return benchDial(b, h.URL) }, conns
}

func benchDial(b *testing.B, url string) *websocket.Conn {
	d := websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}}
	conn, _, err := d.Dial("ws"+strings.TrimPrefix(url, "http"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

// BenchmarkHeartbeat is a station's request and our answer.
func BenchmarkHeartbeat(b *testing.B) {
	r := newRecorder()
	srv, err := NewServer(Config{
		Observe: r.observe,
		Admit:   func(context.Context, string) (Admission, error) { return Admission{Known: true}, nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	h := httptest.NewServer(srv)
	b.Cleanup(func() { _ = srv.Shutdown(context.Background()); h.Close() })
	conn := benchDial(b, h.URL+"/CP-1")
	b.ReportAllocs()
	for b.Loop() {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(heartbeat)); err != nil {
			b.Fatal(err)
		}
		if _, _, err := conn.ReadMessage(); err != nil {
			b.Fatal(err)
		}
	}
}
