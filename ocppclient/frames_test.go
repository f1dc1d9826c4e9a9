package ocppclient

import (
	"context"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/reservation"
)

const heartbeat = `[2,"alive","Heartbeat",{}]`

// alive proves that the socket has survived.
func (f *far) alive() {
	f.t.Helper()
	f.send(heartbeat)
	if got := f.read(); !strings.HasPrefix(got, `[3,"alive",{"currentTime":"`) {
		f.t.Fatalf("got %s", got)
	}
}

func TestWhatIsNoRequestIsAnsweredAndTheSocketSurvives(t *testing.T) {
	e := start(t, listen(t), nil)
	f, _ := e.connect(t, "CP-1")
	for _, c := range [][2]string{
		{`nonsense`, `[4,"-1","RpcFrameworkError"`},
		{`{}`, `[4,"-1","RpcFrameworkError"`},
		{`[2,17,"Heartbeat",{}]`, `[4,"-1","RpcFrameworkError"`},
		{`[2,"a"]`, `[4,"a","RpcFrameworkError"`},
		{`[2,"b","Heartbeat",[]]`, `[4,"b","FormatViolation"`},
		{`[2,"c","StatusNotification",{"a":]`, `[4,"c","FormatViolation"`},
		{`[2,"d","NoSuchThing",{}]`, `[4,"d","NotImplemented"`},
		{`[2,"e","ReservationStatusUpdate",{"reservationId":"x"}]`, `[4,"e","TypeConstraintViolation"`},
		{`[7,"f","Heartbeat",{}]`, `[4,"f","MessageTypeNotSupported"`},
		{"", `[4,"-1","RpcFrameworkError"`},
		// these are never answered
		{`[6,"g","NotifyPeriodicEventStream",{}]`, ""},
		{`[6,"g","NotifyPeriodicEventStream"]`, ""},
		{`[5,"h","FormatViolation","",{}]`, ""},
		{`[3,"rc-0-0",{}]`, ""},
		{`[3,"rc-0-0"]`, ""},
		{`[4,"-1","FormationViolation","",null]`, ""},
	} {
		f.send(c[0])
		if c[1] == "" {
			f.alive()
			continue
		}
		if got := f.read(); !strings.HasPrefix(got, c[1]) || !strings.HasSuffix(got, ",{}]") {
			t.Errorf("%s: got %s, want %s…", c[0], got, c[1])
		}
	}
	f.alive()
	if s := e.Stats(); s.Malformed != 10 || s.Stray != 3 {
		t.Errorf("counted %+v", s)
	}
}

func TestBinaryMessagesEndTheSocket(t *testing.T) {
	e := start(t, listen(t), nil)
	f, _ := e.connect(t, "CP-1")
	if err := f.WriteMessage(websocket.BinaryMessage, []byte(heartbeat)); err != nil {
		t.Fatal(err)
	}
	f.wantClose(websocket.CloseUnsupportedData)
	e.wait(t, reservation.Disconnected, 1)
}

func TestLongMessagesEndTheSocket(t *testing.T) {
	e := start(t, listen(t), nil)
	f, _ := e.connect(t, "CP-1")
	f.send(`[2,"1","DataTransfer",{"data":"` + strings.Repeat("x", 1<<20-64) + `"}]`)
	f.want(`[3,"1",{"status":"UnknownVendorId"}]`)
	f.send(`[2,"2","DataTransfer",{"data":"` + strings.Repeat("x", 1<<24) + `"}]`)
	f.wantClose(websocket.CloseMessageTooBig) // although we had not read all of it
	e.wait(t, reservation.Disconnected, 1)
}

func TestLongMessagesAreNotReadToTheirEnd(t *testing.T) {
	e := start(t, listen(t), nil)
	f, _ := e.connect(t, "CP-1")
	head := []byte{0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4} // a text of 1 GiB follows
	if _, err := f.NetConn().Write(head); err != nil {
		t.Fatal(err)
	}
	f.wantClose(websocket.CloseMessageTooBig)

	_, s := e.connect(t, "CP-2")
	if err := s.readOne(endless{}); err != errTooLong { // as what unpacks to too much
		t.Errorf("got %v", err)
	}
}

// endless is a message without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestFragmentsMakeOneMessage(t *testing.T) {
	e := start(t, listen(t), nil)
	f, _ := e.connect(t, "CP-1")
	w, err := f.NextWriter(websocket.TextMessage)
	if err != nil {
		t.Fatal(err)
	}
	long := `[2,"1","DataTransfer",{"data":"` + strings.Repeat("y", 10_000) + `"}]`
	for part := range strings.SplitSeq(long, ",") { // the client's buffer makes frames of it
		if part != `[2` {
			part = "," + part
		}
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.want(`[3,"1",{"status":"UnknownVendorId"}]`)
}

func TestWhatIsNotRecordedIsNotAcknowledged(t *testing.T) {
	e := start(t, listen(t), nil)
	f, _ := e.connect(t, "CP-1")
	e.failOn(reservation.Reported)
	f.send(`[2,"1","ReservationStatusUpdate",{"reservationId":7,"reservationUpdateStatus":"Removed"}]`)
	f.want(`[4,"1","InternalError","not recorded, try again later",{}]`)
	f.alive()
}

func TestASocketThatIsNotRecordedIsClosed(t *testing.T) {
	e := start(t, listen(t), nil)
	e.failOn(reservation.Connected)
	e.dial(t, "CP-1").wantClose(websocket.CloseTryAgainLater)
	if gone, _ := e.of(reservation.Disconnected); len(gone) > 0 {
		t.Error("the end of what never began was recorded")
	}
}

func TestAuthorizeIsAsked(t *testing.T) {
	const request = `[2,"1","Authorize",{"idToken":{"idToken":"VAN-12","type":"Central"}}]`
	for name, c := range map[string]struct {
		authorize func(context.Context, string, reservation.Token) (bool, *reservation.Token)
		wants     []string
	}{
		"nobody says so": {nil, []string{`"status":"`}},
		"known, in a group": {func(_ context.Context, station string, tok reservation.Token) (bool, *reservation.Token) {
			return station == "CP-1" && tok.IDToken == "VAN-12", &reservation.Token{IDToken: "DEPOT", Type: "Central"}
		}, []string{`"status":"Accepted"`, `"groupIdToken":{"idToken":"DEPOT","type":"Central"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, listen(t), func(cfg *Config) { cfg.Authorize = c.authorize })
			f, _ := e.connect(t, "CP-1")
			f.send(request)
			got := f.read()
			for _, want := range c.wants {
				if !strings.Contains(got, want) {
					t.Errorf("%s lacks %s", got, want)
				}
			}
			if c.authorize == nil && strings.Contains(got, `"Accepted"`) {
				t.Errorf("got %s", got)
			}
		})
	}
}
