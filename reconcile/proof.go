package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/reconcile/fit"
	"github.com/resctl/resctl/reservation"
)

// Horizon is how far ahead a plan is proven to fit, unless it is told otherwise.
const Horizon = 14 * 24 * time.Hour

// Bounds of one proof. Findings of one code beyond mostFindings are counted,
// members of a conflict beyond mostMembers are not listed in its text. The
// search for fixed seats is over when its steps are.
const (
	mostFindings = 100
	mostMembers  = 12
	searchSteps  = 40_000_000
	stationSteps = 2_000_000
)

// prover proves, one station after the other, that everything wanted fits.
type prover struct {
	workspace  string
	from, till time.Time
	steps      int // left; 0: no search for fixed seats
	errorsOnly bool

	found    []Finding
	told     map[string]int // by code
	rest     map[string]int
	unproven int // stations
}

// prove says what does not fit in what would be wanted once the plan is stored.
// Claims of one station are together.
func (p *planner) prove(errorsOnly bool) *prover {
	r := &prover{workspace: p.want.Workspace, from: p.now, till: p.horizon(), steps: searchSteps, errorsOnly: errorsOnly,
		told: map[string]int{}, rest: map[string]int{}}
	known := p.furnish()
	eachStation(p.claims(), func(station string, claims []claim) { r.station(claims, known[station]) })
	r.count()
	return r
}

// horizon is the end of the time for which a plan is proven to fit.
func (p *planner) horizon() time.Time {
	if p.want.Choice.Horizon > 0 {
		return p.now.Add(p.want.Choice.Horizon)
	}
	return p.now.Add(cmp.Or(p.ledger.Horizon, Horizon))
}

func (r *prover) station(claims []claim, known furnished) {
	asked := make([]fit.Claim, len(claims))
	mine := false
	for i := range claims {
		c := &claims[i]
		asked[i] = fit.Claim{Workspace: c.workspace, Address: c.address, Target: c.target, Windows: c.windows,
			Mine: c.workspace == r.workspace || known.changed}
		mine = mine || asked[i].Mine
	}
	if !mine {
		return
	}
	o := fit.Options{From: r.from, Until: r.till, Most: mostFindings}
	if !r.errorsOnly {
		o.Steps = min(r.steps, stationSteps)
	}
	proof := fit.Prove(known.Station, asked, o)
	r.steps = max(0, r.steps-proof.Steps)
	t := telling{prover: r, claims: claims, known: known}
	for _, c := range proof.Conflicts {
		r.tell(t.conflict(c))
	}
	for kind, n := range proof.Rest {
		code, _ := codeOf(fit.Kind(kind))
		r.rest[code] += n
	}
	if r.errorsOnly {
		return
	}
	if len(proof.Unproven) > 0 {
		r.unproven++
		r.tell(t.unproven(proof.Unproven))
	}
	for _, i := range proof.Unknown {
		if claims[i].workspace == r.workspace {
			r.tell(t.unknown(&claims[i]))
		}
	}
}

func codeOf(k fit.Kind) (string, Severity) {
	switch k {
	case fit.Twice:
		return "RC201", Error
	case fit.Crowded:
		return "RC202", Error
	}
	return "RC203", Warning
}

// tell keeps a finding, or counts it where there are many of its code.
func (r *prover) tell(f Finding) {
	if r.told[f.Code] == mostFindings {
		r.rest[f.Code]++
		return
	}
	r.told[f.Code]++
	r.found = append(r.found, f)
}

// count says how many findings were not told.
func (r *prover) count() {
	for _, code := range sortedKeys(r.rest) {
		if n := r.rest[code]; n > 0 {
			f := Finding{Code: code, Severity: Warning, Summary: fmt.Sprintf("%d more like the %d above", n, r.told[code]),
				Detail: "Resolve those, and plan again."}
			if code == "RC201" || code == "RC202" {
				f.Severity = Error
			}
			r.found = append(r.found, f)
		}
	}
}

// telling makes findings of what a proof says of one station.
type telling struct {
	*prover
	claims []claim
	known  furnished
}

// finding is about the claims at those indices, first of all about one that the
// plan changes, since the others stood there before, and that may go elsewhere.
func (t *telling) finding(code string, severity Severity, members []int) (Finding, *claim) {
	weight := func(m int) (n int) {
		c := &t.claims[m]
		if c.workspace == t.workspace {
			n = 4
		}
		if c.changed {
			n += 2
		}
		if !c.target.Named() {
			n++
		}
		return n
	}
	first := members[0]
	for _, m := range members {
		if weight(m) >= weight(first) {
			first = m
		}
	}
	focus := &t.claims[first]
	f := Finding{Code: code, Severity: severity, StationID: focus.station, Address: focus.address, Range: focus.source}
	if focus.workspace != t.workspace { // the plan takes an EVSE from them
		f.Address, f.Range = t.known.declaredAt, ""
	}
	return f, focus
}

func (t *telling) conflict(c fit.Conflict) Finding {
	code, severity := codeOf(c.Kind)
	f, focus := t.finding(code, severity, c.Members)
	f.At, f.Times = c.At, c.Times
	for _, m := range c.Members {
		x := &t.claims[m]
		f.Members = append(f.Members, Member{x.workspace, x.address, x.source})
	}
	at, until := instant(c.At, focus.zone), instant(c.Until, focus.zone)
	var why, remedy string
	switch {
	case c.Kind == fit.Twice:
		f.Summary = fmt.Sprintf("%s EVSE %d is wanted twice at %s", focus.station, c.EVSEs[0], at)
		why = "An EVSE holds one reservation. These overlap\nuntil " + until + ":"
		remedy = "Change the EVSE or a window of any one of them."
	case c.Kind == fit.Crowded && len(c.EVSEs) == 0:
		f.Summary = fmt.Sprintf("%s has no EVSE for a reservation at %s", focus.station, at)
		why = "None of its EVSEs has this connector type:"
		remedy = "Change the connector type or the station."
	case c.Kind == fit.Crowded:
		f.Summary = fmt.Sprintf("%s has %s for %d reservations at %s", focus.station, count(len(c.EVSEs), "EVSE"), len(c.Members), at)
		why = fmt.Sprintf("These overlap until %s,\nand only %s would do:", until, evseList(c.EVSEs))
		remedy = "Change the window, the station or the EVSE of any one of them."
	default:
		f.Summary = fmt.Sprintf("%s: not each can keep one EVSE from %s", focus.station, at)
		why = "At every instant there is an EVSE for each of these,\nbut not the same one for the whole of each window:"
		remedy = "Name other EVSEs, or change the window or the station of any one of them."
	}
	lines := []string{why}
	lines = append(lines, t.names(c.Members)...)
	if c.Times > 1 {
		lines = append(lines, fmt.Sprintf("That is the first of %d times until %s.", c.Times, instant(t.till, focus.zone)))
	}
	f.Detail = strings.Join(append(lines, remedy), "\n")
	return f
}

// names are the members of a conflict, one a line. Of another workspace only
// name and address are told.
func (t *telling) names(members []int) (lines []string) {
	for k, m := range members {
		if k == mostMembers && len(members) > mostMembers+1 {
			return append(lines, fmt.Sprintf("  and %d more", len(members)-k))
		}
		c := &t.claims[m]
		text := "  " + c.address
		switch {
		case c.workspace != t.workspace:
			text += fmt.Sprintf(" of workspace %q", c.workspace)
		case c.source != "":
			text += fmt.Sprintf(" (%s, %s)", targetName(c.target), c.source)
		default:
			text += fmt.Sprintf(" (%s)", targetName(c.target))
		}
		lines = append(lines, text)
	}
	return lines
}

func targetName(t reservation.Target) string {
	switch {
	case t.Named():
		return fmt.Sprintf("EVSE %d", t.EVSE)
	case t.ConnectorType != "":
		return "any EVSE with " + t.ConnectorType
	}
	return "any EVSE"
}

func (t *telling) unproven(members []int) Finding {
	f, focus := t.finding("RC204", Warning, members)
	f.Summary = focus.station + ": it cannot be proven that everything fits"
	why, remedy := "Its EVSEs are neither declared nor reported,\nand others are wanted at the same time as:", "Declare its evse blocks in a station block, or let it connect once."
	if len(t.known.EVSEs) > 0 {
		why, remedy = "The connector types of its EVSEs are not declared,\nand others are wanted at the same time as:", "Declare its evse blocks with connector_types in a station block."
	}
	lines := append([]string{why}, t.names(members)...)
	f.Detail = strings.Join(append(lines, remedy), "\n")
	return f
}

func (t *telling) unknown(c *claim) Finding {
	f := Finding{Code: "RC205", Severity: Warning, StationID: c.station, Address: c.address, Range: c.source,
		Summary: fmt.Sprintf("%s has shown no EVSE %d", c.station, c.target.EVSE)}
	if t.known.declaredAt != "" {
		f.Summary = fmt.Sprintf("%s has no EVSE %d", c.station, c.target.EVSE)
	}
	numbers := make([]int, len(t.known.EVSEs))
	for i := range numbers {
		numbers[i] = t.known.EVSEs[i].ID
	}
	slices.Sort(numbers)
	f.Detail = fmt.Sprintf("It is known to have %s. Check the number; the station would refuse it.", evseList(numbers))
	return f
}

// evseList is "EVSE 1", or "EVSEs 1, 2 and 5 to 9".
func evseList(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		k := i
		for k+1 < len(numbers) && numbers[k+1] == numbers[k]+1 {
			k++
		}
		if k-i < 2 {
			k = i
			parts = append(parts, fmt.Sprint(numbers[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d to %d", numbers[i], numbers[k]))
		}
		i = k + 1
	}
	if len(numbers) == 1 {
		return "EVSE " + parts[0]
	}
	if n := len(parts); n > 1 {
		parts = append(parts[:n-2:n-2], parts[n-2]+" and "+parts[n-1])
	}
	return "EVSEs " + strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// instant is a time in a schedule's zone and in UTC.
func instant(t time.Time, zone *time.Location) string {
	utc := t.UTC().Format(time.RFC3339)
	if zone == nil || zone == time.UTC {
		return utc
	}
	return fmt.Sprintf("%s %s (%s)", t.In(zone).Format("Mon 2 Jan 2006 15:04"), zone, utc)
}
