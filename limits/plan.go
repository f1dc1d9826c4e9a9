package limits

import (
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Evaluate parses dir/main.hcl and evaluates every attribute of every
// reservation in it, for each instance, with hcl alone: nothing is checked,
// decoded or kept. It returns how many attributes that were.
func Evaluate(dir string) (values int, err error) {
	src, err := os.ReadFile(filepath.Join(dir, "main.hcl"))
	if err != nil {
		return 0, err
	}
	file, diags := hclsyntax.ParseConfig(src, "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		return 0, diags
	}
	e := evaluation{root: &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions(dir)}}
	blocks := file.Body.(*hclsyntax.Body).Blocks
	for _, b := range blocks {
		if b.Type == "locals" {
			locals := map[string]cty.Value{}
			for name, a := range b.Body.Attributes {
				locals[name] = e.value(a, e.root)
			}
			e.root.Variables["local"] = cty.ObjectVal(locals)
		}
	}
	for _, b := range blocks {
		if b.Type == "reservation" {
			e.reservation(b)
		}
	}
	if e.diags.HasErrors() {
		return 0, e.diags
	}
	return e.values, nil
}

type evaluation struct {
	root   *hcl.EvalContext
	values int
	diags  hcl.Diagnostics
}

func (e *evaluation) value(a *hclsyntax.Attribute, ctx *hcl.EvalContext) cty.Value {
	v, diags := a.Expr.Value(ctx)
	if diags.HasErrors() {
		e.diags = append(e.diags, diags...)
	}
	e.values++
	return v
}

func (e *evaluation) reservation(b *hclsyntax.Block) {
	each := b.Body.Attributes["for_each"]
	if each == nil {
		e.body(b.Body, e.root)
		return
	}
	for it := e.value(each, e.root).ElementIterator(); it.Next(); {
		k, v := it.Element()
		ctx := e.root.NewChild()
		ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": v})}
		e.body(b.Body, ctx)
	}
}

func (e *evaluation) body(b *hclsyntax.Body, ctx *hcl.EvalContext) {
	for name, a := range b.Attributes {
		if name != "for_each" {
			e.value(a, ctx)
		}
	}
	for _, inner := range b.Blocks {
		e.body(inner.Body, ctx)
	}
}

func functions(dir string) map[string]function.Function {
	return map[string]function.Function{
		"csvdecode": stdlib.CSVDecodeFunc,
		"tonumber":  stdlib.MakeToFunc(cty.Number),
		"file": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				text, err := os.ReadFile(filepath.Join(dir, args[0].AsString()))
				return cty.StringVal(string(text)), err
			},
		}),
	}
}
