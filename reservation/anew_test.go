package reservation_test

import (
	"testing"

	. "github.com/resctl/resctl/reservation"
)

func (s *story) anew() *story {
	return s.event(Event{Kind: Declared, Workspace: "w", Address: s.want.Address,
		Change: &Change{Before: &s.want, After: &s.want, Anew: true}})
}

// TestAnew: what is declared anew lets its id go first, and comes back from
// every end.
func TestAnew(t *testing.T) {
	for name, story := range map[string]func(*testing.T){
		"held: cancelled, then asked under a new id": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).anew().is(Canceling, BecauseChanged, 7).
				cancel(7, AnswerAccepted).is(Pending, "", 0).reserve(8, AnswerAccepted).is(Held, "", 8)
		},
		"in doubt: cancelled first as well": func(t *testing.T) {
			tell(t).reserve(7, AnswerNone).anew().is(Canceling, BecauseChanged, 7)
		},
		"accepted late: the cancel stands": func(t *testing.T) {
			tell(t).call(ReserveNow, 7, "").anew().answer(ReserveNow, 7, AnswerAccepted).is(Canceling, BecauseChanged, 7)
		},
		"used before the cancel: it is over": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).anew().use(7, "VAN").is(Fulfilled, BecauseHolder, 0)
		},
		"used: begun once more": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).use(7, "VAN").is(Fulfilled, BecauseHolder, 0).anew().is(Scheduled, "", 0)
		},
		"refused: asked again at once": func(t *testing.T) {
			s := tell(t).reserve(7, AnswerRejected).anew().is(Scheduled, "", 0)
			if o := s.b.Occurrences[0]; o.NoRetry || !o.RetryAt.IsZero() {
				t.Error("it is held back still")
			}
		},
		"declared again as it was: nothing happens": func(t *testing.T) {
			s := tell(t).reserve(7, AnswerAccepted)
			s.event(Event{Kind: Declared, Workspace: "w", Address: s.want.Address, Change: &Change{Before: &s.want, After: &s.want}}).is(Held, "", 7)
		},
	} {
		t.Run(name, story)
	}
}
