package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// settings are the station and token blocks. Nothing is sent for them, so many are only
// counted.
func (t *planText) settings() {
	shown, hidden := 0, 0
	for i := range t.Changes {
		c := &t.Changes[i]
		if !c.Setting() {
			continue
		}
		if shown == 0 {
			t.out.ink(boldInk, "Settings")
			t.out.line("   nothing is sent")
		}
		if shown == shownInFull && !t.details {
			hidden++
			continue
		}
		shown++
		t.out.put("  ")
		t.out.ink(symbolInk(c.Action), string(c.Action))
		t.out.put(" ", harmless(c.Address))
		if c.StationID != "" {
			t.out.put("  ", harmless(c.StationID))
		}
		if what := t.settingText(c); what != "" && !t.Destroy {
			t.out.put("  ", harmless(what))
		}
		t.out.line()
	}
	if hidden > 0 {
		t.out.line(fmt.Sprintf("    and %d more; --details shows them", hidden))
	}
}

// settingText says what of a block changes.
func (t *planText) settingText(c *reconcile.Change) string {
	if c.Token != nil {
		return t.cardText(c.Token)
	}
	return stationEditText(c.Station)
}

// cardText says what of a token block changes.
func (t *planText) cardText(e *reservation.TokenEdit) string {
	if e.After == nil {
		return "no longer declared"
	}
	if e.Before == nil {
		text := "token " + t.token(&e.After.IDToken)
		if e.After.GroupIDToken != nil {
			text += ", group " + t.token(e.After.GroupIDToken)
		}
		return text
	}
	text := ""
	show := func(name string, a, b *reservation.Token) {
		if before, after := t.token(a), t.token(b); before != after {
			text = join(text, name+" "+before+" → "+after)
		}
	}
	show("token", &e.Before.IDToken, &e.After.IDToken)
	show("group", e.Before.GroupIDToken, e.After.GroupIDToken)
	return cmp.Or(text, "type, case or additional info")
}

// stationEditText says what of a station block changes.
func stationEditText(e *reservation.StationEdit) string {
	if e.After == nil {
		return "no longer declared"
	}
	text := ""
	if n := len(e.After.EVSEs); n > 0 && e.Before == nil {
		text = count(n, "EVSE")
	}
	if e.Before == nil {
		if hasPassword(e.After) {
			text = join(text, "with a password")
		}
		return text
	}
	for _, d := range []struct {
		what    string
		differs bool
	}{
		{"identity " + e.Before.ID + " → " + e.After.ID, e.Before.ID != e.After.ID},
		{"OCPP version", e.Before.OCPPVersion != e.After.OCPPVersion},
		{"serial number", e.Before.SerialNumber != e.After.SerialNumber},
		{"EVSEs", fmt.Sprint(e.Before.EVSEs) != fmt.Sprint(e.After.EVSEs)},
	} {
		if d.differs {
			text = join(text, d.what)
		}
	}
	if text == "" {
		text = "password"
	}
	return text
}

func hasPassword(d *reservation.StationDeclaration) bool {
	return d.ClearPassword != "" || d.PasswordHash != ""
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// content is the before and after of a change, below its line.
func (t *planText) content(c *reconcile.Change) {
	switch {
	case c.Action == reconcile.Cancel, c.Action == reconcile.Forget:
	case c.Before == nil && c.After != nil:
		t.declared(c.After)
	case c.Before != nil && c.After != nil:
		t.differences(c)
	}
}

// declared shows what is asked for beside place and time.
func (t *planText) declared(d *reservation.Declaration) {
	if d.When.Schedule != nil {
		t.under("schedule " + scheduleText(d.When.Schedule))
	}
	text := "token " + t.token(&d.IDToken)
	if d.Activation.LeadTime != 0 {
		text += ", asked for " + span(d.Activation.LeadTime) + " ahead"
	}
	if d.Activation.NoShowAfter != 0 {
		text += ", let go after " + span(d.Activation.NoShowAfter) + " without its driver"
	}
	for _, word := range lifecycleWords(d.Lifecycle) {
		text += ", " + word
	}
	t.under(text)
	if d.GroupIDToken != nil {
		t.under("group " + t.token(d.GroupIDToken) + ": every member of the group may use it")
	}
}

func (t *planText) under(text string) {
	t.out.put("      ")
	t.out.ink(faintInk, harmless(text))
	t.out.line()
}

func lifecycleWords(l reservation.Lifecycle) []string {
	var words []string
	if l.PreventCancel {
		words = append(words, "prevent_cancel")
	}
	if l.OnRemoved != "" && l.OnRemoved != reservation.ReserveAgain {
		words = append(words, "on_removed = "+l.OnRemoved)
	}
	if l.OnUsed != "" && l.OnUsed != reservation.Done {
		words = append(words, "on_used = "+l.OnUsed)
	}
	return words
}

// differences shows the attributes that are not as before; the line of an
// update shows its expiry already.
func (t *planText) differences(c *reconcile.Change) {
	a, b := c.Before, c.After
	show := func(name, before, after string) {
		if before != after {
			t.under(name + "  " + before + " → " + after)
		}
	}
	show("station", a.StationID, b.StationID)
	show("target", targetText(a.EVSE, a.ConnectorType), targetText(b.EVSE, b.ConnectorType))
	show("token", t.token(&a.IDToken), t.token(&b.IDToken))
	show("group", t.token(a.GroupIDToken), t.token(b.GroupIDToken))
	if b.GroupIDToken != nil && a.GroupIDToken == nil {
		t.under("every member of the group may use it")
	}
	show("start", t.moment(a.When.Start), t.moment(b.When.Start))
	if c.Action != reconcile.Modify {
		show("expiry", t.moment(a.When.Expiry), t.moment(b.When.Expiry))
	}
	show("schedule", scheduleText(a.When.Schedule), scheduleText(b.When.Schedule))
	show("hold_for", span(a.When.HoldFor), span(b.When.HoldFor))
	show("lead_time", span(a.Activation.LeadTime), span(b.Activation.LeadTime))
	show("no_show_after", span(a.Activation.NoShowAfter), span(b.Activation.NoShowAfter))
	show("prevent_cancel", fmt.Sprint(a.Lifecycle.PreventCancel), fmt.Sprint(b.Lifecycle.PreventCancel))
	show("on_removed", orDefault(a.Lifecycle.OnRemoved, reservation.ReserveAgain), orDefault(b.Lifecycle.OnRemoved, reservation.ReserveAgain))
	show("on_used", orDefault(a.Lifecycle.OnUsed, reservation.Done), orDefault(b.Lifecycle.OnUsed, reservation.Done))
}

// scheduleText is a schedule in a line.
func scheduleText(s *reservation.Schedule) string {
	if s == nil {
		return "(none)"
	}
	text := strings.Join(s.Days, " ")
	if s.RRule != "" {
		text = s.RRule
	}
	text += " " + s.StartTime + "–" + s.EndTime + " " + s.TimeZone
	if s.StartDate != "" {
		text += " from " + s.StartDate
	}
	if n := len(s.ExceptDates); n > 0 {
		text += " but for " + count(n, "date")
	}
	return text
}

func orDefault(s, unset string) string {
	if s == "" {
		return unset
	}
	return s
}

func (t *planText) moment(at time.Time) string {
	if at.IsZero() {
		return "(none)"
	}
	return t.clock.at(at)
}

func span(d reservation.Duration) string {
	if d == 0 {
		return "(none)"
	}
	return distance(time.Duration(d))
}

// token is a fingerprint, or the characters where they were asked for.
func (t *planText) token(x *reservation.Token) string {
	switch {
	case x == nil:
		return "(none)"
	case t.whole:
		return x.IDToken + " (" + x.Type + ")"
	}
	return x.Fingerprint(t.secret)
}
