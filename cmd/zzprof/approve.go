package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// approve asks, unless that has been answered already or there is nothing to
// ask. Only the word yes approves.
func (a *applying) approve(ctx context.Context) error {
	if a.autoApprove || a.file != "" || len(a.plan.Changes) == 0 {
		return nil
	}
	fmt.Fprintf(a.stderr, "\nMake these changes to %s?", harmless(a.plan.Workspace))
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
