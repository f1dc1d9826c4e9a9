package reservation_test

import (
	"testing"
	"time"

	. "github.com/resctl/resctl/reservation"
)

// TestLateEvents: what comes when an occurrence has ended leaves it ended. Only
// a use that is reported late makes it fulfilled, and a late report of expiry
// confirms that nobody came.
func TestLateEvents(t *testing.T) {
	ends := map[Phase]func(*testing.T) *story{
		NoShow: func(t *testing.T) *story {
			return tell(t).reserve(7, AnswerAccepted).after(8*time.Hour).report(7, Expired)
		},
		Missed: func(t *testing.T) *story { return decided(tell(t).reserve(7, AnswerRejected), 0, Missed) },
		Ended: func(t *testing.T) *story {
			return decided(tell(t).reserve(7, AnswerAccepted).after(8*time.Hour), 7, Ended)
		},
		Dropped: func(t *testing.T) *story {
			return tell(t, func(d *Declaration) { d.Lifecycle.OnRemoved = Report }).reserve(7, AnswerAccepted).report(7, Removed)
		},
		Canceled: func(t *testing.T) *story {
			return tell(t).reserve(7, AnswerAccepted).undeclare().cancel(7, AnswerAccepted)
		},
		Fulfilled: func(t *testing.T) *story { return tell(t).reserve(7, AnswerAccepted).use(7, "VAN") },
	}
	late := map[string]func(*story) Phase{
		"use":               func(s *story) Phase { s.use(7, "VAN"); return Fulfilled },
		"a stranger's use":  func(s *story) Phase { s.use(0, "STRANGER"); return "" },
		"removed":           func(s *story) Phase { s.report(7, Removed); return "" },
		"no answer":         func(s *story) Phase { s.answer(ReserveNow, 7, AnswerNone); return "" },
		"not sent":          func(s *story) Phase { s.answer(ReserveNow, 7, AnswerNotSent); return "" },
		"refused":           func(s *story) Phase { s.answer(ReserveNow, 7, AnswerOccupied); return "" },
		"accepted":          func(s *story) Phase { s.answer(ReserveNow, 7, AnswerAccepted); return "" },
		"cancel accepted":   func(s *story) Phase { s.answer(CancelReservation, 7, AnswerAccepted); return "" },
		"cancel unanswered": func(s *story) Phase { s.answer(CancelReservation, 7, AnswerNone); return "" },
		"boot": func(s *story) Phase {
			s.event(Event{Kind: Booted, Boot: &Boot{Accepted: true, Serial: "SN-1"}})
			return ""
		},
		"cut": func(s *story) Phase {
			s.event(Event{Kind: Disconnected, Connection: 1}).event(Event{Kind: Connected, Connection: 2})
			return ""
		},
		"paused":    func(s *story) Phase { s.event(Event{Kind: Paused}).event(Event{Kind: Resumed}); return "" },
		"restored":  func(s *story) Phase { s.event(Event{Kind: Restored}); return "" },
		"Available": func(s *story) Phase { s.status(Reserved).status(Available); return "" },
		"Faulted":   func(s *story) Phase { s.status(Faulted); return "" },
		"released": func(s *story) Phase {
			s.event(Event{Kind: Released, Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start})
			return ""
		},
		"superseded": func(s *story) Phase {
			s.event(Event{Kind: Superseded, Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start})
			return ""
		},
		"decided": func(s *story) Phase { decided(s, 7, Missed); return "" },
	}
	for end, begin := range ends {
		for name, comes := range late {
			t.Run(string(end)+"/"+name, func(t *testing.T) {
				s := begin(t)
				want := end
				if p := comes(s); p != "" {
					want = p
				}
				o := s.b.Find(Key{Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start})
				if o.Phase != want {
					t.Errorf("it is %s (%s); want %s", o.Phase, o.Reason, want)
				}
			})
		}
	}
}

func decided(s *story, id int32, p Phase) *story {
	return s.event(Event{Kind: Decided, Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start, ReservationID: id,
		Decision: &Decision{Phase: p, DropID: true}})
}

func TestAnEndThatComesBeforeItsCancelStands(t *testing.T) {
	// It is decided to let a no-show go; then, before that is recorded, he comes.
	tell(t).reserve(7, AnswerAccepted).use(0, "VAN").
		call(CancelReservation, 7, NoShow).answer(CancelReservation, 7, AnswerRejected).is(Fulfilled, BecauseHolder, 0)
}

// TestAUseFromAheadOfTime: a station whose clock has run ahead tells, of what it
// had queued, a time in a window that is not due. That one is not used by it,
// whether the loop has read its book shortly before or not.
func TestAUseFromAheadOfTime(t *testing.T) {
	s := tell(t, func(d *Declaration) { d.When = When{Start: noon.Add(time.Minute), Expiry: noon.Add(time.Hour)} })
	s.event(Event{Kind: Transaction, Queued: true, Transaction: &TransactionReport{ID: "tx", Type: "Ended", EVSE: 1,
		IDToken: &s.want.IDToken, Timestamp: noon.Add(2 * time.Minute)}})
	s.is(Scheduled, "", 0)
}
