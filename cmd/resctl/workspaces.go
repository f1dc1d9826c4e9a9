package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/reservation"
)

// workspaceList is what is known of each workspace of a state.
type workspaceList struct {
	FormatVersion string           `json:"format_version"`
	Workspaces    []workspaceAbout `json:"workspaces"` // by name
	place         place
	empty         bool
}

// workspaceAbout is one of them.
type workspaceAbout struct {
	Name     string            `json:"name"`              // as the resctl block has it
	Serial   int64             `json:"serial"`            // counts its proposals
	Active   int               `json:"active"`            // reservations that are open, or may still be at a station
	Held     int               `json:"held"`              // reservations that their stations hold now
	Stations int               `json:"stations"`          // that it declares, or names in a reservation
	Applied  *applied          `json:"applied,omitempty"` // its last proposal
	Frozen   *reservation.Halt `json:"frozen,omitempty"`  // a freeze that stands, also one of all workspaces
}

func (c *cli) workspaceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "workspace", Short: "Tells of the workspaces of a state: list", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return problemf(codeOtherWay, "There is no workspace "+args[0]+" here",
				"A configuration names its workspace in the resctl block, and its first apply makes it; several may share a state. resctl workspace list has them.")
		},
	}
	cmd.AddCommand(c.workspaceListCommand())
	return cmd
}

func (c *cli) workspaceListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "Lists the workspaces, and when each was applied last", Args: noMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(asJSON)
			return c.workspaceList(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func (c *cli) workspaceList(ctx context.Context) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	l, err := r.workspaces(ctx, time.Now())
	if err != nil {
		return err
	}
	c.view.About(l)
	return nil
}

func (r *reading) workspaces(ctx context.Context, now time.Time) (*workspaceList, error) {
	l := &workspaceList{FormatVersion: formatVersion, Workspaces: []workspaceAbout{}, place: r.place, empty: r.empty}
	l.place.workspace = ""
	last, err := r.LastProposals(ctx)
	if err != nil {
		return nil, err
	}
	m, counts := r.state.Meta, r.countWorkspaces()
	for _, name := range slices.Sorted(maps.Keys(m.Serials)) {
		w := workspaceAbout{Name: name, Serial: m.Serials[name]}
		if n := counts[name]; n != nil {
			w.Active, w.Held, w.Stations = n.active, n.held, len(n.stations)
		}
		if e, ok := last[name]; ok && e.Proposal != nil {
			p := e.Proposal
			w.Applied = &applied{e.At, harmless(p.By), harmless(p.Revision), p.Serial}
		}
		if by := m.FrozenBy(name, now); by != nil {
			w.Frozen = &by.Halt
		}
		l.Workspaces = append(l.Workspaces, w)
	}
	return l, nil
}

// workspaceCount is what a state has of a workspace.
type workspaceCount struct {
	active, held int
	stations     map[string]bool
}

// countWorkspaces goes through the state once, however many there are.
func (r *reading) countWorkspaces() map[string]*workspaceCount {
	counts := map[string]*workspaceCount{}
	of := func(workspace, station string) *workspaceCount {
		n := counts[workspace]
		if n == nil {
			n = &workspaceCount{stations: map[string]bool{}}
			counts[workspace] = n
		}
		n.stations[station] = true
		return n
	}
	for i := range r.state.Entries {
		e := &r.state.Entries[i]
		n := of(e.Workspace, e.StationID)
		if e.Phase.Open() || e.ID != 0 {
			n.active++
		}
		if e.HeldNow() {
			n.held++
		}
	}
	for i := range r.state.Declarations {
		of(r.state.Declarations[i].Workspace, r.state.Declarations[i].ID)
	}
	return counts
}

// workspaces shows one a line, and below it what is out of the ordinary.
func (v *textView) workspaces(l *workspaceList) {
	v.heading(l.place)
	if l.empty {
		v.out.line(nothingStored)
		return
	}
	c, width := v.clock(), 0
	for i := range l.Workspaces {
		width = max(width, cells(l.Workspaces[i].Name))
	}
	for i := range l.Workspaces {
		w := &l.Workspaces[i]
		v.out.ink(boldInk, harmless(w.Name))
		v.out.fill(width - cells(w.Name))
		texts := []string{fmt.Sprintf("serial %d", w.Serial), fmt.Sprintf("%d active, %d held", w.Active, w.Held), count(w.Stations, "station")}
		if a := w.Applied; a != nil {
			texts = append(texts, "applied "+c.since(a.At)+strings.TrimPrefix(appliedText(a), fmt.Sprintf(", proposal %d", a.Serial)))
		}
		v.out.line("  ", strings.Join(texts, "; "))
		if w.Frozen != nil {
			v.out.put("  ")
			v.out.ink(yellowInk, "frozen "+haltText(*w.Frozen, c))
			v.out.line()
		}
	}
}
