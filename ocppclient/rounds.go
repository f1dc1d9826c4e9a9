package ocppclient

import (
	"iter"
	"time"

	"github.com/gorilla/websocket"
)

// beats divide a ping interval: at each, one part of the sockets is pinged. So
// no socket needs a timer of its own, and those that came at once, after a
// restart of ours, are not pinged at once ever after.
const beats = 64

// rounds are all sessions, in parts of about the same size.
type rounds struct {
	parts [beats][]*Session
	next  int32
	begun bool // somebody goes the rounds
}

func (r *rounds) add(x *Session) {
	x.part, r.next = r.next, (r.next+1)%beats
	x.place = int32(len(r.parts[x.part]))
	r.parts[x.part] = append(r.parts[x.part], x)
}

func (r *rounds) remove(x *Session) {
	part := r.parts[x.part]
	last := len(part) - 1
	part[x.place] = part[last]
	part[x.place].place = x.place
	part[last] = nil
	r.parts[x.part] = part[:last]
}

func (r *rounds) all() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for _, part := range r.parts {
			for _, x := range part {
				if !yield(x) {
					return
				}
			}
		}
	}
}

// goRounds pings every session once in an interval, until the server stops.
func (s *Server) goRounds() {
	beat := time.NewTicker(max(s.cfg.PingInterval/beats, 1))
	defer beat.Stop()
	for part := 0; ; part = (part + 1) % beats {
		select {
		case <-beat.C:
		case <-s.working.Done():
			return
		}
		s.pingPart(part)
	}
}

// pingPart has each session pinged in a goroutine: one that is stuck is not to
// keep the others waiting.
func (s *Server) pingPart(part int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.rounds.parts[part] {
		go x.ping()
	}
}

func (x *Session) ping() {
	if x.isClosing() {
		return
	}
	deadline := time.Now().Add(x.server.cfg.WriteTimeout)
	if err := x.conn.WriteControl(websocket.PingMessage, nil, deadline); err != nil {
		_ = x.conn.Close() // what cannot be written to is dead
	}
}
