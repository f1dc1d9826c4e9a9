// Package fit proves that windows fit: that at every instant each reservation
// which is wanted of a station can have an EVSE of its own. It is feasibility,
// not a promise: drivers choose the EVSE. It knows one station at a time, and
// neither plans nor stored state.
package fit

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Station is what is known of a station's EVSEs.
type Station struct {
	// EVSEs are those that it has; none: nothing is known of them. An EVSE
	// without connector types is taken to have any.
	EVSEs []reservation.EVSE
	// Typed says that the connector types were declared. What a station has
	// reported of itself does not tell them.
	Typed bool
}

// Claim is one declaration and the windows in which it wants its target.
type Claim struct {
	Workspace, Address string // the order in which claims are told
	Target             reservation.Target
	// Mine marks those of whoever asks. A conflict without any is not told.
	Mine bool
	// Windows are half-open and may come in any order.
	Windows iter.Seq[reservation.Window]
}

// Options bound a proof.
type Options struct {
	From, Until time.Time // windows that begin at or after Until are not looked at
	Most        int       // conflicts that are told; the rest is counted
	Steps       int       // of the search for fixed seats; 0: there is none
}

// Kind says what does not fit.
type Kind int

// The kinds.
const (
	Twice    Kind = iota // two windows on one EVSE overlap
	Crowded              // at some instant they cannot all have an EVSE
	Shifting             // at every instant they can, but not each the same one for its whole window
	kinds
)

// Kinds lists them all.
func Kinds() []Kind { return []Kind{Twice, Crowded, Shifting} }

// Conflict is a set of claims that do not fit together. It is irreducible:
// without any one of them the others do.
type Conflict struct {
	Kind    Kind
	At      time.Time // the first instant at which it shows, UTC
	Until   time.Time // when the first of the windows ends
	Members []int     // indices of claims, by workspace and address
	EVSEs   []int     // those for which they compete, by number
	Times   int       // how often it shows until the end of the horizon
}

// Proof is what came of it. Empty: everything fits.
type Proof struct {
	Conflicts []Conflict // as they are met in time, those of fixed seats last
	Rest      [kinds]int // further ones, over Options.Most
	Unproven  []int      // claims that cannot be judged, for want of knowing the EVSEs; the first of them
	Unknown   []int      // claims that name an EVSE which the station is not known to have
	Steps     int        // that the search took
}

// span is one window of a claim, in Unix seconds.
type span struct {
	start, expiry int64
	claim         int32 // rank
	seat          int32 // where it sits in the sweep; none: nowhere
	dropped       bool  // so that the rest fits
}

const none = -1

// proving is one proof on its way.
type proving struct {
	room
	Options
	claims []Claim
	rank   []int32 // claims in their order → index
	spans  []span  // by start, then claim
	told   ledger
	proof  Proof
}

// Prove looks at all windows of the claims that are open between From and
// Until. What it finds does not depend on the order of the claims.
func Prove(s Station, claims []Claim, o Options) Proof {
	p := &proving{Options: o, claims: claims, rank: make([]int32, len(claims))}
	for i := range claims {
		p.rank[i] = int32(i)
	}
	slices.SortFunc(p.rank, func(a, b int32) int {
		x, y := &claims[a], &claims[b]
		return cmp.Or(cmp.Compare(x.Workspace, y.Workspace), cmp.Compare(x.Address, y.Address),
			cmp.Compare(x.Target.EVSE, y.Target.EVSE), cmp.Compare(x.Target.ConnectorType, y.Target.ConnectorType))
	})
	p.furnish(s)
	p.collect()
	p.told.times = map[setKey]int{}
	p.sweep()
	if p.known && o.Steps > 0 && len(p.proof.Unproven) == 0 {
		p.fixed()
	}
	return p.proof
}

// claim gives the claim with that rank.
func (p *proving) claim(rank int32) *Claim { return &p.claims[p.rank[rank]] }

// collect takes the windows of all claims. What is open already begins now.
func (p *proving) collect() {
	from, until := p.From.Unix(), p.Until.Unix()
	for r := range p.rank {
		c := p.claim(int32(r))
		looked := false
		for w := range c.Windows {
			start, expiry := max(w.Start.Unix(), from), w.Expiry.Unix()
			if start >= until || expiry <= start {
				continue
			}
			p.spans = append(p.spans, span{start, expiry, int32(r), none, false})
			looked = true
		}
		if looked && c.Mine && p.stray(c.Target) {
			p.proof.Unknown = append(p.proof.Unknown, int(p.rank[r]))
		}
	}
	slices.SortFunc(p.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.claim, b.claim), cmp.Compare(a.expiry, b.expiry))
	})
}
