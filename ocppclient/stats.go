package ocppclient

import "sync/atomic"

// counters are what a Server counts.
type counters struct {
	open, accepted, in, out, malformed, stray, late, slowed atomic.Int64
}

// Stats are counts since the server was made.
type Stats struct {
	Open      int64 // sockets now
	Accepted  int64 // handshakes
	Refused   int64 // handshakes, and connections beyond a limit
	In, Out   int64 // messages that were read, and written
	Malformed int64 // messages that were no frames
	Stray     int64 // answers to nothing that was asked, or that came twice
	Late      int64 // answers that came after their call was given up
	Slowed    int64 // how often a station had to wait: see Config.MaxMessageRate
}

// Stats returns the counts of now.
func (s *Server) Stats() Stats {
	return Stats{
		Open:      s.counts.open.Load(),
		Accepted:  s.counts.accepted.Load(),
		Refused:   s.refusals.total(),
		In:        s.counts.in.Load(),
		Out:       s.counts.out.Load(),
		Malformed: s.counts.malformed.Load(),
		Stray:     s.counts.stray.Load(),
		Late:      s.counts.late.Load(),
		Slowed:    s.counts.slowed.Load(),
	}
}

// Refusals are the counts of those who were refused, by cause; every cause is there.
func (s *Server) Refusals() map[Cause]int64 { return s.refusals.counts() }
