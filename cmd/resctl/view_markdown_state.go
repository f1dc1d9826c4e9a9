package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reservation"
)

// State writes what is stored as a table for a wiki or the summary of a run. As in
// a plan, no name in it can call somebody, become a link, or end the table.
func (v *markdownView) State(s *stored) {
	v.wrote = true
	c := v.clock()
	var b strings.Builder
	title := s.place.workspace
	if title == "" {
		title = s.place.state
	}
	fmt.Fprintf(&b, "### resctl state: %s, %s\n", code(title), c.full(c.now))
	if s.empty {
		v.out.put(b.String(), "\n", nothingStored, "\n")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.Meta.Frozen)) {
		if h := s.Meta.Frozen[name]; h.Stands(c.now) {
			fmt.Fprintf(&b, "\n**%s**\n", escaped(workspaceText(name, false)+" frozen "+haltText(h, c)+"."))
		}
	}
	rows, counts := stateRows(s, c)
	fmt.Fprintf(&b, "\n%s%s.\n", count(len(rows), "reservation"), phasesText(counts))
	var stations []markdownRow
	for i := range s.Stations {
		x := &s.Stations[i]
		stations = append(stations, markdownRow{x.ID, fmt.Sprintf("| %s | %s |\n", code(x.ID), escaped(strings.TrimSpace(stationText(x, c))))})
	}
	var foreign []markdownRow
	for i := range s.Foreign {
		f := &s.Foreign[i]
		foreign = append(foreign, markdownRow{f.StationID, fmt.Sprintf("| %s | %s |\n", code(f.StationID), escaped(foreignText(f, c)))})
	}
	left := markdownLimit - b.Len()
	write := func(text string) { b.WriteString(text); left -= len(text) }
	write(section("", "| station | address | where | when | phase |\n|---|---|---|---|---|\n", rows, left-markdownSection))
	if len(foreign) > 0 {
		write(section("Foreign, and never touched", "| station | |\n|---|---|\n", foreign, left-markdownSection))
	}
	write(section("Stations", "| station | |\n|---|---|\n", stations, left))
	v.out.put(b.String())
}

// stateRows are the addresses by station, and how many are in each phase.
func stateRows(s *stored, c clock) (rows []markdownRow, counts map[reservation.Phase]int) {
	entries := slices.Clone(s.Entries)
	slices.SortStableFunc(entries, func(a, b reservation.Entry) int {
		return cmp.Or(config.CompareAddresses(a.StationID, b.StationID), cmp.Compare(a.Workspace, b.Workspace), config.CompareAddresses(a.Address, b.Address))
	})
	counts = map[reservation.Phase]int{}
	for i := range entries {
		e := &entries[i]
		counts[phaseNow(e, c)]++
		t := entryCells(e, len(s.Meta.Serials) > 1, c)
		rows = append(rows, markdownRow{e.StationID, fmt.Sprintf("| %s | %s | %s | %s | %s |\n", code(e.StationID), code(t[0]), code(t[1]), escaped(t[2]), escaped(t[3]))})
	}
	return rows, counts
}
