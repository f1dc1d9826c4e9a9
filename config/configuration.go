package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reservation"
)

// Configuration is what a directory declares. Every value in it has been checked.
type Configuration struct {
	Workspace         string // "default" unless written
	WorkspaceExplicit bool   // the resctl block names it
	Server            string // from the resctl block; "" if not written
	Stations          []reservation.StationDeclaration
	Tokens            []reservation.TokenDeclaration
	Reservations      []reservation.Declaration // these three are sorted by address, numbers numerically
	Moved             []Moved                   // these three are in the order in which they are written
	Removed           []Removed
	Imports           []Import
	Outputs           []Output      // sorted by name
	Sources           *diag.Sources // the files read, for snippets
	ranges            map[string]*hcl.Range
}

// Moved says that what was declared at one address is declared at another now.
// Both ends are of one kind: an instance (reservation.van["12"]), a block with
// all its instances (reservation.van), or a module with all that is in it.
// If one of the two ends in a key, instances are meant: then the other, without
// one, is the one instance of a block that is not repeated. Nothing is declared
// at From. Chains are as they are written, and none leads back to where it begins.
type Moved struct {
	From, To string
	Range    hcl.Range // of the block
}

// Removed says what becomes of something whose declaration is gone: an instance,
// a block with all its instances, or a module with all that is in it.
type Removed struct {
	From   string
	Cancel bool // false: it is forgotten, and left on the station
	Range  hcl.Range
}

// Import adopts a reservation that a station already holds.
type Import struct {
	To            string // the address of a declared reservation
	StationID     string
	ReservationID int32
	Range         hcl.Range
}

// Output is a value that the configuration gives to others. It may hold tokens:
// where Sensitive is set the value is shown only to who asks for it by name.
type Output struct {
	Name, Description string
	Value             cty.Value // known, and without marks
	Sensitive         bool
	Range             hcl.Range
}

// RangeOf gives the place of the block that declares an address, for findings
// that are made later; false if the address is not declared.
func (c *Configuration) RangeOf(address string) (hcl.Range, bool) {
	r, ok := c.ranges[address]
	if !ok {
		return hcl.Range{}, false
	}
	return *r, true
}
