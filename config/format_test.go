package config

import (
	"strings"
	"testing"

	"github.com/resctl/resctl/config/diag"
)

func TestFormat(t *testing.T) {
	for name, c := range map[string]struct{ file, src, want string }{
		"columns":        {"a.hcl", "resctl {\nworkspace=\"a\"\n  required_version   = \">= 0\"\n}\n", "resctl {\n  workspace        = \"a\"\n  required_version = \">= 0\"\n}\n"},
		"as it should":   {"a.hcl", "a = 1\n", "a = 1\n"},
		"comments stay":  {"a.hcl", "a=1 # one\n\n\n// two\n", "a = 1 # one\n\n\n// two\n"},
		"heredocs stay":  {"a.hcl", "a = <<X\n  b=1\nX\n", "a = <<X\n  b=1\nX\n"},
		"a mark goes":    {"a.hcl", "\ufeffa=1\n", "a = 1\n"},
		"variables":      {"a.auto.hclvars", "a=\"secret\"\n", "a = \"secret\"\n"},
		"broken":         {"a.hcl", "a = {\n", ""},
		"broken secrets": {"a.hclvars", "a = \"very-secret\" b\n", ""},
		"JSON":           {"a.hcl.json", "{}", ""},
		"deep":           {"a.hcl", "a = " + strings.Repeat("(", 100_000), ""},
		"no text":        {"a.hcl", "a = \x00", ""},
		"nothing":        {"a.hcl", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ds := Format(c.file, []byte(c.src))
			if string(got) != c.want || ds.HasErrors() != (got == nil) && c.src != "" {
				t.Errorf("%q, %v", got, ds.All())
			}
			var text strings.Builder
			_ = ds.WriteText(&text, diag.TextOptions{})
			if strings.Contains(text.String(), "very-secret") {
				t.Error(text.String())
			}
			if again, _ := Format(c.file, got); string(again) != string(got) {
				t.Errorf("a second time it is %q", again)
			}
		})
	}
}
