package fit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/resctl/resctl/reconcile/fit"
	"github.com/resctl/resctl/reservation"
)

var day = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func hour(h int) time.Time { return day.Add(time.Duration(h) * time.Hour) }

// wish is a claim with its windows in hours.
type wish struct {
	name    string
	target  reservation.Target
	windows [][2]int
}

func (w wish) claim() fit.Claim {
	return fit.Claim{Workspace: "w", Address: w.name, Target: w.target, Mine: true, Windows: func(yield func(reservation.Window) bool) {
		for _, x := range w.windows {
			if !yield(reservation.Window{Start: hour(x[0]), Expiry: hour(x[1])}) {
				return
			}
		}
	}}
}

func claims(wishes []wish) []fit.Claim {
	list := make([]fit.Claim, len(wishes))
	for i, w := range wishes {
		list[i] = w.claim()
	}
	return list
}

func options() fit.Options {
	return fit.Options{From: day, Until: hour(14 * 24), Most: 100, Steps: 2_000_000}
}

// may reports whether an EVSE will do for a target.
func may(e reservation.EVSE, t reservation.Target) bool {
	switch {
	case t.EVSE != 0:
		return e.ID == t.EVSE
	case t.ConnectorType != "" && len(e.ConnectorTypes) > 0:
		return slices.Contains(e.ConnectorTypes, t.ConnectorType)
	}
	return true
}

// bout is one window of a wish.
type bout struct {
	target     reservation.Target
	start, end int
}

func bouts(wishes []wish) (all []bout) {
	for _, w := range wishes {
		for _, x := range w.windows {
			all = append(all, bout{w.target, x[0], x[1]})
		}
	}
	return all
}

// seated tries every seating in which each bout has one EVSE throughout.
func seated(evses []reservation.EVSE, all []bout) bool {
	at := make([]int, len(all))
	var try func(i int) bool
	try = func(i int) bool {
		if i == len(all) {
			return true
		}
		for e := range evses {
			at[i] = e
			clash := false
			for j := range i {
				clash = clash || at[j] == e && all[j].start < all[i].end && all[i].start < all[j].end
			}
			if !clash && may(evses[e], all[i].target) && try(i+1) {
				return true
			}
		}
		return false
	}
	return try(0)
}

// seatedAlways tries every seating at every instant by itself.
func seatedAlways(evses []reservation.EVSE, all []bout) bool {
	for _, edge := range all {
		var open []bout
		for _, b := range all {
			if b.start <= edge.start && edge.start < b.end {
				open = append(open, b)
			}
		}
		if !seated(evses, open) {
			return false
		}
	}
	return true
}

func drawEVSEs(t *rapid.T) []reservation.EVSE {
	evses := make([]reservation.EVSE, rapid.IntRange(1, 4).Draw(t, "evses"))
	for i := range evses {
		evses[i] = reservation.EVSE{ID: i + 1, ConnectorTypes: [][]string{nil, {"a"}, {"b"}, {"a", "b"}}[rapid.IntRange(0, 3).Draw(t, "types")]}
	}
	return evses
}

func drawWishes(t *rapid.T, evses, most, windows int) []wish {
	wishes := make([]wish, rapid.IntRange(1, most).Draw(t, "claims"))
	for i := range wishes {
		w := wish{name: fmt.Sprintf("r%d", i)}
		switch rapid.IntRange(0, 5).Draw(t, "target") {
		case 0, 1:
			w.target.EVSE = rapid.IntRange(1, evses).Draw(t, "evse")
		case 2:
			w.target.ConnectorType = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "type")
		}
		for range rapid.IntRange(1, windows).Draw(t, "windows") {
			start := rapid.IntRange(0, 8).Draw(t, "start")
			w.windows = append(w.windows, [2]int{start, start + rapid.IntRange(1, 5).Draw(t, "length")})
		}
		wishes[i] = w
	}
	return wishes
}

func of(p fit.Proof, kinds ...fit.Kind) (list []fit.Conflict) {
	for _, c := range p.Conflicts {
		if slices.Contains(kinds, c.Kind) {
			list = append(list, c)
		}
	}
	return list
}

func TestWhatIsFoundIsWhatTryingAllSeatingsFinds(t *testing.T) {
	shifting := 0
	const times = 100 // 100 instances each, unless rapid is told otherwise
	for range times {
		rapid.Check(t, func(t *rapid.T) { shifting += compare(t) })
	}
	if shifting == 0 {
		t.Error("no instance needed a change of EVSE: the test is blind to these")
	}
}

// compare reports how many sets have a seating at every instant, but none for good.
func compare(t *rapid.T) (shifting int) {
	evses := drawEVSEs(t)
	wishes := drawWishes(t, len(evses), 8, 1)
	proof := fit.Prove(fit.Station{EVSEs: evses, Typed: true}, claims(wishes), options())
	always := seatedAlways(evses, bouts(wishes))
	if hard := of(proof, fit.Twice, fit.Crowded); always != (len(hard) == 0) {
		t.Fatalf("at every instant there is a seating: %v; found %+v", always, hard)
	}
	if always {
		still := of(proof, fit.Shifting)
		if fixed := seated(evses, bouts(wishes)); fixed != (len(still) == 0) {
			t.Fatalf("there is a seating without changes: %v; found %+v", fixed, still)
		}
		shifting = len(still)
	}
	for _, c := range proof.Conflicts {
		irreducible(t, evses, wishes, c)
	}
	return shifting
}

// irreducible: all of it does not fit, and without any one member it does.
func irreducible(t *rapid.T, evses []reservation.EVSE, wishes []wish, c fit.Conflict) {
	fits := seatedAlways
	if c.Kind == fit.Shifting {
		fits = seated
	}
	var set []wish
	for _, m := range c.Members {
		set = append(set, wishes[m])
	}
	if fits(evses, bouts(set)) {
		t.Fatalf("%+v is told, and fits", c)
	}
	if c.Kind == fit.Shifting && !seatedAlways(evses, bouts(set)) {
		t.Fatalf("%+v does not fit at some instant", c)
	}
	for i := range set {
		if !fits(evses, bouts(slices.Concat(set[:i], set[i+1:]))) {
			t.Fatalf("%+v does not fit without its member %d either", c, i)
		}
	}
}

// TestRecurring: the same with claims of several windows.
func TestRecurring(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evses := drawEVSEs(t)
		wishes := drawWishes(t, len(evses), 4, 3)
		proof := fit.Prove(fit.Station{EVSEs: evses, Typed: true}, claims(wishes), options())
		always := seatedAlways(evses, bouts(wishes))
		if hard := of(proof, fit.Twice, fit.Crowded); always != (len(hard) == 0) {
			t.Fatalf("at every instant there is a seating: %v; found %+v", always, hard)
		}
		if still := of(proof, fit.Shifting); always && seated(evses, bouts(wishes)) != (len(still) == 0) {
			t.Fatalf("found %+v", still)
		}
	})
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		evses := drawEVSEs(t)
		wishes := drawWishes(t, len(evses), 12, 2)
		mixed := rapid.Permutation(wishes).Draw(t, "mixed")
		turned := slices.Clone(evses)
		slices.Reverse(turned)
		a := told(fit.Prove(fit.Station{EVSEs: evses, Typed: true}, claims(wishes), options()), wishes)
		b := told(fit.Prove(fit.Station{EVSEs: turned, Typed: true}, claims(mixed), options()), mixed)
		if !slices.Equal(a, b) {
			t.Fatalf("in order:\n%v\nin another:\n%v", a, b)
		}
	})
}

// told are the conflicts with the names of their members, in the order in which
// they were found.
func told(p fit.Proof, wishes []wish) (list []string) {
	names := func(members []int) (all []string) {
		for _, m := range members {
			all = append(all, wishes[m].name)
		}
		return all
	}
	for _, c := range p.Conflicts {
		text := fmt.Sprintf("%v %v on %v from %d to %d", []string{"twice", "crowded", "shifting"}[c.Kind], names(c.Members), c.EVSEs,
			int(c.At.Sub(day).Hours()), int(c.Until.Sub(day).Hours()))
		if c.Times > 1 {
			text += fmt.Sprintf(", %d times", c.Times)
		}
		list = append(list, text)
	}
	if len(p.Unproven) > 0 {
		list = append(list, fmt.Sprintf("unproven %v", names(p.Unproven)))
	}
	if len(p.Unknown) > 0 {
		list = append(list, fmt.Sprintf("unknown %v", names(p.Unknown)))
	}
	return list
}
