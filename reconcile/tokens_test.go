package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

func block(address, token string) reservation.TokenDeclaration {
	return reservation.TokenDeclaration{Address: "token." + address, Workspace: "w", IDToken: reservation.Token{IDToken: token, Type: "ISO14443"}}
}

// TestTokenBlocks: they come, change and go as addresses do, and nothing is
// sent; the digest stands for them.
func TestTokenBlocks(t *testing.T) {
	d := newDesk(t).declare(van("a"))
	d.want.Tokens = []reservation.TokenDeclaration{block("x", "X"), block("y", "Y")}
	p := d.plan()
	if got := brief(p); got != "+ a\n+ token.x\n+ token.y\n" || p.Summary.Settings != 2 {
		t.Fatal(got, p.Summary)
	}
	d.apply()
	if p := d.plan(); len(p.Changes) != 0 {
		t.Fatal(lines(p))
	}
	digests := map[string]bool{d.plan().Digest: true}
	for _, edit := range []func(*reservation.TokenDeclaration){
		func(t *reservation.TokenDeclaration) { t.IDToken.IDToken = "Z" },
		func(t *reservation.TokenDeclaration) {
			t.GroupIDToken = &reservation.Token{IDToken: "G", Type: "Central"}
		},
		func(t *reservation.TokenDeclaration) {
			t.GroupIDToken = &reservation.Token{IDToken: "H", Type: "Central"}
		},
	} {
		edit(&d.want.Tokens[0])
		p := d.plan()
		if got := brief(p); got != "~ token.x\n" || digests[p.Digest] {
			t.Error(got, p.Digest)
		}
		digests[p.Digest] = true
	}
	d.apply()
	d.want.Tokens = d.want.Tokens[:1]
	if got := brief(d.plan()); got != "- token.y\n" {
		t.Error(got)
	}
	d.apply()
	stored, err := d.mem.TokenDeclarations(context.Background(), "")
	if err != nil || len(stored) != 1 || stored[0].Hash() != d.want.Tokens[0].Hash() {
		t.Error(stored, err)
	}
	for _, e := range d.mem.Lines(0) {
		if e.Change != nil && e.Change.Token != nil && (e.StationID != "" || e.Masked([]byte("k")).Change.Token.After != nil && !strings.HasPrefix(e.Masked([]byte("k")).Change.Token.After.IDToken.IDToken, "#")) {
			t.Errorf("%+v", e)
		}
	}
	d.want.Choice.Destroy = true
	if got := brief(d.plan()); got != "- a\n- token.x\n" {
		t.Error(got)
	}
}

// TestTokenBlockIsStale: what was planned from is no longer what is stored.
func TestTokenBlockIsStale(t *testing.T) {
	d := newDesk(t)
	d.want.Tokens = []reservation.TokenDeclaration{block("x", "X")}
	first := d.plan()
	d.apply()
	var stale *reconcile.StaleError
	if _, err := d.led.Propose(context.Background(), first, reconcile.ProposeOptions{}); !errors.As(err, &stale) || stale.Address != "token.x" {
		t.Error(err)
	}
}

// TestChoiceOfTokens: a block is chosen as any address is, and does not come
// along with a reservation.
func TestChoiceOfTokens(t *testing.T) {
	d := newDesk(t).declare(van("a"))
	d.want.Tokens = []reservation.TokenDeclaration{block("x", "X"), block("y", "Y")}
	for _, c := range []struct {
		choice reconcile.Choice
		want   string
	}{
		{reconcile.Choice{Target: []string{"a"}}, "+ a\n"},
		{reconcile.Choice{Target: []string{"token.*"}}, "+ token.x\n+ token.y\n"},
		{reconcile.Choice{Exclude: []string{"token.x"}}, "+ a\n+ token.y\n"},
	} {
		d.want.Choice = c.choice
		if p := d.plan(); brief(p) != c.want || p.LeftOut+len(p.Changes) != 3 {
			t.Errorf("%+v: %s", c.choice, lines(p))
		}
	}
}
