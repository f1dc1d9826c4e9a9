package ocppclient

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/resctl/resctl/reservation"
)

func TestAStationReportsAndIsAnswered(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	if s.StationID() != "CP-1" || s.Connection() != 1 || s.Protocol() != "ocpp2.0.1" || s.Remote() == "" {
		t.Errorf("session %s %d %s %s", s.StationID(), s.Connection(), s.Protocol(), s.Remote())
	}
	f.send(`[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]`)
	boot := regexp.MustCompile(`^\[3,"1",{"currentTime":"[-0-9:.T]+Z","interval":300,"status":"Accepted"}\]$`)
	if got := f.read(); !boot.MatchString(got) {
		t.Errorf("got %s", got)
	}
	f.send(`[2,"2","StatusNotification",{"timestamp":"2026-11-22T21:00:00Z","connectorStatus":"Available","evseId":1,"connectorId":1}]`)
	f.want(`[3,"2",{}]`)
	f.send(`[2,"3","ReservationStatusUpdate",{"reservationId":7,"reservationUpdateStatus":"Expired"}]`)
	f.want(`[3,"3",{}]`)
	ev := e.wait(t, reservation.Reported, 1)
	if ev.StationID != "CP-1" || ev.Connection != 1 || ev.ReservationID != 7 || ev.At.IsZero() {
		t.Errorf("event %+v", ev)
	}
	_ = f.Close()
	if ev := e.wait(t, reservation.Disconnected, 1); ev.Connection != 1 || ev.StationID != "CP-1" {
		t.Errorf("event %+v", ev)
	}
	<-s.Done()
}

func TestReserveNowOnTheWire(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	answer := ask(t.Context(), s, 41, reserveNow())
	frame := regexp.MustCompile(`^\[2,"(rc-[0-9a-f]{12}-1)","ReserveNow",{"id":41,"expiryDateTime":"2036-11-23T06:00:00Z",` +
		`"idToken":{"idToken":"VAN-12","type":"Central"},"evseId":1}\]$`).FindStringSubmatch(f.read())
	if frame == nil {
		t.Fatal("not the frame that was expected")
	}
	f.send(fmt.Sprintf(`[3,%q,{"status":"Accepted"}]`, frame[1]))
	wantOutcome(t, <-answer, reservation.AnswerAccepted)
}
