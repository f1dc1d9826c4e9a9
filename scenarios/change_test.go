package scenarios

import (
	"testing"

	"github.com/resctl/resctl/reservation"
)

func TestScenario18And19ACancelThatIsAnsweredEnds(t *testing.T) {
	for _, status := range []string{"Accepted", "Rejected"} {
		t.Run(status, func(t *testing.T) {
			w := begin(t)
			f, id := w.held()
			w.apply()
			f.answer(f.canceled(id), status)
			w.is(reservation.Canceled, "")
			f.quiet()
		})
	}
}
