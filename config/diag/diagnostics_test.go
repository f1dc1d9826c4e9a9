package diag

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
)

func text(ds *Diagnostics, most int) string {
	var b strings.Builder
	_ = ds.WriteText(&b, TextOptions{Max: most}) // a Builder takes all
	return b.String()
}

// A file with very many errors is printed in linear time: 20 shown, the rest counted.
func TestManyErrors(t *testing.T) {
	const n = 100_000
	src := NewSources()
	line := "x = 1\n"
	src.Put("main.hcl", []byte(strings.Repeat(line, n)), false)
	ds := New(src)
	start := time.Now()
	for i := range n {
		pos := hcl.Pos{Line: i + 1, Column: 1, Byte: i * len(line)}
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wrong", Subject: &hcl.Range{Filename: "main.hcl", Start: pos, End: pos}}
		ds.Append(Coded(d, "RC999", ""), d)
	}
	out := text(ds, 0)
	all := text(ds, -1)
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %s", d)
	}
	if !strings.Contains(out, fmt.Sprintf("and %d more", n-DefaultShown)) || strings.Count(out, "RC999") != DefaultShown {
		t.Error(out)
	}
	if strings.Count(all, "RC999") != maxKept {
		t.Error("not all that were kept were printed")
	}
}

// TestWrap: lines break between words, examples and narrow terminals stay as they are.
func TestWrap(t *testing.T) {
	words := "Write one, or name another directory with --chdir, so that there is something to read."
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{words, 0, words},
		{words, 39, words},
		{words, 200, words},
		{"  " + words, 50, "  " + words},
		{words, 50, "Write one, or name another directory with --chdir,\n  so that there is something to read."},
		{strings.Repeat("x", 60), 50, strings.Repeat("x", 60)},
	} {
		if got := Wrap(c.text, c.width, "  "); got != c.want {
			t.Errorf("%d: %q, want %q", c.width, got, c.want)
		}
	}
}
