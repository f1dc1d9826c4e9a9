package sim

import (
	"testing"
	"time"
)

// What real stations do instead.
func TestQuirks(t *testing.T) {
	reserved := act{reserve(41, 1), "Accepted: 1.1 Reserved"}
	hour := after(time.Hour)
	play(t, []scene{
		{"SameIDOccupied", Quirks{SameID: SameIDOccupied}, []act{reserved, {reserve(41, 2), "Occupied"}, {holds, "41@1"}}},
		{"SameIDRejected", Quirks{SameID: SameIDRejected}, []act{reserved, {reserve(41, 1), "Rejected"}, {holds, "41@1"}}},
		{"SameIDAcceptWithoutEffect", Quirks{SameID: SameIDAcceptWithoutEffect}, []act{reserved, {reserve(41, 2), "Accepted"}, {holds, "41@1"}}},
		{"DropsBeforeReplace", Quirks{DropsBeforeReplace: true}, []act{reserved, {reserve(41, 7), "Rejected: 1.1 Available"}, {holds, ""}}},
		{"OtherIDRejected", Quirks{OtherID: OtherIDRejected}, []act{reserved, {reserve(42, 1), "Rejected"}}},
		{"OtherIDAcceptAndDropFirst", Quirks{OtherID: OtherIDAcceptAndDropFirst}, []act{reserved, {reserve(42, 1), "Accepted"}, {holds, "42@1"}}},
		{"PastExpiryRejected", Quirks{}, []act{{reserve(41, 1, until(-time.Second)), "Rejected"}}},
		{"PastExpiryAccepted", Quirks{PastExpiry: PastExpiryAccepted}, []act{
			{reserve(41, 1, until(-time.Second)), "Accepted: 1.1 Reserved"}, {holds, ""}, {after(0), "1.1 Available, 41 Expired"}}},
		{"PastExpiryHeldForever", Quirks{PastExpiry: PastExpiryHeldForever}, []act{
			{reserve(41, 1, until(-time.Second)), "Accepted: 1.1 Reserved"}, {hour, ""}, {holds, "41@1"}}},
		{"NoUpdate", Quirks{NoUpdate: true}, []act{reserved, {hour, "1.1 Available"}}},
		{"UpdateBeforeStatus", Quirks{UpdateBeforeStatus: true}, []act{reserved, {hour, "41 Expired, 1.1 Available"}}},
		{"QueueAll", Quirks{QueueAll: true}, []act{reserved, {offline, ""}, {hour, ""}, {reconnect, "1.1 Available, 41 Expired"}}},
		{"NeverReportsExpiry", Quirks{NeverReportsExpiry: true}, []act{reserved, {hour, ""}, {holds, ""}, {cancel(41), "Rejected: 1.1 Available"}}},
		{"ExpiryDelay", Quirks{ExpiryDelay: 10 * time.Second}, []act{reserved, {hour, ""}, {holds, ""}, {after(10 * time.Second), "1.1 Available, 41 Expired"}}},
		{"CancelAfterExpiryAccepted", Quirks{CancelAfterExpiryAccepted: true}, []act{
			reserved, {hour, "1.1 Available, 41 Expired"}, {cancel(41), "Accepted"}, {cancel(41), "Rejected"}}},
		{"NoReservationIDInTransaction", Quirks{NoReservationIDInTransaction: true}, []act{
			reserved, {use(1, "t41"), "true: 1.1 Occupied, Started at 1 by t41"}, {holds, ""}}},
		{"MinusOneInTransaction", Quirks{MinusOneInTransaction: true}, []act{reserved, {use(1, "t41"), "true: 1.1 Occupied, Started at 1 by t41 for -1"}}},
		{"UseKeepsReservation", Quirks{UseKeepsReservation: true}, []act{
			reserved, {use(1, "t41"), "true: 1.1 Occupied, Started at 1 by t41"}, {at(1, leave), "Ended at 1, 1.1 Reserved"}}},
		{"IDInUpdated", Quirks{IDInUpdated: true}, []act{reserved, {use(1, "t41"), "true: 1.1 Occupied, Started at 1, Updated at 1 by t41 for 41"}}},
		{"ForeignTokenAllowed", Quirks{ForeignTokenAllowed: true}, []act{
			reserved, {use(1, "x"), "true: 1.1 Occupied, Started at 1 by x"}, {holds, "41@1"}, {at(1, leave), "Ended at 1, 1.1 Reserved"}}},
		{"ForeignTokenConsumes", Quirks{ForeignTokenConsumes: true}, []act{reserved, {use(1, "x"), "true: 1.1 Occupied, Started at 1 by x"}, {holds, ""}}},
		{"ForgetsOnReboot", Quirks{ForgetsOnReboot: true}, []act{reserved, {reboot, "BootNotification, 1.1 Available, 2.1 Available, 2.2 Available"}, {holds, ""}}},
		{"AvailableAfterBootThoughHeld", Quirks{AvailableAfterBootThoughHeld: true}, []act{
			reserved, {reboot, "BootNotification, 1.1 Available, 2.1 Available, 2.2 Available"}, {holds, "41@1"},
			{reserve(42, 1), "Occupied"}, {reserve(41, 1), "Accepted: 1.1 Reserved"}}},
		{"BootsAtEveryReconnect", Quirks{BootsAtEveryReconnect: true}, []act{reserved, {offline, ""}, {reconnect, "BootNotification"}}},
		{"StatusBeforeAnswer", Quirks{StatusBeforeAnswer: true}, []act{{reserve(41, 1), "Accepted: first 1.1 Reserved"}}},
		{"AuthorizeBeforeAnswer", Quirks{AuthorizeBeforeAnswer: true}, []act{{reserve(41, 1), "Accepted: first Authorize, 1.1 Reserved"}}},
		{"NotifyEventInsteadOfStatus", Quirks{NotifyEventInsteadOfStatus: true}, []act{{reserve(41, 1), "Accepted: event 1.1 Reserved"}}},
		{"FaultKeepsReservation", Quirks{FaultKeepsReservation: true}, []act{reserved, {at(1, fault), "1.1 Faulted"}, {at(1, mend), "1.1 Reserved"}}},
		{"UntargetedOnEVSE1", Quirks{UntargetedOnEVSE1: true}, []act{{reserve(41, 0), "Accepted: 1.1 Reserved"}, {reserve(42, 0), "Occupied"}}},
		{"OnePerToken", Quirks{OnePerToken: true}, []act{reserved, {reserve(42, 2, by("T41")), "Occupied"}}},
		{"ReservationsNotImplemented", Quirks{ReservationsNotImplemented: true}, []act{{reserve(41, 1), "NotImplemented"}, {cancel(41), "NotImplemented"}}},
		{"SkewAhead", Quirks{Skew: 10 * time.Minute}, []act{reserved, {after(50 * time.Minute), "1.1 Available, 41 Expired"}}},
		{"SkewBehind", Quirks{Skew: -10 * time.Minute}, []act{reserved, {hour, ""}, {holds, "41@1"}, {after(10 * time.Minute), "1.1 Available, 41 Expired"}}},
	})
}

func TestNextTimerIsWhenAdvanceActs(t *testing.T) {
	for _, q := range []Quirks{{}, {Skew: time.Minute}, {Skew: -time.Minute, ExpiryDelay: 7 * time.Second}} {
		b := newBench(t, q)
		if next := b.m.NextTimer(); !next.IsZero() {
			t.Errorf("idle: %v", next)
		}
		reserve(41, 1)(b)
		b.now = b.m.NextTimer().Add(-time.Nanosecond)
		if got := line(b.m.Advance(b.now)); got != "" {
			t.Errorf("too early: %s", got)
		}
		b.now = b.m.NextTimer()
		if got := line(b.m.Advance(b.now)); got != "1.1 Available, 41 Expired" {
			t.Errorf("in time: %s", got)
		}
	}
}
