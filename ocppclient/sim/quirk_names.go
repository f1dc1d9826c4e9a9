package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Quirk is a quirk by its name, which is stable: flags and JSON have it.
type Quirk struct {
	Name    string
	Values  []string // that it takes as NAME=VALUE; none: it is on or off
	Meaning string

	field func(*Quirks) any // a pointer to what it sets
}

// aDuration stands for any duration.
const aDuration = "DURATION"

// QuirkNames lists every quirk, in the order in which Quirks has them.
func QuirkNames() []Quirk {
	return append(reservationQuirks(), otherQuirks()...)
}

func reservationQuirks() []Quirk {
	return []Quirk{
		{"same_id", []string{string(SameIDOccupied), string(SameIDRejected), string(SameIDAcceptWithoutEffect)},
			"what becomes of ReserveNow under an id that is held", func(q *Quirks) any { return &q.SameID }},
		{"drops_before_replace", nil, "a replacement that is refused loses the old reservation too", func(q *Quirks) any { return &q.DropsBeforeReplace }},
		{"other_id", []string{string(OtherIDRejected), string(OtherIDAcceptAndDropFirst)},
			"what becomes of ReserveNow for an EVSE that another id holds", func(q *Quirks) any { return &q.OtherID }},
		{"past_expiry", []string{string(PastExpiryAccepted), string(PastExpiryHeldForever)},
			"what becomes of ReserveNow with an expiry that is over", func(q *Quirks) any { return &q.PastExpiry }},
		{"no_update", nil, "ReservationStatusUpdate is never sent", func(q *Quirks) any { return &q.NoUpdate }},
		{"update_before_status", nil, "the update precedes the status", func(q *Quirks) any { return &q.UpdateBeforeStatus }},
		{"queue_all", nil, "updates survive being offline", func(q *Quirks) any { return &q.QueueAll }},
		{"never_reports_expiry", nil, "an expiry is followed by neither update nor status", func(q *Quirks) any { return &q.NeverReportsExpiry }},
		{"expiry_delay", []string{aDuration}, "an expiry is noticed so much late", func(q *Quirks) any { return &q.ExpiryDelay }},
		{"cancel_after_expiry_accepted", nil, "to cancel an expired id is Accepted", func(q *Quirks) any { return &q.CancelAfterExpiryAccepted }},
		{"fault_keeps_reservation", nil, "a fault ends no reservation", func(q *Quirks) any { return &q.FaultKeepsReservation }},
		{"untargeted_on_evse_1", nil, "a request without an EVSE silently goes to EVSE 1", func(q *Quirks) any { return &q.UntargetedOnEVSE1 }},
		{"rejects_untargeted", nil, "a request without an EVSE is Rejected", func(q *Quirks) any { return &q.RejectsUntargeted }},
		{"one_per_token", nil, "a token's second reservation is Occupied, wherever it is", func(q *Quirks) any { return &q.OnePerToken }},
		{"reservations_not_implemented", nil, "ReserveNow and CancelReservation are answered NotImplemented", func(q *Quirks) any { return &q.ReservationsNotImplemented }},
	}
}

func otherQuirks() []Quirk {
	return []Quirk{
		{"no_reservation_id_in_transaction", nil, "use is reported without the reservation's id", func(q *Quirks) any { return &q.NoReservationIDInTransaction }},
		{"minus_one_in_transaction", nil, "use is reported with id -1", func(q *Quirks) any { return &q.MinusOneInTransaction }},
		{"use_keeps_reservation", nil, "use leaves the reservation in place, and is reported without its id", func(q *Quirks) any { return &q.UseKeepsReservation }},
		{"id_in_updated", nil, "the id comes with the second event of the transaction", func(q *Quirks) any { return &q.IDInUpdated }},
		{"foreign_token_allowed", nil, "another token may use a reserved EVSE; the reservation stays", func(q *Quirks) any { return &q.ForeignTokenAllowed }},
		{"foreign_token_consumes", nil, "another token may use a reserved EVSE, and that ends the reservation", func(q *Quirks) any { return &q.ForeignTokenConsumes }},
		{"forgets_on_reboot", nil, "reservations do not survive a power cycle", func(q *Quirks) any { return &q.ForgetsOnReboot }},
		{"available_after_boot_though_held", nil, "after a boot it reports Available and still holds", func(q *Quirks) any { return &q.AvailableAfterBootThoughHeld }},
		{"boots_at_every_reconnect", nil, "a lost link is followed by a BootNotification", func(q *Quirks) any { return &q.BootsAtEveryReconnect }},
		{"status_before_answer", nil, "statuses precede the answer to the call that caused them", func(q *Quirks) any { return &q.StatusBeforeAnswer }},
		{"authorize_before_answer", nil, "the token is authorized before ReserveNow is answered", func(q *Quirks) any { return &q.AuthorizeBeforeAnswer }},
		{"notify_event_instead_of_status", nil, "statuses come as NotifyEvent", func(q *Quirks) any { return &q.NotifyEventInsteadOfStatus }},
		{"skew", []string{aDuration}, "the station's clock less the real one; negative: it is late", func(q *Quirks) any { return &q.Skew }},
	}
}

// Set takes a quirk by its name: NAME, or NAME=VALUE for those with values.
func (q *Quirks) Set(text string) error {
	name, value, given := strings.Cut(text, "=")
	for _, k := range QuirkNames() {
		if k.Name != name {
			continue
		}
		if given == (k.Values == nil) || !k.set(q, value) {
			return fmt.Errorf("quirk %s: want %s", text, k)
		}
		return nil
	}
	return fmt.Errorf("quirk %s: there is none of that name", text)
}

// set reports whether it takes the value.
func (k Quirk) set(q *Quirks, value string) bool {
	switch field := k.field(q).(type) {
	case *bool:
		*field = true
		return true
	case *time.Duration:
		d, err := time.ParseDuration(value)
		*field = d
		return err == nil
	case *SameID:
		*field = SameID(value)
	case *OtherID:
		*field = OtherID(value)
	case *PastExpiry:
		*field = PastExpiry(value)
	}
	return slices.Contains(k.Values, value)
}

// String is how the quirk is written: its name, and its values where it has some.
func (k Quirk) String() string {
	if k.Values == nil {
		return k.Name
	}
	return k.Name + "=" + strings.Join(k.Values, "|")
}

// List names the quirks that are on, as Set takes them.
func (q Quirks) List() []string {
	list := []string{}
	for _, k := range QuirkNames() {
		value := fmt.Sprint(value(k.field(&q)))
		switch {
		case value == "false" || value == "" || value == "0s":
		case k.Values == nil:
			list = append(list, k.Name)
		default:
			list = append(list, k.Name+"="+value)
		}
	}
	return list
}

func value(field any) any {
	switch f := field.(type) {
	case *bool:
		return *f
	case *time.Duration:
		return *f
	case *SameID:
		return *f
	case *OtherID:
		return *f
	case *PastExpiry:
		return *f
	}
	return nil
}
