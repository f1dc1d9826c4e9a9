package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
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
