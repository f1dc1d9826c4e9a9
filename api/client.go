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
	"slices"
	"syscall"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// Client is a Ledger that another process has.
type Client struct {
	Info Info // of the process that answers

	http    *http.Client
	base    string // of its addresses
	network *Remote
	planned planned
}

// planned is a plan that was made over the network: as it is proposed, and as it
// is shown.
type planned struct{ whole, shown *reconcile.Plan }

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
	c := &Client{base: "http://resctl", http: &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: answerTimeout, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}}}}
	err := c.greet(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTSOCK), errors.Is(err, syscall.EINVAL):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("api: dial %s: %w", socket, err)
	}
	return c, nil
}

// greet asks who is there.
func (c *Client) greet(ctx context.Context) error {
	soon, stop := context.WithTimeout(ctx, dialTimeout)
	defer stop()
	body, err := c.send(soon, http.MethodGet, "version", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&c.Info); err != nil {
		return fmt.Errorf("api: version: read answer: %w", err)
	}
	return nil
}

// Close gives its connections back.
func (c *Client) Close() error { c.http.CloseIdleConnections(); return nil }

// Plan has the plan made where the books are. Over the network what comes back
// is masked: what the caller declares is put back.
func (c *Client) Plan(ctx context.Context, want reconcile.Desired) (*reconcile.Plan, error) {
	in := desired{want, map[string]string{}}
	for i := range want.Stations {
		if p := want.Stations[i].ClearPassword; p != "" {
			in.Passwords[want.Stations[i].Address] = p
		}
	}
	p, err := get[*reconcile.Plan](ctx, c, "plan", in)
	if err != nil || c.network == nil {
		return p, err
	}
	c.planned = planned{own(p, want), p}
	return c.planned.whole, nil
}

// Shown gives a plan as it may be shown, where only the other side can tell: the
// fingerprints of tokens are keyed with what does not leave it.
func (c *Client) Shown(ctx context.Context, p *reconcile.Plan) (*reconcile.Plan, error) {
	if p == c.planned.whole {
		return c.planned.shown, nil
	}
	return get[*reconcile.Plan](ctx, c, "ledger/masked", proposal{Plan: salted(p)})
}

// Network reports whether the other process is reached over the network.
func (c *Client) Network() bool { return c.network != nil }

// own puts what is declared in the place of what came back masked.
func own(p *reconcile.Plan, want reconcile.Desired) *reconcile.Plan {
	reservations := make(map[string]*reservation.Declaration, len(want.Reservations))
	for i := range want.Reservations {
		reservations[want.Reservations[i].Address] = &want.Reservations[i]
	}
	stations := make(map[string]*reservation.StationDeclaration, len(want.Stations))
	for i := range want.Stations {
		stations[want.Stations[i].Address] = &want.Stations[i]
	}
	tokens := make(map[string]*reservation.TokenDeclaration, len(want.Tokens))
	for i := range want.Tokens {
		tokens[want.Tokens[i].Address] = &want.Tokens[i]
	}
	whole := *p
	whole.Changes = slices.Clone(p.Changes)
	for i := range whole.Changes {
		c := &whole.Changes[i]
		if c.After != nil && reservations[c.Address] != nil {
			c.After = reservations[c.Address]
		}
		if c.Station != nil && c.Station.After != nil && stations[c.Address] != nil {
			c.Station = &reservation.StationEdit{Before: c.Station.Before, After: stations[c.Address]}
		}
		if c.Token != nil && c.Token.After != nil && tokens[c.Address] != nil {
			c.Token = &reservation.TokenEdit{Before: c.Token.Before, After: tokens[c.Address]}
		}
	}
	return &whole
}

// salted is a plan of which no password leaves in clear.
func salted(p *reconcile.Plan) *reconcile.Plan {
	out := *p
	out.Changes = slices.Clone(p.Changes)
	for i := range out.Changes {
		if e := out.Changes[i].Station; e != nil && e.After != nil {
			after := e.After.Salted()
			out.Changes[i].Station = &reservation.StationEdit{Before: e.Before, After: &after}
		}
	}
	return &out
}

// Propose stores a plan whole or not at all. The other side says who proposes.
func (c *Client) Propose(ctx context.Context, p *reconcile.Plan, o reconcile.ProposeOptions) ([]reservation.Event, error) {
	return get[[]reservation.Event](ctx, c, "propose", proposal{salted(p), o})
}

// Edit makes the plan of an edit; Propose stores it.
func (c *Client) Edit(ctx context.Context, workspace string, e reconcile.Edit) (*reconcile.Plan, error) {
	return get[*reconcile.Plan](ctx, c, "edit", edit{workspace, e})
}

// Record appends orders of one kind, with the same reason and end.
func (c *Client) Record(ctx context.Context, orders ...reservation.Event) error {
	if len(orders) == 0 {
		return nil
	}
	names := map[reservation.Kind]string{reservation.Frozen: "freeze", reservation.Unfrozen: "unfreeze", reservation.Paused: "pause", reservation.Resumed: "resume"}
	var in halting
	if h := orders[0].Halt; h != nil {
		in.Until, in.Reason, in.By = h.Until, h.Reason, h.By
	}
	kind := orders[0].Kind
	for i := range orders {
		switch e := &orders[i]; {
		case names[e.Kind] == "" || e.Kind != kind:
			return badRequest("%q is no order, or not the same as the others", e.Kind)
		case e.StationID != "":
			in.Stations = append(in.Stations, e.StationID)
		default:
			in.Workspaces = append(in.Workspaces, e.Workspace)
		}
	}
	_, err := get[nothing](ctx, c, names[kind], in)
	return err
}

// Meta is what the state knows of itself.
func (c *Client) Meta(ctx context.Context) (reservation.Meta, error) {
	return get[reservation.Meta](ctx, c, "ledger/meta", nothing{})
}

// Last is the journal's highest sequence.
func (c *Client) Last(ctx context.Context) (int64, error) {
	return get[int64](ctx, c, "ledger/last", nothing{})
}

// Read gives the state of all workspaces.
func (c *Client) Read(ctx context.Context) (*reconcile.State, error) {
	return get[*reconcile.State](ctx, c, "ledger/state", nothing{})
}

// Wanted gives what is wanted at the given addresses of a workspace.
func (c *Client) Wanted(ctx context.Context, workspace string, at ...string) ([]reservation.Wanted, error) {
	return get[[]reservation.Wanted](ctx, c, "ledger/wanted", addresses{workspace, at})
}

// Occurrences gives all that is known of addresses, at every station.
func (c *Client) Occurrences(ctx context.Context, workspace string, at ...string) ([]reservation.Placed, error) {
	return get[[]reservation.Placed](ctx, c, "ledger/occurrences", addresses{workspace, at})
}

// Unsettled lists what is due at a station and not settled.
func (c *Client) Unsettled(ctx context.Context, station, workspace string) ([]reconcile.Outstanding, error) {
	return c.UnsettledAt(ctx, workspace, station)
}

// UnsettledAt lists what is due at several stations and not settled.
func (c *Client) UnsettledAt(ctx context.Context, workspace string, stations ...string) ([]reconcile.Outstanding, error) {
	all, err := get[[]reconcile.Outstanding](ctx, c, "ledger/unsettled", which{Stations: stations, Workspace: workspace})
	if len(all) == 0 {
		all = nil
	}
	return all, err
}

// Drift is what a person should look at.
func (c *Client) Drift(ctx context.Context, grace time.Duration) ([]reconcile.Drifted, error) {
	all, err := get[[]reconcile.Drifted](ctx, c, "ledger/drift", age{grace})
	if len(all) == 0 {
		all = nil
	}
	return all, err
}

// Began is the checkpoint after which the journal begins.
func (c *Client) Began(ctx context.Context) (reservation.Checkpoint, error) {
	return get[reservation.Checkpoint](ctx, c, "ledger/began", nothing{})
}

// LastProposals are the latest proposal of each workspace.
func (c *Client) LastProposals(ctx context.Context) (map[string]reservation.Event, error) {
	return get[map[string]reservation.Event](ctx, c, "ledger/proposals", nothing{})
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
		body, err := c.post(ctx, "ledger/events", in)
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
	return c.send(ctx, http.MethodPost, name, b)
}

func (c *Client) send(ctx context.Context, method, name string, body []byte) (io.ReadCloser, error) {
	response, err := c.do(ctx, method, name, body)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// do sends a request. Its answer is one of success; its body is closed by the caller.
func (c *Client) do(ctx context.Context, method, name string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+"/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", name, err)
	}
	r.Header.Set(versionHeader, Version)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	c.network.sign(r)
	response, err := c.http.Do(r)
	switch {
	case err != nil && c.network != nil && ctx.Err() == nil:
		return nil, c.network.unreached(err)
	case err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w: %w", ErrEnded, err)
	}
	if err != nil {
		return nil, fmt.Errorf("api: %s: %w", name, err)
	}
	if err := c.theirs(response); err != nil {
		response.Body.Close()
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	var l line
	if json.NewDecoder(io.LimitReader(response.Body, maxBody)).Decode(&l) != nil || l.Error == nil {
		return nil, c.stranger(response)
	}
	return nil, l.Error.err(response.StatusCode)
}
