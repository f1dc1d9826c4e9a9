package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/resctl/resctl/config/lang"
)

// FuzzLoad feeds any bytes as a configuration: it may be wrong, but it must end
// in diagnostics that can be printed, never in a panic.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"../examples/*.hcl", "../examples/minimal/*.hcl"} {
		paths, _ := filepath.Glob(pattern)
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b, false)
		}
	}
	for _, s := range []string{
		`{"locals":{"a":"${[for x in range(3): x]}"},"reservation":{"a":{"station":"A","id_token":{"id_token":"X","type":"Central"},"hold_for":"1h"}}}`,
		`{"variable":{"a":{"type":"map(string)","default":{}}},"station":[{"a":{"evse":{"1":{}}}}]}`,
	} {
		f.Add([]byte(s), true)
	}
	for _, s := range fuzzSeeds {
		f.Add([]byte(s), false)
	}
	limits := lang.DefaultLimits
	limits.Instances, limits.ForSteps, limits.FileSize = 1000, 10_000, 1<<16
	f.Fuzz(func(t *testing.T, src []byte, json bool) {
		name := "main.hcl"
		if json {
			name = "main.hcl.json"
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := Load(Options{Dir: dir, limits: &limits, Env: []string{"RESCTL_VAR_a=b"}, Inputs: []Input{{Var: "b=[1]"}}})
		if (cfg == nil) != diags.HasErrors() {
			t.Error("a configuration comes exactly without errors")
		}
		if out := text(diags); hasCode(diags, codeInternal) {
			t.Error(out)
		}
		if _, err := diags.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}

var fuzzSeeds = []string{
	"locals {\n  a = null\n  b = [local.a...]\n  c = { for k, v in { a = 1 } : k => v... }\n}\n",
	"variable \"a\" {\n  type = object({ b = optional(string, \"x\") })\n  default = {}\n  sensitive = true\n}\nreservation \"r\" {\n  for_each = var.a\n  station = each.value\n  id_token = var.a\n  hold_for = var.a\n}\n",
	"station \"a\" {\n  count = 2\n  id = sensitive(\"A${count.index}\")\n  evse \"1\" {\n    connector_types = sensitive([null, 1, true])\n  }\n}\nreservation \"r\" {\n  station = station.a[*].id\n  id_token = { id_token = sensitive(null), type = [], additional_info = [null] }\n  evse_id = 1e400\n  window {\n    start_date_time = null\n    expiry_date_time = timeadd(\"2026-11-22T22:00:00Z\", \"1d\")\n  }\n}\n",
	"reservation \"r\" {\n  station = one(toset([]))\n  id_token = jsondecode(\"{}\")\n  hold_for = try(null.a, each.key, \"8h\")\n  lifecycle {\n    prevent_cancel = can(local.x)\n    on_used = \"done\"\n  }\n}\n",
}
