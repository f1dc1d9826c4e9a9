package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// documentedMetrics are those of docs/operating.md, with their labels.
func documentedMetrics(text string) map[string][]string {
	all := map[string][]string{}
	for _, row := range tableRows(text, "Metrics") {
		names, labels := inCode.FindAllStringSubmatch(row[0], -1), inCode.FindAllStringSubmatch(row[1], -1)
		if len(names) != 1 {
			continue
		}
		all[names[0][1]] = []string{}
		for _, l := range labels {
			all[names[0][1]] = append(all[names[0][1]], l[1])
		}
	}
	return all
}

// measured FILE...: what these have of metrics is what docs/operating.md lists,
// with the labels that it says.
func measured(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(top + "docs/operating.md")
	ts.Check(err)
	documented, seen := documentedMetrics(string(text)), map[string]bool{}
	series := regexp.MustCompile(`(?m)^(resctl_[a-z_]+)(?:\{(.*)\})? \S+$`)
	label := regexp.MustCompile(`([a-z]+)="(?:[^"\\]|\\.)*"`)
	for _, file := range args {
		for _, m := range series.FindAllStringSubmatch(ts.ReadFile(file), -1) {
			name := family(m[1], documented)
			seen[name] = true
			var labels []string
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if l[1] != "le" {
					labels = append(labels, l[1])
				}
			}
			if want, ok := documented[name]; !ok || !slices.Equal(slices.Sorted(slices.Values(want)), labels) {
				ts.Fatalf("%s is exported with labels %q, and documented with %q", name, labels, want)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if !seen[name] {
			ts.Fatalf("%s is documented, and not exported", name)
		}
	}
}

// family is the metric to which a series belongs.
func family(series string, documented map[string][]string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if name, cut := strings.CutSuffix(series, suffix); cut && documented[name] != nil {
			return name
		}
	}
	return series
}

// TestAlertsAndDashboard: they are about metrics that there are, and about
// labels that these have; every alert is explained, and every metric is on the
// dashboard or in an alert.
func TestAlertsAndDashboard(t *testing.T) {
	documented := documentedMetrics(read(t, top+"docs/operating.md"))
	if len(documented) < 20 {
		t.Fatal("docs/operating.md lists no metrics", documented)
	}
	selector := regexp.MustCompile(`\b(resctl_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher := regexp.MustCompile(`^\s*([a-z_]+)\s*(=|!=|=~|!~)\s*"[^"]*"\s*$`)
	shown := ""
	for _, path := range []string{"docs/alerts.yml", "docs/dashboard.json", "docs/operating.md"} {
		text := strings.ReplaceAll(read(t, top+path), `\"`, `"`)
		if path != "docs/operating.md" {
			shown += text
		}
		for _, m := range selector.FindAllStringSubmatch(text, -1) {
			labels, ok := documented[family(m[1], documented)]
			if !ok {
				t.Errorf("%s: there is no metric %s", path, m[1])
			}
			for _, one := range strings.Split(m[2], ",") {
				if l := matcher.FindStringSubmatch(one); one != "" && (l == nil || !slices.Contains(append(labels, "le", "instance"), l[1])) {
					t.Errorf("%s: %s has no label as in %q", path, m[1], one)
				}
			}
		}
	}
	for name := range documented {
		if !strings.Contains(shown, name) && name != "resctl_state_age_seconds" { // which explains the others
			t.Errorf("%s is neither on the dashboard nor in an alert", name)
		}
	}
	var alerts, explained []string
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(read(t, top+"docs/alerts.yml"), -1) {
		alerts = append(alerts, m[1])
	}
	for _, row := range tableRows(read(t, top+"docs/operating.md"), "Alerts") {
		if m := inCode.FindStringSubmatch(row[0]); m != nil {
			explained = append(explained, m[1])
		}
	}
	if !slices.Equal(alerts, explained) || len(alerts) == 0 {
		t.Errorf("alerts %q, explained %q", alerts, explained)
	}
}

// TestOperatingCommands: the commands of docs/operating.md are ones that there
// are, with their flags, and the files that it installs are there.
func TestOperatingCommands(t *testing.T) {
	fenced := regexp.MustCompile("(?s)```(\\w*)\n(.*?)```")
	text := read(t, top+"docs/operating.md")
	var commands []string
	for _, block := range fenced.FindAllStringSubmatch(text, -1) {
		if block[1] == "sh" {
			commands = append(commands, strings.Split(strings.TrimSpace(block[2]), "\n")...)
		}
	}
	for _, m := range inCode.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		commands = append(commands, m[1])
	}
	tried := 0
	for _, command := range commands {
		root := newCLI(nil, os.Stdout, os.Stderr, nil).command()
		words := strings.Fields(strings.TrimPrefix(command, "sudo "))
		switch first := words[0]; {
		case first == "resctl" && len(words) > 1:
			tried++
			if cmd, rest, err := root.Find(words[1:]); err != nil || cmd == root || cmd.ParseFlags(rest) != nil {
				t.Errorf("%s: there is no such command, or it has not these flags", command)
			}
		case first == "install" && strings.Contains(words[3], "/"):
			tried++
			if _, err := os.Stat(top + words[3]); err != nil {
				t.Error(err)
			}
		case strings.HasPrefix(first, "--"):
			tried++
			serve, _, err := root.Find([]string{"serve"})
			if name := first[2:]; err != nil || serve.Flags().Lookup(name) == nil && root.PersistentFlags().Lookup(name) == nil {
				t.Errorf("serve has no flag %s", first)
			}
		}
	}
	if tried < 15 {
		t.Errorf("only %d commands were found", tried)
	}
}
