package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

const vans = 10_000

// blockPlan is 10,000 reservations written out; tablePlan is one for_each over a CSV file.
func blockPlan() map[string]string {
	var b bytes.Buffer
	for i := range vans {
		fmt.Fprintf(&b, "reservation \"van_%d\" {\n  station  = \"DEPOT-A-%04d\"\n  evse_id  = %d\n  id_token = { id_token = \"TOKEN%06d\", type = \"ISO14443\" }\n  hold_for = \"8h\"\n}\n", i, i/6, i%6+1, i)
	}
	return map[string]string{"main.hcl": b.String()}
}

func tablePlan() map[string]string {
	var b bytes.Buffer
	b.WriteString("number,station,evse,rfid\n")
	for i := range vans {
		fmt.Fprintf(&b, "%d,DEPOT-A-%04d,%d,TOKEN%06d\n", i, i/6, i%6+1, i)
	}
	return map[string]string{"vans.csv": b.String(), "main.hcl": `
locals {
  vans = { for v in csvdecode(file("vans.csv")) : v.number => v }
}
reservation "van" {
  for_each = local.vans
  station  = each.value.station
  evse_id  = tonumber(each.value.evse)
  id_token = { id_token = each.value.rfid, type = "ISO14443" }
  hold_for = "8h"
}
`}
}

func write(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func benchmarkLoad(b *testing.B, files map[string]string) {
	dir := write(b, files)
	for b.Loop() {
		cfg, diags := Load(Options{Dir: dir})
		if diags.Len() > 0 || len(cfg.Reservations) != vans {
			b.Fatal(text(diags))
		}
	}
}

func BenchmarkLoadBlocks(b *testing.B) { benchmarkLoad(b, blockPlan()) }
func BenchmarkLoadTable(b *testing.B)  { benchmarkLoad(b, tablePlan()) }

// The bare benchmarks are what hcl alone needs: parse, apply schemas, evaluate
// every attribute. Load is held to 1.5 times that.
func BenchmarkBareBlocks(b *testing.B) { benchmarkBare(b, blockPlan()) }
func BenchmarkBareTable(b *testing.B)  { benchmarkBare(b, tablePlan()) }

func benchmarkBare(b *testing.B, files map[string]string) {
	dir := write(b, files)
	for b.Loop() {
		if n := bare(b, dir); n != vans*4 {
			b.Fatal(n)
		}
	}
}

func bare(b *testing.B, dir string) (values int) {
	src, err := os.ReadFile(filepath.Join(dir, "main.hcl"))
	if err != nil {
		b.Fatal(err)
	}
	file, diags := hclsyntax.ParseConfig(src, "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	content, _ := file.Body.Content(rootSchema)
	root := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: map[string]function.Function{
		"csvdecode": stdlib.CSVDecodeFunc, "tonumber": stdlib.MakeToFunc(cty.Number),
		"file": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				t, err := os.ReadFile(filepath.Join(dir, args[0].AsString()))
				return cty.StringVal(string(t)), err
			},
		}),
	}}
	value := func(e hcl.Expression, ctx *hcl.EvalContext) cty.Value {
		v, diags := e.Value(ctx)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		return v
	}
	for _, blk := range content.Blocks.OfType("locals") {
		attrs, _ := blk.Body.JustAttributes()
		root.Variables["local"] = cty.ObjectVal(map[string]cty.Value{"vans": value(attrs["vans"].Expr, root)})
	}
	for _, blk := range content.Blocks.OfType("reservation") {
		c, _ := blk.Body.Content(reservationSchema)
		each := c.Attributes["for_each"]
		if each == nil {
			for _, a := range c.Attributes {
				value(a.Expr, root)
				values++
			}
			continue
		}
		for it := value(each.Expr, root).ElementIterator(); it.Next(); {
			k, v := it.Element()
			ctx := root.NewChild()
			ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": v})}
			for name, a := range c.Attributes {
				if name != "for_each" {
					value(a.Expr, ctx)
					values++
				}
			}
		}
	}
	return values
}

func BenchmarkManyErrors(b *testing.B) {
	var src bytes.Buffer
	for i := range 100_000 {
		src.WriteString("x" + strconv.Itoa(i%100) + " = 1\n")
	}
	dir := write(b, map[string]string{"main.hcl": src.String()})
	for b.Loop() {
		_, diags := Load(Options{Dir: dir})
		_ = text(diags)
	}
}
