package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Client is a Ledger that another process has.
type Client struct {
	Info Info // of the process that answers
	http *http.Client
}

var _ Ledger = (*Client)(nil)

// ErrEnded says that the other process has ended, or does not answer. Whether
// what it was asked for last has come about is not known.
var ErrEnded = errors.New("the process that serves the stations has ended")

// dialTimeout is how long a process may take to say that it is there.
const dialTimeout = 10 * time.Second

// answerTimeout is how long an answer may take to begin: plans of large fleets take
// some seconds.
const answerTimeout = 2 * time.Minute

// Dial finds the process that listens on a socket. Where there is none, or it
// has died, the client is nil.
func Dial(ctx context.Context, socket string) (*Client, error) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	c := &Client{http: &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: answerTimeout, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}}}}
	soon, stop := context.WithTimeout(ctx, dialTimeout)
	defer stop()
	err := ask(soon, c, "info", nothing{}, &c.Info)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTSOCK), errors.Is(err, syscall.EINVAL):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("api: dial %s: %w", socket, err)
	}
	return c, nil
}

// Close gives its connections back.
func (c *Client) Close() error { c.http.CloseIdleConnections(); return nil }

// Plan has the plan made where the books are.
func (c *Client) Plan(ctx context.Context, want reconcile.Desired) (*reconcile.Plan, error) {
	in := desired{want, map[string]string{}}
	for i := range want.Stations {
		if p := want.Stations[i].ClearPassword; p != "" {
			in.Passwords[want.Stations[i].Address] = p
		}
	}
	return get[*reconcile.Plan](ctx, c, "plan", in)
}

// Propose stores a plan whole or not at all. The other side says who proposes.
func (c *Client) Propose(ctx context.Context, p *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error) {
	return get[[]reservation.Event](ctx, c, "propose", proposal{p, o})
}

// Edit makes the plan of an edit; Propose stores it.
func (c *Client) Edit(ctx context.Context, workspace string, e reconcile.Edit) (*reconcile.Plan, error) {
	return get[*reconcile.Plan](ctx, c, "edit", edit{workspace, e})
}

// Record appends orders.
func (c *Client) Record(ctx context.Context, orders ...reservation.Event) error {
	_, err := get[nothing](ctx, c, "record", orders)
	return err
}

// Meta is what the state knows of itself.
func (c *Client) Meta(ctx context.Context) (reservation.Meta, error) {
	return get[reservation.Meta](ctx, c, "meta", nothing{})
}

// Last is the journal's highest sequence.
func (c *Client) Last(ctx context.Context) (int64, error) {
	return get[int64](ctx, c, "last", nothing{})
}

// Read gives the state of all workspaces.
func (c *Client) Read(ctx context.Context) (*reconcile.State, error) {
	return get[*reconcile.State](ctx, c, "state", nothing{})
}

// Wanted gives what is wanted at the given addresses of a workspace.
func (c *Client) Wanted(ctx context.Context, workspace string, at ...string) ([]reservation.Wanted, error) {
	return get[[]reservation.Wanted](ctx, c, "wanted", addresses{workspace, at})
}

// Occurrences gives all that is known of an address, at every station.
func (c *Client) Occurrences(ctx context.Context, workspace, at string) ([]reservation.Placed, error) {
	return get[[]reservation.Placed](ctx, c, "occurrences", address{workspace, at})
}

// Unsettled lists what is due at a station and not settled.
func (c *Client) Unsettled(ctx context.Context, station, workspace string) ([]reconcile.Outstanding, error) {
	return get[[]reconcile.Outstanding](ctx, c, "unsettled", which{station, workspace})
}

// Drift is what a person should look at.
func (c *Client) Drift(ctx context.Context, grace time.Duration) ([]reconcile.Drifted, error) {
	return get[[]reconcile.Drifted](ctx, c, "drift", age{grace})
}

// Began is the checkpoint after which the journal begins.
func (c *Client) Began(ctx context.Context) (reservation.Checkpoint, error) {
	return get[reservation.Checkpoint](ctx, c, "began", nothing{})
}

// LastProposals are the latest proposal of each workspace.
func (c *Client) LastProposals(ctx context.Context) (map[string]reservation.Event, error) {
	return get[map[string]reservation.Event](ctx, c, "proposals", nothing{})
}

// Events gives the journal after a sequence and goes on until ctx ends, or the
// other process does, which is an error.
func (c *Client) Events(ctx context.Context, after int64) iter.Seq2[reservation.Event, error] {
	return c.stream(ctx, lines{Filter{After: after}, true})
}

// EventsUntil gives the stored lines that a filter selects, and ends.
func (c *Client) EventsUntil(ctx context.Context, f Filter) iter.Seq2[reservation.Event, error] {
	return c.stream(ctx, lines{f, false})
}

func (c *Client) stream(ctx context.Context, in lines) iter.Seq2[reservation.Event, error] {
	return func(yield func(reservation.Event, error) bool) {
		body, err := c.post(ctx, "events", in)
		if err != nil {
			if !in.Follow || ctx.Err() == nil {
				yield(reservation.Event{}, err)
			}
			return
		}
		defer body.Close()
		for d := json.NewDecoder(body); ; {
			var l line
			err := d.Decode(&l)
			switch {
			case in.Follow && ctx.Err() != nil, err == nil && l.End && !in.Follow:
				return
			case l.Error != nil:
				err = l.Error.err(http.StatusInternalServerError)
			case err != nil || l.End:
				err = fmt.Errorf("api: events: %w", ErrEnded)
			case l.Event == nil:
				continue // a later version may say more
			}
			if err != nil {
				yield(reservation.Event{}, err)
				return
			}
			if !yield(*l.Event, nil) {
				return
			}
		}
	}
}

func get[Out any](ctx context.Context, c *Client, name string, in any) (out Out, err error) {
	err = ask(ctx, c, name, in, &out)
	return out, err
}

// ask does a method and reads its answer.
func ask(ctx context.Context, c *Client, name string, in, out any) error {
	body, err := c.post(ctx, name, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("api: %s: read answer: %w", name, err)
	}
	return nil
}

// post sends a request; what is refused is an error of its type.
func (c *Client) post(ctx context.Context, name string, in any) (io.ReadCloser, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", name, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://resctl/v1/"+name, bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", name, err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	if err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w: %w", ErrEnded, err)
	}
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", name, err)
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close()
	var l line
	if json.NewDecoder(response.Body).Decode(&l) != nil || l.Error == nil {
		return nil, &Error{response.StatusCode, fmt.Sprintf("api: %s: %s: the other process is another version of resctl", name, response.Status)}
	}
	return nil, l.Error.err(response.StatusCode)
}
