package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// shelf builds the book of a station that is connected, booted and quiet.
func shelf(list ...*reservation.Occurrence) *reservation.Book {
	b := reservation.NewBook("S")
	long := day.Add(-24 * time.Hour)
	b.Station = reservation.Station{ID: "S", Connection: 1, Live: []int64{1}, ConnectedAt: long, BootAccepted: true, BootAt: long, StatusAt: long}
	for e := 1; e <= 3; e++ {
		b.Station.Connectors = append(b.Station.Connectors, reservation.Connector{EVSE: e, Connector: 1, Status: reservation.Available, Since: long})
	}
	for _, o := range list {
		b.Put(o)
	}
	return b
}

// occurrence is wanted at an EVSE, from now for an hour, and held under id.
func occurrence(address string, evse int, id int32, edit ...func(*reservation.Occurrence)) *reservation.Occurrence {
	c := reservation.Content{Target: reservation.Target{EVSE: evse}, IDToken: reservation.Token{IDToken: address}, Expiry: day.Add(time.Hour)}
	o := &reservation.Occurrence{Key: reservation.Key{Workspace: "w", Address: address, Start: day}, Due: day, Want: &c,
		Window: reservation.Window{Start: day, Expiry: c.Expiry}, Phase: reservation.Scheduled, ID: id}
	if id != 0 {
		o.Phase, o.Held, o.Asked, o.EverHeld = reservation.Held, &c, &c, true
	}
	for _, e := range edit {
		e(o)
	}
	return o
}

func wanted(evse int) func(*reservation.Occurrence) {
	return func(o *reservation.Occurrence) { c := *o.Want; c.EVSE = evse; o.Want = &c }
}

func starting(start, due time.Time) func(*reservation.Occurrence) {
	return func(o *reservation.Occurrence) {
		o.Start, o.Due = start, due
		c := *o.Want
		c.Expiry = start.Add(time.Hour)
		o.Want = &c
	}
}

// reservedAt is a shelf whose EVSE shows Reserved.
func reservedAt(evse int, list ...*reservation.Occurrence) *reservation.Book {
	b := shelf(list...)
	b.Station.Connectors[evse-1].Status = reservation.Reserved
	return b
}

// stuck was prolonged by an hour, and its station neither took that nor lets go.
func stuck(o *reservation.Occurrence) {
	o.Phase, o.Reason, o.MustCancel = reservation.Unsure, reservation.BecauseRepeat, true
	c := *o.Want
	c.Expiry = c.Expiry.Add(time.Hour)
	o.Want = &c
}

func unwanted(o *reservation.Occurrence) { o.Want = nil }

// doing is work in a line: what is done, and what waits.
func doing(w reconcile.Work) string {
	var parts []string
	for _, a := range w.Actions {
		switch {
		case a.Call != nil && a.Call.Kind == reservation.ReserveNow:
			parts = append(parts, fmt.Sprintf("reserve %s on %d", a.Key.Address, a.Call.Content.EVSE))
		case a.Call != nil && a.Call.Kind == reservation.CancelReservation:
			parts = append(parts, fmt.Sprintf("cancel %s", a.Key.Address))
		case a.Call != nil:
			parts = append(parts, string(a.Call.Kind))
		case a.Decision != nil:
			parts = append(parts, fmt.Sprintf("%s is %s", a.Key.Address, a.Decision.Phase))
		default:
			parts = append(parts, "assume a boot")
		}
	}
	for _, x := range w.Waiting {
		parts = append(parts, fmt.Sprintf("%s waits: %s", x.Occurrence.Address, x.Reason))
	}
	return strings.Join(parts, "; ")
}

func TestDiff(t *testing.T) {
	hour := day.Add(time.Hour)
	for _, c := range []struct {
		name string
		book *reservation.Book
		at   time.Time
		want string
		wake time.Time
	}{
		{"due", shelf(occurrence("a", 1, 0)), day, "reserve a on 1", hour.Add(-10 * time.Second)},
		{"not due", shelf(occurrence("a", 1, 0, starting(hour, hour))), day, "", hour},
		{"held", shelf(occurrence("a", 1, 7)), day, "", hour},
		{"over, never held", shelf(occurrence("a", 1, 0)), hour, "a is missed", time.Time{}},
		{"over, a minute is given to hear how", shelf(occurrence("a", 1, 7)), hour, "", hour.Add(time.Minute)},
		{"over and nothing heard", shelf(occurrence("a", 1, 7)), hour.Add(time.Minute), "a is ended", time.Time{}},
		{"what frees goes first", shelf(occurrence("a", 1, 0), occurrence("b", 2, 7, unwanted)), day, "cancel b; reserve a on 1", hour.Add(-10 * time.Second)},
		{"a swap of EVSEs", shelf(occurrence("a", 1, 7, wanted(2)), occurrence("b", 2, 8, wanted(1))), day, "cancel a; cancel b", hour},
		{"a chain of EVSEs, the first one canceled", shelf(occurrence("a", 1, 0, wanted(2)), occurrence("b", 2, 8, wanted(3))), day,
			"cancel b; a waits: waiting for the one before", hour},
		{"the next one, with lead time, before the end", shelf(occurrence("a", 1, 7), occurrence("b", 1, 0, starting(hour, hour.Add(-10*time.Minute)))),
			hour.Add(-10 * time.Minute), "b waits: waiting for the one before", hour},
		{"the next one, with lead time, at the end", shelf(occurrence("a", 1, 7), occurrence("b", 1, 0, starting(hour, hour.Add(-10*time.Minute)))),
			hour, "a is ended; b waits: waiting for the one before", time.Time{}},
		{"the next one, and the EVSE still shows Reserved", reservedAt(1, occurrence("a", 1, 7), occurrence("b", 1, 0, starting(hour, hour))),
			hour, "cancel a; b waits: waiting for the one before", time.Time{}},
		{"prolonged, and what was held cannot be cancelled", shelf(occurrence("a", 1, 7, stuck)), hour, "cancel a", hour.Add(reservation.GiveUp)},
		{"prolonged, and what was held is over", shelf(occurrence("a", 1, 7, stuck)), hour.Add(reservation.GiveUp), "a is pending", hour.Add(time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := reconcile.DefaultSettings().Diff(c.book, c.at)
			if got := doing(w); got != c.want {
				t.Errorf("work: %q; want %q", got, c.want)
			}
			if !c.wake.IsZero() && !w.WakeAt.Equal(c.wake) {
				t.Errorf("it wakes at %s; want %s", w.WakeAt, c.wake)
			}
		})
	}
}

func TestWhenToSpeak(t *testing.T) {
	due := func(edit func(*reservation.Station)) *reservation.Book {
		b := shelf(occurrence("a", 1, 0))
		edit(&b.Station)
		return b
	}
	second := func(n int) time.Time { return day.Add(time.Duration(n) * time.Second) }
	neverBooted := func(s *reservation.Station) { s.ConnectedAt, s.BootAccepted, s.BootAt = day, false, time.Time{} }
	noStatus := func(s *reservation.Station) { s.BootAt, s.StatusAt, s.Connectors = day, time.Time{}, nil }
	for _, c := range []struct {
		name string
		edit func(*reservation.Station)
		at   time.Time
		want string
	}{
		{"offline", func(s *reservation.Station) { s.Live = nil }, day, "a waits: offline"},
		{"paused", func(s *reservation.Station) { s.Paused = &reservation.Halt{} }, day, "a waits: paused"},
		{"paused for a while", func(s *reservation.Station) { s.Paused = &reservation.Halt{Until: second(20)} }, second(19), "a waits: paused"},
		{"its pause has run out", func(s *reservation.Station) { s.Paused = &reservation.Halt{Until: second(20)} }, second(20), "reserve a on 1"},
		{"paused while it was to be asked to boot", func(s *reservation.Station) { neverBooted(s); s.Paused = &reservation.Halt{} }, second(30), "a waits: paused"},
		{"paused and offline", func(s *reservation.Station) { s.Live, s.Paused = nil, &reservation.Halt{} }, day, "a waits: paused"},
		{"just connected", func(s *reservation.Station) { s.ConnectedAt = day }, second(9), "a waits: booting"},
		{"quiet for ten seconds", func(s *reservation.Station) { s.ConnectedAt = day }, second(10), "reserve a on 1"},
		{"its queue drains", func(s *reservation.Station) { s.ConnectedAt, s.QueuedAt = day, second(8) }, second(12), "a waits: booting"},
		{"its queue never ends", func(s *reservation.Station) { s.ConnectedAt, s.QueuedAt = day, second(59) }, second(60), "reserve a on 1"},
		{"never seen booting", neverBooted, second(29), "a waits: booting"},
		{"asked to boot", neverBooted, second(30), "TriggerMessage BootNotification; a waits: booting"},
		{"it does not boot", func(s *reservation.Station) { neverBooted(s); s.BootProbedAt = second(30) }, second(60), "assume a boot; a waits: booting"},
		{"no status after its boot", noStatus, second(20), "a waits: booting"},
		{"does no reservations", func(s *reservation.Station) { s.Support = reservation.SupportNo }, day, "a waits: unsupported"},
		{"a stranger charges there", func(s *reservation.Station) {
			s.Transactions = []reservation.OpenTransaction{{ID: "t", EVSE: 1, IDToken: &reservation.Token{IDToken: "x"}}}
		}, day, "a waits: taken"},
		{"its own driver charges there", func(s *reservation.Station) {
			s.Transactions = []reservation.OpenTransaction{{ID: "t", EVSE: 1, IDToken: &reservation.Token{IDToken: "A"}}}
		}, day, "a is fulfilled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := doing(reconcile.DefaultSettings().Diff(due(c.edit), c.at)); got != c.want {
				t.Errorf("work: %q; want %q", got, c.want)
			}
		})
	}
}
