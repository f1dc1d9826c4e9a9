package reservation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/resctl/resctl/reservation"
)

// story is one occurrence at EVSE 1 of one station, told event by event.
type story struct {
	t    *testing.T
	b    *Book
	now  time.Time
	want Wanted
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func tell(t *testing.T, edit ...func(*Declaration)) *story {
	t.Helper()
	d := Declaration{Address: "reservation.van", Workspace: "w", StationID: "S", Target: Target{EVSE: 1},
		IDToken: Token{IDToken: "VAN", Type: "ISO14443"}, When: When{Start: noon, Expiry: noon.Add(8 * time.Hour)}}
	for _, e := range edit {
		e(&d)
	}
	s := &story{t: t, b: NewBook("S"), now: noon, want: Wanted{Declaration: d, Window: d.When.Window(noon), StoredAt: noon}}
	s.event(Event{Kind: Connected, Connection: 1})
	s.event(Event{Kind: Booted, Boot: &Boot{Accepted: true, Serial: "SN-1"}})
	s.status(Available)
	return s.event(Event{Kind: Declared, Workspace: "w", Address: d.Address, Change: &Change{After: &s.want}})
}

func (s *story) event(e Event) *story {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	e.At, e.StationID = s.now, "S"
	if _, err := s.b.Apply(e); err != nil {
		s.t.Fatalf("%s: %v", e.Kind, err)
	}
	return s
}

func (s *story) after(d time.Duration) *story { s.now = s.now.Add(d); return s }

func (s *story) status(v EVSEStatus) *story {
	return s.event(Event{Kind: Status, Status: &StatusReport{EVSE: 1, Connector: 1, Status: v}})
}

func (s *story) call(kind CallKind, id int32, then Phase) *story {
	c := s.want.Content()
	return s.event(Event{Kind: Requested, Connection: 1, Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start,
		ReservationID: id, Call: &Call{Kind: kind, Content: &c, Then: then}})
}

func (s *story) answer(kind CallKind, id int32, o Outcome) *story {
	c := s.want.Content()
	return s.event(Event{Kind: Answered, Connection: 1, Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start,
		ReservationID: id, Call: &Call{Kind: kind, Content: &c}, Answer: &Answer{Outcome: o}})
}

func (s *story) reserve(id int32, o Outcome) *story {
	return s.call(ReserveNow, id, "").answer(ReserveNow, id, o)
}

func (s *story) cancel(id int32, o Outcome) *story {
	return s.call(CancelReservation, id, "").answer(CancelReservation, id, o)
}

func (s *story) report(id int32, u UpdateStatus) *story {
	return s.event(Event{Kind: Reported, ReservationID: id, Update: u})
}

func (s *story) use(id int32, token string) *story {
	return s.event(Event{Kind: Transaction, ReservationID: id,
		Transaction: &TransactionReport{ID: "tx", Type: "Started", EVSE: 1, IDToken: &Token{IDToken: token, Type: "Central"}}})
}

func (s *story) undeclare() *story {
	return s.event(Event{Kind: Declared, Workspace: "w", Address: s.want.Address, Change: &Change{Before: &s.want}})
}

// is holds the occurrence against a phase, a reason and a live id.
func (s *story) is(p Phase, r Reason, id int32) *story {
	s.t.Helper()
	o := s.b.Find(Key{Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start})
	if o == nil {
		s.t.Fatal("the book does not know the occurrence")
	}
	if o.Phase != p || o.Reason != r || o.ID != id {
		s.t.Errorf("it is %s (%s) under %d; want %s (%s) under %d", o.Phase, o.Reason, o.ID, p, r, id)
	}
	return s
}

func TestStories(t *testing.T) {
	onUsed := func(d *Declaration) { d.Lifecycle.OnUsed = HoldAgain }
	report := func(d *Declaration) { d.Lifecycle.OnRemoved = Report }
	group := func(d *Declaration) { d.GroupIDToken = &Token{IDToken: "GROUP", Type: "Central"} }
	for name, story := range map[string]func(*testing.T){
		"asked and accepted": func(t *testing.T) {
			tell(t).is(Scheduled, "", 0).call(ReserveNow, 7, "").is(Unsure, BecauseAsked, 7).
				answer(ReserveNow, 7, AnswerAccepted).is(Held, "", 7)
		},
		"refused at first: the id is gone": func(t *testing.T) {
			tell(t).reserve(7, AnswerOccupied).is(Pending, BecauseOccupied, 0)
		},
		"an error about the request itself": func(t *testing.T) {
			tell(t).reserve(7, AnswerRefused).is(Pending, BecauseRefused, 0)
		},
		"no answer is doubt": func(t *testing.T) {
			tell(t).reserve(7, AnswerNone).is(Unsure, BecauseNoAnswer, 7)
		},
		"no answer does not undo an answer that raced it": func(t *testing.T) {
			tell(t).call(ReserveNow, 7, "").answer(ReserveNow, 7, AnswerAccepted).answer(ReserveNow, 7, AnswerNone).is(Held, "", 7)
		},
		"no answer after a removal changes nothing": func(t *testing.T) {
			tell(t).call(ReserveNow, 7, "").report(7, Removed).answer(ReserveNow, 7, AnswerNone).is(Pending, BecauseRemoved, 0)
		},
		"not sent: nothing is there": func(t *testing.T) {
			tell(t).reserve(7, AnswerNotSent).is(Pending, BecauseOffline, 0)
		},
		"not sent again: the doubt stands": func(t *testing.T) {
			tell(t).reserve(7, AnswerNone).reserve(7, AnswerNotSent).is(Unsure, BecauseNoAnswer, 7)
		},
		"a repeat that is refused is settled by a cancel": func(t *testing.T) {
			tell(t).reserve(7, AnswerNone).reserve(7, AnswerOccupied).is(Unsure, BecauseRepeat, 7).
				cancel(7, AnswerRejected).is(Pending, "", 0)
		},
		"a repeat that is refused while Reserved shows is held": func(t *testing.T) {
			tell(t).reserve(7, AnswerNone).status(Reserved).reserve(7, AnswerOccupied).is(Held, "", 7)
		},
		"used, with our id": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).use(7, "VAN").is(Fulfilled, BecauseHolder, 0)
		},
		"used, without our id: what may be left is cancelled": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).use(0, "van").is(Fulfilled, BecauseHolder, 7).
				cancel(7, AnswerRejected).is(Fulfilled, BecauseHolder, 0)
		},
		"used by a member of the group": func(t *testing.T) {
			tell(t, group).reserve(7, AnswerAccepted).use(7, "GROUP").is(Fulfilled, BecauseGroup, 0)
		},
		"used, and held again": func(t *testing.T) {
			tell(t, onUsed).reserve(7, AnswerAccepted).use(7, "VAN").is(Pending, BecauseOccupied, 0)
		},
		"a stranger is there, and an answer comes late": func(t *testing.T) {
			s := tell(t).reserve(7, AnswerAccepted).use(0, "STRANGER").answer(ReserveNow, 7, AnswerAccepted)
			s.is(Pending, BecauseTaken, 7)
		},
		"a stranger is there, and a refusal comes late": func(t *testing.T) {
			s := tell(t).reserve(7, AnswerAccepted).use(0, "STRANGER").answer(ReserveNow, 7, AnswerRejected)
			s.is(Pending, BecauseTaken, 7)
		},
		"a stranger is there": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).use(0, "STRANGER").is(Pending, BecauseTaken, 7)
		},
		"use that is reported late": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).report(7, Removed).reserve(8, AnswerAccepted).use(7, "VAN").
				is(Fulfilled, BecauseHolder, 8)
		},
		"removed, and wanted still": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).report(7, Removed).is(Pending, BecauseRemoved, 0)
		},
		"removed, and only reported": func(t *testing.T) {
			tell(t, report).reserve(7, AnswerAccepted).report(7, Removed).is(Dropped, BecauseRemoved, 0)
		},
		"expired in time": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).after(8*time.Hour).report(7, Expired).is(NoShow, "", 0)
		},
		"expired by a status alone": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).status(Reserved).after(8*time.Hour).status(Available).is(NoShow, "", 0)
		},
		"expired too early": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).after(time.Hour).report(7, Expired).is(Pending, BecauseEarly, 0)
		},
		"expired early by a clock that is ahead": func(t *testing.T) {
			s := tell(t).reserve(7, AnswerAccepted)
			s.event(Event{Kind: Transaction, Transaction: &TransactionReport{ID: "T9", Type: "Started", EVSE: 2, Timestamp: s.now.Add(10 * time.Minute)}})
			s.after(7*time.Hour+50*time.Minute).report(7, Expired).is(NoShow, "", 0)
		},
		"Available without a word": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).status(Reserved).status(Available).is(Unsure, BecauseVanished, 7).
				status(Reserved).is(Held, "", 7)
		},
		"Reserved again after a fault": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).status(Reserved).status(Faulted).is(Held, "", 7).
				status(Available).is(Unsure, BecauseFault, 7).status(Reserved).is(Held, "", 7)
		},
		"a boot is doubt, Reserved lays it": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).event(Event{Kind: Booted, Boot: &Boot{Accepted: true, Serial: "SN-1"}}).
				is(Unsure, BecauseBoot, 7).status(Reserved).is(Held, "", 7)
		},
		"another station": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).event(Event{Kind: Booted, Boot: &Boot{Accepted: true, Serial: "SN-2"}}).
				is(Pending, BecauseReplaced, 0)
		},
		"no longer declared": func(t *testing.T) {
			tell(t).reserve(7, AnswerAccepted).undeclare().is(Held, "", 7).
				call(CancelReservation, 7, "").is(Canceling, "", 7).
				answer(CancelReservation, 7, AnswerNone).is(Canceling, "", 7).
				cancel(7, AnswerAccepted).is(Canceled, "", 0)
		},
		"accepted after it was cancelled": func(t *testing.T) {
			s := tell(t).reserve(7, AnswerNone).undeclare().cancel(7, AnswerRejected).answer(ReserveNow, 7, AnswerAccepted)
			if got := s.b.Station.Strays; len(got) != 1 || got[0].ID != 7 {
				t.Errorf("strays: %v; want 7, to be cancelled", got)
			}
			s.cancel(7, AnswerAccepted)
			if len(s.b.Station.Strays) > 0 {
				t.Error("the stray was cancelled and is still there")
			}
		},
	} {
		t.Run(name, story)
	}
}

func TestOnlyAnOldConnectionIsRefused(t *testing.T) {
	s := tell(t).event(Event{Kind: Connected, Connection: 2})
	_, err := s.b.Apply(Event{Kind: Requested, StationID: "S", Connection: 1, Call: &Call{Kind: ProbeBoot}})
	if !errors.Is(err, ErrOldConnection) {
		t.Errorf("a request over the old socket: %v", err)
	}
	s.event(Event{Kind: Disconnected, Connection: 1})
	if !s.b.Station.Online() {
		t.Error("the old socket's end has taken the station offline")
	}
	s.event(Event{Kind: Disconnected, Connection: 2})
	if s.b.Station.Online() {
		t.Error("both sockets have ended and the station is online")
	}
}

func TestApplyLeavesTheOriginalAlone(t *testing.T) {
	s := tell(t).reserve(7, AnswerAccepted)
	before := s.b
	s.b = s.b.Clone()
	s.use(7, "VAN")
	s.b = before
	s.is(Held, "", 7)
}

func TestRulesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if r.Name == "" || seen[r.Name] || len(r.Kinds) == 0 {
			t.Errorf("rule %q: every rule has a name of its own and its kinds of events", r.Name)
		}
		seen[r.Name] = true
	}
}

func TestBackoff(t *testing.T) {
	k := Key{Workspace: "w", Address: "reservation.van"}
	for attempt := range 12 {
		d := Backoff(k, attempt)
		if low := min(BackoffMin<<min(attempt, 10), BackoffMax); d < low || d > low+low/4 {
			t.Errorf("attempt %d waits %s; want %s and up to a quarter more", attempt, d, low)
		}
	}
	if Backoff(k, 3) == Backoff(Key{Workspace: "w", Address: "reservation.other"}, 3) {
		t.Error("the jitter is a hash of key and attempt")
	}
}

func TestTokensMaskThemselves(t *testing.T) {
	token := Token{IDToken: "04A1B2C3", Type: "ISO14443"}
	d := Declaration{IDToken: token, GroupIDToken: &token}
	for name, text := range map[string]string{"String": token.String(), "LogValue": token.LogValue().String(),
		"Fingerprint": token.Fingerprint([]byte("k")), "Masked": d.Masked([]byte("k")).GroupIDToken.IDToken,
		"a token block's Masked": TokenDeclaration{IDToken: token, GroupIDToken: &token}.Masked([]byte("k")).GroupIDToken.IDToken} {
		if strings.Contains(text, "04A1") {
			t.Errorf("%s shows the token: %s", name, text)
		}
	}
	if token.Fingerprint([]byte("k")) == token.Fingerprint([]byte("other")) {
		t.Error("a fingerprint without its key could be guessed back")
	}
}

func TestPasswordsAreSalted(t *testing.T) {
	d := StationDeclaration{ClearPassword: "correct horse battery"}
	a, b := d.Salted(), d.Salted()
	if a.ClearPassword != "" || a.PasswordHash == b.PasswordHash {
		t.Error("the password is kept in clear, or its hash tells two equal ones")
	}
	if !a.CheckPassword([]byte("correct horse battery")) || a.CheckPassword([]byte("wrong")) || (StationDeclaration{}).CheckPassword(nil) {
		t.Error("CheckPassword")
	}
}

func TestPasswordsOfHexadecimalDigitsMatchTheirBytes(t *testing.T) {
	key := []byte("\x00\xff\xabcdefghijklm") // no UTF-8
	for _, digits := range []string{"00ffab6364656667" + "68696a6b6c6d6e6f", "00FFAB6364656667" + "68696A6B6C6D6E6F"} {
		d := StationDeclaration{ClearPassword: digits}.Salted()
		bytes := append([]byte("\x00\xff\xab"), "cdefghijklmno"...)
		if !d.CheckPassword(bytes) || !d.CheckPassword([]byte(digits)) {
			t.Errorf("%s is not let in", digits)
		}
		if d.CheckPassword(key) || d.CheckPassword(bytes[:15]) || d.CheckPassword(nil) {
			t.Errorf("%s lets others in", digits)
		}
	}
}

func TestWindows(t *testing.T) {
	hold := When{HoldFor: Duration(8 * time.Hour)}
	if got := hold.Window(noon.Add(300 * time.Millisecond)); !got.Start.Equal(noon) || !got.Expiry.Equal(noon.Add(8*time.Hour)) {
		t.Errorf("hold_for: %v", got)
	}
	a := Window{noon, noon.Add(time.Hour)}
	if a.Overlaps(Window{noon.Add(time.Hour), noon.Add(2 * time.Hour)}) {
		t.Error("windows are half-open: one may begin when another ends")
	}
	if !a.Overlaps(Window{noon.Add(59 * time.Minute), noon.Add(2 * time.Hour)}) {
		t.Error("these overlap by a minute")
	}
}

func TestHashIsOverWhatIsDeclared(t *testing.T) {
	card := TokenDeclaration{Address: "token.a", IDToken: Token{IDToken: "A", Type: "Central"}, Source: "a.hcl:1"}
	elsewhere, other := card, card
	elsewhere.Source, other.GroupIDToken = "b.hcl:2", &card.IDToken
	if card.Hash() != elsewhere.Hash() || card.Hash() == other.Hash() {
		t.Error("a token block's hash is over what it declares, not where")
	}
	d := tell(t).want.Declaration
	moved := d
	moved.Source = "other.hcl:7"
	if d.Hash() != moved.Hash() {
		t.Error("a declaration that only moved to another line counts as changed")
	}
	moved.IDToken.IDToken = "VAN-2"
	if d.Hash() == moved.Hash() {
		t.Error("another token is the same declaration")
	}
}

// An EVSE that says Available keeps no cancel waiting for a driver: the
// station may still hold what nobody wants.
func TestUnwantedIsCancelledWithoutWaiting(t *testing.T) {
	for _, before := range []EVSEStatus{Reserved, Faulted} {
		s := tell(t).reserve(7, AnswerAccepted).status(before).undeclare().status(Available)
		o := s.b.Find(Key{Workspace: "w", Address: s.want.Address, Start: s.want.Window.Start})
		if o.ID != 7 || !o.MustCancel || !o.RetryAt.IsZero() {
			t.Errorf("after %s: %+v", before, o)
		}
		s.cancel(7, AnswerAccepted).is(Canceled, "", 0)
	}
}
