package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// outcomeWords are what comes of changes, in the order in which they are told.
var outcomeWords = []string{"reserved", "updated", "replaced", "moved", "scheduled", "used", "ended", "canceled", "forgotten", "settings"}

// outcomeText is such a word as it is told of n.
func outcomeText(word string, n int) string {
	if word == "settings" && n == 1 {
		return "setting"
	}
	return word
}

// short is an address without what is the same in every line.
func short(address string) string {
	if rest, ok := strings.CutPrefix(address, "reservation."); ok {
		return rest
	}
	if i := strings.Index(address, ".reservation."); i >= 0 {
		return address[:i+1] + address[i+len(".reservation."):]
	}
	return address
}

// targetText says which EVSE.
func targetText(evse int, connectorType string) string {
	switch {
	case evse != 0:
		return fmt.Sprintf("EVSE %d", evse)
	case connectorType != "":
		return "any " + connectorType
	}
	return "any EVSE"
}

// reasonText says in a few words why something is not held.
func reasonText(r reservation.Reason) string {
	switch r {
	case reservation.BecauseOffline:
		return "the station is not connected"
	case reservation.BecauseTaken:
		return "somebody else is charging there"
	case reservation.BecauseOccupied:
		return "it is occupied, by a car or by somebody else's reservation"
	case reservation.BecauseFaulted:
		return "the EVSE is faulted"
	case reservation.BecauseUnavailable:
		return "the EVSE is out of service"
	case reservation.BecauseRejected:
		return "the station rejected it"
	case reservation.BecauseRefused:
		return "the request itself was refused"
	case reservation.BecauseRemoved:
		return "the station dropped it"
	case reservation.BecauseUnsupported:
		return "the station does no reservations"
	case reservation.BecauseBooting:
		return "the station is not ready yet"
	case reservation.BecauseBefore:
		return "another reservation is still there"
	case reservation.BecausePaused:
		return "the station is paused"
	case reservation.BecauseAsked:
		return "the answer is outstanding"
	case reservation.BecauseNoAnswer:
		return "no answer came"
	case reservation.BecauseBoot:
		return "the station has started anew"
	case reservation.BecauseRestored:
		return "the state was restored from a backup"
	case reservation.BecauseVanished:
		return "the EVSE became available without a word"
	case reservation.BecauseRepeat:
		return "the station refused to repeat its id"
	case reservation.BecauseUpdate:
		return "the station keeps what it was told before"
	case reservation.BecauseUnwanted:
		return "it is no longer wanted"
	case reservation.BecauseImported:
		return "the station is said to hold it"
	case reservation.BecauseWanted:
		return "it was forgotten, and is wanted again"
	case "":
		return "it is due"
	}
	return string(r)
}

// nextText says what happens next without anybody doing anything.
func nextText(o *reconcile.Outstanding, c clock) string {
	if o.Reason == reservation.BecausePaused {
		return pausedText(o.Until, c)
	}
	if !o.Until.IsZero() && o.Until.After(c.now) {
		return "tried again in " + c.until(o.Until) + " at the latest"
	}
	switch o.Reason {
	case reservation.BecauseOffline:
		return "sent when it connects"
	case reservation.BecauseTaken, reservation.BecauseOccupied:
		return "tried again when it leaves"
	case reservation.BecauseFaulted, reservation.BecauseUnavailable:
		return "tried again when the EVSE is back"
	case reservation.BecauseRejected:
		next := "asked again when something about the station changes"
		if o.EVSE == 0 { // H01.FR.19: where NonEvseSpecific is not true
			next += "; it may take none but those that name an EVSE (evse_id)"
		}
		return next
	case reservation.BecauseRefused:
		return "not asked again until the declaration changes"
	case reservation.BecauseUnsupported:
		return "asked again after its next boot"
	case reservation.BecauseBefore:
		return "asked for when that one ends"
	case reservation.BecauseUpdate:
		return "change it back, or to another EVSE"
	case reservation.BecauseBooting:
		return "sent when it is"
	case reservation.BecauseAsked, reservation.BecauseNoAnswer, reservation.BecauseBoot, reservation.BecauseVanished,
		reservation.BecauseRestored, reservation.BecauseImported, reservation.BecauseWanted:
		return "settled when the station is heard"
	}
	return ""
}

// pausedText says what ends a pause.
func pausedText(until time.Time, c clock) string {
	if until.IsZero() {
		return "sent after resctl resume"
	}
	return "sent when the pause ends, in " + c.until(until)
}

// eventText is a line for what a station did or answered; "" for what is of no
// interest while one waits.
func eventText(e reservation.Event, c clock) string {
	switch e.Kind {
	case reservation.Connected:
		return fmt.Sprintf("%s: connected (%s)", e.StationID, e.Link.Protocol)
	case reservation.Disconnected:
		return e.StationID + ": connection ended"
	case reservation.Answered:
		return answerText(e, c)
	case reservation.Decided:
		if e.Decision.Phase != "" {
			return fmt.Sprintf("%s: %s %s", e.StationID, short(e.Address), e.Decision.Phase)
		}
	case reservation.Paused, reservation.Resumed:
		return fmt.Sprintf("%s: %s", e.StationID, orderText(e, c))
	case reservation.Erased:
		return erasedText(e)
	case reservation.Restored:
		return restoredText(e)
	case reservation.Frozen, reservation.Unfrozen:
		return orderText(e, c)
	case reservation.Transaction:
		if e.Transaction.Type == "Started" {
			return fmt.Sprintf("%s: charging began at EVSE %d", e.StationID, e.Transaction.EVSE)
		}
	case reservation.Reported:
		return fmt.Sprintf("%s: reports reservation %d %s", e.StationID, e.ReservationID, e.Update)
	}
	return ""
}

// wentWell reports whether an event is what everybody hopes for.
func wentWell(e reservation.Event) bool {
	return e.Kind == reservation.Connected || e.Kind == reservation.Transaction || e.Kind == reservation.Answered && e.Answer != nil && e.Answer.Outcome == reservation.AnswerAccepted
}

func answerText(e reservation.Event, c clock) string {
	if e.Call == nil || e.Answer == nil || e.Address == "" {
		return ""
	}
	head := e.StationID + ": " + short(e.Address) + " "
	accepted := e.Answer.Outcome == reservation.AnswerAccepted
	switch {
	case e.Call.Kind == reservation.ReserveNow && accepted:
		return fmt.Sprintf("%sreserved, %s, until %s", head, targetText(e.Call.Content.EVSE, e.Call.Content.ConnectorType), c.at(e.Call.Content.Expiry))
	case e.Call.Kind == reservation.CancelReservation && e.Answer.Certain() && e.Call.Then == reservation.Fulfilled:
		return head + "fulfilled: its driver has used it"
	case e.Call.Kind == reservation.CancelReservation && e.Answer.Certain() && e.Call.Then == reservation.NoShow:
		return head + "let go: its driver did not come in time"
	case e.Call.Kind == reservation.CancelReservation && accepted:
		return head + "canceled"
	case e.Call.Kind == reservation.CancelReservation && e.Answer.Outcome == reservation.AnswerRejected:
		return head + "canceled: the station did not have it any more"
	}
	text := fmt.Sprintf("%s%s: %s", head, e.Call.Kind, e.Answer.Outcome)
	if e.Answer.Info != "" {
		text += " (" + e.Answer.Info + ")"
	}
	return text
}
