package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/resctl/resctl/reservation"
)

// moving is what the checks of moved and removed blocks need to know of one.
type moving struct {
	from, to place // to is empty for a removed block
	rng      hcl.Range
}

// instance reports whether single instances are meant: then an address without
// a key names the one instance of a block that is not repeated.
func (m moving) instance() bool { return m.from.keyed || m.to.keyed }

// readMoved reads the moved blocks of a directory, once for each module that is
// made of it.
func (l *loader) readMoved(d *directory) {
	for _, b := range d.blocks["moved"] {
		o := l.openBlock(b, movedSchema)
		if o.attrs["from"] == nil || o.attrs["to"] == nil {
			continue // reported
		}
		for _, m := range d.modules {
			m.moved(o)
		}
	}
}

func (m *module) moved(b *blockOf) {
	kinds := []string{"reservation", "module", "station", "token"}
	f, ok1 := m.place(b.attrs["from"], m.prefix, kinds...)
	t, ok2 := m.place(b.attrs["to"], m.prefix, kinds...)
	switch {
	case !ok1 || !ok2:
	case f.kind != t.kind:
		m.badMove(b.attrs["to"], "Move to another kind", fmt.Sprintf("%s is a %s and %s is a %s; both ends of a move are of one kind.", f.text, f.kind, t.text, t.kind))
	case f.text == t.text:
		m.badMove(b.attrs["to"], "Move to the same address", fmt.Sprintf("from and to are both %s.", f.text))
	default:
		m.cfg.Moved = append(m.cfg.Moved, Moved{From: f.text, To: t.text, Range: b.DefRange})
		m.movings = append(m.movings, moving{f, t, b.DefRange})
	}
}

func (l *loader) readRemoved(d *directory) {
	for _, b := range d.blocks["removed"] {
		o := l.openBlock(b, removedSchema)
		if o.attrs["from"] == nil {
			continue // reported
		}
		for _, m := range d.modules {
			m.removed(o)
		}
	}
}

func (m *module) removed(b *blockOf) {
	f, ok := m.place(b.attrs["from"], m.prefix, "reservation", "module")
	r := Removed{From: f.text, Cancel: true, Range: b.DefRange}
	s := &scope{l: m.loader, ctx: m.whole}
	if cancel, given := s.boolean(b.attrs["cancel"]); given {
		r.Cancel = cancel
	}
	if ok {
		m.cfg.Removed = append(m.cfg.Removed, r)
		m.movings = append(m.movings, moving{from: f, rng: b.DefRange})
	}
}

func (l *loader) badMove(a *hcl.Attribute, summary, detail string) {
	l.err(problem{code: codeMoved, summary: summary, detail: detail, subject: a.Expr.Range().Ptr()})
}

// checkMoved holds moved and removed blocks against each other and against what
// is declared.
func (l *loader) checkMoved() {
	if len(l.movings) == 0 {
		return
	}
	froms, tos := map[string]moving{}, map[string]moving{}
	for _, m := range l.movings {
		if first, ok := froms[m.from.text]; ok {
			l.err(problem{code: codeMoved, summary: "Moved or removed twice", subject: m.from.rng.Ptr(),
				detail: fmt.Sprintf("A block at %s says already what becomes of %s. Keep one of them.", position(first.rng), m.from.text)})
			continue
		}
		froms[m.from.text] = m
		if m.to.text == "" {
			continue
		}
		if first, ok := tos[m.to.text]; ok {
			l.err(problem{code: codeMoved, summary: "Two moves to one address", subject: m.to.rng.Ptr(),
				detail: fmt.Sprintf("A block at %s moves %s to %s as well, which can hold one only.", position(first.rng), first.from.text, m.to.text)})
		}
		tos[m.to.text] = m
	}
	l.checkChains(froms)
	if !l.diags.HasErrors() { // else what is declared is not known
		l.checkGone()
	}
}

// checkChains follows every move to its end: a, b, c is a move from a to c.
func (l *loader) checkChains(froms map[string]moving) {
	settled := map[string]bool{}
	for _, m := range l.movings {
		var chain []string
		onChain := map[string]bool{}
		at := m
		for at.to.text != "" && !settled[at.from.text] {
			chain = append(chain, at.from.text)
			onChain[at.from.text] = true
			settled[at.from.text] = true
			if onChain[at.to.text] {
				l.err(problem{code: codeMoved, summary: "Moves in a circle", subject: at.to.rng.Ptr(),
					detail: fmt.Sprintf("These moves lead back to where they begin: %s.", circle(append(chain, at.to.text)))})
				break
			}
			at = froms[at.to.text]
		}
	}
}

// checkGone refuses to move or remove what is still declared.
func (l *loader) checkGone() {
	exact, within := map[string]*hcl.Range{}, map[string]*hcl.Range{}
	for address, rng := range l.cfg.ranges {
		for _, c := range reservation.Enclosing(address) {
			within[c] = rng
		}
		exact[address] = rng
	}
	for _, m := range l.movings {
		declared := within[m.from.text]
		if m.instance() {
			declared = exact[m.from.text]
		}
		if declared != nil {
			l.err(problem{code: codeMoved, summary: "Still declared", subject: m.from.rng.Ptr(),
				detail: fmt.Sprintf("%s is still declared, at %s. Remove that declaration, or this block.", m.from.text, position(*declared))})
		}
	}
}

func position(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }
