package ocppclient

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/resctl/resctl/reservation"
)

// journal is a log that several goroutines write to.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func TestTheLogNamesStationsAndNoSecrets(t *testing.T) {
	password := []byte("SECRET-PASSWORD-1")
	var log journal
	e := start(t, listen(t), func(c *Config) {
		lockedDoor(password)(c)
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if _, _, err := e.dialer().Dial(e.url("/CP-1"), basic("CP-1", []byte("SECRET-WRONG"))); err == nil {
		t.Fatal("let in")
	}
	conn, _, err := e.dialer().Dial(e.url("/CP-1"), basic("CP-1", password))
	if err != nil {
		t.Fatal(err)
	}
	f, s := &far{t, conn}, <-e.sessions
	for _, said := range []string{
		`[2,"1","Authorize",{"idToken":{"idToken":"SECRET-TOKEN","type":"Central"}}]`,
		`[2,"1","Authorize",{"idToken":"SECRET-TOKEN"}]`,
		`[2,"1","Authorize",{"idToken":{"idToken":["SECRET-TOKEN"],"type":17}}]`,
		`[2,"1","TransactionEvent",{"idToken":{"idToken":"SECRET-TOKEN","type":"Central"}}]`,
		`[2,"1","Authorize",{"idToken":{"idToken":"SECRET-TOKEN"`,
	} {
		f.send(said)
		f.read()
	}
	c := reserveNow()
	c.Content.IDToken.IDToken = "SECRET-TOKEN"
	answer := ask(t.Context(), s, 41, c)
	f.answers(f.calls("ReserveNow"), accepted)
	<-answer
	c.Content.IDToken.IDToken = strings.Repeat("SECRET-TOKEN", 10)
	if got := s.Call(t.Context(), 42, c); strings.Contains(got.Info, "SECRET") {
		t.Errorf("answer %+v", got)
	}
	_ = f.Close()
	e.wait(t, reservation.Disconnected, 1)
	if text := log.String(); strings.Contains(text, "SECRET") ||
		!strings.Contains(text, "station=CP-1 connection=1") {
		t.Errorf("log:\n%s", text)
	}
}
