package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/resctl/resctl/reconcile"
)

// guard refuses plans that are more likely a mistake than meant.
func (a *applying) guard() error {
	all, held := a.plan.Cancels()
	unseen := a.autoApprove && a.file == "" && a.digest == ""
	switch {
	case a.plan.frozen != nil && len(a.plan.Changes) > 0:
		return a.frozenProblem(a.plan.frozen)
	case a.digest != "" && a.digest != a.plan.Digest:
		return problemf(codeDigest, "The digest differs", "--expect-digest is %s, and this plan is %s: it is not the plan that was reviewed. Nothing was stored. Plan again and review it.", a.digest, a.plan.Digest)
	case (a.maxGiven || unseen) && all > a.maxCancel:
		return problemf(codeMaxCancel, "Too many cancellations", "The plan cancels %d (%d HELD NOW), and --max-cancel is %d. Nothing was stored. If the plan is right, pass --max-cancel %d.", all, held, a.maxCancel, all)
	case a.plan.Kept == 0 && a.plan.Active > 0 && !a.allowEmpty && !a.plan.Destroy && len(a.plan.Changes) > 0:
		return problemf(codeEmpty, "Nothing would be kept", "The plan leaves nothing of workspace %q, which has %s. Nothing was stored. Check the directory and the variables; if it is right, pass --allow-empty.", a.plan.Workspace, count(a.plan.Active, "active reservation"))
	}
	return nil
}

// damage restates what a plan does to what is held now.
func damage(p *reconcile.Plan) string {
	n := map[reconcile.Symbol]int{}
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Held && !c.Over && !c.OnlyRenames {
			n[c.Action]++
		}
	}
	text := ""
	for _, d := range []struct {
		symbol reconcile.Symbol
		verb   string
	}{{reconcile.Cancel, "cancels"}, {reconcile.Replace, "replaces"}, {reconcile.Relocate, "moves"}, {reconcile.Modify, "updates"}, {reconcile.Forget, "forgets"}} {
		if n[d.symbol] > 0 {
			text = join(text, fmt.Sprintf("%s %d %s", d.verb, n[d.symbol], heldNow))
		}
	}
	return text
}

// approve asks, unless that has been answered already or there is nothing to
// ask. Only the word yes approves.
func (a *applying) approve(ctx context.Context) error {
	if a.autoApprove || a.file != "" || len(a.plan.Changes) == 0 {
		return nil
	}
	if v, ok := a.view.(*textView); ok {
		v.gap = false
	}
	fmt.Fprint(a.stderr, "\n", question(a.plan.Plan))
	if d := damage(a.plan.Plan); d != "" {
		fmt.Fprintf(a.stderr, " This %s.", d)
	}
	fmt.Fprint(a.stderr, "\nOnly 'yes' will be accepted: ")
	answer, err := readLine(ctx, a.stdin)
	fmt.Fprintln(a.stderr)
	switch {
	case err != nil && interrupted(ctx):
		return problemf(codeStopped, "Interrupted", "Nothing was stored.")
	case strings.TrimRight(answer, "\r\n") != "yes":
		return problemf(codeDeclined, "Not approved", "Nothing was stored.")
	}
	return nil
}

// readLine reads one line, or as much as comes before ctx ends.
func readLine(ctx context.Context, in interface{ Read([]byte) (int, error) }) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := bufio.NewReader(in).ReadString('\n')
		got <- answer{text, err}
	}()
	select {
	case a := <-got:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
