package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// moving is what the checks of moved and removed blocks need to know of one.
type moving struct {
	from, to place // to is empty for a removed block
	rng      hcl.Range
}

// instance reports whether single instances are meant: then an address without
// a key names the one instance of a block that is not repeated.
func (m moving) instance() bool { return m.from.keyed || m.to.keyed }

func (l *loader) readMoved(blocks []*hcl.Block, prefix string) {
	for _, b := range blocks {
		o := l.openBlock(b, movedSchema)
		from, to := o.attrs["from"], o.attrs["to"]
		if from == nil || to == nil {
			continue // reported
		}
		kinds := []string{"reservation", "module", "station", "token"}
		f, ok1 := l.place(from, prefix, kinds...)
		t, ok2 := l.place(to, prefix, kinds...)
		switch {
		case !ok1 || !ok2:
		case f.kind != t.kind:
			l.badMove(to, "Move to another kind", fmt.Sprintf("%s is a %s and %s is a %s; both ends of a move are of one kind.", f.text, f.kind, t.text, t.kind))
		case f.text == t.text:
			l.badMove(to, "Move to the same address", fmt.Sprintf("from and to are both %s.", f.text))
		default:
			l.cfg.Moved = append(l.cfg.Moved, Moved{From: f.text, To: t.text, Range: b.DefRange})
			l.movings = append(l.movings, moving{f, t, b.DefRange})
		}
	}
}

func (l *loader) readRemoved(blocks []*hcl.Block, prefix string, ctx *hcl.EvalContext) {
	for _, b := range blocks {
		o := l.openBlock(b, removedSchema)
		if o.attrs["from"] == nil {
			continue // reported
		}
		f, ok := l.place(o.attrs["from"], prefix, "reservation", "module")
		r := Removed{From: f.text, Cancel: true, Range: b.DefRange}
		s := &scope{l: l, ctx: ctx}
		if cancel, given := s.boolean(o.attrs["cancel"]); given {
			r.Cancel = cancel
		}
		if ok {
			l.cfg.Removed = append(l.cfg.Removed, r)
			l.movings = append(l.movings, moving{from: f, rng: b.DefRange})
		}
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

// circle writes a chain from where its last member appears first.
func circle(chain []string) string {
	last := chain[len(chain)-1]
	for chain[0] != last {
		chain = chain[1:]
	}
	if len(chain) > 12 {
		chain = append(chain[:11:11], "…", last)
	}
	return strings.Join(chain, " → ")
}

// checkGone refuses to move or remove what is still declared.
func (l *loader) checkGone() {
	exact, within := map[string]*hcl.Range{}, map[string]*hcl.Range{}
	for address, rng := range l.cfg.ranges {
		for _, c := range covers(address) {
			within[c] = rng
		}
		exact[address] = rng
	}
	for _, m := range l.movings {
		declared := within[m.from.text]
		if m.instance() && m.from.kind != "module" {
			declared = exact[m.from.text]
		}
		if declared != nil && !l.onlyRepeated(m) {
			l.err(problem{code: codeMoved, summary: "Still declared", subject: m.from.rng.Ptr(),
				detail: fmt.Sprintf("%s is still declared, at %s. Remove that declaration, or this block.", m.from.text, position(*declared))})
		}
	}
}

// onlyRepeated reports a module without a key that is declared with keys only,
// where the move is from its one instance to one of many.
func (l *loader) onlyRepeated(m moving) bool {
	if m.from.kind != "module" || m.from.keyed || !m.to.keyed {
		return false
	}
	for address := range l.cfg.ranges {
		if strings.HasPrefix(address, m.from.text+".") {
			return false
		}
	}
	return true
}

func position(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }
