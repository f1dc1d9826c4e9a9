package notify

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// Gather is how long what is new waits for more of it to come.
	Gather = time.Second
	// Pace is how far apart two documents begin to be sent at least.
	Pace = 10 * time.Second
	// MostNotices is how many one document has; the rest is in the next.
	MostNotices = 500
	// MostWaiting is how many wait to be sent. Over it the oldest are dropped.
	MostWaiting = 10_000
)

// Target is where documents go.
type Target struct {
	URL     string // CheckURL has passed it
	Secret  []byte
	Version string // of this program, for User-Agent
}

// Counts are what became of notices.
type Counts struct {
	Waiting               int
	Sent, Failed, Dropped int64 // notices; Failed: given up, or refused by the receiver
}

// Notifier tells a target what stands. Its methods may be called at any time, by
// many; Run sends.
type Notifier struct {
	Log *slog.Logger
	// Dial opens connections; nil: as net does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu      sync.Mutex
	target  *Target
	told    map[string]told // by what they are about
	waiting []Notice
	lost    int64 // dropped since the last document
	counts  Counts
	work    chan struct{} // 1-buffered
	once    sync.Once
}

// Set has documents go to a target from now on; nil: to nobody. To another address
// everything that stands is told.
func (n *Notifier) Set(t *Target) {
	n.begin()
	n.mu.Lock()
	defer n.mu.Unlock()
	if t == nil || n.target == nil || n.target.URL != t.URL {
		n.told, n.waiting, n.lost = nil, nil, 0
	}
	n.target = t
	n.wake()
}

// Wanted reports whether there is anybody to tell.
func (n *Notifier) Wanted() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.target != nil
}

// Counts are those since the beginning.
func (n *Notifier) Counts() Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.counts
	c.Waiting = len(n.waiting)
	return c
}

// Tell takes in all that stands now. What is new, and what stands no longer, will be
// sent. Of each kind, workspace, station and address one is told. It never waits.
func (n *Notifier) Tell(standing []Notice, now time.Time) {
	n.begin()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.target == nil {
		return
	}
	news, next := changes(n.told, standing, now)
	n.told = next
	n.queue(news)
	if len(news) > 0 {
		n.wake()
	}
}

// queue has notices sent after those that wait. The oldest are dropped where they
// are too many.
func (n *Notifier) queue(list []Notice) {
	n.waiting = append(n.waiting, list...)
	if over := len(n.waiting) - MostWaiting; over > 0 {
		if n.lost == 0 {
			n.Log.Warn("notifications are dropped: too many wait", "waiting", MostWaiting)
		}
		n.waiting = append([]Notice(nil), n.waiting[over:]...)
		n.lost += int64(over)
		n.counts.Dropped += int64(over)
	}
}

func (n *Notifier) begin() { n.once.Do(func() { n.work = make(chan struct{}, 1) }) }

func (n *Notifier) wake() {
	select {
	case n.work <- struct{}{}:
	default: // it is awake
	}
}

// Run sends until ctx ends. What waits then is not sent.
func (n *Notifier) Run(ctx context.Context) {
	n.begin()
	client := newClient(n.Dial)
	defer client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.work:
		}
		if !sleep(ctx, Gather) {
			return
		}
		for {
			began := time.Now()
			doc, target := n.next(began)
			if doc == nil {
				break
			}
			if !n.deliver(ctx, client, doc, target) || !sleep(ctx, Pace-time.Since(began)) {
				return
			}
		}
	}
}

// next takes what waits, up to a document of it.
func (n *Notifier) next(now time.Time) (*Document, *Target) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := min(len(n.waiting), MostNotices)
	if n.target == nil || k == 0 {
		return nil, nil
	}
	doc := &Document{FormatVersion: FormatVersion, At: now.UTC(), Notices: append([]Notice(nil), n.waiting[:k]...), Dropped: n.lost}
	n.waiting, n.lost = n.waiting[k:], 0
	ids := make([]string, k)
	for i := range doc.Notices {
		ids[i] = doc.Notices[i].ID
	}
	doc.ID = digest(strings.Join(ids, ""), doc.At.Format(time.RFC3339Nano))
	return doc, n.target
}

// deliver sends a document until it has arrived, is refused, or is given up: then it
// is counted and logged. It reports whether ctx goes on.
func (n *Notifier) deliver(ctx context.Context, client *http.Client, doc *Document, to *Target) bool {
	body, err := json.Marshal(doc)
	if err != nil {
		n.Log.Error("notifications cannot be written", "error", err)
		return true
	}
	log := n.Log.With("document", doc.ID, "to", Place(to.URL), "notifications", len(doc.Notices))
	began := time.Now()
	for try := 1; ; try++ {
		v := attempt(ctx, client, to, doc.ID, body, time.Now())
		if ctx.Err() != nil {
			return false
		}
		if v.ok {
			n.count(doc, &n.counts.Sent)
			log.Info("notifications were sent", "attempts", try)
			return true
		}
		wait := max(backOff(try), v.after)
		if !v.again || time.Since(began)+wait > giveUp {
			n.giveUp(doc, v.again)
			log.Error("notifications were not taken, and are given up", "attempts", try, "error", v.why)
			return true
		}
		if try == 1 {
			log.Warn("notifications could not be sent, and are tried again", "error", v.why, "in", wait.Round(time.Millisecond).String())
		}
		if !sleep(ctx, wait) {
			return false
		}
		now := n.goal()
		if now == nil || now.URL != to.URL {
			return true // whoever it was for is to hear of nothing any more
		}
		to = now // with the secret of now
	}
}

func (n *Notifier) goal() *Target {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.target
}

// giveUp counts what did not arrive. What still stands is told again, unless the
// receiver does not want it.
func (n *Notifier) giveUp(doc *Document, again bool) {
	n.count(doc, &n.counts.Failed)
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range doc.Notices {
		if x := &doc.Notices[i]; again && n.told[x.key()].ID == x.ID {
			delete(n.told, x.key())
		}
	}
}

func (n *Notifier) count(doc *Document, what *int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	*what += int64(len(doc.Notices))
}
