package main

import (
	"fmt"
	"time"

	"github.com/resctl/resctl/reservation"
)

// stations shows each with all that is known of it.
func (v *textView) stations(l *stationList) {
	v.heading(l.place)
	if l.empty {
		v.out.line(nothingStored)
		return
	}
	c, online := v.clock(), 0
	for i := range l.Stations {
		s := &l.Stations[i]
		if s.Connected {
			online++
		}
		v.station(s, c)
	}
	if len(l.Stations) > 0 {
		v.out.line()
	}
	v.out.line(fmt.Sprintf("%s, %d connected.", count(len(l.Stations), "station"), online))
}

func (v *textView) station(s *stationAbout, c clock) {
	v.out.ink(boldInk, harmless(s.ID))
	v.out.put("   ")
	switch {
	case s.Connected:
		v.out.ink(greenInk, "connected since "+c.since(s.ConnectedAt))
	case s.OfflineAt.IsZero():
		v.out.ink(yellowInk, "never connected")
	default:
		v.out.ink(yellowInk, "offline since "+c.since(s.OfflineAt))
	}
	if s.Protocol != "" {
		v.out.put(", ", harmless(s.Protocol))
	}
	v.out.line()
	if about := makeText(s.Vendor, s.Model, s.Serial, s.Firmware); about != "" {
		v.out.line("  ", about)
	}
	if !s.BootAt.IsZero() || !s.ConnectedAt.IsZero() {
		v.out.line("  ", readyText(s, c))
	}
	if s.Paused != nil {
		v.out.put("  ")
		v.out.ink(yellowInk, "paused "+haltText(*s.Paused, c))
		v.out.line()
	}
	if !s.ReplacedAt.IsZero() {
		v.out.put("  ")
		v.out.ink(yellowInk, "another serial number appeared "+c.at(s.ReplacedAt))
		v.out.line()
	}
	width := 0
	for _, e := range s.EVSEs {
		width = max(width, cells(string(e.Status)))
	}
	for _, e := range s.EVSEs {
		v.out.put(fmt.Sprintf("  EVSE %-3d ", e.ID))
		v.out.ink(statusInk(e.Status), harmless(string(e.Status)))
		v.out.fill(width - cells(string(e.Status)))
		v.out.put("  since ", c.since(e.Since))
		if e.Foreign {
			v.out.ink(yellowInk, "  foreign: nothing of ours explains it")
		}
		v.out.line()
	}
	for _, t := range s.Transactions {
		v.out.line("  ", openTransactionText(&t, c))
	}
}

// readyText says whether the station may be asked for reservations, and how
// its clock is.
func readyText(s *stationAbout, c clock) string {
	text := "boot not accepted yet"
	if s.BootAccepted {
		text = "boot accepted"
		if !s.BootAt.IsZero() {
			text += " " + c.since(s.BootAt)
		}
	}
	switch s.Reservations {
	case reservation.SupportYes:
		text += "; does reservations"
	case reservation.SupportNo:
		text += "; does no reservations"
	default:
		text += "; not known yet whether it does reservations"
	}
	if skew := time.Duration(s.ClockSkew * float64(time.Second)); skew != 0 {
		text += "; its clock is " + skewText(skew)
	}
	return text
}

// skewText says how far a clock is off: "2 m ahead".
func skewText(d time.Duration) string {
	if d < 0 {
		return distance(-d) + " behind"
	}
	return distance(d) + " ahead"
}

func statusInk(s reservation.EVSEStatus) string {
	switch s {
	case reservation.Reserved:
		return greenInk
	case reservation.Faulted, reservation.Unavailable:
		return yellowInk
	case reservation.Occupied:
		return cyanInk
	}
	return plainInk
}

func openTransactionText(t *transactionAbout, c clock) string {
	text := "transaction " + t.ID
	if t.EVSE != 0 {
		text += fmt.Sprintf(" at EVSE %d", t.EVSE)
	}
	text += " since " + c.since(t.Since)
	if t.Token != "" {
		text += ", token " + t.Token
	}
	if t.ReservationID != 0 {
		text += fmt.Sprintf(", reservation id %d", t.ReservationID)
		if t.Foreign {
			text += ", foreign"
		}
	}
	return text
}
