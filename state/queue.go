package state

import (
	"context"
	"sync"
	"time"

	"github.com/resctl/resctl/reservation"
)

// The queue's bounds. Past them callers wait, each with its own context.
const (
	maxUrgent   = 1024
	maxObserved = 4096
	maxCalls    = 1024 // loads among them, when windows open at once
	maxGroup    = 512  // jobs in one commit
)

// job is one Append on its way.
type job struct {
	events []reservation.Event
	urgent bool
	result []reservation.Event
	err    error
	done   chan struct{} // closed when result and err stand
	asked  time.Time
}

func newJob(events []reservation.Event) *job {
	j := &job{events: events, done: make(chan struct{}), asked: time.Now()}
	for i := range events {
		j.urgent = j.urgent || events[i].Kind == reservation.Requested || events[i].Kind == reservation.Answered
	}
	return j
}

func (j *job) finish(err error) {
	if err != nil {
		j.result, j.err = nil, err
	}
	close(j.done)
}

// queue is what waits for the writer: jobs, which are committed in groups, books
// to be loaded, and calls, which have the writer for themselves. It is bounded by slots, which
// are taken before the lock and given back when the writer takes the work.
type queue struct {
	urgent, observed, callers chan struct{}

	mu     sync.Mutex
	jobs   []*job
	calls  []func()
	loads  []*load
	closed bool

	kick chan struct{} // 1-buffered: there is work, or no more will come
	stop chan struct{} // closed with the queue
}

func newQueue() *queue {
	return &queue{
		urgent: make(chan struct{}, maxUrgent), observed: make(chan struct{}, maxObserved),
		callers: make(chan struct{}, maxCalls),
		kick:    make(chan struct{}, 1), stop: make(chan struct{}),
	}
}

func (q *queue) slots(j *job) chan struct{} {
	if j.urgent {
		return q.urgent
	}
	return q.observed
}

// put queues a job. It stays queued whatever becomes of ctx afterwards.
func (q *queue) put(ctx context.Context, j *job) error {
	return q.add(ctx, q.slots(j), func() { q.jobs = append(q.jobs, j) })
}

// call has the writer run f between two groups, and waits for it.
func (q *queue) call(ctx context.Context, f func() error) error {
	result := make(chan error, 1)
	err := q.add(ctx, q.callers, func() { q.calls = append(q.calls, func() { result <- f() }) })
	if err != nil {
		return err
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// load queues a book to be loaded.
func (q *queue) load(ctx context.Context, l *load) error {
	return q.add(ctx, q.callers, func() { q.loads = append(q.loads, l) })
}

func (q *queue) add(ctx context.Context, slots chan struct{}, add func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-q.stop:
		return errClosed
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		<-slots
		return errClosed
	}
	add()
	wake(q.kick)
	return nil
}

// close lets the writer finish what is queued and refuses anything further.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.stop)
		wake(q.kick)
	}
}

// work is what the writer takes at a time.
type work struct {
	calls []func()
	loads []*load
	jobs  []*job
}

// take waits for work. It returns false when all is done and no more will come.
func (q *queue) take() (t work, more bool) {
	for {
		q.mu.Lock()
		t.calls, q.calls = q.calls, nil
		t.loads, q.loads = q.loads, nil
		t.jobs, q.jobs = choose(q.jobs, maxGroup)
		closed := q.closed
		q.mu.Unlock()
		for range len(t.calls) + len(t.loads) {
			<-q.callers
		}
		for _, j := range t.jobs {
			<-q.slots(j)
		}
		if len(t.calls)+len(t.loads)+len(t.jobs) > 0 {
			return t, true
		}
		if closed {
			return t, false
		}
		<-q.kick
	}
}

// choose takes up to n jobs, in their order. Where more are waiting, requests
// and answers go first, and with them whatever waits of the same stations, so
// that nothing overtakes an observation of its own. The oldest is always taken.
func choose(jobs []*job, n int) (taken, left []*job) {
	if len(jobs) <= n {
		return jobs, nil
	}
	first := make([]bool, len(jobs))
	stations := map[string]bool{}
	for i := len(jobs) - 1; i >= 0; i-- {
		first[i] = i == 0 || jobs[i].urgent || jobs[i].names(stations)
		if first[i] {
			for _, e := range jobs[i].events {
				stations[e.StationID] = true
			}
		}
	}
	keep(first, n)
	for i := range jobs {
		if first[i] {
			taken = append(taken, jobs[i])
		} else {
			left = append(left, jobs[i])
		}
	}
	return taken, left
}

// keep leaves the first n marks standing and, where there are fewer, marks the
// first of the others.
func keep(marks []bool, n int) {
	for i := range marks {
		if marks[i] {
			marks[i] = n > 0
			n--
		}
	}
	for i := range marks {
		if !marks[i] && n > 0 {
			marks[i], n = true, n-1
		}
	}
}

func (j *job) names(stations map[string]bool) bool {
	for i := range j.events {
		if stations[j.events[i].StationID] {
			return true
		}
	}
	return false
}

// wake signals a 1-buffered channel.
func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
