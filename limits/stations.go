package limits

import (
	"bytes"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

// Protocol is what the stations speak.
const Protocol = "ocpp2.0.1"

// StationID names the i-th station.
func StationID(i int) string { return fmt.Sprintf("LIMIT-%05d", i) }

// Stations connects n stations of so many EVSEs each to an endpoint. Each boots
// and reports its EVSEs Available; then it accepts every ReserveNow and reports
// the EVSE Reserved. It returns when a socket ends: run it in a process of its
// own, so that whatever is measured does not pay for it.
func Stations(url string, n, evses int) error {
	var all errgroup.Group
	d := websocket.Dialer{Subprotocols: []string{Protocol}}
	for i := range n {
		c, _, err := d.Dial(url+"/"+StationID(i), nil)
		if err != nil {
			return err
		}
		all.Go(func() error { return station(c, evses) })
	}
	return all.Wait()
}

const (
	bootFrame = `[2,"b","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"Lean","vendorName":"limits"}}]`
	// Its time is that of now: what is older than the connection would count
	// as kept from before it, and be waited out.
	statusFrame = `[2,"s%d","StatusNotification",{"timestamp":"%s","connectorStatus":"%s","evseId":%d,"connectorId":1}]`
)

func status(out []byte, evse int, is string) []byte {
	return fmt.Appendf(out, statusFrame, evse, time.Now().UTC().Format(time.RFC3339), is, evse)
}

func station(c *websocket.Conn, evses int) error {
	defer c.Close()
	if err := exchange(c, []byte(bootFrame)); err != nil {
		return err
	}
	for evse := 1; evse <= evses; evse++ {
		if err := exchange(c, status(nil, evse, "Available")); err != nil {
			return err
		}
	}
	var out []byte
	for {
		_, frame, err := c.ReadMessage()
		if err != nil {
			return err
		}
		if frame[1] != '2' {
			continue // our report is acknowledged
		}
		out = append(out[:0], `[3,"`...)
		out = append(out, messageID(frame)...)
		out = append(out, `",{"status":"Accepted"}]`...)
		if err := c.WriteMessage(websocket.TextMessage, out); err != nil {
			return err
		}
		if err := c.WriteMessage(websocket.TextMessage, status(out[:0], evseOf(frame), "Reserved")); err != nil {
			return err
		}
	}
}

// exchange makes a call before the endpoint makes any.
func exchange(c *websocket.Conn, frame []byte) error {
	if err := c.WriteMessage(websocket.TextMessage, frame); err != nil {
		return err
	}
	_, _, err := c.ReadMessage()
	return err
}

// messageID is the second element of a frame that has no space in it: [2,"id",…
func messageID(frame []byte) []byte {
	rest := frame[4:]
	return rest[:bytes.IndexByte(rest, '"')]
}

func evseOf(frame []byte) int { return numberOf(frame, `"evseId":`) }
