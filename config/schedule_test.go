package config

import (
	"testing"

	"github.com/resctl/resctl/reservation"
)

// However many reservations recur, each distinct schedule is there once, and
// compiled.
func TestSchedulesAreShared(t *testing.T) {
	for name, files := range map[string]map[string]string{"table": tablePlan(recurringRow), "blocks": blockPlan(recurring)} {
		cfg := mustLoad(t, Options{Dir: write(t, files)})
		distinct, pointers := map[string]bool{}, map[*reservation.Schedule]bool{}
		for _, r := range cfg.Reservations {
			distinct[r.When.Schedule.Key()] = true
			pointers[r.When.Schedule] = true
		}
		want := map[string]int{"table": 3, "blocks": 1}[name]
		if len(cfg.Reservations) != vans || len(distinct) != want || len(pointers) != want {
			t.Errorf("%s: %d reservations have %d schedules that differ, at %d places", name, len(cfg.Reservations), len(distinct), len(pointers))
		}
		for p := range pointers {
			if a, err := p.Compile(); err != nil || a == nil {
				t.Error(err)
			} else if b, _ := p.Compile(); a != b {
				t.Errorf("%s: a schedule is compiled each time", name)
			}
		}
	}
}
