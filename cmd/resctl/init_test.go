package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/resctl/resctl/config"
)

// TestStarter: what init writes is a configuration without a complaint.
func TestStarter(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(starterConfiguration), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, ds := config.Load(config.Options{Dir: dir, Version: version})
	if ds.Len() != 0 || len(cfg.Stations) != 1 || len(cfg.Reservations) != 1 {
		t.Error(ds.All())
	}
	if text, _ := config.Format("main.hcl", []byte(starterConfiguration)); string(text) != starterConfiguration {
		t.Errorf("fmt would write it as\n%s", text)
	}
}

// TestIgnored: the starter keeps out of git what resctl's own repository does.
func TestIgnored(t *testing.T) {
	for _, l := range lacking(read(t, top+".gitignore")) {
		if l != "*.hclvars" {
			t.Error(l, "is not ignored here")
		}
	}
}
