package main

import (
	"fmt"

	"github.com/resctl/resctl/reservation"
)

// What fits one screen: the beginning of a long story, and more of its end.
const (
	firstLines = 8
	lastLines  = 24
)

// story shows what is declared, what happened, where it stands and what is next.
func (v *textView) story(s *story) {
	v.heading(s.place)
	c := v.clock()
	v.out.ink(boldInk, harmless(short(s.Address)))
	v.out.line("   ", harmless(s.StationID), " ", targetText(s.EVSE, s.ConnectorType))
	fact := func(name, text string) {
		if text != "" {
			v.out.put("  ")
			v.out.column(name, 10)
			v.out.line(text)
		}
	}
	declared := harmless(s.Declared)
	if !s.Wanted {
		declared = "no longer"
		if s.Declared != "" {
			declared += "; it was at " + harmless(s.Declared)
		}
	}
	fact("declared", declared)
	if s.Applied != nil {
		fact("applied", c.at(s.Applied.At)+appliedText(s.Applied))
	}
	if s.Schedule != nil {
		fact("schedule", harmless(scheduleText(s.Schedule)))
	}
	fact("window", c.span(s.Window))
	fact("token", s.Token)
	v.out.line()
	v.began(s.JournalBegins)
	for i := range s.Events {
		if hidden := len(s.Events) - firstLines - lastLines; hidden > 1 && i >= firstLines && i < firstLines+hidden {
			if i == firstLines {
				v.out.line(fmt.Sprintf("  … %d more; resctl events --address %s shows them", hidden, shellWord(short(s.Address))))
			}
			continue
		}
		v.storyLine(s, s.Events[i], c)
	}
	if len(s.Events) > 0 {
		v.out.line()
	}
	v.out.put("Now:  ")
	v.out.ink(phaseInk(s.Phase), harmless(nowText(s, c)))
	v.out.line()
	v.out.line("Next: ", harmless(s.Next), ".")
}

func appliedText(a *applied) string {
	text := fmt.Sprintf(", proposal %d", a.Serial)
	if a.By != "" {
		text += " by " + a.By
	}
	if a.Revision != "" {
		text += ", revision " + a.Revision
	}
	return text
}

func (v *textView) storyLine(s *story, e reservation.Event, c clock) {
	v.out.put("  ", e.At.In(c.zone).Format("2006-01-02 15:04:05"), "  ")
	if s.several {
		v.out.column(harmless(e.StationID), 12)
		v.out.put("  ")
	}
	e.Address = "" // it stands above
	text := journalText(e, c)
	if by := s.byWhom[e.Seq]; by != nil && by != s.Applied {
		text += appliedText(by)
	}
	v.out.ink(eventInk(e), harmless(text))
	v.out.line()
}

// nowText says where it stands, and why.
func nowText(s *story, c clock) string {
	if s.Phase == "" {
		return "stored, and nothing has become of it."
	}
	text := string(s.Phase)
	if !s.Since.IsZero() {
		text += " since " + c.since(s.Since)
	}
	if s.Reason != "" || s.waiting != nil {
		text += ": " + reasonText(s.Reason)
	}
	if s.Info != "" {
		text += " (" + s.Info + ")"
	}
	if s.ReservationID != 0 {
		text += fmt.Sprintf(", id %d", s.ReservationID)
	}
	return text + "."
}
