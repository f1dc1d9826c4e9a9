package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/reservation"
)

// journalHead stands above the lines of the journal.
func (v *textView) journalHead(j *journal) {
	v.heading(j.place)
	if j.empty {
		v.out.line(nothingStored)
	}
	v.began(j.begins)
	_ = v.out.Flush()
}

// began says where the journal begins, if that is not at its first line.
func (v *textView) began(from time.Time) {
	if !from.IsZero() {
		v.out.ink(faintInk, "The journal begins "+v.clock().at(from)+"; what was before is cut.")
		v.out.line()
	}
}

// journalLine is one of them: when, where, what. The time is one that sorts.
func (v *textView) journalLine(l journalLine) {
	c := v.clock()
	v.out.put(l.At.In(c.zone).Format("2006-01-02 15:04:05"), "  ")
	where := l.StationID
	if where == "" {
		where = l.Workspace
	}
	v.out.column(harmless(where), 12)
	v.out.put("  ")
	v.out.ink(eventInk(l.Event), harmless(journalText(l.Event, c)))
	v.out.line()
	if l.live {
		_ = v.out.Flush()
	}
}

// eventInk makes answers stand out: they are what people look for.
func eventInk(e reservation.Event) string {
	switch {
	case e.Kind == reservation.Answered && e.Answer != nil && e.Answer.Outcome == reservation.AnswerAccepted:
		return greenInk
	case e.Kind == reservation.Answered, e.Kind == reservation.Reported, e.Kind == reservation.Decided:
		return yellowInk
	case e.Kind == reservation.Status, e.Kind == reservation.Connected, e.Kind == reservation.Disconnected:
		return faintInk
	}
	return plainInk
}

// journalText tells one event in a line. Whatever a later version records is
// told by its kind.
func journalText(e reservation.Event, c clock) string {
	text := ""
	switch {
	case e.Kind == reservation.Connected && e.Link != nil:
		text = "connected, " + e.Link.Protocol
		if e.Link.Remote != "" {
			text += ", from " + e.Link.Remote
		}
	case e.Kind == reservation.Disconnected:
		text = "connection ended"
	case e.Kind == reservation.Booted && e.Boot != nil:
		text = bootText(e.Boot)
	case e.Kind == reservation.Status && e.Status != nil:
		text = fmt.Sprintf("EVSE %d is %s", e.Status.EVSE, e.Status.Status)
	case e.Kind == reservation.Transaction && e.Transaction != nil:
		text = transactionText(e)
	case e.Kind == reservation.Reported:
		text = fmt.Sprintf("reports that reservation %d is %s", e.ReservationID, e.Update)
	case e.Kind == reservation.Declared && e.Change != nil:
		text = declaredText(e, c)
	case e.Kind == reservation.Proposed && e.Proposal != nil:
		text = proposedText(e.Proposal)
	case (e.Kind == reservation.Requested || e.Kind == reservation.Answered) && e.Call != nil:
		text = callText(e, c)
	case e.Kind == reservation.Decided && e.Decision != nil:
		text = decidedText(e, c)
	case e.Kind == reservation.Paused, e.Kind == reservation.Resumed, e.Kind == reservation.Frozen, e.Kind == reservation.Unfrozen:
		text = orderText(e, c)
	case e.Kind == reservation.Erased:
		text = erasedText(e)
	case e.Kind == reservation.Restored:
		text = restoredText(e)
	case e.Kind == reservation.Released:
		text = subject(e) + " may go: its new station has it"
	case e.Kind == reservation.Superseded:
		text = subject(e) + " was used at the other station of its move"
	case e.Kind == reservation.Renamed:
		text = subject(e) + " was " + short(e.From) + " until now"
	default:
		text = strings.TrimSpace(string(e.Kind) + " " + subject(e))
	}
	if e.Queued {
		text += " (kept while it was offline)"
	}
	return text
}

// orderText is what somebody ordered: "paused by ann until today 22:00 (works)".
func orderText(e reservation.Event, c clock) string {
	text := string(e.Kind)
	if e.StationID == "" && e.Workspace == reservation.AllWorkspaces {
		text = "all workspaces are " + text
	}
	h := e.Ordered()
	if h.By != "" {
		text += " by " + h.By
	}
	if !h.Until.IsZero() {
		text += " until " + c.at(h.Until)
	}
	if h.Reason != "" {
		text += " (" + h.Reason + ")"
	}
	return text
}

// restoredText tells that the state is a backup, and what that means for a station.
func restoredText(e reservation.Event) string {
	if e.StationID != "" {
		return "what is believed of it is in doubt: the state was restored"
	}
	text := "restored"
	if r := e.Restored; r != nil {
		if r.By != "" {
			text += " by " + r.By
		}
		if r.File != "" {
			text += " from " + r.File
		}
	}
	return text
}

// erasedText tells of a token that is gone, by its fingerprint.
func erasedText(e reservation.Event) string {
	text := "a token was erased"
	if x := e.Erasure; x != nil {
		text = fmt.Sprintf("token %s was erased from %s", x.Fingerprint, count(x.Rows, "row"))
		if x.By != "" {
			text += " by " + x.By
		}
	}
	return text
}

// subject is the address that an event is about, and its id.
func subject(e reservation.Event) string {
	text := short(e.Address)
	if e.ReservationID != 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s id %d", text, e.ReservationID))
	}
	return text
}

func bootText(b *reservation.Boot) string {
	if b.Assumed {
		return "counts as booted: it was asked in vain"
	}
	text := "booted"
	if b.Reason != "" {
		text += " (" + b.Reason + ")"
	}
	if about := makeText(b.Vendor, b.Model, b.Serial, b.Firmware); about != "" {
		text += ": " + about
	}
	if !b.Accepted {
		text += "; not accepted yet"
	}
	return text
}

// makeText says what a station is: "Acme One, serial SN-1, firmware 1.0".
func makeText(vendor, model, serial, firmware string) string {
	text := strings.TrimSpace(vendor + " " + model)
	if serial != "" {
		text = join(text, "serial "+serial)
	}
	if firmware != "" {
		text = join(text, "firmware "+firmware)
	}
	return text
}

func transactionText(e reservation.Event) string {
	t := e.Transaction
	text := fmt.Sprintf("transaction %s: %s", t.ID, strings.ToLower(t.Type))
	if t.EVSE != 0 {
		text += fmt.Sprintf(" at EVSE %d", t.EVSE)
	}
	if t.IDToken != nil {
		text += ", token " + t.IDToken.IDToken
	}
	if e.ReservationID != 0 {
		text += fmt.Sprintf(", reservation %d", e.ReservationID)
	}
	return text
}

func declaredText(e reservation.Event, c clock) string {
	ch := e.Change
	text := strings.TrimSpace("declared: " + ch.Action + " " + short(e.Address))
	switch {
	case ch.Forget:
		return strings.TrimSpace("forgotten: "+short(e.Address)) + ", left at its station"
	case ch.Setup != nil || ch.Token != nil || ch.After == nil:
		return text
	case e.Formerly() != "":
		return text + ", until now " + short(e.Formerly())
	case ch.Adopt != 0:
		text += fmt.Sprintf(", adopting id %d", ch.Adopt)
	}
	a := ch.After
	return fmt.Sprintf("%s, %s, %s, token %s", text, targetText(a.EVSE, a.ConnectorType), c.span(a.Window), a.IDToken.IDToken)
}

func proposedText(p *reservation.Proposal) string {
	text := fmt.Sprintf("proposal %d", p.Serial)
	if p.By != "" {
		text += " by " + p.By
	}
	if p.Revision != "" {
		text += ", revision " + p.Revision
	}
	var counts []string
	for name, n := range p.Summary {
		counts = append(counts, fmt.Sprintf("%d %s", n, name))
	}
	slices.Sort(counts)
	if len(counts) > 0 {
		text += ": " + strings.Join(counts, ", ")
	}
	return text
}

// callText is a request as it leaves, or what came of it.
func callText(e reservation.Event, c clock) string {
	what := string(e.Call.Kind)
	if s := subject(e); s != "" {
		what += " " + s
	}
	if e.Kind == reservation.Answered && e.Answer != nil {
		text := fmt.Sprintf("answered %s to %s", e.Answer.Outcome, what)
		if e.Answer.Info != "" {
			text += " (" + e.Answer.Info + ")"
		}
		return text
	}
	text := "asked: " + what
	if x := e.Call.Content; x != nil {
		text += fmt.Sprintf(", %s, until %s, token %s", targetText(x.EVSE, x.ConnectorType), c.at(x.Expiry), x.IDToken.IDToken)
	}
	if e.Call.Reason != "" {
		text += " (" + e.Call.Reason + ")"
	}
	return text
}

func decidedText(e reservation.Event, c clock) string {
	text := strings.TrimSpace("decided: " + subject(e))
	if next := e.Decision.Next; next != nil && next.Start.IsZero() {
		text += " its schedule is over"
	} else if next != nil {
		text += " its next window is " + c.span(*next)
	}
	if e.Decision.Phase != "" {
		text += " " + string(e.Decision.Phase)
	}
	if e.Decision.Reason != "" {
		text += " (" + string(e.Decision.Reason) + ")"
	}
	if e.Decision.DropID {
		text += "; its id counts as gone"
	}
	return text
}
