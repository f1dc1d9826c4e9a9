package sim

import "time"

// Quirks are deviations from the standard, each seen in a real station or
// simulator. The zero value is a station that follows the standard and takes
// reservations without a named EVSE.
type Quirks struct {
	// SameID is what becomes of ReserveNow under an id that is held.
	SameID SameID
	// DropsBeforeReplace: a replacement that is refused loses the old
	// reservation too, and the CSMS is not told (EVerest).
	DropsBeforeReplace bool
	// OtherID is what becomes of ReserveNow for an EVSE that another id holds.
	OtherID OtherID
	// PastExpiry is what becomes of ReserveNow with an expiry that is over.
	PastExpiry PastExpiry

	// NoUpdate: ReservationStatusUpdate is never sent; an end shows in the
	// status alone, as in OCPP 1.6.
	NoUpdate bool
	// UpdateBeforeStatus: the update precedes the status. H04 shows the
	// contrary order, EVerest's own tests see this one.
	UpdateBeforeStatus bool
	// QueueAll is OCPPCommCtrlr.QueueAllMessages: updates survive being
	// offline. Without it they are lost, which is the standard's default.
	QueueAll bool
	// NeverReportsExpiry: neither update nor status; the next report of any
	// kind shows that the EVSE is free (SAP's simulator).
	NeverReportsExpiry bool
	// ExpiryDelay: expiry is noticed so much late, by polling (open-ocpp: 10 s;
	// up to 48 s were seen). A cancel in between is still accepted.
	ExpiryDelay time.Duration
	// CancelAfterExpiryAccepted: cancelling an expired id is Accepted (SAP's simulator).
	CancelAfterExpiryAccepted bool

	// NoReservationIDInTransaction: use is reported without the id.
	NoReservationIDInTransaction bool
	// MinusOneInTransaction: use is reported with id -1 (MicroOcpp).
	MinusOneInTransaction bool
	// UseKeepsReservation: use by its own token leaves the reservation in
	// place, and is reported without the id.
	UseKeepsReservation bool
	// IDInUpdated: the transaction starts at plug-in and the id comes with the
	// Updated event (TxStartPoint EVConnected).
	IDInUpdated bool
	// ForeignTokenAllowed: another token may use a reserved EVSE, the reservation stays.
	ForeignTokenAllowed bool
	// ForeignTokenConsumes: another token may use a reserved EVSE, and that
	// silently ends the reservation (MicroOcpp).
	ForeignTokenConsumes bool

	// ForgetsOnReboot: reservations do not survive a power cycle (EVerest until 2026).
	ForgetsOnReboot bool
	// AvailableAfterBootThoughHeld: after a boot it reports Available and
	// still holds; seen in two stacks.
	AvailableAfterBootThoughHeld bool
	// BootsAtEveryReconnect: a lost link is followed by a BootNotification.
	BootsAtEveryReconnect bool

	// StatusBeforeAnswer: Reserved and Available are reported before the call
	// that caused them is answered. Both orders are common.
	StatusBeforeAnswer bool
	// AuthorizeBeforeAnswer: the token is authorized before ReserveNow is
	// answered; left without an answer that takes until its time-out (SAP's simulator).
	AuthorizeBeforeAnswer bool
	// NotifyEventInsteadOfStatus: statuses come as AvailabilityState (H01.FR.23 allows it).
	NotifyEventInsteadOfStatus bool

	// FaultKeepsReservation: a fault ends no reservation and sends no Removed.
	FaultKeepsReservation bool
	// UntargetedOnEVSE1: a request without EVSE silently goes to EVSE 1.
	UntargetedOnEVSE1 bool
	// RejectsUntargeted is NonEvseSpecific false (H01.FR.19).
	RejectsUntargeted bool
	// OnePerToken: a token's second reservation is Occupied, wherever it is.
	OnePerToken bool
	// ReservationsNotImplemented: the calls are answered CALLERROR NotImplemented.
	ReservationsNotImplemented bool

	// Skew is the station's clock less the real one.
	Skew time.Duration
}

// SameID is what a station makes of an id that it holds already.
type SameID string

// Four of seven stacks replace, as H01.FR.02 wants it; the others do one each.
const (
	SameIDReplaces            SameID = ""
	SameIDOccupied            SameID = "occupied"
	SameIDRejected            SameID = "rejected"
	SameIDAcceptWithoutEffect SameID = "accept-without-effect"
)

// OtherID is what a station makes of a second id on a reserved EVSE.
type OtherID string

// Occupied is the standard (H01.FR.11).
const (
	OtherIDOccupied           OtherID = ""
	OtherIDRejected           OtherID = "rejected"
	OtherIDAcceptAndDropFirst OtherID = "accept-and-drop-first"
)

// PastExpiry is what a station makes of an expiry that is over. The standard is silent.
type PastExpiry string

// All three were seen.
const (
	PastExpiryRejected    PastExpiry = ""
	PastExpiryAccepted    PastExpiry = "accepted" // and gone at once
	PastExpiryHeldForever PastExpiry = "held-forever"
)
