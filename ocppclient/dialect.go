package ocppclient

import (
	"encoding/json"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

// dialect is one version of OCPP, as a session uses it. All of it is pure.
type dialect struct {
	protocol string // its WebSocket subprotocol

	// encode makes a request of a call.
	encode func(reservationID int32, c reservation.Call) (action string, payload any, err error)
	// answer and failure read what a station made of a call.
	answer  func(c reservation.Call, payload json.RawMessage) reservation.Answer
	failure func(c reservation.Call, e *wire.Error) reservation.Answer
	// receive reads what a station reports and says what to answer.
	receive func(action string, payload json.RawMessage, env v201.Env) (v201.Reply, *wire.Error)
}

// dialects lists the versions that are spoken.
func dialects() []*dialect {
	return []*dialect{
		{v201.Protocol, v201.Encode, v201.Answer, v201.AnswerError, v201.Receive},
	}
}
