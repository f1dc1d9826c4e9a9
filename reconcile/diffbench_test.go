package reconcile_test

import (
	"fmt"
	"testing"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// BenchmarkDiff is one look at a station with a hundred EVSEs, of which half
// are held: what a loop does for each reservation.
func BenchmarkDiff(b *testing.B) {
	var list []*reservation.Occurrence
	for e := 1; e <= 100; e++ {
		list = append(list, occurrence(fmt.Sprintf("reservation.van[%03d]", e), e, int32(e%2)*int32(e)))
	}
	book := shelf(list...)
	for e := 4; e <= 100; e++ {
		book.Station.Connectors = append(book.Station.Connectors, reservation.Connector{EVSE: e, Connector: 1, Status: reservation.Available, Since: day})
	}
	settings := reconcile.DefaultSettings()
	b.ReportAllocs()
	for b.Loop() {
		settings.Diff(book, day)
	}
}
