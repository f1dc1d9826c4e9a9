package reservation

import "time"

// EventVersion is the version of the form in which events are stored and printed.
const EventVersion = 1

// Kind says what an Event records.
type Kind string

// The kinds of events. What a station did comes first, what we did follows.
const (
	Connected    Kind = "connected"    // a station's socket was accepted
	Disconnected Kind = "disconnected" // that socket ended
	Booted       Kind = "booted"       // BootNotification, or a boot assumed for want of one
	Status       Kind = "status"       // an EVSE's connector changed its status
	Transaction  Kind = "transaction"  // a transaction began, went on, or ended
	Reported     Kind = "reported"     // ReservationStatusUpdate
	Declared     Kind = "declared"     // one address of a proposal
	Proposed     Kind = "proposed"     // closes a proposal: who, what revision, how many
	Requested    Kind = "requested"    // a call is about to leave
	Answered     Kind = "answered"     // what came of it
	Decided      Kind = "decided"      // time passed and settled something
	Released     Kind = "released"     // a move has its new station: the old one may let go
	Superseded   Kind = "superseded"   // its driver used the other half of a move
	Renamed      Kind = "renamed"      // the other half of a move has another address now
	Paused       Kind = "paused"       // somebody ordered that nothing is asked of a station
	Resumed      Kind = "resumed"      // and lifted that
	Frozen       Kind = "frozen"       // somebody ordered that a workspace takes no proposals
	Unfrozen     Kind = "unfrozen"     // and lifted that
	Restored     Kind = "restored"     // a backup was put in the place of the state
	Erased       Kind = "erased"       // a token was replaced everywhere
)

// Kinds lists every kind, in the order above.
func Kinds() []Kind {
	return []Kind{Connected, Disconnected, Booted, Status, Transaction, Reported,
		Declared, Proposed, Requested, Answered, Decided, Released, Superseded, Renamed,
		Paused, Resumed, Frozen, Unfrozen, Restored, Erased}
}

// Event is one line of the journal. Times are UTC, to the millisecond.
type Event struct {
	Seq       int64     `json:"seq,omitempty"` // given by the journal
	At        time.Time `json:"at"`            // when we recorded it
	Kind      Kind      `json:"kind"`
	StationID string    `json:"station_id,omitempty"`
	Workspace string    `json:"workspace,omitempty"`
	Address   string    `json:"address,omitempty"`
	// From is the address of before; only of Renamed.
	From string `json:"from,omitempty"`
	// Start is the occurrence's window start; with Workspace and Address it is its key.
	Start         time.Time `json:"start,omitzero"`
	ReservationID int32     `json:"reservation_id,omitempty"`
	// Connection numbers the socket; given by the journal to Connected events.
	Connection int64 `json:"connection,omitempty"`

	Link        *Link              `json:"link,omitempty"`        // Connected
	Boot        *Boot              `json:"boot,omitempty"`        // Booted
	Status      *StatusReport      `json:"status,omitempty"`      // Status
	Transaction *TransactionReport `json:"transaction,omitempty"` // Transaction
	Update      UpdateStatus       `json:"update,omitempty"`      // Reported
	Change      *Change            `json:"change,omitempty"`      // Declared
	Proposal    *Proposal          `json:"proposal,omitempty"`    // Proposed
	Call        *Call              `json:"call,omitempty"`        // Requested, Answered
	Answer      *Answer            `json:"answer,omitempty"`      // Answered
	Decision    *Decision          `json:"decision,omitempty"`    // Decided
	Halt        *Halt              `json:"halt,omitempty"`        // Paused, Frozen, and who lifted them
	Restored    *Restoration       `json:"restored,omitempty"`    // Restored
	Erasure     *Erasure           `json:"erasure,omitempty"`     // Erased

	// Queued marks a report that the station had kept while it was offline.
	Queued bool `json:"queued,omitempty"`
}

// Key is the occurrence that the event is about; zero where it is about none.
func (e Event) Key() Key { return Key{e.Workspace, e.Address, e.Start} }

// Formerly is the address that the event's address has taken the place of; "":
// it is not about a renaming.
func (e Event) Formerly() string {
	if c := e.Change; c != nil && c.Before != nil && c.After != nil && c.Before.Address != c.After.Address {
		return c.Before.Address
	}
	return e.From
}

// Link is how a station came in.
type Link struct {
	Protocol string `json:"protocol"`         // such as ocpp2.0.1
	Remote   string `json:"remote,omitempty"` // its address
}

// Boot is a station's start, and what we answered.
type Boot struct {
	Accepted bool   `json:"accepted"`          // what we answered
	Assumed  bool   `json:"assumed,omitempty"` // never seen: counted as accepted after asking in vain
	Reason   string `json:"reason,omitempty"`  // the station's, such as PowerUp
	Vendor   string `json:"vendor,omitempty"`
	Model    string `json:"model,omitempty"`
	Serial   string `json:"serial,omitempty"` // the serial number
	Firmware string `json:"firmware,omitempty"`
}

// EVSEStatus is OCPP 2.x ConnectorStatusEnum; 1.6 statuses are brought to it.
type EVSEStatus string

// The connector statuses of OCPP 2.x.
const (
	Available   EVSEStatus = "Available"
	Occupied    EVSEStatus = "Occupied"
	Reserved    EVSEStatus = "Reserved"
	Unavailable EVSEStatus = "Unavailable"
	Faulted     EVSEStatus = "Faulted"
)

// StatusReport is one connector's status. Connector 0 stands for the whole EVSE.
type StatusReport struct {
	EVSE      int        `json:"evse_id"`                // which EVSE
	Connector int        `json:"connector_id,omitempty"` // of the EVSE
	Status    EVSEStatus `json:"status"`                 // as the station reported it
	Timestamp time.Time  `json:"timestamp,omitzero"`     // the station's clock
}

// TransactionReport is a TransactionEvent, or 1.6's StartTransaction and StopTransaction.
type TransactionReport struct {
	ID            string    `json:"id"`   // the station's
	Type          string    `json:"type"` // Started, Updated, Ended
	EVSE          int       `json:"evse_id,omitempty"`
	IDToken       *Token    `json:"id_token,omitempty"`       // whose it is
	GroupIDToken  *Token    `json:"group_id_token,omitempty"` // the group that we know the token to be in
	Timestamp     time.Time `json:"timestamp,omitzero"`       // the station's clock
	Offline       bool      `json:"offline,omitempty"`        // it happened while the station was offline
	RemoteStarted bool      `json:"remote_started,omitempty"` // by the CSMS, not at the station
	Refused       bool      `json:"refused,omitempty"`        // we answered that the token may not charge
}

// UpdateStatus is OCPP's ReservationUpdateStatusEnum.
type UpdateStatus string

// The values of ReservationUpdateStatusEnum in OCPP 2.0.1.
const (
	Expired UpdateStatus = "Expired"
	Removed UpdateStatus = "Removed"
)

// Change is what a proposal does to one address at one station. With another
// address in Before than in After the reservation is renamed.
type Change struct {
	Action string  `json:"action"`           // the plan's symbol
	Before *Wanted `json:"before,omitempty"` // nil: not wanted here until now
	After  *Wanted `json:"after,omitempty"`  // nil: no longer wanted here
	Move   *Move   `json:"move,omitempty"`
	// Over is the end that the occurrence came to at the station which it is
	// declared to leave: it stays ended.
	Over Phase `json:"over,omitempty"`
	// Anew: what is held is let go and asked for under a new id, and what has
	// ended begins once more, though the content may be as it was.
	Anew bool `json:"anew,omitempty"`
	// Forget: what the station holds is left there, and nobody looks after it.
	Forget bool `json:"forget,omitempty"`
	// Adopt is an id that the station is said to hold for the address; what
	// it holds under it is not known.
	Adopt int32 `json:"adopt,omitempty"`

	Setup *StationEdit `json:"station,omitempty"` // of a station block: its before and after
	Token *TokenEdit   `json:"token,omitempty"`   // of a token block: its before and after
}

// StationEdit is the before and after of a station block.
type StationEdit struct {
	Before *StationDeclaration `json:"before,omitempty"` // the stored block
	After  *StationDeclaration `json:"after,omitempty"`  // the new block
}

// TokenEdit is the before and after of a token block.
type TokenEdit struct {
	Before *TokenDeclaration `json:"before,omitempty"` // the stored block
	After  *TokenDeclaration `json:"after,omitempty"`  // the new block
}

// Move joins the two halves of a reservation that goes to another station.
type Move struct {
	From string `json:"from"` // identity of the station that it leaves
	To   string `json:"to"`   // identity of the station that it enters
	// Start is the window start, and so the key, of the other half.
	Start time.Time `json:"start,omitzero"`
	// HoldUntil: the old station keeps it until the new one has it, at most
	// until then. Zero: the old one lets go first (a cycle).
	HoldUntil time.Time `json:"hold_until,omitzero"`
	// Done: the new one has it. What is known of the other half still
	// counts, for its use may be reported late.
	Done bool `json:"done,omitempty"`
}

// Proposal closes the changes of one apply.
type Proposal struct {
	Serial   int64          `json:"serial"`             // the workspace's, after it
	By       string         `json:"by,omitempty"`       // who
	Revision string         `json:"revision,omitempty"` // of the configuration
	Digest   string         `json:"digest,omitempty"`   // of its plan
	Summary  map[string]int `json:"summary,omitempty"`  // changes by kind
}

// CallKind is what we ask of a station.
type CallKind string

// The calls that resctl makes. The probes change nothing at the station.
const (
	ReserveNow        CallKind = "ReserveNow"
	CancelReservation CallKind = "CancelReservation"
	ProbeBoot         CallKind = "TriggerMessage BootNotification"
	ProbeStatus       CallKind = "TriggerMessage StatusNotification"
)

// Call is a request to a station, recorded before it leaves.
type Call struct {
	Kind    CallKind `json:"kind"`              // the message of OCPP
	Content *Content `json:"content,omitempty"` // of ReserveNow
	EVSE    int      `json:"evse_id,omitempty"` // of a probe: of which EVSE
	// Then is the phase in which an occurrence ends once a cancel is
	// answered; empty: it is asked for again, or was no longer wanted.
	Then   Phase  `json:"then,omitempty"`
	Reason string `json:"reason,omitempty"` // why it is asked, in words
}

// Outcome is what a station made of a call, whichever version it speaks.
type Outcome string

// The outcomes. The first five are ReserveNowStatusEnum, of which
// CancelReservation and TriggerMessage use Accepted and Rejected.
const (
	AnswerAccepted     Outcome = "Accepted"
	AnswerOccupied     Outcome = "Occupied"
	AnswerRejected     Outcome = "Rejected"
	AnswerFaulted      Outcome = "Faulted"
	AnswerUnavailable  Outcome = "Unavailable"
	AnswerNotSupported Outcome = "NotSupported" // CALLERROR NotImplemented, NotSupported
	AnswerRefused      Outcome = "Refused"      // CALLERROR about property, type or format
	AnswerSecurity     Outcome = "SecurityError"
	AnswerNotSent      Outcome = "NotSent"  // it never left: the socket was gone
	AnswerNone         Outcome = "NoAnswer" // unknown: time-out, closed socket, other errors
)

// Answer is an outcome with what the station said beside it. Info is for
// people: nothing branches on it.
type Answer struct {
	Outcome Outcome `json:"outcome"`        // what came of the call
	Info    string  `json:"info,omitempty"` // what the station said beside it
}

// Certain reports whether an answer to a cancel says that the id is gone.
func (a Answer) Certain() bool { return a.Outcome == AnswerAccepted || a.Outcome == AnswerRejected }

// Decision is what the passing of time settled.
type Decision struct {
	Phase  Phase  `json:"phase,omitempty"` // to which it led
	Reason Reason `json:"reason,omitempty"`
	// DropID: the id is no longer believed to be at the station.
	DropID bool `json:"drop_id,omitempty"`
	// Next is the window of the occurrence that follows, of a schedule; a zero
	// one: none does. The event says it, for what a schedule means may change
	// with the zone data of the machine.
	Next *Window `json:"next,omitempty"`
}
