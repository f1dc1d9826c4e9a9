package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkStart is the wall time, in milliseconds, of commands that have next to
// nothing to do, against Terraform's: the version, and a plan of the 12 vans of
// the examples, which are held, against one of 12 terraform_data. Both are warm,
// and take turns; the middle one of several runs counts. Terraform is told not to
// ask the network for newer versions.
func BenchmarkStart(b *testing.B) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		b.Skip("terraform is not on the path: there is nothing to compare with")
	}
	binary := build(b)
	b.Run("version", func(b *testing.B) {
		b.Setenv("CHECKPOINT_DISABLE", "1")
		inTurns(b, []string{binary, "version"}, []string{terraform, "version"}, 1)
	})
	b.Run("plan_12_vans", func(b *testing.B) {
		b.Setenv("CHECKPOINT_DISABLE", "1")
		depot, vans := heldDepot(b, binary), terraformVans(b, terraform)
		inTurns(b, []string{binary, "plan", "-C", depot, "--detailed-exitcode"},
			[]string{terraform, "-chdir=" + vans, "plan", "-input=false", "-no-color", "-detailed-exitcode"}, 1)
	})
}

// inTurns runs both so many times, and reports the middle one of each.
func inTurns(b *testing.B, ours, theirs []string, wanted float64) {
	b.Helper()
	const turns = 15
	for b.Loop() {
		times := map[string][]time.Duration{}
		for turn := range turns + 1 {
			for who, args := range map[string][]string{"ours": ours, "theirs": theirs} {
				began := time.Now()
				run(b, exec.Command(args[0], args[1:]...))
				if turn > 0 { // the first one warms up
					times[who] = append(times[who], time.Since(began))
				}
			}
		}
		middle := func(who string) float64 {
			slices.Sort(times[who])
			return 1000 * times[who][turns/2].Seconds()
		}
		report(b, middle("ours"), middle("theirs"), middle("ours")/middle("theirs"), wanted)
	}
}

// heldDepot is a copy of the examples, of which everything is held.
func heldDepot(b *testing.B, binary string) string {
	b.Helper()
	dir := b.TempDir()
	for _, name := range []string{"main.hcl", "stations.hcl", "vans.hcl", "vans.csv", "rfid.auto.hclvars"} {
		content, err := os.ReadFile(filepath.Join("..", "examples", name))
		if err != nil {
			b.Fatal(err)
		}
		write(b, dir, name, string(content))
	}
	run(b, exec.Command(binary, "apply", "-C", dir, "--simulate", "--auto-approve"))
	return dir
}

// terraformVans are as many terraform_data, of which all are applied.
func terraformVans(b *testing.B, terraform string) string {
	b.Helper()
	const n = 12
	dir := b.TempDir()
	write(b, dir, "vans.csv", rows(n, func(int) string { return "DEPOT-A-01" }, n))
	write(b, dir, "main.tf", fmt.Sprintf(terraformMain, n))
	run(b, exec.Command(terraform, "-chdir="+dir, "apply", "-input=false", "-no-color", "-auto-approve"))
	return dir
}
