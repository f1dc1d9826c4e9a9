package ocppclient

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/wire"
)

// FuzzSession says anything at all to an endpoint. It must answer with frames
// only, once at most, and go on listening.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		heartbeat,
		`[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]`,
		`[2,"1","TransactionEvent",{"eventType":"Started","timestamp":"2026-11-22T21:00:00Z","triggerReason":"Authorized","seqNo":0,` +
			`"transactionInfo":{"transactionId":"T"},"reservationId":7,"idToken":{"idToken":"VAN-12","type":"Central"}}]`,
		`[3,"rc-1",{}]`, `[4,"-1","","",null]`, `[5]`, `[6,"1","X",{}]`, "\xff\xfe", strings.Repeat("[", 100),
	} {
		f.Add(seed)
	}
	r := newRecorder()
	srv, err := NewServer(Config{
		Observe: r.observe,
		Admit:   func(context.Context, string) (Admission, error) { return Admission{Known: true}, nil },
	})
	if err != nil {
		f.Fatal(err)
	}
	h := httptest.NewServer(srv)
	f.Cleanup(func() { _ = srv.Shutdown(context.Background()); h.Close() })
	d := websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}}
	conn, _, err := d.Dial("ws"+strings.TrimPrefix(h.URL, "http")+"/CP-1", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = conn.Close() })
	n := 0
	f.Fuzz(func(t *testing.T, said string) {
		n++
		station := &far{t, conn}
		station.send(said)
		last := fmt.Sprintf("fuzz-%d", n)
		station.send(fmt.Sprintf(`[2,%q,"Heartbeat",{}]`, last))
		for answers := 0; ; answers++ {
			got, bad := wire.Decode([]byte(station.read()))
			if bad != nil || got.Type != wire.TypeResult && got.Type != wire.TypeError || answers > 1 {
				t.Fatalf("answer %d to %q is %+v, %v", answers, said, got, bad)
			}
			if got.ID == last {
				return
			}
		}
	})
}
