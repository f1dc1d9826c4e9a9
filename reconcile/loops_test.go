package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// beside is loops over a journal in memory that wakes them, in a bubble.
type beside struct {
	*statetest.Memory
	t     *testing.T
	loops *reconcile.Loops
	stop  func() // ends Run and waits for it

	mu     sync.Mutex
	full   bool   // the disk is
	read   func() // is called once, when a book has just been read
	asking func() // is called once, when a request is being stored
	failed []string
}

// inLoops runs f beside loops that are running.
func inLoops(t *testing.T, f func(b *beside)) {
	synctest.Test(t, func(t *testing.T) {
		b := &beside{Memory: statetest.NewMemory(), t: t}
		settings := reconcile.Settings{QuietPeriod: time.Millisecond, QuietMax: time.Second, Patience: 2 * time.Second}
		b.loops = reconcile.NewLoops(&reconcile.Controller{Journal: b, Settings: settings, Now: time.Now}, b.stations, b.hear)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { b.loops.Run(ctx); close(ended) }()
		b.stop = func() { cancel(); <-ended }
		defer b.stop()
		f(b)
	})
}

func (b *beside) stations(ctx context.Context) (ids []string, err error) {
	all, err := b.Stations(ctx)
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return ids, err
}

func (b *beside) hear(station string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = append(b.failed, station+": "+err.Error())
}

func (b *beside) Append(ctx context.Context, events ...reservation.Event) ([]reservation.Event, error) {
	b.mu.Lock()
	full := b.full
	b.mu.Unlock()
	if full {
		return nil, errors.New("disk full")
	}
	b.mu.Lock()
	asking := b.asking
	if asking != nil && events[0].Kind == reservation.Requested {
		b.asking = nil
	} else {
		asking = nil
	}
	b.mu.Unlock()
	if asking != nil {
		asking()
	}
	stored, err := b.Memory.Append(context.WithoutCancel(ctx), events...)
	if asking != nil && ctx.Err() != nil { // as of a state: what was queued is stored
		return nil, ctx.Err()
	}
	for _, e := range stored {
		b.loops.Wake(e.StationID)
	}
	return stored, err
}

func (b *beside) Book(ctx context.Context, station string, now time.Time) (*reservation.Book, error) {
	book, err := b.Memory.Book(ctx, station, now)
	b.mu.Lock()
	read := b.read
	b.read = nil
	b.mu.Unlock()
	if read != nil {
		read()
	}
	return book, err
}

func (b *beside) append(events ...reservation.Event) []reservation.Event {
	b.t.Helper()
	stored, err := b.Append(context.Background(), events...)
	if err != nil {
		b.t.Fatal(err)
	}
	return stored
}

// far is a station that is asked and answers as it is told to.
type farEnd struct {
	asked   chan time.Time
	answers chan reservation.Outcome
}

func (f farEnd) Call(context.Context, int32, reservation.Call) reservation.Answer {
	f.asked <- time.Now()
	return reservation.Answer{Outcome: <-f.answers}
}

// joins has a station connect, boot, and show its EVSE.
func (b *beside) joins(station string) (farEnd, int64) {
	b.t.Helper()
	f := farEnd{make(chan time.Time, 8), make(chan reservation.Outcome, 8)}
	connection := b.append(statetest.Connect(station))[0].Connection
	b.loops.Join(station, connection, f)
	b.append(reservation.Event{Kind: reservation.Booted, StationID: station, Connection: connection, Boot: &reservation.Boot{Accepted: true}},
		statetest.Report(station, 1, reservation.Available))
	return f, connection
}

func (b *beside) wants(station string, in time.Duration) *reservation.Wanted {
	b.t.Helper()
	w := statetest.Want("w", "reservation."+station, station, 1, time.Now().Add(in))
	b.append(statetest.Declare(nil, w))
	return w
}

func (b *beside) phase(w *reservation.Wanted) reservation.Phase {
	b.t.Helper()
	found, err := b.Occurrences(context.Background(), w.Workspace, w.Address)
	if err != nil || len(found) != 1 {
		b.t.Fatal(found, err)
	}
	return found[0].Phase
}

// TestALoopWakesWhenItsWindowOpens and sleeps until then.
func TestALoopWakesWhenItsWindowOpens(t *testing.T) {
	inLoops(t, func(b *beside) {
		f, _ := b.joins("S")
		f.answers <- reservation.AnswerAccepted
		later, sooner := b.wants("S", 5*time.Hour), b.wants("T", 3*time.Hour)
		if at := <-f.asked; !at.Equal(later.Window.Start) {
			t.Errorf("asked at %v, not when the window opened, %v", at, later.Window.Start)
		}
		synctest.Wait()
		if p := b.phase(later); p != reservation.Held {
			t.Error(p)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if p := b.phase(sooner); p != reservation.Missed { // nobody is there, and time has settled it
			t.Error(p)
		}
	})
}

// TestStationsThatDoNotAnswerKeepNobodyWaiting, however many they are.
func TestStationsThatDoNotAnswerKeepNobodyWaiting(t *testing.T) {
	inLoops(t, func(b *beside) {
		var stuck []farEnd
		for i := range 1100 {
			f, _ := b.joins(fmt.Sprintf("STUCK-%d", i))
			b.wants(fmt.Sprintf("STUCK-%d", i), 0)
			stuck = append(stuck, f)
		}
		time.Sleep(time.Second)
		for _, f := range stuck {
			<-f.asked
		}
		began := time.Now()
		f, _ := b.joins("S")
		f.answers <- reservation.AnswerAccepted
		w := b.wants("S", 0)
		<-f.asked
		synctest.Wait()
		if d := time.Since(began); d > time.Second || b.phase(w) != reservation.Held {
			t.Errorf("after %v %s", d, b.phase(w))
		}
		for _, f := range stuck {
			f.answers <- reservation.AnswerAccepted
		}
	})
}

// TestWhatComesDuringAStepIsLookedAt, also when the step finds nothing to do.
func TestWhatComesDuringAStepIsLookedAt(t *testing.T) {
	inLoops(t, func(b *beside) {
		f, _ := b.joins("S")
		f.answers <- reservation.AnswerAccepted
		time.Sleep(time.Minute)
		var w *reservation.Wanted
		b.mu.Lock()
		b.read = func() { w = b.wants("S", 0) }
		b.mu.Unlock()
		b.loops.Wake("S")
		<-f.asked
		synctest.Wait()
		if p := b.phase(w); p != reservation.Held {
			t.Error(p)
		}
	})
}

// TestTwoLoopsNeverStepForOneStation, whatever wakes it while its call is open:
// though more is due at another EVSE, nothing is asked, on either socket.
func TestTwoLoopsNeverStepForOneStation(t *testing.T) {
	inLoops(t, func(b *beside) {
		old, _ := b.joins("S")
		b.wants("S", 0)
		<-old.asked
		other := statetest.Want("w", "reservation.other", "S", 2, time.Now())
		b.append(statetest.Declare(nil, other), statetest.Report("S", 2, reservation.Available))
		for range 3 {
			b.loops.Wake("S")
			b.loops.Wake()
			time.Sleep(5 * time.Second)
		}
		young, _ := b.joins("S")
		b.loops.Wake("S")
		time.Sleep(5 * time.Second)
		if len(old.asked)+len(young.asked) > 0 {
			t.Error("asked while a call is open:", len(old.asked), len(young.asked))
		}
		young.answers <- reservation.AnswerAccepted
		young.answers <- reservation.AnswerAccepted
		old.answers <- reservation.AnswerAccepted
		time.Sleep(5 * time.Second)
		if p := b.phase(other); p != reservation.Held || len(old.asked) > 0 {
			t.Error(p, len(old.asked))
		}
	})
}

// TestTheOlderSocketIsSpokenToAgain when the newer one has left.
func TestTheOlderSocketIsSpokenToAgain(t *testing.T) {
	inLoops(t, func(b *beside) {
		old, _ := b.joins("S")
		young, connection := b.joins("S")
		b.loops.Leave("S", connection)
		b.append(reservation.Event{Kind: reservation.Disconnected, StationID: "S", Connection: connection})
		w := b.wants("S", time.Minute)
		<-old.asked
		old.answers <- reservation.AnswerAccepted
		synctest.Wait()
		if p := b.phase(w); p != reservation.Held || len(young.asked) > 0 {
			t.Error(p, len(young.asked))
		}
	})
}

// TestALoopThatFailedGoesOn once the disk has room again.
func TestALoopThatFailedGoesOn(t *testing.T) {
	inLoops(t, func(b *beside) {
		f, _ := b.joins("S")
		w := b.wants("S", time.Minute)
		b.disk(true)
		time.Sleep(time.Minute + 3500*time.Millisecond)
		b.disk(false)
		<-f.asked
		f.answers <- reservation.AnswerAccepted
		synctest.Wait()
		if p := b.phase(w); p != reservation.Held {
			t.Error(p)
		}
		if n := len(b.failed); n != 4 || slices.Compact(b.failed)[0] != "S: station S: recording a call: disk full" {
			t.Errorf("%d times: %v", n, b.failed)
		}
	})
}

func (b *beside) disk(full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full = full
}

// TestTheEndIsRecorded: a call that has left is answered for, and nothing
// further is asked.
func TestTheEndIsRecorded(t *testing.T) {
	inLoops(t, func(b *beside) {
		f, _ := b.joins("S")
		w := b.wants("S", 0)
		other := statetest.Want("w", "reservation.other", "S", 2, time.Now())
		<-f.asked
		b.append(statetest.Declare(nil, other))
		ended := make(chan struct{})
		go func() { b.stop(); close(ended) }()
		time.Sleep(20 * time.Second)
		select {
		case <-ended:
			t.Fatal("it ended before the answer")
		default:
		}
		f.answers <- reservation.AnswerAccepted
		<-ended
		if p := b.phase(w); p != reservation.Held || len(f.asked) > 0 {
			t.Error(p, len(f.asked))
		}
	})
}

// TestTheEndLeavesNoDoubt: what was about to be asked when the end came is
// recorded as not sent.
func TestTheEndLeavesNoDoubt(t *testing.T) {
	inLoops(t, func(b *beside) {
		f, _ := b.joins("S")
		ended := make(chan struct{})
		b.mu.Lock()
		b.asking = func() { go func() { b.stop(); close(ended) }(); time.Sleep(time.Second) }
		b.mu.Unlock()
		w := b.wants("S", 0)
		<-ended
		if p := b.phase(w); p != reservation.Pending || len(f.asked) > 0 || len(b.failed) > 0 {
			t.Error(p, len(f.asked), b.failed)
		}
	})
}
