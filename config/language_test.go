package config

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/resctl/resctl/config/diag"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestLanguage loads each archive in testdata: its files are a directory,
// env and args (one --var or --var-file per line) the inputs, and want is what
// comes out: the declarations as JSON, then the diagnostics as text.
func TestLanguage(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := loadArchive(t, ar)
			for i, f := range ar.Files {
				if f.Name != "want" {
					continue
				}
				if *update {
					ar.Files[i].Data = []byte(got)
					if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if want := string(f.Data); got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
				return
			}
			t.Fatal("no want")
		})
	}
}

func loadArchive(t *testing.T, ar *txtar.Archive) string {
	t.Helper()
	o := Options{Version: "0.3.1"}
	files := map[string]string{}
	var args []string
	for _, f := range ar.Files {
		switch f.Name {
		case "want":
		case "env":
			o.Env = strings.Fields(string(f.Data))
		case "args":
			args = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		default:
			files[f.Name] = string(f.Data)
		}
	}
	o.Dir = write(t, files)
	for _, a := range args {
		kind, value, _ := strings.Cut(a, " ")
		if kind == "--var" {
			o.Inputs = append(o.Inputs, Input{Var: value})
		} else {
			o.Inputs = append(o.Inputs, Input{File: filepath.Join(o.Dir, value)})
		}
	}
	cfg, diags := Load(o)
	return strings.ReplaceAll(describeConfiguration(t, cfg)+textOf(diags, diag.TextOptions{Max: -1}), o.Dir+"/", "")
}

// describeConfiguration gives one line of JSON per declaration.
func describeConfiguration(t *testing.T, cfg *Configuration) string {
	t.Helper()
	if cfg == nil {
		return ""
	}
	var b strings.Builder
	line := func(v any) {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(string(j) + "\n")
	}
	if cfg.Server != "" {
		b.WriteString("server " + cfg.Server + "\n")
	}
	for _, s := range cfg.Stations {
		if s.ClearPassword != "" {
			b.WriteString("(password) ")
		}
		line(s)
	}
	for _, t := range cfg.Tokens {
		line(t)
	}
	for _, r := range cfg.Reservations {
		line(r)
	}
	for _, m := range cfg.Moved {
		fmt.Fprintf(&b, "%s moved to %s (%s)\n", m.From, m.To, position(m.Range))
	}
	for _, r := range cfg.Removed {
		fmt.Fprintf(&b, "%s removed, cancel %t (%s)\n", r.From, r.Cancel, position(r.Range))
	}
	for _, i := range cfg.Imports {
		fmt.Fprintf(&b, "%s is %d at %s (%s)\n", i.To, i.ReservationID, i.StationID, position(i.Range))
	}
	for _, o := range cfg.Outputs {
		fmt.Fprintf(&b, "output %s (%s, sensitive %t) ", o.Name, o.Description, o.Sensitive)
		line(ctyjson.SimpleJSONValue{Value: o.Value})
	}
	return b.String()
}
