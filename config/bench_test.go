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

// When a reservation is wanted, in the forms that are compared.
const (
	held      = "  hold_for = \"8h\"\n"
	window    = "  window {\n    start_date_time  = \"2026-11-22T22:00:00+01:00\"\n    expiry_date_time = \"2026-11-23T06:00:00+01:00\"\n  }\n"
	recurring = "  schedule {\n    time_zone    = \"Europe/Amsterdam\"\n    days         = [\"SU\", \"MO\", \"TU\"]\n    start_time   = \"22:00\"\n    end_time     = \"06:00\"\n    except_dates = [\"2026-12-20\", \"2026-12-27\"]\n  }\n"
	windowRow = "  window {\n    start_date_time  = \"${each.value.day}T22:00:00Z\"\n    expiry_date_time = \"${each.value.day}T23:00:00Z\"\n  }\n"

	recurringRow = "  schedule {\n    time_zone    = \"Europe/Amsterdam\"\n    days         = local.shifts[each.value.shift].days\n    start_time   = local.shifts[each.value.shift].start_time\n" +
		"    end_time     = local.shifts[each.value.shift].end_time\n    except_dates = local.holidays\n  }\n"
)

// blockPlan is 10,000 reservations written out; tablePlan is one for_each over a CSV file.
func blockPlan(when string) map[string]string {
	var b bytes.Buffer
	for i := range vans {
		fmt.Fprintf(&b, "reservation \"van_%d\" {\n  station  = \"DEPOT-A-%04d\"\n  evse_id  = %d\n  id_token = { id_token = \"TOKEN%06d\", type = \"ISO14443\" }\n%s}\n", i, i/6, i%6+1, i, when)
	}
	return map[string]string{"main.hcl": b.String()}
}

func tablePlan(when string) map[string]string {
	var b bytes.Buffer
	b.WriteString("number,station,evse,rfid,day,shift\n")
	for i := range vans {
		fmt.Fprintf(&b, "%d,DEPOT-A-%04d,%d,TOKEN%06d,2026-11-%02d,%d\n", i, i/6, i%6+1, i, i%30+1, i%3)
	}
	return map[string]string{"vans.csv": b.String(), "main.hcl": `
locals {
  vans = { for v in csvdecode(file("vans.csv")) : v.number => v }
  holidays = [for n in range(20) : format("2027-01-%02d", n + 1)]
  shifts = [
    { days = ["MO", "TU", "WE", "TH", "FR"], start_time = "06:00", end_time = "14:00" },
    { days = ["MO", "TU", "WE", "TH", "FR"], start_time = "14:00", end_time = "22:00" },
    { days = ["SU", "MO", "TU", "WE", "TH"], start_time = "22:00", end_time = "06:00" },
  ]
}
reservation "van" {
  for_each = local.vans
  station  = each.value.station
  evse_id  = tonumber(each.value.evse)
  id_token = { id_token = each.value.rfid, type = "ISO14443" }
` + when + "}\n"}
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

func BenchmarkLoadBlocks(b *testing.B) { benchmarkLoad(b, blockPlan(held)) }
func BenchmarkLoadTable(b *testing.B)  { benchmarkLoad(b, tablePlan(held)) }

// A schedule costs about what a window does, and is compiled once for all that
// are equal.
func BenchmarkLoadWindowBlocks(b *testing.B)    { benchmarkLoad(b, blockPlan(window)) }
func BenchmarkLoadRecurringBlocks(b *testing.B) { benchmarkLoad(b, blockPlan(recurring)) }
func BenchmarkLoadWindowTable(b *testing.B)     { benchmarkLoad(b, tablePlan(windowRow)) }
func BenchmarkLoadRecurringTable(b *testing.B)  { benchmarkLoad(b, tablePlan(recurringRow)) }

// The bare benchmarks are what hcl alone needs: parse, apply schemas, evaluate
// every attribute. Load is held to 1.5 times that.
func BenchmarkBareBlocks(b *testing.B)          { benchmarkBare(b, blockPlan(held), 4) }
func BenchmarkBareTable(b *testing.B)           { benchmarkBare(b, tablePlan(held), 4) }
func BenchmarkBareWindowBlocks(b *testing.B)    { benchmarkBare(b, blockPlan(window), 5) }
func BenchmarkBareRecurringBlocks(b *testing.B) { benchmarkBare(b, blockPlan(recurring), 8) }
func BenchmarkBareWindowTable(b *testing.B)     { benchmarkBare(b, tablePlan(windowRow), 5) }
func BenchmarkBareRecurringTable(b *testing.B)  { benchmarkBare(b, tablePlan(recurringRow), 8) }

func benchmarkBare(b *testing.B, files map[string]string, values int) {
	dir := write(b, files)
	for b.Loop() {
		if n := bare(b, dir); n != vans*values {
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
		"csvdecode": stdlib.CSVDecodeFunc, "range": stdlib.RangeFunc, "format": stdlib.FormatFunc, "tonumber": stdlib.MakeToFunc(cty.Number),
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
		locals := map[string]cty.Value{}
		for name, a := range attrs {
			locals[name] = value(a.Expr, root)
		}
		root.Variables["local"] = cty.ObjectVal(locals)
	}
	for _, blk := range content.Blocks.OfType("reservation") {
		c, _ := blk.Body.Content(reservationSchema)
		var exprs []hcl.Expression
		for name, a := range c.Attributes {
			if name != "for_each" {
				exprs = append(exprs, a.Expr)
			}
		}
		for _, n := range c.Blocks {
			inner, _ := n.Body.Content(nestedSchemas[n.Type])
			for _, a := range inner.Attributes {
				exprs = append(exprs, a.Expr)
			}
		}
		each := func(ctx *hcl.EvalContext) {
			for _, e := range exprs {
				value(e, ctx)
				values++
			}
		}
		all := c.Attributes["for_each"]
		if all == nil {
			each(root)
			continue
		}
		for it := value(all.Expr, root).ElementIterator(); it.Next(); {
			k, v := it.Element()
			ctx := root.NewChild()
			ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": v})}
			each(ctx)
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
