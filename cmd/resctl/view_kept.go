package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/resctl/resctl/reservation"
)

// addresses are one a line, for other programs to read.
func (v *textView) addresses(l *addressList) {
	if l.empty {
		v.err.line(nothingStored)
		return
	}
	for i := range l.Addresses {
		a := &l.Addresses[i]
		v.out.put(harmless(a.Address))
		if l.several {
			v.out.put("  ", harmless(a.Workspace))
		}
		v.out.line()
	}
}

// kept shows what is wanted of an address and what is believed of it, name by name.
func (v *textView) kept(k *kept) {
	v.heading(k.place)
	c := v.clock()
	v.out.ink(boldInk, harmless(k.Address))
	v.out.line()
	if s := k.Station; s != nil {
		v.fact("declared", s.Source)
		v.fact("station", s.ID)
		v.fact("OCPP version", s.OCPPVersion)
		v.fact("serial number", s.SerialNumber)
		for _, e := range s.EVSEs {
			v.fact(fmt.Sprintf("EVSE %d", e.ID), strings.Join(e.ConnectorTypes, ", "))
		}
		return
	}
	if t := k.Token; t != nil {
		v.fact("declared", t.Source)
		v.fact("token", tokenText(&t.IDToken))
		v.fact("group", tokenText(t.GroupIDToken))
		return
	}
	if w := k.Wanted; w != nil {
		v.fact("declared", w.Source)
		v.fact("station", w.StationID)
		v.fact("target", targetText(w.EVSE, w.ConnectorType))
		v.fact("token", tokenText(&w.IDToken))
		v.fact("group", tokenText(w.GroupIDToken))
		if w.When.Schedule != nil {
			v.fact("schedule", scheduleText(w.When.Schedule))
		} else {
			v.fact("window", c.span(w.Window))
		}
		v.fact("lead time", spanOrNothing(w.Activation.LeadTime))
		v.fact("no show after", spanOrNothing(w.Activation.NoShowAfter))
		v.fact("lifecycle", strings.Join(lifecycleWords(w.Lifecycle), ", "))
		v.fact("stored", c.at(w.StoredAt))
	} else {
		v.fact("declared", "no longer")
	}
	for i := range k.Occurrences {
		v.occurrence(&k.Occurrences[i], c)
	}
}

// fact is one name and its value, if it has one.
func (v *textView) fact(name, value string) {
	if value != "" {
		v.out.put("  ")
		v.out.column(name, 14)
		v.out.line("  ", harmless(value))
	}
}

// tokenText is a token as it was given: masked, or not.
func tokenText(t *reservation.Token) string {
	if t == nil {
		return ""
	}
	return t.IDToken + " (" + t.Type + ")"
}

func spanOrNothing(d reservation.Duration) string {
	if d == 0 {
		return ""
	}
	return distance(time.Duration(d))
}

func (v *textView) occurrence(p *reservation.Placed, c clock) {
	o := p.Occurrence
	v.out.line()
	v.out.ink(boldInk, c.span(o.Window))
	v.out.line(" at ", harmless(p.StationID))
	phase := string(o.PhaseAt(c.now))
	if o.Reason != "" {
		phase += ": " + string(o.Reason)
	}
	v.fact("phase", phase)
	v.fact("since", c.at(o.Since))
	v.fact("station said", o.Info)
	if o.ID != 0 {
		v.fact("reservation", fmt.Sprintf("id %d", o.ID))
	}
	if len(o.Past) > 0 {
		v.fact("ids before", strings.Trim(fmt.Sprint(o.Past), "[]"))
	}
	for _, x := range []struct {
		name    string
		content *reservation.Content
	}{{"wanted", o.Want}, {"asked", o.Asked}, {"held", o.Held}, {"refused", o.UpdateRefused}} {
		if x.content != nil {
			v.fact(x.name, contentText(x.content, c))
		}
	}
	for _, x := range []struct {
		name string
		at   time.Time
	}{{"due", o.Due}, {"asked at", o.AskedAt}, {"tried again", o.RetryAt}, {"no show", o.NoShowAt}} {
		if !x.at.IsZero() {
			v.fact(x.name, c.at(x.at))
		}
	}
	if o.Heals > 0 {
		v.fact("dropped", fmt.Sprintf("%d times by its station", o.Heals))
	}
	if m := o.Move; m != nil {
		v.fact("moves", m.From+" → "+m.To)
	}
}

func contentText(x *reservation.Content, c clock) string {
	text := targetText(x.EVSE, x.ConnectorType) + ", token " + x.IDToken.IDToken
	if x.GroupIDToken != nil {
		text += ", group " + x.GroupIDToken.IDToken
	}
	return text + ", until " + c.at(x.Expiry)
}
