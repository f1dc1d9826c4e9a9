package main

import (
	"fmt"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// notes say above the changes what kind of plan this is.
func (t *planText) notes() {
	if t.frozen != nil {
		t.out.ink(yellowInk, frozenText(t.frozen, t.clock))
		t.out.line()
		t.out.line()
	}
	if t.waits != nil {
		t.out.ink(yellowInk, heldText(t.waits, t.clock))
		t.out.line()
		t.out.line()
	}
	if !t.at.IsZero() {
		t.out.line("As if it were ", t.clock.full(t.at), ".")
		t.out.line()
	}
	if t.Destroy && len(t.Changes) > 0 {
		t.out.ink(alarmInk, destroyText(t.Plan))
		t.out.line()
		t.out.line()
	}
}

// frozenText says that nothing of a plan can be stored now.
func frozenText(e *reservation.FrozenError, c clock) string {
	return workspaceText(e.Workspace, false) + " frozen " + haltText(e.Halt, c) + ". apply stores nothing of it."
}

// destroyText restates what a plan to destroy does.
func destroyText(p *reconcile.Plan) string {
	all, held := p.Cancels()
	text := fmt.Sprintf("Destroys %s of %s", count(all, "reservation"), harmless(p.Workspace))
	if held > 0 {
		text += fmt.Sprintf(", %d %s", held, heldNow)
	}
	return text + fmt.Sprintf(", and %s.", settingsOf(p))
}

// partial says that a plan is not all that is declared.
func (t *planText) partial() {
	if !t.Complete {
		t.out.ink(yellowInk, partialText(t.Plan))
		t.out.line()
	}
}

func partialText(p *reconcile.Plan) string {
	if p.LeftOut == 0 {
		return "Partial: --target or --exclude is given; they leave nothing out."
	}
	return fmt.Sprintf("Partial: --target or --exclude leaves %s out.", count(p.LeftOut, "change"))
}

// unchangedText says why there is nothing to do.
func unchangedText(p *reconcile.Plan) string {
	switch {
	case !p.Complete:
		return "What was chosen is as it is stored."
	case p.Destroy:
		return "Nothing of the workspace is stored."
	}
	return "What is declared is what is stored."
}

// replacedText is how something begins anew.
func replacedText(c *reconcile.Change) string {
	switch {
	case c.Ended != "":
		return "was " + string(c.Ended) + ", begins anew"
	case c.ReservationID == 0:
		return "asked for anew"
	}
	return "canceled and asked for anew"
}
