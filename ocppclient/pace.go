package ocppclient

import "time"

// What counts against Config.MaxMessageRate, in messages.
const (
	// burst is how many a station may say at once, such as those that it kept
	// while it was offline.
	burst = 2000
	// perBytes is how many bytes of a message count as one more.
	perBytes = 10 << 10
	// perRecord is for each fact that is written down, beside what was said.
	perRecord = 4
	// perRefusal is for each token that may not charge: so none can be guessed.
	perRefusal = 10
	// perSocket is for each connection, which is written down and costs a handshake.
	perSocket = 100
)

// spend takes n messages from what the station may say, and waits where it has
// said more. Nothing is lost by it: what is not read yet waits at the station,
// as on a slow link. So one that says more than it should takes no more of the
// machine and of the disk than its share. An answer to our call that stands
// behind others, of which a station should have one, is still read in time.
func (x *Session) spend(n int) {
	each := x.server.cfg.messageInterval()
	wait := x.station.spend(time.Now(), time.Duration(n)*each) - burst*each
	if wait <= 0 {
		return
	}
	x.server.counts.slowed.Add(1)
	x.log().Log(x.server.base, x.once("fast"), "station says more than it may: it is listened to slowly", "per_second", x.server.cfg.MaxMessageRate)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.server.working.Done():
	}
}

// messageInterval is between two messages of a station in the long run; 0: none.
func (c *Config) messageInterval() time.Duration {
	if c.MaxMessageRate < 0 {
		return 0
	}
	return time.Second / time.Duration(c.MaxMessageRate)
}

// spend gives how long it takes then until the station may say all that it ever may.
func (st *station) spend(now time.Time, cost time.Duration) time.Duration {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.paid = max(st.paid, now.UnixNano()) + int64(cost)
	return time.Duration(st.paid - now.UnixNano())
}

// mayCome takes a connection from what a station may say; false: it has come too
// often lately.
func (s *Server) mayCome(id string) bool {
	each := s.cfg.messageInterval()
	if each == 0 {
		return true
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stations[id]
	if st == nil {
		st = &station{}
		s.stations[id] = st
		defer func() { s.forget(id, st) }() // should the socket not come about
	}
	if st.spend(now, 0) > (burst-perSocket)*each {
		return false
	}
	st.spend(now, perSocket*each)
	return true
}

// forget removes a station that has no socket once its pace does not matter any
// more. Server.mu is held.
func (s *Server) forget(id string, st *station) {
	if st.sockets > 0 || s.stations[id] != st {
		return
	}
	left := st.spend(time.Now(), 0)
	if left == 0 {
		delete(s.stations, id)
		return
	}
	time.AfterFunc(left, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forget(id, st)
	})
}
