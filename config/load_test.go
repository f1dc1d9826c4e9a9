package config

import (
	"strings"
	"testing"

	"github.com/resctl/resctl/config/diag"
)

// mustLoad loads a directory that has nothing wrong with it.
func mustLoad(t *testing.T, o Options) *Configuration {
	t.Helper()
	cfg, diags := Load(o)
	if diags.Len() > 0 {
		t.Fatal(text(diags))
	}
	return cfg
}

func text(ds *diag.Diagnostics) string { return textOf(ds, diag.TextOptions{}) }

func textOf(ds *diag.Diagnostics, o diag.TextOptions) string {
	var b strings.Builder
	if err := ds.WriteText(&b, o); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestExamples(t *testing.T) {
	for dir, want := range map[string][2]int{"../examples": {3, 14}, "../examples/minimal": {1, 1}, "../examples/modules": {2, 5}, "../examples/fleet": {2, 11}} {
		cfg := mustLoad(t, Options{Dir: dir, Version: "0.1.0"})
		if got := [2]int{len(cfg.Stations), len(cfg.Reservations)}; got != want {
			t.Errorf("%s: %d stations and reservations, want %d", dir, got, want)
		}
		if !cfg.WorkspaceExplicit {
			t.Errorf("%s: names no workspace", dir)
		}
	}
}
