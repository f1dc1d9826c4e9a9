package api

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// Weight is what a request asks of memory. Over the network those that ask for
// much of it take turns.
type Weight int

// The weights.
const (
	Light Weight = iota
	Large        // its answer may have many megabytes
	Heavy        // its body as well
)

// How many there are at a time, and how much those hold that have no turn.
const (
	maxHeavy        = 2 // each may take hundreds of megabytes
	maxLarge        = 4
	maxLargeOfToken = 2
	smallAnswer     = 1 << 20 // is written without the turn, however slowly it is read
	mostStations    = 1 << 16 // in one request
	smallBody       = 4 << 20 // of a request that is not heavy

	turnPatience = 20 * time.Second // before one is sent away
)

// stay is a request that was let in: what it gives back.
type stay struct {
	turn  func() // its turn, as soon as it holds little
	leave func() // everything
}

// queue waits for the turn of a request.
func (g *gate) queue(ctx context.Context, token string, w Weight, leave func()) (stay, error) {
	patience := time.NewTimer(turnPatience)
	defer patience.Stop()
	turn := func() {}
	for _, slots := range g.slots(token, w) {
		select {
		case slots <- struct{}{}:
			before := turn
			turn = func() { <-slots; before() }
			continue
		case <-patience.C:
		case <-ctx.Done():
		}
		turn()
		leave()
		return stay{}, &Error{Status: http.StatusServiceUnavailable, Code: codeBusy, wait: retryAtLeast, Message: "others are being answered that ask for as much. Try again in a moment"}
	}
	turn = sync.OnceFunc(turn)
	return stay{turn, func() { turn(); leave() }}, nil
}

// slots are what a request needs one of each of. Its token has something under way.
func (g *gate) slots(token string, w Weight) []chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	make1 := func(c *chan struct{}, n int) chan struct{} {
		if *c == nil {
			*c = make(chan struct{}, n)
		}
		return *c
	}
	switch w {
	case Heavy:
		return []chan struct{}{make1(&g.heavy, maxHeavy)}
	case Large:
		return []chan struct{}{make1(&g.busy[token].large, maxLargeOfToken), make1(&g.large, maxLarge)}
	}
	return nil
}

// small lets go of the turn when what is written is little, for who reads it may be slow.
type small struct {
	io.Writer
	turn func()
}

func (s small) Write(b []byte) (int, error) {
	if len(b) <= smallAnswer {
		s.turn()
	}
	return s.Writer.Write(b)
}
