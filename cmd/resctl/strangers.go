package main

import (
	"context"
	"strings"
	"sync"

	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
)

// strangers are the sockets of stations that nothing declared when they came. No
// loop speaks to them. One that is declared since has to come in again, and then
// to show what its declaration asks for.
type strangers struct {
	known *roster

	mu   sync.Mutex
	here map[*ocppclient.Session]bool
}

func newStrangers(known *roster) *strangers {
	return &strangers{known: known, here: map[*ocppclient.Session]bool{}}
}

func (s *strangers) join(x *ocppclient.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.here[x] = true
}

func (s *strangers) leave(x *ocppclient.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.here, x)
}

// look is told after a commit which stations it touched; none: any.
func (s *strangers) look(stations ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.here {
		touched := len(stations) == 0
		for _, id := range stations {
			touched = touched || strings.EqualFold(id, x.StationID())
		}
		if touched {
			go s.meet(x) // the state may not be called from here
		}
	}
}

// meet ends the socket of a station that is no stranger any more.
func (s *strangers) meet(x *ocppclient.Session) {
	if _, declared, err := s.known.find(context.Background(), x.StationID()); err == nil && declared {
		x.End("declared: come in again")
	}
}

// come puts a socket beside the loop of its station, unless it is a stranger's.
func (w *workplace) come(loops *reconcile.Loops, s *strangers, x *ocppclient.Session) {
	if !x.Stranger() {
		w.join(loops, x)
		return
	}
	s.join(x)
	s.look(x.StationID()) // it may have been declared meanwhile
}
