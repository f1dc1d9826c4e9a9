package ocppclient

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/resctl/resctl/ocppclient/wire"
	"github.com/resctl/resctl/reservation"
)

// maxLate is how many calls a station may still answer after they were given up.
const maxLate = 8

// station is what the sockets of one identity share: the one call that may be
// open at a time, and the calls that may still be answered. Message ids are
// unique in this process, so an answer counts on whichever socket it comes.
//
// Two calls are never open at one station: a call is begun by whom the slot was
// given to, and the slot is free again only once that call is answered, its time is
// over or its socket has ended.
type station struct {
	sockets int // guarded by Server.mu

	mu            sync.Mutex
	slot          chan struct{} // holds one element while a call is open; nil: there was none
	newest, older *Session
	open          *asked
	paid          int64    // nanoseconds since 1970: see spend
	late          []*asked // the oldest first
}

// asked is a call that was made.
type asked struct {
	messageID     string
	reservationID int32
	call          reservation.Call
	session       *Session
	answer        chan reservation.Answer // has room for the one
	abandoned     bool                    // nobody waits at answer; guarded by station.mu
}

// place is the slot: who puts an element into it may open a call.
func (st *station) place() chan struct{} {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.slot == nil {
		st.slot = make(chan struct{}, 1)
	}
	return st.slot
}

// add takes in a socket and returns the one that has to go, if any.
func (st *station) add(x *Session) (surplus *Session) {
	st.mu.Lock()
	defer st.mu.Unlock()
	all := []*Session{x}
	for _, s := range []*Session{st.newest, st.older} {
		if s != nil {
			all = append(all, s)
		}
	}
	// Numbers are given by the recorder: they tell who came last, even where
	// two sockets came so close that their goroutines overtook each other.
	slices.SortStableFunc(all, func(a, b *Session) int { return cmp.Compare(b.connection, a.connection) })
	st.newest, st.older = all[0], nil
	if len(all) > 1 {
		st.older = all[1]
	}
	if len(all) > 2 {
		return all[2]
	}
	return nil
}

// remove forgets a socket. Its open call stays unknown, unless the answer comes
// through the other one.
func (st *station) remove(x *Session) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch x {
	case st.newest:
		st.newest, st.older = st.older, nil
	case st.older:
		st.older = nil
	}
	if st.open != nil && st.open.session == x {
		st.give(st.open, "the connection ended")
	}
}

// begin opens a call if the session may speak; the slot is already taken.
func (st *station) begin(a *asked) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.newest != a.session {
		return false
	}
	st.open = a
	return true
}

// withdraw ends a call that never left.
func (st *station) withdraw(a *asked) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.open == a {
		st.open = nil
		<-st.slot
	}
}

// abandon leaves the call open without anybody who waits for it: the station
// may be working on it, so that no other may be made until it is answered or
// its time is over. It does nothing if an answer is on its way to the caller.
func (st *station) abandon(a *asked, left time.Duration) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.open != a {
		return false
	}
	a.abandoned = true
	time.AfterFunc(left, func() { st.giveUp(a) })
	return true
}

// giveUp ends a call whose answer has not come in time.
func (st *station) giveUp(a *asked) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.open == a {
		st.give(a, "no answer in time")
	}
}

// give ends the open call without an answer and remembers it as late.
func (st *station) give(a *asked, why string) {
	st.open = nil
	<-st.slot
	if !a.abandoned {
		a.abandoned = true
		a.answer <- reservation.Answer{Outcome: reservation.AnswerNone, Info: why}
	}
	if len(st.late) == maxLate {
		st.late = slices.Delete(st.late, 0, 1)
	}
	st.late = append(st.late, a)
}

// match takes the call to which the message id belongs out of the books, so
// that no second answer can be matched to it. Nil: it belongs to none. Late:
// nobody waits for it any more.
func (st *station) match(messageID string) (a *asked, late bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if a = st.open; a != nil && a.messageID == messageID {
		st.open = nil
		<-st.slot
		return a, a.abandoned
	}
	i := slices.IndexFunc(st.late, func(a *asked) bool { return a.messageID == messageID })
	if i < 0 {
		return nil, false
	}
	a = st.late[i]
	st.late = slices.Delete(st.late, i, i+1)
	return a, true
}

// outcome reads an answer in the words of the version in which it was asked.
func (a *asked) outcome(f wire.Frame, bad *wire.Error) reservation.Answer {
	d := a.session.dialect
	switch {
	case bad != nil:
		return reservation.Answer{Outcome: reservation.AnswerNone, Info: "unreadable answer: " + bad.Description}
	case f.Type == wire.TypeError:
		return d.failure(a.call, &wire.Error{Code: f.Code.Canonical(), Description: f.Description})
	}
	return d.answer(a.call, f.Payload)
}
