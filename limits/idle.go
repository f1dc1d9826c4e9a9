package limits

import (
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// Idle lets stations connect and acknowledges what they say. A silent socket is
// one goroutine that reads, with a small buffer; the handler has returned, and
// buffers for writing are shared. each, if not nil, hears of each socket.
func Idle(l net.Listener, each func(*websocket.Conn)) error {
	up := websocket.Upgrader{Subprotocols: []string{Protocol}, ReadBufferSize: 512, WriteBufferSize: 512, WriteBufferPool: &sync.Pool{}}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		if each != nil {
			each(c)
		}
		go acknowledge(c)
	}))
}

func acknowledge(c *websocket.Conn) {
	defer c.Close()
	for hear(c) == nil {
	}
}
