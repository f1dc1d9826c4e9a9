package ocppclient

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stranger is refused by a door that knows nobody, and says how long that took.
func stranger(t *testing.T, e *endpoint) time.Duration {
	t.Helper()
	began := time.Now()
	if _, res, err := e.dialer().Dial(e.url("/STRANGER"), nil); err == nil || res == nil || res.StatusCode != 404 {
		t.Fatal(err, res)
	}
	return time.Since(began)
}

func nobody(context.Context, string) (Admission, error) { return Admission{}, nil }

func TestVirtualGuessingIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, newPipes(), func(c *Config) { c.Admit, c.RefusalDelay = nobody, 0 })
		if took := stranger(t, e); took != 500*time.Millisecond {
			t.Errorf("refused after %v", took)
		}
		e.refusals.delayed.Store(maxDelayed)
		if took := stranger(t, e); took != 0 {
			t.Errorf("beyond the bound refused after %v", took)
		}
		_ = e.stop()
	})
}

func TestVirtualRefusalsAreLoggedAtMostSoOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		e := start(t, newPipes(), func(c *Config) {
			c.Admit = nobody
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
		})
		for range logRefusals + 30 {
			stranger(t, e)
		}
		if _, res, _ := e.dialer().Dial(e.url("/"), nil); res == nil || res.StatusCode != 404 { // another cause
			t.Error(res)
		}
		if n := strings.Count(log.String(), `msg="station refused" cause="unknown station"`); n != logRefusals {
			t.Errorf("%d are logged", n)
		}
		if n := strings.Count(log.String(), `cause="no identity"`); n != 1 {
			t.Errorf("%d of another cause are logged", n)
		}
		time.Sleep(logSpan)
		synctest.Wait()
		if want := `msg="further stations were refused" cause="unknown station" suppressed=30`; strings.Count(log.String(), want) != 1 {
			t.Errorf("not said: %s\n%s", want, log.String())
		}
		stranger(t, e)
		if n := strings.Count(log.String(), `msg="station refused" cause="unknown station"`); n != logRefusals+1 {
			t.Errorf("%d are logged after a minute", n)
		}
		if got := e.Refusals(); got[RefusedUnknown] != logRefusals+31 || got[RefusedPath] != 1 || e.Stats().Refused != logRefusals+32 {
			t.Errorf("counted %v, %d", got, e.Stats().Refused)
		}
		_ = e.stop()
	})
}

// TestEveryRefusalHasACause: one without would not be counted.
func TestEveryRefusalHasACause(t *testing.T) {
	r := newRefusals(slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	for _, c := range Causes() {
		r.add(c, "x")
	}
	if r.total() != int64(len(Causes())) || len(r.counts()) != len(Causes()) {
		t.Error(r.counts())
	}
}

func TestTrafficIsCounted(t *testing.T) {
	e := start(t, listen(t), nil)
	f, s := e.connect(t, "CP-1")
	f.send(`[2,"1","Heartbeat",{}]`)
	f.read()
	answer := ask(t.Context(), s, 41, reserveNow())
	f.answers(f.calls("ReserveNow"), accepted)
	<-answer
	if got := e.Stats(); got.Accepted != 1 || got.In != 2 || got.Out != 2 {
		t.Errorf("%+v", got)
	}
}
