package reconcile

import (
	"cmp"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// PlanVersion is the version of a plan's JSON, as a document and as a file.
const PlanVersion = "1.0"

// Symbol is the kind of a change: the value and what is printed are one.
type Symbol string

// The symbols of a plan.
const (
	Reserve  Symbol = "+"
	Modify   Symbol = "~"
	Replace  Symbol = "-/+" // cancel, then a new id
	Relocate Symbol = "+/-" // the new station first, then cancel at the old
	Cancel   Symbol = "-"
	Schedule Symbol = "»" // stored; nothing to send yet
	Forget   Symbol = "." // no longer wanted, and left at the station
)

// Plan is what an apply would do: the changes of what is wanted and, apart
// from them, what is wanted already and not held.
type Plan struct {
	FormatVersion string        `json:"format_version"`
	Workspace     string        `json:"workspace"`
	Lineage       string        `json:"lineage"`
	Serial        int64         `json:"serial"` // the workspace's, from which it was made
	CreatedAt     time.Time     `json:"created_at"`
	Digest        string        `json:"digest"`
	Complete      bool          `json:"complete"` // false: only part of the configuration is in it
	Changes       []Change      `json:"changes"`
	Outstanding   []Outstanding `json:"outstanding"`
	Findings      []Finding     `json:"findings"`
	Summary       Summary       `json:"summary"`

	// Destroy: it was asked to let everything go.
	Destroy bool `json:"destroy,omitempty"`
	// LeftOut counts the changes that the choice leaves out.
	LeftOut int `json:"left_out,omitempty"`
	// Kept counts the workspace's active addresses that the proposal leaves.
	Kept int `json:"kept"`
	// Active counts those that there are before it.
	Active int `json:"active"`
	// FitsUntil is the end of the horizon for which everything was proven to fit.
	FitsUntil time.Time `json:"fits_until,omitzero"`
	// Unproven counts the stations where that could not be proven (RC204).
	Unproven int `json:"unproven,omitempty"`
}

// Change is one address whose declaration differs from what is stored.
type Change struct {
	Address       string             `json:"address"`
	Action        Symbol             `json:"action"`
	Reason        string             `json:"reason,omitempty"`
	Codes         []string           `json:"codes,omitempty"`
	StationID     string             `json:"station_id"`
	FromStationID string             `json:"from_station_id,omitempty"` // of a move
	FromAddress   string             `json:"from_address,omitempty"`    // under which it is stored until now
	Adopts        int32              `json:"adopts,omitempty"`          // the id that the station is said to hold
	EVSE          int                `json:"evse_id,omitempty"`
	ConnectorType string             `json:"connector_type,omitempty"`
	ReservationID int32              `json:"reservation_id,omitempty"`
	Held          bool               `json:"held"`
	Over          bool               `json:"over,omitempty"` // its window has ended: nothing is sent
	Window        reservation.Window `json:"window,omitzero"`
	Anew          bool               `json:"anew,omitempty"`  // it was asked to replace it
	Ended         reservation.Phase  `json:"ended,omitempty"` // the end to which what is begun anew had come

	BeforeHash string                   `json:"before_hash,omitempty"`
	Before     *reservation.Declaration `json:"before,omitempty"`
	After      *reservation.Declaration `json:"after,omitempty"`

	// Station is set where the address is a station block.
	Station *reservation.StationEdit `json:"station,omitempty"`
	// Token is set where the address is a token block.
	Token *reservation.TokenEdit `json:"token,omitempty"`

	// OnlyRenames: nothing but the address differs, and nothing is sent.
	OnlyRenames bool `json:"only_renames,omitempty"`

	before      *reservation.Wanted // as stored
	cancelFirst bool                // a move in a cycle
}

// storedAs is the address under which what it changes is stored.
func (c *Change) storedAs() string { return cmp.Or(c.FromAddress, c.Address) }

// Setting reports whether the address is a station or token block: it is
// stored, and nothing is sent for it.
func (c *Change) Setting() bool { return c.Station != nil || c.Token != nil }

// Outstanding is what is wanted, due, and not held.
type Outstanding struct {
	Address   string             `json:"address"`
	Workspace string             `json:"workspace"`
	StationID string             `json:"station_id"`
	EVSE      int                `json:"evse_id,omitempty"`
	Phase     reservation.Phase  `json:"phase"`
	Reason    reservation.Reason `json:"reason,omitempty"`
	Info      string             `json:"info,omitempty"`
	Since     time.Time          `json:"since"`
	Until     time.Time          `json:"tried_again_at,omitzero"`
	Window    reservation.Window `json:"window"`
}

// Severity of a finding. An error refuses the proposal.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Notice  Severity = "notice"
)

// Finding is something about a plan that a person should know. Its code is
// stable; see docs/codes.md.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail,omitempty"`
	Address  string   `json:"address,omitempty"`
	Range    string   `json:"range,omitempty"` // file:line
	// StationID and Since are set where the finding is about a station.
	StationID string    `json:"station_id,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	// At, Times and Members are set where reservations do not fit together: when
	// that shows first, how often until the plan's FitsUntil, and which they are.
	At      time.Time `json:"at,omitzero"`
	Times   int       `json:"times,omitempty"`
	Members []Member  `json:"members,omitempty"`
}

// Member is one of the reservations that do not fit together. Without any one
// of them the others do. Range is not told of another workspace.
type Member struct {
	Workspace string `json:"workspace"`
	Address   string `json:"address"`
	Range     string `json:"range,omitempty"` // file:line
}

// Summary counts a plan's changes by kind.
type Summary struct {
	Reserve   int `json:"reserve"`
	Update    int `json:"update"`
	Replace   int `json:"replace"`
	Move      int `json:"move"`
	Cancel    int `json:"cancel"`
	Schedule  int `json:"schedule"`
	Forget    int `json:"forget"`
	Settings  int `json:"settings"`
	Unchanged int `json:"unchanged"`
	Over      int `json:"over"`
}

func (s *Summary) count(c *Change) {
	switch {
	case c.Setting():
		s.Settings++
	case c.Action == Reserve:
		s.Reserve++
	case c.Action == Modify:
		s.Update++
	case c.Action == Replace:
		s.Replace++
	case c.Action == Relocate:
		s.Move++
	case c.Action == Cancel:
		s.Cancel++
	case c.Action == Schedule:
		s.Schedule++
	case c.Action == Forget:
		s.Forget++
	}
}

// Map gives the counts that are not zero by name, for the journal.
func (s Summary) Map() map[string]int {
	m := map[string]int{}
	for name, n := range map[string]int{"reserve": s.Reserve, "update": s.Update, "replace": s.Replace,
		"move": s.Move, "cancel": s.Cancel, "schedule": s.Schedule, "forget": s.Forget, "settings": s.Settings} {
		if n > 0 {
			m[name] = n
		}
	}
	return m
}

// Cancels counts the changes that end something active for good.
func (p *Plan) Cancels() (all, held int) {
	for i := range p.Changes {
		c := &p.Changes[i]
		if c.Action == Cancel && !c.Setting() && !c.Over {
			all++
			if c.Held {
				held++
			}
		}
	}
	return all, held
}

// Errors counts the findings that refuse the proposal.
func (p *Plan) Errors() (n int) {
	for _, f := range p.Findings {
		if f.Severity == Error {
			n++
		}
	}
	return n
}

// Masked is the plan with every token shown as its fingerprint, and without
// what is kept of passwords. A hash over a token would let it be guessed back,
// so hashes are keyed as well. Without a secret it is masked already.
func (p *Plan) Masked(secret []byte) *Plan {
	m := *p.Unlocked(secret)
	for i := range m.Changes {
		c := &m.Changes[i]
		for _, d := range []**reservation.Declaration{&c.Before, &c.After} {
			if *d != nil {
				masked := (*d).Masked(secret)
				*d = &masked
			}
		}
		if c.Token != nil {
			edit := c.Token.Masked(secret)
			c.Token = &edit
		}
	}
	return &m
}

// Unlocked is the plan with its tokens whole, and without what is kept of
// passwords. Propose takes keyed hashes as well.
func (p *Plan) Unlocked(secret []byte) *Plan {
	m := *p
	m.Changes = slices.Clone(p.Changes)
	for i := range m.Changes {
		c := &m.Changes[i]
		if c.Station != nil {
			edit := c.Station.Masked()
			c.Station = &edit
		}
		if c.BeforeHash != "" && len(secret) > 0 {
			c.BeforeHash = reservation.KeyedHash(secret, c.BeforeHash)
		}
	}
	return &m
}
