package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRecurring is the wall time, in milliseconds, and the peak memory, in
// MiB, of a plan of 100,000 reservations that recur every day, the proof of two
// weeks included, against parsing and evaluating with hcl alone. The 150 ms that
// a process may need for everything else are left out, and of the memory 1.5 KiB
// for each declaration, which hcl alone does not keep.
func BenchmarkRecurring(b *testing.B) {
	binary := build(b)
	const n = 100_000
	for _, c := range []struct {
		name     string
		stations int
	}{{"stations_2000", 2_000}, {"stations_10", 10}} {
		dir := recurring(b, n, c.stations)
		b.Run(c.name, func(b *testing.B) {
			var ours, limit used
			for b.Loop() {
				ours.add(measure(b, binary, "plan", "-C", dir))
				limit.add(measureBare(b, dir))
			}
			report(b, ours.ms(b.N), limit.ms(b.N), (ours.ms(b.N)-150)/limit.ms(b.N), 3)
		})
		b.Run(c.name+"_memory", func(b *testing.B) {
			var ours, limit used
			for b.Loop() {
				ours.add(measure(b, binary, "plan", "-C", dir))
				limit.add(measureBare(b, dir))
			}
			report(b, ours.mib(b.N), limit.mib(b.N), (ours.mib(b.N)-n*1.5/1024)/limit.mib(b.N), 1.5)
		})
	}
	b.Run("growth", func(b *testing.B) {
		small, large := recurring(b, n/10, 200), recurring(b, n, 2_000)
		var few, many used
		for b.Loop() {
			few.add(measure(b, binary, "plan", "-C", small))
			many.add(measure(b, binary, "plan", "-C", large))
		}
		report(b, many.ms(b.N), few.ms(b.N), many.ms(b.N)/few.ms(b.N), 12)
	})
}

// used is what processes took.
type used struct {
	wall time.Duration
	peak int64 // KiB, as Linux tells it
}

func (u *used) add(o used)       { u.wall, u.peak = u.wall+o.wall, u.peak+o.peak }
func (u used) ms(n int) float64  { return 1000 * u.wall.Seconds() / float64(n) }
func (u used) mib(n int) float64 { return float64(u.peak) / 1024 / float64(n) }

func measure(b *testing.B, binary string, args ...string) used {
	b.Helper()
	cmd := exec.Command(binary, args...)
	began := time.Now()
	out := run(b, cmd)
	u := used{time.Since(began), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}
	if !bytes.Contains(out, []byte("0 unchanged")) || bytes.Contains(out, []byte("RC2")) || !bytes.Contains(out, []byte("Fits: every window until")) {
		b.Fatalf("%.2000s", out[max(0, len(out)-2000):])
	}
	return u
}

func measureBare(b testing.TB, dir string) used {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), evaluateVar+"="+dir)
	began := time.Now()
	run(b, cmd)
	return used{time.Since(began), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}
}

// recurring is a configuration of n reservations on ten EVSEs of each station,
// one after the other through the day.
func recurring(tb testing.TB, n, stations int) string {
	tb.Helper()
	each := n / stations / 10 // of an EVSE, a day
	length := 24 * time.Hour / time.Duration(each)
	var b bytes.Buffer
	b.WriteString("number,station,evse,rfid,from,to\n")
	for i := range n {
		at := time.Time{}.Add(time.Duration(i/stations/10) * length).Truncate(time.Second)
		fmt.Fprintf(&b, "%d,DEPOT-%05d,%d,TOKEN%06d,%s,%s\n", i, i%stations, i/stations%10+1, i,
			at.Format(time.TimeOnly), at.Add(length).Truncate(time.Second).Format(time.TimeOnly))
	}
	dir := tb.TempDir()
	write(tb, dir, "vans.csv", b.String())
	write(tb, dir, "main.hcl", recurringMain)
	return dir
}

const recurringMain = `
locals {
  vans = { for v in csvdecode(file("vans.csv")) : v.number => v }
}
reservation "van" {
  for_each = local.vans
  station  = each.value.station
  evse_id  = tonumber(each.value.evse)
  id_token = { id_token = each.value.rfid, type = "ISO14443" }
  schedule {
    time_zone  = "Europe/Amsterdam"
    days       = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    start_time = each.value.from
    end_time   = each.value.to
  }
}
`
