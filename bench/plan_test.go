package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// BenchmarkPlan is the wall time, in milliseconds, of the whole process that
// plans, against that of one which only parses and evaluates with hcl. The
// ratio leaves 150 ms out: that much a process may need for everything else.
func BenchmarkPlan(b *testing.B) {
	binary := build(b)
	const spare = 150 * time.Millisecond
	for _, c := range []struct {
		name  string
		write func(testing.TB, int) string
	}{{"blocks", blocks}, {"table", table}} {
		b.Run(c.name+"_10000", func(b *testing.B) {
			dir := c.write(b, 10_000)
			var ours, limit time.Duration
			for b.Loop() {
				ours += planned(b, binary, dir, 10_000)
				limit += measureBare(b, dir).wall
			}
			per := func(d time.Duration) float64 { return 1000 * d.Seconds() / float64(b.N) }
			report(b, per(ours), per(limit), (per(ours)-1000*spare.Seconds())/per(limit), 2)
		})
	}
	b.Run("growth_100000", func(b *testing.B) {
		small, large := table(b, 10_000), table(b, 100_000)
		var few, many time.Duration
		for b.Loop() {
			few += planned(b, binary, small, 10_000)
			many += planned(b, binary, large, 100_000)
		}
		report(b, 1000*many.Seconds()/float64(b.N), 1000*few.Seconds()/float64(b.N), many.Seconds()/few.Seconds(), 12)
	})
}

// BenchmarkTerraform plans so many terraform_data under one for_each, as
// RESCTL_TERRAFORM says: it takes minutes.
func BenchmarkTerraform(b *testing.B) {
	n, _ := strconv.Atoi(os.Getenv("RESCTL_TERRAFORM"))
	terraform, err := exec.LookPath("terraform")
	if n == 0 || err != nil {
		b.Skip("set RESCTL_TERRAFORM=1000, and have terraform on the path")
	}
	dir := table(b, n)
	write(b, dir, "main.tf", fmt.Sprintf(terraformMain, n))
	binary := build(b)
	var ours, theirs time.Duration
	for b.Loop() {
		ours += planned(b, binary, dir, n)
		began := time.Now()
		run(b, exec.Command(terraform, "-chdir="+dir, "plan", "-input=false", "-no-color"))
		theirs += time.Since(began)
	}
	report(b, 1000*ours.Seconds()/float64(b.N), 1000*theirs.Seconds()/float64(b.N), ours.Seconds()/theirs.Seconds(), 1)
}

const terraformMain = `
locals {
  vans = { for v in csvdecode(file("vans.csv")) : v.number => v }
}
resource "terraform_data" "van" { # %d of them
  for_each = local.vans
  input = {
    station  = each.value.station
    evse_id  = tonumber(each.value.evse)
    id_token = { id_token = each.value.rfid, type = "ISO14443" }
    hold_for = "8h"
  }
}
`

// build makes the binary that people get.
func build(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "resctl")
	run(tb, exec.Command("go", "build", "-o", path, "github.com/resctl/resctl/cmd/resctl"))
	return path
}

func run(tb testing.TB, cmd *exec.Cmd) []byte {
	tb.Helper()
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%v: %v\n%s%s", cmd.Args, err, out.Bytes(), bad.Bytes())
	}
	return out.Bytes()
}

func planned(tb testing.TB, binary, dir string, n int) time.Duration {
	tb.Helper()
	began := time.Now()
	out := run(tb, exec.Command(binary, "plan", "-C", dir))
	took := time.Since(began)
	if want := fmt.Sprintf("Plan: %d to reserve", n); !bytes.Contains(out, []byte(want)) {
		tb.Fatalf("%.2000s", out)
	}
	return took
}

// blocks is a configuration of n reservations, all written out.
func blocks(tb testing.TB, n int) string {
	tb.Helper()
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "reservation \"van_%d\" {\n  station  = \"DEPOT-A-%05d\"\n  evse_id  = %d\n"+
			"  id_token = { id_token = \"TOKEN%06d\", type = \"ISO14443\" }\n  hold_for = \"8h\"\n}\n", i, i/6, i%6+1, i)
	}
	dir := tb.TempDir()
	write(tb, dir, "main.hcl", b.String())
	return dir
}

// table is the same as one for_each over a file.
func table(tb testing.TB, n int) string {
	tb.Helper()
	dir := tb.TempDir()
	write(tb, dir, "vans.csv", rows(n, func(i int) string { return fmt.Sprintf("DEPOT-A-%05d", i/6) }, 6))
	write(tb, dir, "main.hcl", tableMain)
	return dir
}

// rows are n vans, each on an EVSE of its own.
func rows(n int, station func(int) string, evses int) string {
	var b bytes.Buffer
	b.WriteString("number,station,evse,rfid\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,%s,%d,TOKEN%06d\n", i, station(i), i%evses+1, i)
	}
	return b.String()
}

const tableMain = `
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
`

func write(tb testing.TB, dir, name, content string) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
}
