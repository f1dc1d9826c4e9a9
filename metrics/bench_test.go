package metrics

import (
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

// BenchmarkTold is what one report, one call and one commit pay for being counted.
func BenchmarkTold(b *testing.B) {
	m := New(Build{}, quiet())
	for b.Loop() {
		m.Reported(reservation.Status, Stored)
		m.Called(reservation.ReserveNow, reservation.AnswerAccepted, time.Millisecond)
		m.Committed(time.Millisecond, nil)
	}
}
