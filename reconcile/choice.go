package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/resctl/resctl/reservation"
)

// Choice says which part of a configuration is planned, and how. The zero
// Choice is all of it. Target, Exclude and Replace are globs on addresses, in
// which * stands for any characters and ? for one; see Matches.
type Choice struct {
	Destroy bool          // as if nothing were declared
	Target  []string      // only these changes
	Exclude []string      // not these changes
	Replace []string      // cancelled and asked for anew, though nothing differs
	At      time.Time     // plan as if at that time; zero: now
	Horizon time.Duration // for how long it is proven that everything fits; 0: Horizon
}

// Partial reports whether changes may be left out.
func (c *Choice) Partial() bool { return len(c.Target)+len(c.Exclude) > 0 }

// takes reports whether the change of an address is to be made.
func (c *Choice) takes(address string) bool {
	if len(c.Target) > 0 {
		return matchesAny(c.Target, address)
	}
	return !matchesAny(c.Exclude, address)
}

func matchesAny(globs []string, address string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return Matches(g, address) })
}

// NoMatchError says that a glob stands for no address that is declared or
// stored: it is more likely a slip than meant.
type NoMatchError struct {
	Option, Glob string
	Known        []string
}

// Error names the glob.
func (e *NoMatchError) Error() string {
	return fmt.Sprintf("plan: --%s %s: no such address", e.Option, e.Glob)
}

// choose holds every glob against the addresses that there are.
func (p *planner) choose() error {
	c := &p.want.Choice
	if !c.Partial() && len(c.Replace) == 0 {
		return nil
	}
	var reservations, settings []string
	for i := range p.want.Reservations {
		reservations = append(reservations, p.want.Reservations[i].Address)
	}
	for _, e := range p.mine {
		reservations = append(reservations, e.Address)
	}
	for i := range p.want.Stations {
		settings = append(settings, p.want.Stations[i].Address)
	}
	for i := range p.want.Tokens {
		settings = append(settings, p.want.Tokens[i].Address)
	}
	for _, d := range p.state.Declarations {
		if d.Workspace == p.want.Workspace {
			settings = append(settings, d.Address)
		}
	}
	for _, d := range p.state.Tokens {
		if d.Workspace == p.want.Workspace {
			settings = append(settings, d.Address)
		}
	}
	all := slices.Concat(reservations, settings)
	for _, o := range []struct {
		option string
		globs  []string
		known  []string
	}{{"target", c.Target, all}, {"exclude", c.Exclude, all}, {"replace", c.Replace, reservations}} {
		for _, g := range o.globs {
			if !slices.ContainsFunc(o.known, func(a string) bool { return Matches(g, a) }) {
				return &NoMatchError{o.option, g, o.known}
			}
		}
	}
	return nil
}

// Matches reports whether a glob stands for an address. The address may be
// written without "reservation.", without the quotes in its key, which shells
// take away, and without its key: that stands for all instances of a block.
func Matches(glob, address string) bool {
	bare := strings.ReplaceAll("."+address, ".reservation.", ".")[1:]
	for _, a := range []string{address, bare} {
		if wild(glob, a) || wild(glob, block(a)) || strings.Contains(a, `"`) && wild(glob, strings.ReplaceAll(a, `"`, "")) {
			return true
		}
	}
	return false
}

// block is an address without the key of its instance.
func block(address string) string {
	if !strings.HasSuffix(address, "]") {
		return address
	}
	return reservation.Enclosing(address)[1]
}

// MatchesName reports whether a glob stands for a name, such as a station's
// identity, as it is.
func MatchesName(glob, name string) bool { return wild(glob, name) }

// wild matches * and ? and, unlike path.Match, nothing else: addresses have
// brackets of their own.
func wild(glob, s string) bool {
	star, rest := -1, "" // the last * and what followed what it took so far
	for i := 0; ; {
		switch {
		case i < len(glob) && glob[i] == '*':
			star, rest = i, s
			i++
			continue
		case s == "" && i == len(glob):
			return true
		case s != "" && i < len(glob) && glob[i] == '?':
			_, n := utf8.DecodeRuneInString(s)
			i, s = i+1, s[n:]
			continue
		case s != "" && i < len(glob) && glob[i] == s[0]:
			i, s = i+1, s[1:]
			continue
		case star < 0 || rest == "":
			return false
		}
		rest = rest[1:] // the * takes one more
		i, s = star+1, rest
	}
}

// leftOut counts a change that the choice leaves out. What stays as it is
// stored is kept.
func (p *planner) leftOut(c *Change) bool {
	if p.want.Choice.takes(c.Address) {
		return false
	}
	p.plan.LeftOut++
	if c.Action == Cancel && !c.Over {
		p.plan.Kept++
	}
	return true
}

// settingLeftOut is the same for a block that is no reservation. A new reservation takes the
// block of its station along: without it the station would come in without its
// password.
func (p *planner) settingLeftOut(c *Change) bool {
	if p.want.Choice.takes(c.Address) {
		return false
	}
	if c.Station != nil && c.Station.After != nil && len(p.want.Choice.Target) > 0 {
		for i := range p.plan.Changes {
			if x := &p.plan.Changes[i]; x.After != nil && x.StationID == c.StationID {
				return false
			}
		}
	}
	p.plan.LeftOut++
	return true
}

// named gives for each station an address that will name it once the changes
// are stored.
func (p *planner) named() map[string]string {
	names, changed := map[string]string{}, map[string]bool{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		changed[c.Address] = true
		if c.After != nil {
			names[c.StationID] = c.Address
		}
	}
	for _, e := range p.state.Entries {
		switch {
		case !e.Wanted():
		case e.Workspace != p.want.Workspace:
			names[e.StationID] = fmt.Sprintf("%s of workspace %q", e.Address, e.Workspace)
		case !changed[e.Address]:
			names[e.StationID] = e.Address
		}
	}
	return names
}

// again is for an address that is to be replaced though it may be declared as
// it is stored. It reports whether there is anything to begin anew.
func again(e reservation.Entry, b *reservation.Wanted, d *reservation.Declaration, now time.Time) (c Change, ok bool) {
	prior, ended := b, e.Phase
	if passed(e, b) || e.Phase.Open() && !e.Window.Expiry.After(now) {
		ended = reservation.Ended // which is not settled yet
	}
	if !ended.Open() {
		prior = nil // a window that began when it was stored begins once more
	}
	c = Change{Address: d.Address, Action: Replace, Anew: true, Reason: "as requested", Before: &b.Declaration,
		BeforeHash: e.Hash, After: d, Window: windowAfter(d, prior, now), before: b}
	c.place(d.StationID, d.Target)
	c.stands(e)
	c.Over = false
	if !ended.Open() {
		c.Ended, c.Held = ended, false
	}
	c.flag()
	return c, c.Window.Expiry.After(now) && (e.ID != 0 || e.Phase != reservation.Scheduled || !ended.Open())
}
