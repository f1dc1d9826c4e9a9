package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config"
)

const terraformPath = top + "docs/terraform.md"

// TestTerraformPage: each command and flag that the page names exists, and each
// command of Terraform's in its table is one here, or says what to do instead.
func TestTerraformPage(t *testing.T) {
	text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(read(t, terraformPath), "")
	root := newCLI(os.Stdin, os.Stdout, os.Stderr, nil).command()
	flags := map[string]bool{}
	note := func(f *pflag.Flag) { flags["--"+f.Name] = true }
	root.PersistentFlags().VisitAll(note)
	for _, c := range below(root) {
		c.Flags().VisitAll(note)
	}
	for _, m := range inCode.FindAllStringSubmatch(text, -1) {
		if m[1] == "resctl" {
			continue // the block
		}
		if rest, ok := strings.CutPrefix(m[1], "resctl "); ok {
			checkNamed(t, root, rest)
		}
		if strings.HasPrefix(m[1], "--") && !flags[strings.FieldsFunc(m[1], func(r rune) bool { return r == '=' || r == ' ' })[0]] {
			t.Errorf("no command has %s", m[1])
		}
	}
	rows := tableRows(text, "Commands")
	for _, row := range rows[2:] {
		name := strings.Trim(strings.TrimSpace(row[0]), "`")
		if c, _, err := root.Find([]string{name}); (err != nil || c == root) && otherWays()[name] == "" {
			t.Errorf("resctl %s says nothing of Terraform's way", name)
		}
	}
	if len(rows) < 20 {
		t.Errorf("%d rows", len(rows))
	}
}

// checkNamed reads a command and the flags behind it; flags stand without values.
func checkNamed(t *testing.T, root *cobra.Command, text string) {
	t.Helper()
	words := longFlags(root, strings.Fields(text))
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root {
		t.Errorf("resctl %s is no command", text)
		return
	}
	for _, w := range rest {
		name, isFlag := strings.CutPrefix(w, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && cmd.Flag(name) == nil {
			t.Errorf("resctl %s: there is no --%s", text, name)
		}
	}
}

// TestTerraformLanguage: the words that the page has no counterpart for are errors
// that say what there is instead, and the others are words of the language.
func TestTerraformLanguage(t *testing.T) {
	known := read(t, top+"docs/language.md")
	for _, row := range tableRows(read(t, terraformPath), "Language")[2:] {
		word, here := strings.Trim(strings.TrimSpace(row[0]), "`"), strings.TrimSpace(row[1])
		for _, m := range inCode.FindAllStringSubmatch(here, -1) {
			if !strings.Contains(known, strings.TrimPrefix(m[1], "*")) {
				t.Errorf("docs/language.md does not have %s", m[1])
			}
		}
		if here != "–" && strings.Trim(here, "`") == word || strings.HasPrefix(word, "*") {
			continue
		}
		ds := complaints(t, word)
		if !regexp.MustCompile(`not expected here\. \w`).MatchString(ds) || strings.Contains(ds, "There are: ") {
			t.Errorf("%s: nobody says what there is instead: %s", word, ds)
		}
	}
}

// complaints are what is said of a word of Terraform's, as block or argument.
func complaints(t *testing.T, word string) string {
	t.Helper()
	text := word + " {}\n"
	if strings.ContainsAny(word, "_") {
		text = "reservation \"van\" {\n  station = \"D\"\n  id_token = { id_token = \"X\", type = \"Central\" }\n  hold_for = \"1h\"\n  lifecycle {\n    " + word + " = []\n  }\n}\n"
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/main.hcl", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, ds := config.Load(config.Options{Dir: dir, Version: version})
	return fmt.Sprint(ds.All())
}

// leftOutText lists the functions of Terraform's that are not here.
func leftOutText(t *testing.T) string {
	t.Helper()
	here := inCode.FindAllString(functionsText(t), -1)
	var out []string
	for _, name := range strings.Fields(terraformFunctions) {
		if name = "`" + name + "`"; !slices.Contains(here, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ") + "\n"
}

// terraformFunctions are those of Terraform 1.11, as terraform metadata functions
// lists them.
const terraformFunctions = `abs abspath alltrue anytrue base64decode base64encode base64gzip base64sha256 base64sha512 basename bcrypt can ceil chomp
chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat contains csvdecode dirname distinct element endswith ephemeralasnull
file filebase64 filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 flatten floor format formatdate formatlist indent
index issensitive join jsondecode jsonencode keys length log lookup lower matchkeys max md5 merge min nonsensitive one parseint pathexpand plantimestamp pow
range regex regexall replace reverse rsadecrypt sensitive setintersection setproduct setsubtract setunion sha1 sha256 sha512 signum slice sort split startswith
strcontains strrev substr sum templatefile templatestring textdecodebase64 textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber toset
tostring transpose trim trimprefix trimspace trimsuffix try upper urlencode uuid uuidv5 values yamldecode yamlencode zipmap`
