package v201_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
)

func ExampleNewReserveNowRequest() {
	expiry := time.Date(2026, 11, 23, 7, 0, 0, 0, time.FixedZone("CET", 3600))
	r := v201.NewReserveNowRequest(41, expiry, v201.IdToken{IDToken: "04A2", Type: v201.ISO14443})
	evse := 1
	r.EVSEID = &evse
	b, err := json.Marshal(r)
	fmt.Println(string(b), err, r.Validate())
	// Output: {"id":41,"expiryDateTime":"2026-11-23T06:00:00Z","idToken":{"idToken":"04A2","type":"ISO14443"},"evseId":1} <nil> <nil>
}
