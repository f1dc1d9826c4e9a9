package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// addressList is what the state has, by address.
type addressList struct {
	FormatVersion string        `json:"format_version"`
	Addresses     []addressLine `json:"addresses"`
	empty         bool
	several       bool // workspaces
}

// addressLine is one address of the state.
type addressLine struct {
	Address   string            `json:"address"`
	Workspace string            `json:"workspace"`
	StationID string            `json:"station_id,omitempty"` // not of a token block
	Phase     reservation.Phase `json:"phase,omitempty"`      // of a reservation
}

// kept is all that the state has of one address.
type kept struct {
	FormatVersion string                          `json:"format_version"`
	Address       string                          `json:"address"`
	Workspace     string                          `json:"workspace"`
	Wanted        *reservation.Wanted             `json:"wanted,omitempty"`
	Occurrences   []reservation.Placed            `json:"occurrences"`
	Station       *reservation.StationDeclaration `json:"station,omitempty"` // of a station block
	Token         *reservation.TokenDeclaration   `json:"token,omitempty"`   // of a token block
	place         place
	whole         bool // tokens by their characters
}

// pulled is the whole state.
type pulled struct {
	FormatVersion string                           `json:"format_version"`
	Lineage       string                           `json:"lineage"`
	Simulated     bool                             `json:"simulated"`
	Workspaces    map[string]jsonWorkspace         `json:"workspaces"`
	Wanted        []reservation.Wanted             `json:"wanted"`
	Occurrences   []reservation.Placed             `json:"occurrences"`
	Declarations  []reservation.StationDeclaration `json:"station_blocks"`
	Tokens        []reservation.TokenDeclaration   `json:"token_blocks"` // who may charge though nothing is reserved
	Stations      []reservation.Station            `json:"stations"`
}

func (c *cli) stateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "state", Short: "Looks into the state, and edits it: list, show, pull, mv, rm", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			if way := otherStateWays()[args[0]]; way != "" {
				return problemf(codeOtherWay, "There is no state "+args[0]+" here", "%s", way)
			}
			return problemf(codeUsage, "Unknown command \"state "+args[0]+"\"", "There are state list, state show, state pull, state mv and state rm.")
		},
	}
	cmd.AddCommand(c.stateListCommand(), c.stateShowCommand(), c.statePullCommand(), c.stateMvCommand(), c.stateRmCommand())
	return cmd
}

// otherStateWays are Terraform's commands on the state that are not needed here.
func otherStateWays() map[string]string {
	return map[string]string{
		"push": "A state is never written from outside: it says what stations were asked, and only asking changes that.",
	}
}

func (c *cli) stateListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list [GLOB]", Short: "Lists the addresses of the state, one a line", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(asJSON)
			if len(args) > 1 {
				return problemf(codeUsage, "Too many arguments", "%s takes one glob. Shells expand globs as well: write it in quotes.", cmd.CommandPath())
			}
			glob := "*"
			if len(args) == 1 {
				glob = args[0]
			}
			return c.stateList(cmd.Context(), glob)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func (c *cli) stateList(ctx context.Context, glob string) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	l := &addressList{FormatVersion: formatVersion, Addresses: []addressLine{}, empty: r.empty, several: r.several()}
	var known []string
	add := func(x addressLine) {
		known = append(known, short(x.Address))
		same := func(y addressLine) bool { return y.Address == x.Address && y.Workspace == x.Workspace }
		if i := slices.IndexFunc(l.Addresses[max(0, len(l.Addresses)-1):], same); i < 0 && reconcile.Matches(glob, x.Address) {
			l.Addresses = append(l.Addresses, x)
		}
	}
	clock := c.clock()
	for i := range r.state.Entries { // both halves of a move are one address
		e := &r.state.Entries[i]
		add(addressLine{e.Address, e.Workspace, e.StationID, phaseNow(e, clock)})
	}
	for i := range r.state.Declarations {
		d := &r.state.Declarations[i]
		add(addressLine{d.Address, d.Workspace, d.ID, ""})
	}
	for i := range r.state.Tokens {
		d := &r.state.Tokens[i]
		add(addressLine{d.Address, d.Workspace, "", ""})
	}
	if len(l.Addresses) == 0 && len(known) > 0 {
		return problemf(codeNoAddress, "No such address", "%s matches nothing that is stored.%s", shellWord(glob), meant(glob, known, plain))
	}
	slices.SortStableFunc(l.Addresses, func(a, b addressLine) int { return config.CompareAddresses(a.Address, b.Address) })
	c.view.About(l)
	return nil
}

func (c *cli) stateShowCommand() *cobra.Command {
	var asJSON, whole bool
	var workspace string
	cmd := &cobra.Command{
		Use: "show ADDRESS", Short: "Shows all that is stored of an address", Args: oneAddress,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view = c.newView(asJSON)
			return c.stateShow(cmd.Context(), workspace, args[0], whole)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "write JSON")
	f.BoolVar(&whole, "show-id-tokens", false, "show tokens by their characters; they are personal data")
	f.StringVar(&workspace, "workspace", "", "of workspace `NAME`, where several have the address")
	return cmd
}

func (c *cli) stateShow(ctx context.Context, workspace, given string, whole bool) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	if k := r.block(workspace, given, whole); k != nil {
		c.view.About(k)
		return nil
	}
	n, err := r.find(ctx, workspace, given)
	if err != nil {
		return err
	}
	k := &kept{FormatVersion: formatVersion, Address: n.address, Workspace: n.workspace, place: r.place, whole: whole}
	k.place.workspace = n.workspace
	wanted, err := r.Wanted(ctx, n.workspace, n.address)
	if err != nil {
		return err
	}
	if wanted = r.maskWanted(wanted, whole); len(wanted) > 0 {
		k.Wanted = &wanted[0]
	}
	if k.Occurrences, err = r.occurrences(ctx, n, whole); err != nil {
		return err
	}
	c.view.About(k)
	return nil
}

// block is a station or token block at an address; nil: it is none.
func (r *reading) block(workspace, address string, whole bool) *kept {
	k := &kept{FormatVersion: formatVersion, Address: address, Occurrences: []reservation.Placed{}, place: r.place, whole: whole}
	is := func(a, w string) bool { return a == address && (workspace == "" || w == workspace) }
	for i := range r.state.Declarations {
		if d := r.state.Declarations[i].Masked(); is(d.Address, d.Workspace) {
			k.Workspace, k.Station = d.Workspace, &d
			return k
		}
	}
	for _, d := range r.tokens(whole) {
		if is(d.Address, d.Workspace) {
			k.Workspace, k.Token = d.Workspace, &d
			return k
		}
	}
	return nil
}

// tokens are the token blocks, masked unless the whole was asked for.
func (r *reading) tokens(whole bool) []reservation.TokenDeclaration {
	all := append([]reservation.TokenDeclaration{}, r.state.Tokens...)
	for i := range all {
		if !whole {
			all[i] = all[i].Masked(r.secret())
		}
	}
	return all
}

// occurrences are those of an address, masked unless the whole was asked for.
func (r *reading) occurrences(ctx context.Context, n named, whole bool) ([]reservation.Placed, error) {
	all, err := r.Occurrences(ctx, n.workspace, n.address)
	for i := range all {
		if !whole {
			o := all[i].Occurrence.Masked(r.secret())
			all[i].Occurrence = &o
		}
	}
	return append([]reservation.Placed{}, all...), err
}

func (r *reading) maskWanted(all []reservation.Wanted, whole bool) []reservation.Wanted {
	for i := range all {
		if !whole {
			all[i] = all[i].Masked(r.secret())
		}
	}
	return all
}

func (c *cli) statePullCommand() *cobra.Command {
	var whole bool
	cmd := &cobra.Command{
		Use: "pull", Short: "Writes the whole state as JSON", Args: noMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(true)
			return c.statePull(cmd.Context(), whole)
		},
	}
	cmd.Flags().BoolVar(&whole, "show-id-tokens", false, "show tokens by their characters; they are personal data")
	return cmd
}

func (c *cli) statePull(ctx context.Context, whole bool) error {
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	m := r.state.Meta
	p := &pulled{FormatVersion: formatVersion, Lineage: m.Lineage, Simulated: simulated(m), Workspaces: map[string]jsonWorkspace{}, Wanted: []reservation.Wanted{},
		Occurrences: []reservation.Placed{}, Declarations: []reservation.StationDeclaration{}, Tokens: r.tokens(whole), Stations: append([]reservation.Station{}, r.state.Stations...)}
	for _, name := range slices.Sorted(maps.Keys(m.Serials)) {
		p.Workspaces[name] = newJSONWorkspace(m, name, time.Now())
		wanted, err := r.Wanted(ctx, name)
		if err != nil {
			return err
		}
		p.Wanted = append(p.Wanted, r.maskWanted(wanted, whole)...)
	}
	var last named
	for i := range r.state.Entries { // sorted, so that the halves of a move are neighbours
		n := named{r.state.Entries[i].Workspace, r.state.Entries[i].Address}
		if n == last {
			continue
		}
		last = n
		all, err := r.occurrences(ctx, n, whole)
		if err != nil {
			return err
		}
		p.Occurrences = append(p.Occurrences, all...)
	}
	for i := range r.state.Declarations {
		p.Declarations = append(p.Declarations, r.state.Declarations[i].Masked())
	}
	for i := range p.Stations {
		if !whole {
			p.Stations[i] = p.Stations[i].Masked(r.secret())
		}
	}
	c.view.About(p)
	return nil
}
