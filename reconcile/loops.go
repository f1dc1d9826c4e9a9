package reconcile

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/resctl/resctl/reservation"
)

const (
	// width is how many loops step at the same time: as many as may wait to be
	// committed, so that windows which open at once are asked for before the
	// first answers are recorded. Who waits for a station's answer is not counted.
	width = 1024
	// retryAfter is how long a loop that failed, for want of disk for
	// instance, leaves its station alone.
	retryAfter = time.Second
)

// Loops make every station hold what its book wants. The loop of a station is
// two words of state and not a goroutine: it has one only while something is
// due. A station without a socket has a loop as well, in which what time settles
// is recorded.
//
// Two goroutines never step for the same station, over however many sockets it
// has: there is one loop per identity (of), it is among the ready at most once
// (wake), and who takes it from there has it until it rests. So a second call is
// not asked for while the first is open; that none leaves is kept once more, by the
// slot of ocppclient's station.
//
// It is level-triggered: Wake says that a book has changed, and not how. A
// loop that was woken looks at the book; one that sleeps is woken by Wake, or
// when time changes what its book calls for.
type Loops struct {
	controller *Controller
	stations   func(ctx context.Context) ([]string, error)
	failed     func(station string, err error)

	// Late, if it is set before Run, is told of each connected station how long
	// after the moment at which something was due there it was begun. It is quick.
	Late func(by time.Duration)

	kick chan struct{} // 1-buffered: something is to be looked at

	mu    sync.Mutex
	loops map[string]*loop
	ready []*loop // woken, the first first
	sleep sleepers
	busy  int  // goroutines that step
	all   bool // every station is to be looked at

	alive sync.WaitGroup
}

// loop is what is kept of one station. It is gone once the station has neither
// a socket nor a time at which to look at it.
type loop struct {
	station string
	sockets []socket // the newest last
	wakeAt  time.Time
	place   int // among the sleepers; -1: not there
	state   loopState
	timed   bool // it is ready because wakeAt has come
}

// socket is one connection of a station. The book says which one is spoken to.
type socket struct {
	connection int64
	station    Station
}

type loopState uint8

const (
	asleep   loopState = iota
	waiting            // among those that are ready
	running            // a goroutine steps
	outdated           // it steps, and what it last looked at has changed since
)

// NewLoops returns the loops of no station yet. stations names those that are to
// be looked at when Run begins, and when Wake is called for all. failed hears
// what a loop failed with or, for "", the list of stations; it goes on shortly.
func NewLoops(c *Controller, stations func(context.Context) ([]string, error), failed func(station string, err error)) *Loops {
	return &Loops{controller: c, stations: stations, failed: failed, kick: make(chan struct{}, 1), loops: map[string]*loop{}}
}

// Join adds a socket of a station.
func (l *Loops) Join(station string, connection int64, st Station) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.of(station)
	p.sockets = append(p.sockets, socket{connection, st})
	l.wake(p)
}

// Leave forgets a socket that has ended. One that never joined is none.
func (l *Loops) Leave(station string, connection int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.of(station)
	var left []socket // not in place: a step may be going through them
	for _, s := range p.sockets {
		if s.connection != connection {
			left = append(left, s)
		}
	}
	p.sockets = left
	l.wake(p)
}

// Wake says that the books of these stations may have changed; none: any may.
// It returns at once.
func (l *Loops) Wake(stations ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range stations {
		l.wake(l.of(id))
	}
	if len(stations) == 0 {
		l.all = true
		l.signal()
	}
}

// Run steps whenever something is due, until ctx ends and the calls that have
// left by then are answered and recorded.
func (l *Loops) Run(ctx context.Context) {
	l.Wake()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		l.lookAtAll(ctx)
		if next := l.begin(ctx); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.kick:
		}
	}
	l.alive.Wait()
}

// lookAtAll wakes every station that there is, if that was asked for.
func (l *Loops) lookAtAll(ctx context.Context) {
	l.mu.Lock()
	wanted := l.all
	l.all = false
	l.mu.Unlock()
	if !wanted {
		return
	}
	stations, err := l.stations(ctx)
	if err != nil && ctx.Err() == nil {
		l.failed("", err)
		time.AfterFunc(retryAfter, func() { l.Wake() })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.loops {
		if len(p.sockets) > 0 {
			l.wake(p)
		}
	}
	for _, id := range stations {
		l.wake(l.of(id))
	}
}

// begin gives what is due its goroutines and returns when the next is.
func (l *Loops) begin(ctx context.Context) (next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for now := l.controller.Now(); len(l.sleep) > 0; {
		if p := l.sleep[0]; p.wakeAt.After(now) {
			next = p.wakeAt
			break
		}
		p := l.sleep[0]
		l.wake(p)
		p.timed = true
	}
	for n := min(len(l.ready), width-l.busy); n > 0; n-- {
		l.busy++
		l.alive.Go(func() { l.work(ctx) })
	}
	return next
}

// work runs one loop after the other until none is ready.
func (l *Loops) work(ctx context.Context) {
	for {
		p := l.take(ctx)
		if p == nil {
			return
		}
		for {
			wakeAt := l.step(ctx, p)
			if !l.rest(ctx, p, wakeAt) {
				break
			}
		}
	}
}

// take returns the first loop that is ready, and nil if there is nothing to do
// for this goroutine.
func (l *Loops) take(ctx context.Context) *loop {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ready) == 0 || l.busy > width || ctx.Err() != nil {
		l.busy--
		return nil
	}
	p := l.ready[0]
	l.ready[0], l.ready = nil, l.ready[1:]
	p.state = running
	if p.timed && l.Late != nil && len(p.sockets) > 0 {
		l.Late(l.controller.Now().Sub(p.wakeAt))
	}
	p.timed = false
	return p
}

// step looks at the book and does what it calls for. It returns when to look
// again; zero: once the book has changed.
func (l *Loops) step(ctx context.Context, p *loop) (wakeAt time.Time) {
	var err error
	more := true
	for more && err == nil && ctx.Err() == nil {
		more, wakeAt, err = l.once(ctx, p.station, l.look(p))
		if errors.Is(err, reservation.ErrOldConnection) {
			more, err = true, nil // another socket has come: it is looked at then
		}
	}
	if err != nil && ctx.Err() == nil {
		l.failed(p.station, err)
		return l.controller.Now().Add(retryAfter)
	}
	return wakeAt
}

// once is one step, at the socket that the book says is spoken to.
func (l *Loops) once(ctx context.Context, station string, sockets []socket) (more bool, wakeAt time.Time, err error) {
	if len(sockets) == 0 {
		return l.controller.Settle(ctx, station)
	}
	for _, s := range slices.Backward(sockets) {
		more, wakeAt, err = l.controller.Step(ctx, station, s.connection, patient{l, s.station})
		if more || err != nil || !wakeAt.IsZero() {
			break // at the others nothing would be done
		}
	}
	return more, wakeAt, err
}

// look returns the sockets of a station. What changes from now on is seen by
// the next step.
func (l *Loops) look(p *loop) []socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.state = running
	return p.sockets
}

// rest puts a loop to sleep. It returns true if it has to step again.
func (l *Loops) rest(ctx context.Context, p *loop, wakeAt time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.state == outdated && ctx.Err() == nil {
		return true
	}
	p.state = asleep
	switch {
	case !wakeAt.IsZero():
		p.wakeAt = wakeAt
		heap.Push(&l.sleep, p)
		if p.place == 0 {
			l.signal()
		}
	case len(p.sockets) == 0:
		delete(l.loops, p.station)
	}
	return false
}

// of is the loop of a station.
func (l *Loops) of(station string) *loop {
	p := l.loops[station]
	if p == nil {
		p = &loop{station: station, place: -1}
		l.loops[station] = p
	}
	return p
}

// wake makes a loop ready, or has the goroutine that steps it do so once more: it
// is never given to a second one.
func (l *Loops) wake(p *loop) {
	switch p.state {
	case running:
		p.state = outdated
	case asleep:
		if p.place >= 0 {
			heap.Remove(&l.sleep, p.place)
		}
		p.state = waiting
		l.ready = append(l.ready, p)
		l.signal()
	}
}

func (l *Loops) signal() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// patient waits for the answer to a call that has left, whatever ends: only
// then it is known what the station holds. Meanwhile another loop may step.
type patient struct {
	l *Loops
	Station
}

func (p patient) Call(ctx context.Context, id int32, c reservation.Call) reservation.Answer {
	if ctx.Err() != nil {
		return reservation.Answer{Outcome: reservation.AnswerNotSent, Info: "given up before it was sent"}
	}
	p.l.free(1)
	defer p.l.free(-1)
	return p.Station.Call(context.WithoutCancel(ctx), id, c)
}

// free gives up places among those that step, or takes them back: that does
// not wait, so that an answer is recorded at once.
func (l *Loops) free(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy -= n
	if n > 0 && len(l.ready) > 0 {
		l.signal()
	}
}
