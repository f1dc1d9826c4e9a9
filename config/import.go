package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/reservation"
)

// readImports reads what is to be adopted, when all reservations are known.
func (l *loader) readImports(blocks []*hcl.Block, ctx *hcl.EvalContext) {
	tos, ids := map[string]hcl.Range{}, map[string]hcl.Range{}
	sound := !l.diags.HasErrors() // else a reservation may be missing because it could not be read
	for _, b := range blocks {
		i, ok := l.readImport(b, ctx, sound)
		if !ok {
			continue
		}
		id := fmt.Sprintf("reservation %d at %s", i.ReservationID, i.StationID)
		fold := strings.ToLower(id)
		if first, twice := tos[i.To]; twice {
			l.importedTwice(i.To, b.DefRange, first)
		} else if first, twice := ids[fold]; twice {
			l.importedTwice(id, b.DefRange, first)
		} else {
			tos[i.To], ids[fold] = b.DefRange, b.DefRange
			l.cfg.Imports = append(l.cfg.Imports, i)
		}
	}
}

func (l *loader) importedTwice(what string, again, first hcl.Range) {
	l.err(problem{code: codeImport, summary: "Imported twice", subject: again.Ptr(),
		detail: fmt.Sprintf("The import block at %s names %s already. Keep one of them.", position(first), what)})
}

func (l *loader) readImport(b *hcl.Block, ctx *hcl.EvalContext, sound bool) (i Import, ok bool) {
	before := l.diags.Errors()
	o := l.openBlock(b, importSchema)
	if l.diags.Errors() > before {
		return i, false
	}
	to, ok := l.place(o.attrs["to"], "", "reservation")
	s := &scope{l: l, ctx: ctx}
	i = Import{To: to.text, Range: b.DefRange}
	i.StationID, _ = s.stationOf(o.attrs["station"])
	id, given := s.whole(o.attrs["reservation_id"], codeImport, 1, 1<<31-1)
	i.ReservationID = int32(id)
	switch {
	case !ok || i.StationID == "":
		return i, false
	case !given:
		if l.diags.Errors() == before {
			s.wrong(codeImport, "No reservation id", "reservation_id is null; it is the number under which the station knows the reservation.", o.attrs["reservation_id"].Expr)
		}
		return i, false
	}
	return i, l.checkImport(&i, to, o.attrs["station"], sound)
}

// checkImport holds an import against the reservation that it is for.
func (l *loader) checkImport(i *Import, to place, station *hcl.Attribute, sound bool) bool {
	d := l.reservation(i.To)
	switch {
	case d == nil && !sound:
		return false
	case d == nil:
		l.err(problem{code: codeImport, summary: "Import for what is not declared", subject: to.rng.Ptr(),
			detail: fmt.Sprintf("%s is not declared. Write the reservation block for it first: it says what the adopted reservation should become.%s", i.To, didYouMean(i.To, l.reservationAddresses()))})
		return false
	case !strings.EqualFold(d.StationID, i.StationID):
		l.err(problem{code: codeImport, summary: "Import from another station", subject: station.Expr.Range().Ptr(),
			detail: fmt.Sprintf("%s is declared for the station %s at %s, not for %s.", i.To, d.StationID, d.Source, i.StationID)})
		return false
	}
	i.StationID = d.StationID
	return true
}

// reservation finds a declaration by its address, or gives nil.
func (l *loader) reservation(address string) *reservation.Declaration {
	if l.byAddress == nil {
		l.byAddress = make(map[string]*reservation.Declaration, len(l.cfg.Reservations))
		for i := range l.cfg.Reservations {
			l.byAddress[l.cfg.Reservations[i].Address] = &l.cfg.Reservations[i]
		}
	}
	return l.byAddress[address]
}

func (l *loader) reservationAddresses() []string {
	out := make([]string, len(l.cfg.Reservations))
	for i := range l.cfg.Reservations {
		out[i] = l.cfg.Reservations[i].Address
	}
	return out
}
