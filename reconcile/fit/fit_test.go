package fit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile/fit"
	"github.com/resctl/resctl/reservation"
)

func anywhere(name string, windows ...[2]int) wish { return wish{name, reservation.Target{}, windows} }

func on(evse int, name string, windows ...[2]int) wish {
	return wish{name, reservation.Target{EVSE: evse}, windows}
}

func with(kind, name string, windows ...[2]int) wish {
	return wish{name, reservation.Target{ConnectorType: kind}, windows}
}

// nightly is a window of so many hours on each of n days.
func nightly(w wish, n, from, hours int) wish {
	for d := range n {
		w.windows = append(w.windows, [2]int{24*d + from, 24*d + from + hours})
	}
	return w
}

// having is a station with EVSEs numbered from 1, each with its types.
func having(types ...[]string) fit.Station {
	s := fit.Station{Typed: true}
	for i, list := range types {
		s.EVSEs = append(s.EVSEs, reservation.EVSE{ID: i + 1, ConnectorTypes: list})
	}
	return s
}

func TestStories(t *testing.T) {
	ccs, both := []string{"cCCS2"}, []string{"cCCS2", "cType2"}
	two := having(ccs, both)
	reported := fit.Station{EVSEs: []reservation.EVSE{{ID: 1}, {ID: 2}}}
	for _, c := range []struct {
		name    string
		station fit.Station
		wishes  []wish
		want    []string
	}{
		{"nothing", two, nil, nil},
		{"one begins when the other ends", two, []wish{on(1, "a", [2]int{0, 4}), on(1, "b", [2]int{4, 8})}, nil},
		{"two on one EVSE", two, []wish{on(1, "a", [2]int{0, 5}), on(1, "b", [2]int{4, 8})}, []string{"twice [a b] on [1] from 4 to 5"}},
		{"one overlaps two", two, []wish{on(1, "a", [2]int{0, 9}), on(1, "b", [2]int{1, 3}), on(1, "c", [2]int{3, 5})},
			[]string{"twice [a b] on [1] from 1 to 3", "twice [a c] on [1] from 3 to 5"}},
		{"every night is told once", two, []wish{nightly(on(1, "a"), 13, 20, 8), nightly(on(1, "b"), 13, 22, 3)},
			[]string{"twice [a b] on [1] from 22 to 25, 13 times"}},
		{"with itself", two, []wish{on(1, "a", [2]int{0, 5}, [2]int{4, 8})}, []string{"twice [a] on [1] from 4 to 5"}},
		{"any EVSE gives way to a named one", two, []wish{anywhere("a", [2]int{0, 5}), on(1, "b", [2]int{0, 5})}, nil},
		{"and to one that comes later, at that instant", two, []wish{anywhere("a", [2]int{0, 5}), on(1, "b", [2]int{1, 5})}, nil},
		{"three of any EVSE on two", two, []wish{anywhere("a", [2]int{0, 5}), anywhere("b", [2]int{0, 4}), anywhere("c", [2]int{3, 6})},
			[]string{"crowded [a b c] on [1 2] from 3 to 4"}},
		{"who is not needed for it is not named", having(ccs, ccs, []string{"cType2"}),
			[]wish{with("cType2", "a", [2]int{0, 9}), on(1, "b", [2]int{0, 9}), on(2, "c", [2]int{0, 9}), with("cCCS2", "d", [2]int{2, 9})},
			[]string{"crowded [b c d] on [1 2] from 2 to 9"}},
		{"only one has the type", two, []wish{with("cType2", "a", [2]int{0, 5}), with("cType2", "b", [2]int{0, 5})},
			[]string{"crowded [a b] on [2] from 0 to 5"}},
		{"none has the type", two, []wish{with("cTesla", "a", [2]int{0, 5})}, []string{"crowded [a] on [] from 0 to 5"}},
		{"an EVSE of unknown type has any", having(nil), []wish{with("cTesla", "a", [2]int{0, 5})}, nil},
		{"it would have to change the EVSE", two, []wish{on(1, "a", [2]int{0, 3}), on(2, "b", [2]int{4, 7}), anywhere("c", [2]int{2, 5})},
			[]string{"shifting [a b c] on [1 2] from 2 to 3"}},
		{"every day", two, []wish{nightly(on(1, "a"), 13, 0, 3), nightly(on(2, "b"), 13, 4, 3), nightly(anywhere("c"), 13, 2, 3)},
			[]string{"shifting [a b c] on [1 2] from 2 to 3, 13 times"}},
		{"the sweep seats it wrongly, the search does not", two, []wish{anywhere("a", [2]int{0, 5}), on(1, "b", [2]int{3, 9}), anywhere("c", [2]int{1, 3})}, nil},
		{"what is past the horizon", two, []wish{on(1, "a", [2]int{336, 340}), on(1, "b", [2]int{336, 340})}, nil},
		{"what is over", two, []wish{on(1, "a", [2]int{-9, 0}), on(1, "b", [2]int{-5, 0})}, nil},
		{"what is open already begins now", two, []wish{on(1, "a", [2]int{-9, 2}), on(1, "b", [2]int{-5, 3})}, []string{"twice [a b] on [1] from 0 to 2"}},
		{"nothing known, one alone", fit.Station{}, []wish{anywhere("a", [2]int{0, 5}), with("x", "b", [2]int{5, 6})}, nil},
		{"nothing known, two at a time", fit.Station{}, []wish{anywhere("a", [2]int{0, 5}), anywhere("b", [2]int{0, 5})}, []string{"unproven [a b]"}},
		{"nothing known but what is named", fit.Station{}, []wish{anywhere("a", [2]int{0, 5}), on(1, "b", [2]int{0, 5}), on(2, "c", [2]int{5, 9})}, nil},
		{"nothing known, and one EVSE wanted twice", fit.Station{}, []wish{on(7, "a", [2]int{0, 5}), on(7, "b", [2]int{0, 5})},
			[]string{"twice [a b] on [7] from 0 to 5"}},
		{"a guess hides nothing certain", fit.Station{}, []wish{on(1, "a", [2]int{0, 5}), anywhere("b", [2]int{1, 9}), on(1, "c", [2]int{2, 8})},
			[]string{"twice [a c] on [1] from 2 to 5", "unproven [a b]"}},
		{"reported", reported, []wish{anywhere("a", [2]int{0, 5}), anywhere("b", [2]int{0, 5}), anywhere("c", [2]int{0, 5})}, []string{"crowded [a b c] on [1 2] from 0 to 5"}},
		{"a type at one that has reported", reported, []wish{with("cCCS2", "a", [2]int{0, 5}), anywhere("b", [2]int{1, 5})}, []string{"unproven [a b]"}},
		{"a type alone at one that has reported", reported, []wish{with("cCCS2", "a", [2]int{0, 5}), anywhere("b", [2]int{5, 6})}, nil},
		{"an EVSE that was not reported", reported, []wish{on(3, "a", [2]int{0, 5}), anywhere("b", [2]int{0, 5}), anywhere("c", [2]int{0, 5})}, []string{"unknown [a]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(fit.Prove(c.station, claims(c.wishes), options()), c.wishes); !slices.Equal(got, c.want) {
				t.Errorf("found\n%q\nwant\n%q", got, c.want)
			}
		})
	}
}

func TestConflictsOfOthersAreNotTold(t *testing.T) {
	list := claims([]wish{on(1, "a", [2]int{0, 5}), on(1, "b", [2]int{0, 5}), on(1, "c", [2]int{0, 4})})
	list[0].Mine, list[1].Mine = false, false
	got := fit.Prove(having(nil), list, options()).Conflicts
	if len(got) != 1 || !slices.Equal(got[0].Members, []int{0, 2}) && !slices.Equal(got[0].Members, []int{1, 2}) {
		t.Errorf("found %+v; want the one in which c is", got)
	}
}

func TestManyAreCounted(t *testing.T) {
	var wishes []wish
	for i := range 200 {
		wishes = append(wishes, on(1, fmt.Sprintf("a%03d", i), [2]int{0, 5}))
	}
	p := fit.Prove(having(nil), claims(wishes), options())
	if len(p.Conflicts) != 100 || p.Rest[fit.Twice] != 99 {
		t.Errorf("%d told and %d counted; want 100 and 99", len(p.Conflicts), p.Rest[fit.Twice])
	}
}

// TestTheSearchIsBounded: what cannot be searched through says nothing.
func TestTheSearchIsBounded(t *testing.T) {
	wishes := []wish{on(1, "a", [2]int{0, 3}), on(2, "b", [2]int{4, 7}), anywhere("c", [2]int{2, 5})}
	o := options()
	o.Steps = 10
	if p := fit.Prove(having(nil, nil), claims(wishes), o); len(p.Conflicts) > 0 || p.Steps < 10 {
		t.Errorf("with 10 steps: %+v", p)
	}
	// Each EVSE has another type and another hour at which it is named: no two
	// can stand for one another, so the ways to seat all of them are many.
	types := make([][]string, 40)
	wishes = nil
	for i := range types {
		types[i] = []string{"a", fmt.Sprint(i)}
		wishes = append(wishes, on(i+1, fmt.Sprintf("n%02d", i), [2]int{20 + i, 21 + i}),
			with("a", fmt.Sprintf("a%02d", i), [2]int{i % 7, 21 + (i*13)%40}))
	}
	p := fit.Prove(having(types...), claims(wishes), options())
	if p.Steps > 3_000_000 {
		t.Errorf("the search took %d steps of 2,000,000", p.Steps)
	}
}

// BenchmarkProve is the whole proof of 100,000 windows, two thirds of which do
// not name their EVSE, on ten EVSEs each of ten stations, and of 2,000.
func BenchmarkProve(b *testing.B) {
	for _, stations := range []int{10, 2_000} {
		b.Run(fmt.Sprintf("stations_%d", stations), func(b *testing.B) {
			s, list := crowd(100_000/stations, 10, true)
			b.ReportAllocs()
			for b.Loop() {
				for range stations {
					if p := fit.Prove(s, list, options()); len(p.Conflicts) > 0 {
						b.Fatal(p.Conflicts[0])
					}
				}
			}
		})
	}
	for _, fits := range []bool{true, false} {
		b.Run(fmt.Sprintf("evses_1000_fits_%v", fits), func(b *testing.B) {
			s, list := crowd(10_000, 1_000, fits)
			for b.Loop() {
				if p := fit.Prove(s, list, options()); len(p.Conflicts) == 0 == !fits {
					b.Fatal(len(p.Conflicts))
				}
			}
		})
	}
}

// crowd is n windows of one length, one after the other on each EVSE; where they
// are not to fit there is one more at a time.
func crowd(n, evses int, fits bool) (fit.Station, []fit.Claim) {
	types := make([][]string, evses)
	for i := range types {
		types[i] = []string{"cCCS2"}
		if i%2 == 0 {
			types[i] = append(types[i], "cType2")
		}
	}
	at := evses
	if !fits {
		at++
	}
	step := 336 * time.Hour / time.Duration(n/at+1)
	list := make([]fit.Claim, n)
	for i := range list {
		start := day.Add(time.Duration(i/at) * step)
		c := fit.Claim{Workspace: "w", Address: fmt.Sprintf("r%06d", i), Mine: true, Windows: func(yield func(reservation.Window) bool) {
			yield(reservation.Window{Start: start, Expiry: start.Add(step)})
		}}
		switch k := i % at; {
		case k%3 == 0:
			c.Target.EVSE = k%evses + 1
		case k%6 == 4:
			c.Target.ConnectorType = "cType2"
		}
		list[i] = c
	}
	return having(types...), list
}
