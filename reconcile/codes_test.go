package reconcile_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// TestEveryCode: each code of a plan that is documented is one that a plan can
// have, and has a scene here.
func TestEveryCode(t *testing.T) {
	scenes := changeScenes(t)
	maps.Copy(scenes, fitScenes(t))
	maps.Copy(scenes, stationScenes(t))
	for code, scene := range scenes {
		if p := scene().plan(); !strings.Contains(lines(p), code) {
			t.Errorf("%s does not come of what should bring it about:\n%s", code, lines(p))
		}
	}
	var documented []string
	for _, c := range reconcile.Codes() {
		if c.Code < "RC5" {
			documented = append(documented, c.Code)
		}
	}
	if played := slices.Sorted(maps.Keys(scenes)); !slices.Equal(played, documented) {
		t.Errorf("there are scenes for %v, and codes %v", played, documented)
	}
}

// changeScenes bring about what is said of something held.
func changeScenes(t *testing.T) map[string]func() *desk {
	kept := func(d *reservation.Declaration) { d.Lifecycle.PreventCancel = true }
	held := func(list ...reservation.Declaration) *desk { return newDesk(t).declare(list...).apply().hold("a") }
	return map[string]func() *desk{
		"RC101": func() *desk { return held(van("a")).declare() },
		"RC102": func() *desk { return held(van("a")).declare(van("a", until(day.Add(time.Hour)))) },
		"RC103": func() *desk { return held(van("a")).declare(van("a", evse(2))) },
		"RC104": func() *desk { return held(van("a")).declare(van("a", at("S1"))) },
		"RC105": func() *desk { return newDesk(t).declare(van("a", kept)).apply().declare() },
		"RC106": func() *desk {
			d := held(van("a")).declare()
			d.want.Removals = []reconcile.Removal{{From: "reservation.a"}}
			return d
		},
		"RC107": func() *desk {
			d := newDesk(t).declare(van("a"), van("b", evse(2))).apply().declare(van("b", evse(2)))
			d.want.Renames = []reconcile.Rename{{From: "reservation.a", To: "reservation.b"}}
			return d
		},
		"RC108": func() *desk {
			d := held(van("a")).declare(van("a"), van("b", evse(2)))
			d.want.Adoptions = []reconcile.Adoption{{Address: "reservation.b", StationID: "S0", ReservationID: statetest.FirstReservationID}}
			return d
		},
	}
}

// fitScenes bring about what does not fit, in place or time.
func fitScenes(t *testing.T) map[string]func() *desk {
	return map[string]func() *desk{
		"RC201": func() *desk { return newDesk(t).declare(van("a"), van("b")) },
		"RC202": func() *desk {
			return newDesk(t).stations(declared("w", 1)).declare(van("a", anywhere), van("b", anywhere))
		},
		"RC203": func() *desk {
			return newDesk(t).stations(declared("w", 2)).declare(van("a", until(day.Add(3*time.Hour))), van("b", evse(2), from(day.Add(4*time.Hour))),
				van("c", anywhere, from(day.Add(2*time.Hour)), until(day.Add(5*time.Hour))))
		},
		"RC204": func() *desk { return newDesk(t).declare(van("a", anywhere), van("b", anywhere)) },
		"RC205": func() *desk { return newDesk(t).stations(declared("w", 1)).declare(van("a", evse(7))) },
		"RC301": func() *desk { // the night in which clocks go forward
			d := newDesk(t)
			d.now = time.Date(2027, 3, 20, 12, 0, 0, 0, time.UTC)
			return d.declare(van("a", nights("02:30", "03:15")))
		},
		"RC302": func() *desk {
			return newDesk(t).declare(van("a", from(day.Add(-2*time.Hour)), until(day.Add(-time.Hour))))
		},
	}
}

// stationScenes bring about what is said of stations.
func stationScenes(t *testing.T) map[string]func() *desk {
	long := func(d *reservation.Declaration) { d.IDToken.IDToken = strings.Repeat("7", 40) }
	block := func(d *desk, version string) *desk {
		d.stations(declared("w", 1)).want.Stations[0].OCPPVersion = version
		return d
	}
	return map[string]func() *desk{
		"RC401": func() *desk {
			return newDesk(t).record(statetest.Connect("S0"), reservation.Event{Kind: reservation.Disconnected, StationID: "S0", Connection: 1}).declare(van("a"))
		},
		"RC402": func() *desk {
			d := newDesk(t).stations(declared("w", 1))
			d.as("other", []reservation.StationDeclaration{declared("other", 1)})
			return d
		},
		"RC403": func() *desk {
			return newDesk(t).stations(declared("w", 1)).declare(van("a")).apply().stations()
		},
		"RC404": func() *desk {
			d := newDesk(t).declare(van("a")).apply()
			w, _ := d.mem.Wanted(t.Context(), "w")
			d.record(statetest.Connect("S0"), statetest.Request(&w[0], 1, 0), statetest.Answer(&w[0], 1, statetest.FirstReservationID, reservation.AnswerNotSupported))
			return d.declare(van("a"), van("b", evse(2)))
		},
		"RC405": func() *desk { return newDesk(t).speaking("2.0.1", "").declare(van("a", long)) },
		"RC406": func() *desk {
			return newDesk(t).speaking("", "1.6").declare(van("a", anywhere, func(d *reservation.Declaration) { d.ConnectorType = "cCCS2" }))
		},
		"RC407": func() *desk { return newDesk(t).speaking("", "1.6").declare(van("a", anywhere)) },
		"RC408": func() *desk { return block(newDesk(t).speaking("", ""), "1.6") },
		"RC409": func() *desk { return block(newDesk(t).speaking("2.0.1", ""), "2.1") },
	}
}

// record stores what happened.
func (d *desk) record(events ...reservation.Event) *desk {
	d.t.Helper()
	if _, err := d.mem.Append(d.t.Context(), events...); err != nil {
		d.t.Fatal(err)
	}
	return d
}
