package ocppclient

import "sync/atomic"

// counters are what a Server counts.
type counters struct {
	open, refused, malformed, stray, late atomic.Int64
}

// Stats are counts since the server was made.
type Stats struct {
	Open      int64 // sockets now
	Refused   int64 // handshakes
	Malformed int64 // messages that were no frames
	Stray     int64 // answers to nothing that was asked, or that came twice
	Late      int64 // answers that came after their call was given up
}

// Stats returns the counts of now.
func (s *Server) Stats() Stats {
	return Stats{
		Open:      s.counts.open.Load(),
		Refused:   s.counts.refused.Load(),
		Malformed: s.counts.malformed.Load(),
		Stray:     s.counts.stray.Load(),
		Late:      s.counts.late.Load(),
	}
}
