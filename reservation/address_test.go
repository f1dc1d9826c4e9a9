package reservation

import (
	"slices"
	"testing"
)

func TestEnclosing(t *testing.T) {
	for address, want := range map[string][]string{
		`reservation.van`:                        {`reservation.van`},
		`reservation.van["12"]`:                  {`reservation.van["12"]`, `reservation.van`},
		`reservation.van["a.b[\"c\\"]`:           {`reservation.van["a.b[\"c\\"]`, `reservation.van`},
		`module.a["x"].reservation.van[0]`:       {`module.a["x"].reservation.van[0]`, `module.a["x"].reservation.van`, `module.a["x"]`, `module.a`},
		`module.a.module.b.reservation.van["1"]`: {`module.a.module.b.reservation.van["1"]`, `module.a.module.b.reservation.van`, `module.a.module.b`, `module.a`},
	} {
		if got := Enclosing(address); !slices.Equal(got, want) {
			t.Errorf("%s lies in %q", address, got)
		}
	}
}
