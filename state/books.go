package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/resctl/resctl/reservation"
)

// cache holds the loop's books of the stations that were spoken of. The writer
// puts books in; a book in it is never changed.
type cache struct {
	mu    sync.RWMutex
	books map[string]*reservation.Book
	older map[string]*reservation.Book // those that were not asked for since the last trim
	// queued has, of stations whose books were forgotten, Connection and QueuedAt.
	queued map[string]reservation.Station
}

func (c *cache) get(station string) *reservation.Book {
	c.mu.RLock()
	b := c.books[station]
	old := c.older[station]
	c.mu.RUnlock()
	if b == nil && old != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if b = c.books[station]; b == nil && c.older[station] == old {
			b = old
			c.keep(b)
		}
	}
	return b
}

func (c *cache) put(b *reservation.Book) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(b)
}

func (c *cache) keep(b *reservation.Book) {
	if c.books == nil {
		c.books = map[string]*reservation.Book{}
	}
	c.books[b.Station.ID] = b
	delete(c.older, b.Station.ID)
}

// clear forgets all books.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(c.older)
	c.forget(c.books)
	c.books, c.older = nil, nil
}

// trim forgets the books that were not asked for since the last trim.
func (c *cache) trim() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(c.older)
	c.books, c.older = nil, c.books
}

// forget remembers of books when a report that its station had kept last came
// over the connection that is open: that is stored nowhere.
func (c *cache) forget(books map[string]*reservation.Book) {
	for id, b := range books {
		if s := &b.Station; !s.QueuedAt.IsZero() {
			if c.queued == nil {
				c.queued = map[string]reservation.Station{}
			}
			c.queued[id] = reservation.Station{Connection: s.Connection, QueuedAt: s.QueuedAt}
		}
	}
}

// remind gives a book that was loaded again what its predecessor knew.
func (c *cache) remind(b *reservation.Book) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.queued[b.Station.ID]; ok && s.Connection == b.Station.Connection {
		b.Station.QueuedAt = s.QueuedAt
	}
}

// covers reports whether nothing has come due since the book was assembled.
func covers(b *reservation.Book, now time.Time) bool {
	return b.NextDue.IsZero() || now.Before(b.NextDue)
}

func decode[T any](body []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(body, v); err != nil {
		return nil, fmt.Errorf("stored %T: %w", *v, err)
	}
	return v, nil
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func atMs(n int64) time.Time { return time.UnixMilli(n).UTC() }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// list is a parameter for json_each.
func list(values []string) string {
	body, _ := json.Marshal(values) // strings never fail
	return string(body)
}
