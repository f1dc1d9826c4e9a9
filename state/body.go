package state

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/resctl/resctl/reservation"
)

// stationJSON is what json.Marshal makes of a station but for the place of its
// connectors, which come last and are written by hand: a depot's station has a
// hundred of them, and one status report writes them all.
func stationJSON(s reservation.Station) (string, error) {
	if len(s.Connectors) == 0 || slices.ContainsFunc(s.Connectors, unknown) {
		return toJSON(s)
	}
	connectors := s.Connectors
	s.Connectors = nil
	body, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	body = slices.Grow(body[:len(body)-1], 96*len(connectors)) // it is never empty: a station has an id
	body = append(body, `,"connectors":[`...)
	for i, c := range connectors {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendConnector(body, c)
	}
	return string(append(body, "]}"...)), nil
}

// unknown reports whether a status is none of those that need no escaping.
func unknown(c reservation.Connector) bool {
	switch c.Status {
	case reservation.Available, reservation.Occupied, reservation.Reserved, reservation.Unavailable, reservation.Faulted:
		return false
	}
	return true
}

func appendConnector(b []byte, c reservation.Connector) []byte {
	b = append(b, `{"evse_id":`...)
	b = strconv.AppendInt(b, int64(c.EVSE), 10)
	if c.Connector != 0 {
		b = append(b, `,"connector_id":`...)
		b = strconv.AppendInt(b, int64(c.Connector), 10)
	}
	b = append(b, `,"status":"`...)
	b = append(b, c.Status...)
	b = append(b, `","since":"`...)
	b = c.Since.AppendFormat(b, time.RFC3339Nano)
	return append(b, `"}`...)
}
