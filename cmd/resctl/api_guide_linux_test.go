package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAPIGuide does what docs/api.md shows and compares what comes out; -update
// writes it into the document.
func TestAPIGuide(t *testing.T) {
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the examples of docs/api.md need %s: %v", tool, err)
		}
	}
	const path = top + "docs/api.md"
	text := read(t, path)
	g := newGuide(t)
	g.dir = g.home
	hcl := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindStringSubmatch(text)
	if err := os.WriteFile(filepath.Join(g.dir, "main.hcl"), []byte(hcl[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)(<!-- stays: serve -->\n)?```console\n(.*?)```")
	updated := block.ReplaceAllStringFunc(text, func(all string) string {
		m := block.FindStringSubmatch(all)
		if m[1] != "" {
			return m[1] + "```console\n" + g.start("serve", m[2]) + "```"
		}
		return "```console\n" + g.session(m[2]) + "```"
	})
	if *update && updated != text {
		if err := os.WriteFile(path, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if g.ran < 9 || !strings.Contains(text, "/v1/events") {
		t.Errorf("only %d commands were run", g.ran)
	}
}
