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
	for _, pattern := range []string{"../examples/*.hcl", "../examples/minimal/*.hcl", "../examples/fleet/depot/*.hcl"} {
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
		if err := os.Mkdir(filepath.Join(dir, "m"), 0o700); err != nil { // modules find one that uses all there is
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "m", "main.hcl"), []byte(fuzzModule), 0o600); err != nil {
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

const fuzzModule = "variable \"a\" {\n  type = object({ x = optional(string, \"y\") })\n  default = {}\n  sensitive = true\n  nullable = false\n  validation {\n    condition = var.a.x != var.b\n    error_message = var.b\n  }\n}\n" +
	"variable \"b\" {\n  default = null\n}\nlocals {\n  c = [var.a, var.b]\n}\noutput \"a\" {\n  value = var.a\n}\noutput \"b\" {\n  value = local.c\n  sensitive = true\n}\noutput \"c\" {\n  value = station.s[*].id\n}\n" +
	"station \"s\" {\n  count = 1\n  id = \"S-${path.module}\"\n}\nmoved {\n  from = reservation.x\n  to = module.y.reservation.z\n}\n"

var fuzzSeeds = []string{
	"locals {\n  s = { a = { days = [\"MO\"], rule = null }, b = { days = null, rule = \"FREQ=YEARLY;BYWEEKNO=-1;BYDAY=SA,SU;BYSETPOS=-1\" } }\n}\nreservation \"r\" {\n  for_each = local.s\n  station = \"A\"\n  id_token = { id_token = \"T\", type = \"Central\" }\n" +
		"  schedule {\n    time_zone = \"America/Nuuk\"\n    days = each.value.days\n    rrule = each.value.rule\n    start_time = \"23:30\"\n    end_time = \"00:15:01\"\n    start_date = null\n    except_dates = [\"2027-03-27\", \"2024-02-29\"]\n  }\n}\n",
	"reservation \"r\" {\n  count = 2\n  station = \"A\"\n  id_token = { id_token = \"T\", type = \"Central\" }\n  dynamic \"schedule\" {\n    for_each = [\"FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR,2MO;UNTIL=20300101T000000Z\"]\n    content {\n" +
		"      time_zone = sensitive(\"UTC\")\n      rrule = schedule.value\n      start_date = \"2026-11-30\"\n      start_time = \"2${count.index}:00\"\n      end_time = sensitive(\"x\")\n      except_dates = [sensitive(null)]\n    }\n  }\n}\n",
	"module \"m\" {\n  source = \"./m\"\n  for_each = toset([\"a\", \"b\"])\n  a = { x = sensitive(null) }\n  b = module.n.a\n}\nmodule \"n\" {\n  source = \"./m/../m\"\n  b = [module.m, var.a]\n}\noutput \"o\" {\n  value = module.m[\"a\"].b\n  sensitive = true\n  precondition {\n    condition = can(module.n.a.x)\n    error_message = \"${module.n.a}\"\n  }\n}\n",
	"moved {\n  from = reservation.a[0]\n  to = module.m[\"x\"].reservation.b\n}\nmoved {\n  from = reservation.b\n  to = reservation.a\n}\nremoved {\n  from = module.a.module.b\n  cancel = null\n}\nimport {\n  to = reservation.r[\"\\\"\"]\n  station = station.a\n  reservation_id = 1e3\n}\n",
	"token \"t\" {\n  count = 2\n  id_token = { id_token = \"A${count.index}\", type = \"Central\" }\n}\nstation \"s\" {\n  dynamic \"evse\" {\n    for_each = token.t\n    iterator = x\n    labels = [x.key + 1]\n    content {\n      connector_types = [for y in x.value : y]\n    }\n  }\n}\nreservation \"r\" {\n  station = station.s\n  id_token = token.t[0].id_token\n  dynamic \"lifecycle\" {\n    for_each = { a = sensitive(true) }\n    content {\n      prevent_cancel = lifecycle.value\n      precondition {\n        condition = lifecycle.value\n        error_message = lifecycle.key\n      }\n    }\n  }\n  hold_for = \"1h\"\n}\n",
	"locals {\n  a = null\n  b = [local.a...]\n  c = { for k, v in { a = 1 } : k => v... }\n}\n",
	"variable \"a\" {\n  type = object({ b = optional(string, \"x\") })\n  default = {}\n  sensitive = true\n}\nreservation \"r\" {\n  for_each = var.a\n  station = each.value\n  id_token = var.a\n  hold_for = var.a\n}\n",
	"station \"a\" {\n  count = 2\n  id = sensitive(\"A${count.index}\")\n  evse \"1\" {\n    connector_types = sensitive([null, 1, true])\n  }\n}\nreservation \"r\" {\n  station = station.a[*].id\n  id_token = { id_token = sensitive(null), type = [], additional_info = [null] }\n  evse_id = 1e400\n  window {\n    start_date_time = null\n    expiry_date_time = timeadd(\"2026-11-22T22:00:00Z\", \"1d\")\n  }\n}\n",
	"reservation \"r\" {\n  station = one(toset([]))\n  id_token = jsondecode(\"{}\")\n  hold_for = try(null.a, each.key, \"8h\")\n  lifecycle {\n    prevent_cancel = can(local.x)\n    on_used = \"done\"\n  }\n}\n",
}
