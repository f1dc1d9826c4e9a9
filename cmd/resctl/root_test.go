package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/resctl/resctl/reconcile"
)

func TestLongFlags(t *testing.T) {
	root := newCLI(os.Stdin, os.Stdout, os.Stderr, nil).command()
	for _, x := range []struct{ args, want string }{
		{"-chdir=examples plan -json", "--chdir=examples plan --json"},
		{"plan -out x.plan -var -json=1", "plan --out x.plan --var -json=1"},
		{"-C examples plan", "-C examples plan"},
		{"-Cexamples plan -help", "-Cexamples plan --help"},
		{"plan -h", "plan -h"},
		{"apply -auto-approve -- -json", "apply --auto-approve -- -json"},
		{"plan --json -nonsense", "plan --json --nonsense"},
	} {
		if got := strings.Join(longFlags(root, strings.Fields(x.args)), " "); got != x.want {
			t.Errorf("longFlags(%s) = %s, want %s", x.args, got, x.want)
		}
	}
}

// A shorthand that could be read as the beginning of a long flag's name would
// make -name ambiguous.
func TestOneShorthand(t *testing.T) {
	root := newCLI(os.Stdin, os.Stdout, os.Stderr, nil).command()
	for _, c := range append(root.Commands(), root) {
		if f := c.Flags().ShorthandLookup("h"); f != nil && f.Name != "help" {
			t.Errorf("%s: -%s", c.Name(), f.Shorthand)
		}
	}
}

// Every code that this package's source names is explained, once, and every
// one that is explained is used.
func TestCodes(t *testing.T) {
	explained := map[string]bool{}
	for _, c := range Codes() {
		if explained[c.Code] || c.Title == "" || c.Meaning == "" || c.Remedy == "" {
			t.Errorf("%s: twice, or not explained", c.Code)
		}
		explained[c.Code] = true
	}
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	proposals := reconcile.Codes()
	for _, m := range regexp.MustCompile(`= "(RC\d+)"`).FindAllSubmatch(source, -1) {
		code := string(m[1])
		elsewhere := slices.ContainsFunc(proposals, func(c reconcile.Code) bool { return c.Code == code })
		if explained[code] == elsewhere {
			t.Errorf("%s: explained here %t, in reconcile %t", code, explained[code], elsewhere)
		}
	}
}

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "é – 值": "é – 值", "a\x1b[31mb": "a\uFFFD[31mb", "x\u202ey": "x\uFFFDy", "\xff": "\uFFFD", "a\nb": "a\uFFFDb",
	} {
		if got := harmless(in); got != want {
			t.Errorf("harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"x.plan": "x.plan", "my plan": "'my plan'", "it's": `'it'\''s'`, "": "''", "$(rm)": "'$(rm)'", `van["12"]`: `'van["12"]'`,
	} {
		if got := shellWord(in); got != want {
			t.Errorf("shellWord(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for in, want := range map[string]string{
		`reservation.van["12"]`: `van["12"]`, `module.b.reservation.van["x"]`: `module.b.van["x"]`, "station.a": "station.a",
		`reservation.a["reservation.b"]`: `a["reservation.b"]`,
	} {
		if got := short(in); got != want {
			t.Errorf("short(%s) = %s, want %s", in, got, want)
		}
	}
}
