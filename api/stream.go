package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/resctl/resctl/reservation"
)

// beatEvery is how often a stream on which nothing happens gives a sign of life:
// proxies close what is silent for a minute.
const beatEvery = 15 * time.Second

// following is a context that ends with the request, and when the server does.
func following(r *http.Request) (context.Context, func()) {
	ctx, stop := context.WithCancel(r.Context())
	if end, ok := ctx.Value(endKey{}).(context.Context); ok {
		unhook := context.AfterFunc(end, stop)
		return ctx, func() { unhook(); stop() }
	}
	return ctx, stop
}

// events streams lines of the journal, and goes on if that is asked for. A
// reader that does not read is cut off after a while.
func (s *Server) events(c *call) error {
	var in lines
	if err := take(c, &in); err != nil {
		return err
	}
	l, err := s.ledgerOf(c)
	if err != nil {
		return err
	}
	ctx, stop := following(c.r)
	defer stop()
	c.w.Header().Set("Content-Type", "application/jsonl")
	control, out := http.NewResponseController(c.w), json.NewEncoder(c.w)
	stored := l.EventsUntil(ctx, in.Filter)
	if in.Follow {
		stored = l.Events(ctx, in.Filter.After)
		_ = control.Flush() // it has begun
	}
	for e, err := range stored {
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
		if err != nil {
			_, f := failed(err)
			_ = out.Encode(line{Error: f})
			return nil
		}
		if out.Encode(line{Event: &e}) != nil {
			return nil
		}
		if in.Follow && control.Flush() != nil {
			return nil
		}
	}
	_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, _ = io.WriteString(c.w, "{\"end\":true}\n")
	return nil
}

// wish is which lines of the journal somebody follows.
type wish struct {
	Filter
	glob string // of addresses
}

// wished reads it from the address; where a browser resumes it says after what.
func wished(q url.Values, resumed string, now time.Time) (f wish, err error) {
	f.Station, f.Workspace, f.glob = q.Get("station"), q.Get("workspace"), q.Get("address")
	after := q.Get("after")
	if resumed != "" {
		after = resumed
	}
	if after != "" {
		if f.After, err = strconv.ParseInt(after, 10, 64); err != nil || f.After < 0 {
			return f, badRequest("after is the id of an event, not %q", after)
		}
	}
	since := q.Get("since")
	if d, err := time.ParseDuration(since); err == nil && d >= 0 {
		f.Since = now.Add(-d)
		return f, nil
	}
	f.Since, err = moment(q, "since")
	return f, err
}

// has reports whether a line is one of those that are followed.
func (f *wish) has(e *reservation.Event, d Documents) bool {
	return (f.Station == "" || e.StationID == f.Station) && (f.Workspace == "" || e.Workspace == f.Workspace) &&
		(f.glob == "" || e.Address != "" && d.Matches(f.glob, e.Address)) && !e.At.Before(f.Since)
}

// follow streams the journal as server-sent events, for ever.
func (s *Server) follow(c *call) error {
	f, err := wished(c.r.URL.Query(), c.r.Header.Get("Last-Event-ID"), time.Now())
	if err == nil && s.Documents == nil {
		err = &Error{Status: http.StatusNotFound, Code: codeNoRoute, Message: "this process has no documents"}
	}
	if err != nil {
		return err
	}
	l, err := s.ledgerOf(c)
	if err != nil {
		return err
	}
	ctx, stop := following(c.r)
	defer stop()
	meta, err := l.Meta(ctx)
	if err != nil {
		return err
	}
	last, err := l.Last(ctx)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it back
	out := sending{c.w, http.NewResponseController(c.w), s.Documents}
	if out.beat() != nil {
		return nil
	}
	until := f.Filter
	until.Until = max(last, f.After)
	stored := l.EventsUntil(ctx, until)
	if until.Until == 0 { // which would be no end
		stored = func(func(reservation.Event, error) bool) {}
	}
	for e, err := range stored {
		if err != nil || f.has(&e, s.Documents) && out.event(e.Masked(meta.Secret)) != nil {
			return nil // the reader comes again, and says where it was
		}
	}
	s.goOn(ctx, l.Events(ctx, until.Until), &f, meta.Secret, out)
	return nil
}

// goOn sends what is appended, and a sign of life where nothing is.
func (s *Server) goOn(ctx context.Context, appended iter.Seq2[reservation.Event, error], f *wish, secret []byte, out sending) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	events := make(chan reservation.Event)
	go func() {
		defer close(events)
		for e, err := range appended {
			if err != nil || ctx.Err() != nil {
				return
			}
			if !f.has(&e, s.Documents) {
				continue
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		stop()
		for range events { // until the journal is let go
		}
	}()
	for beat := time.NewTicker(beatEvery); ; {
		select {
		case e, ok := <-events:
			if !ok || out.event(e.Masked(secret)) != nil {
				beat.Stop()
				return
			}
		case <-beat.C:
			if out.beat() != nil {
				beat.Stop()
				return
			}
		}
	}
}

// sending writes server-sent events. Each is flushed; a reader that does not
// read is cut off after a while.
type sending struct {
	w http.ResponseWriter
	*http.ResponseController
	documents Documents
}

func (x sending) event(e reservation.Event) error {
	b, err := json.Marshal(x.documents.Line(e))
	if err != nil {
		return err
	}
	return x.write(fmt.Sprintf("id: %d\ndata: %s\n\n", e.Seq, b))
}

func (x sending) beat() error { return x.write(": resctl\n\n") }

func (x sending) write(text string) error {
	_ = x.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := io.WriteString(x.w, text); err != nil {
		return err
	}
	return x.Flush()
}
