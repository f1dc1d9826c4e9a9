package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func languageText(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// languageBlocks are all blocks, by type.
func languageBlocks() map[string]*hcl.BodySchema {
	blocks := map[string]*hcl.BodySchema{"resctl": settingsSchema, "variable": variableSchema, "validation": validationSchema,
		"locals": {}, "station": stationSchema, "evse": evseSchema, "reservation": reservationSchema,
		"token": tokenSchema, "precondition": validationSchema, "module": moduleSchema, "output": outputSchema,
		"dynamic": {Attributes: attributes("!for_each", "iterator", "labels"), Blocks: []hcl.BlockHeaderSchema{block("content")}}, "content": {}, // as hcl has them
		"moved": movedSchema, "removed": removedSchema, "import": importSchema}
	for name, schema := range nestedSchemas {
		blocks[name] = schema
	}
	return blocks
}

// TestReference: docs/language.md has a section for each block, whose table
// names each of its arguments and marks those that are required.
func TestReference(t *testing.T) {
	text, blocks := languageText(t), languageBlocks()
	for _, x := range rootSchema.Blocks {
		if blocks[x.Type] == nil {
			t.Errorf("the block %s is not looked at here", x.Type)
		}
	}
	for name, schema := range blocks {
		rows, found := tableOf(text, name)
		if !found {
			t.Errorf("docs/language.md has no section %s", name)
		}
		for _, a := range schema.Attributes {
			row, there := rows[a.Name]
			if !there || a.Required != strings.Contains(row, "(required)") {
				t.Errorf("docs/language.md, %s: %s is missing, or is wrong in whether it is required", name, a.Name)
			}
			delete(rows, a.Name)
		}
		for wrong := range rows {
			t.Errorf("docs/language.md, %s: there is no argument %s", name, wrong)
		}
	}
}

// tableOf gives the rows of the table below a heading by what they begin with.
func tableOf(text, heading string) (rows map[string]string, found bool) {
	lines := strings.Split(text, "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.TrimLeft(l, "#") == " "+heading && strings.HasPrefix(l, "#") })
	rows = map[string]string{}
	if i < 0 {
		return rows, false
	}
	inBlock := false
	for _, l := range lines[i+1:] {
		inBlock = inBlock != strings.HasPrefix(l, "```")
		if strings.HasPrefix(l, "#") && !inBlock {
			break
		}
		if m := regexp.MustCompile("^\\| `([a-z_]+)` \\|").FindStringSubmatch(l); m != nil {
			rows[m[1]] = l
		}
	}
	return rows, true
}

// TestEveryArgumentIsShown: docs/language.md has an example of each block and
// each argument, and each of its examples, read alone or as the module that
// another uses, has nothing wrong with it.
func TestEveryArgumentIsShown(t *testing.T) {
	shown := map[string]bool{"resctl.server": true} // which this version refuses to use
	var examples []string
	for _, m := range regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllStringSubmatch(languageText(t), -1) {
		f, diags := hclsyntax.ParseConfig([]byte(m[1]), "main.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		showArguments(shown, "", f.Body.(*hclsyntax.Body))
		examples = append(examples, m[1])
	}
	for name, schema := range languageBlocks() {
		if !shown[name] && name != "content" {
			t.Errorf("docs/language.md has no example of the block %s", name)
		}
		for _, a := range schema.Attributes {
			if !shown[name+"."+a.Name] {
				t.Errorf("docs/language.md has no example of %s in %s", a.Name, name)
			}
		}
	}
	for i, example := range examples {
		files := map[string]string{"main.hcl": example}
		for _, other := range examples {
			if path, is := strings.CutPrefix(strings.SplitN(other, "\n", 2)[0], "# "); is {
				files[path] = other
			}
		}
		if strings.HasPrefix(example, "# ") {
			continue // loaded by the one that uses it
		}
		if _, diags := Load(Options{Dir: write(t, files), Version: "0.3.1"}); diags.Len() > 0 {
			t.Errorf("docs/language.md, example %d:\n%s\n%s", i+1, example, text(diags))
		}
	}
}

// showArguments notes what a body holds: "evse" and "evse.connector_types".
func showArguments(shown map[string]bool, typ string, body *hclsyntax.Body) {
	for name := range body.Attributes {
		shown[typ+"."+name] = true
	}
	for _, b := range body.Blocks {
		shown[b.Type] = true
		inner := b.Type
		if typ == dynamicBlock { // its content is of the type that it makes
			inner = "content"
		}
		showArguments(shown, inner, b.Body)
	}
}
