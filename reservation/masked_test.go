package reservation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/resctl/resctl/reservation"
)

// TestMasked: nothing that is shown has a token's characters, and what it was
// made from still has them.
func TestMasked(t *testing.T) {
	token := reservation.Token{IDToken: "SECRET", Type: "Central", AdditionalInfo: []reservation.AdditionalInfo{{AdditionalIDToken: "SECRET"}}}
	content := &reservation.Content{IDToken: token, GroupIDToken: &token}
	secret := []byte("s")
	o := reservation.Occurrence{Want: content, Asked: content, Held: content, UpdateRefused: content}
	s := reservation.Station{Transactions: []reservation.OpenTransaction{{ID: "t", IDToken: &token, GroupIDToken: &token}, {ID: "u"}}}
	w := reservation.Wanted{Declaration: reservation.Declaration{IDToken: token, GroupIDToken: &token}}
	for name, v := range map[string]any{"occurrence": o.Masked(secret), "station": s.Masked(secret), "wanted": w.Masked(secret), "content": content.Masked(secret)} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "SECRET") || !strings.Contains(string(b), "#") {
			t.Errorf("%s: %s", name, b)
		}
	}
	if o.Held.IDToken.IDToken != "SECRET" || s.Transactions[0].IDToken.IDToken != "SECRET" {
		t.Error("the original was changed")
	}
}
