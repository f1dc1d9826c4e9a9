package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/resctl/resctl/ocppclient/v201"
)

// ClientConfig says how a station reaches its CSMS.
type ClientConfig struct {
	Station Config
	// URL is the endpoint without the identity: ws://127.0.0.1:8887/ocpp.
	URL string
	// Password is for basic authentication under the identity; "": none.
	Password string
	// Dialer carries TLS settings; nil: NewDialer. One for a whole fleet saves memory.
	Dialer *websocket.Dialer
	// Memory outlives the process; nil: a station that starts anew each time.
	Memory Memory
	Log    *slog.Logger // nil: silent

	CallTimeout  time.Duration // 30 s
	PingInterval time.Duration // 60 s
	MinBackOff   time.Duration // 1 s, doubled at every failure
	MaxBackOff   time.Duration // 1 min
}

// NewDialer makes a dialer with small buffers that many stations can share.
func NewDialer() *websocket.Dialer {
	return &websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 20 * time.Second,
		ReadBufferSize: 512, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{},
	}
}

// Client is a station that runs: a Machine with a link and a memory.
type Client struct {
	config  ClientConfig
	address string
	log     *slog.Logger
	wake    chan struct{} // something is in the outbox
	drop    chan struct{} // the link is to be lost
	resume  chan struct{} // there may be a link again

	mu     sync.Mutex // guards what follows
	cut    *cutting   // the link is to be lost, and how
	away   time.Time  // until then there is no link
	kept   []*websocket.Conn
	delay  time.Duration
	m      *Machine
	outbox []Message
	calls  map[string]int
	linked bool
	failed error // why there is no link
	saved  []byte
	synced bool // saved would survive a loss of power
}

// NewClient makes a station, from its memory where it has one.
func NewClient(c ClientConfig) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") {
		return nil, fmt.Errorf("station %s: URL %q: want ws:// or wss:// (%v)", c.Station.ID, c.URL, err)
	}
	c.defaults()
	client := &Client{
		config: c, address: strings.TrimRight(c.URL, "/") + "/" + url.PathEscape(c.Station.ID),
		log: c.Log.With("station", c.Station.ID), wake: make(chan struct{}, 1), drop: make(chan struct{}, 1), resume: make(chan struct{}, 1),
		m: NewMachine(c.Station), calls: map[string]int{},
	}
	return client, client.remember()
}

func (c *ClientConfig) defaults() {
	if c.Dialer == nil {
		c.Dialer = NewDialer()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	orElse(&c.CallTimeout, 30*time.Second)
	orElse(&c.PingInterval, time.Minute)
	orElse(&c.MinBackOff, time.Second)
	orElse(&c.MaxBackOff, time.Minute)
}

func orElse(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// remember takes up the station's memory.
func (c *Client) remember() error {
	if c.config.Memory == nil {
		return nil
	}
	b, err := c.config.Memory.Load(c.config.Station.ID)
	if err != nil || b == nil {
		return err
	}
	c.saved, c.synced = b, true
	c.m, err = Restore(c.config.Station, b)
	return err
}

// Run connects, and again whenever the link is lost, until ctx ends. It fails
// only if the memory does.
func (c *Client) Run(ctx context.Context) error {
	defer c.letGo()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		conn, err := c.dial(ctx)
		c.mu.Lock()
		c.failed = err
		c.mu.Unlock()
		if err == nil {
			attempt = 0
			err = c.serve(ctx, conn)
		}
		if errors.Is(err, errMemory) {
			return err
		}
		c.log.Debug("no link", "attempt", attempt, "error", err)
		c.pause(ctx, attempt)
	}
	return nil
}

// pause waits until it is time for another link.
func (c *Client) pause(ctx context.Context, attempt int) {
	wait := c.backOff(attempt)
	for wait > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-c.resume:
		case <-time.After(wait):
		}
		c.mu.Lock()
		wait = time.Until(c.away)
		c.mu.Unlock()
	}
}

// backOff doubles, and spreads stations by up to a half so that a fleet does
// not come back at one instant.
func (c *Client) backOff(attempt int) time.Duration {
	wait := c.config.MaxBackOff
	if attempt < 16 {
		wait = min(wait, c.config.MinBackOff<<attempt)
	}
	h := fnv.New32a()
	_, _ = fmt.Fprint(h, c.config.Station.ID, attempt)
	return wait + wait*time.Duration(h.Sum32()%1000)/2000
}

func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	dialer := *c.config.Dialer
	dialer.Subprotocols = []string{v201.Protocol}
	header := http.Header{}
	if c.config.Password != "" {
		r := http.Request{Header: header}
		r.SetBasicAuth(c.config.Station.ID, c.config.Password)
	}
	conn, response, err := dialer.DialContext(ctx, c.address, header)
	if err != nil && response != nil {
		return nil, fmt.Errorf("station %s: connect: %s: %w", c.config.Station.ID, response.Status, err)
	}
	if err != nil {
		return nil, fmt.Errorf("station %s: connect: %w", c.config.Station.ID, err)
	}
	if conn.Subprotocol() != v201.Protocol {
		return nil, errors.Join(fmt.Errorf("station %s: connect: subprotocol %q", c.config.Station.ID, conn.Subprotocol()), conn.Close())
	}
	return conn, nil
}

// Do lets something happen at the station, such as Machine.Use, and sends what
// follows from it. The function may not keep the Machine. A power cycle is
// Machine.Reboot and then Drop.
func (c *Client) Do(happens func(m *Machine, now time.Time) []Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	messages := happens(c.m, now)
	if !c.linked {
		c.m.Disconnected(now)
		c.m.Undelivered(messages)
		return c.save(nil, true)
	}
	c.outbox = append(c.outbox, messages...)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return c.save(c.outbox, true)
}

// ID is the station's identity.
func (c *Client) ID() string { return c.config.Station.ID }

// Failure is why the last attempt to connect failed; nil: it did not.
func (c *Client) Failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// Look is how the station is now.
func (c *Client) Look() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.Look(time.Now())
}

// Holds is what the station truly holds now.
func (c *Client) Holds() []Reservation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.holdsAt(time.Now())
}

// Calls counts the calls of the CSMS by action.
func (c *Client) Calls() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls)
}

// errMemory: the station cannot keep what it would promise.
var errMemory = errors.New("station memory failed")

// save writes the memory if it has changed; c.mu is held.
func (c *Client) save(underway []Message, durable bool) error {
	if c.config.Memory == nil {
		return nil
	}
	b, err := c.m.Snapshot(underway...)
	if err == nil && (!bytes.Equal(b, c.saved) || (durable && !c.synced)) {
		if err = c.config.Memory.Save(c.config.Station.ID, b, durable); err == nil {
			c.saved, c.synced = b, durable
		}
	}
	if err != nil {
		return fmt.Errorf("station %s: %w: %w", c.config.Station.ID, errMemory, err)
	}
	return nil
}
