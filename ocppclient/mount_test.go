package ocppclient

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

func TestAServerCanBeMounted(t *testing.T) {
	r := newRecorder()
	s, err := NewServer(Config{
		Observe: r.observe,
		Admit:   func(context.Context, string) (Admission, error) { return Admission{Known: true}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ocpp/", s)
	srv := httptest.NewTLSServer(mux)
	defer srv.Close()
	d := websocket.Dialer{Subprotocols: []string{"ocpp2.0.1"}, TLSClientConfig: clientTLS(srv)}
	conn, _, err := d.Dial("wss"+strings.TrimPrefix(srv.URL, "https")+"/ocpp/CP-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &far{t, conn}
	f.alive()
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(t.Context()) }()
	f.wantClose(websocket.CloseGoingAway)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	_, res, err := d.Dial("wss"+strings.TrimPrefix(srv.URL, "https")+"/ocpp/CP-1", nil)
	if err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a stopped server answers %v, %v", res, err)
	}
	if got, _ := r.of(reservation.Connected); len(got) != 1 {
		t.Errorf("connected %v", got)
	}
}

func clientTLS(srv *httptest.Server) *tls.Config {
	return srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
}
