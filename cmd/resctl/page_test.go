package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/resctl/resctl/web/browser"
)

// reader is the token secret-of-reader.
const reader = "reader=read:1237e4bef8a564f0bfbbe056c444e5dd530d6f0c5d6094f94a77890d87e633b2"

const pageDepot = `resctl {
  workspace = "depot"
}
reservation "van" {
  station  = "DEPOT-1"
  evse_id  = 1
  id_token = { id_token = "VAN-1", type = "Central" }
  window {
    start_date_time  = "START"
    expiry_date_time = "END"
  }
  lifecycle {
    on_removed = "report"
  }
}
`

// TestPageOfServe looks at a real serve, with stations in another process: a
// window opens and is held, its station drops it, and serve starts anew.
func TestPageOfServe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("serve cannot be asked to end there")
	}
	t.Parallel()
	b := browser.Start(t)
	d := pageFixture{t: t, dir: t.TempDir(), stations: freeAddress(t), api: freeAddress(t), control: freeAddress(t)}
	start := time.Now().Add(1500 * time.Millisecond).UTC().Truncate(time.Second).Add(time.Second)
	d.write("main.hcl", strings.NewReplacer("START", start.Format(time.RFC3339), "END", start.Add(8*time.Hour).Format(time.RFC3339)).Replace(pageDepot))
	stop := d.serve()
	d.runs("simulate", "--url", "ws://"+d.stations+"/ocpp", "--id-format", "DEPOT-%d", "--max-back-off", "20ms", "--control", d.control)
	d.resctl("apply", "--auto-approve", "--wait", "0s")

	p := b.Open(t, "http://"+d.api+"/")
	p.Size(1280, 900)
	p.Sees(`document.activeElement?.id === "token"`)
	p.Write("secret-of-reader")
	p.Key("Enter")
	p.Sees(`document.querySelector("#link").textContent === "live" && document.querySelector(".bar")?.ariaLabel.startsWith("DEPOT-1 EVSE 1, van, from ")`)
	p.Sees(`document.querySelector(".bar").ariaLabel.endsWith(", held") && document.querySelector("#rows .part.held")`)
	p.Sees(`!document.querySelector("#attention-none").hidden`)
	p.Sees(`document.querySelector("#lines").innerText.includes("ReserveNow")`)

	d.happens("remove", `{"evse_id": 1}`)
	p.Sees(`document.querySelector("#attention-list button")?.innerText === "van"`)
	if said := p.Text("#attention-list"); !strings.Contains(said, "dropped") || !strings.Contains(said, "DEPOT-1 EVSE 1") {
		t.Errorf("what needs somebody: %q", said)
	}
	p.Eval(`document.querySelector("#attention-list button").click()`)
	p.Sees(`document.querySelector("#why-body table")?.innerText.includes("is Removed")`)
	if why := p.Text("#why"); !strings.Contains(why, "resctl apply --replace") || strings.Contains(why, "VAN-1") {
		t.Errorf("why: %s", why)
	}
	p.Key("Escape")

	stop()
	p.Sees(`document.querySelector("#link").textContent.includes("lost")`)
	d.serve()
	p.Sees(`document.querySelector("#link").textContent === "live"`)
	const came = `[...document.querySelectorAll("#lines li")].filter((l) => l.innerText.includes(" connected")).length`
	p.Sees(came + " === 2")
	d.happens("plug", `{"evse_id": 1}`)
	p.Sees(`document.querySelector("#lines li").innerText.includes("EVSE 1 is Occupied")`)
	if n := p.Eval(came); n != 2.0 || p.Text("#attention-list button") != "van" {
		t.Errorf("it did not go on where it was: %v connections, %q", n, p.Text("#attention-list"))
	}
}

// pageFixture is a serve, with its stations, that a page is of.
type pageFixture struct {
	t                      *testing.T
	dir                    string
	stations, api, control string // addresses
}

func (d *pageFixture) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *pageFixture) command(args ...string) *exec.Cmd {
	cmd := exec.Command("resctl", args...)
	cmd.Dir, cmd.Env = d.dir, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	return cmd
}

func (d *pageFixture) resctl(args ...string) {
	d.t.Helper()
	if out, err := d.command(args...).CombinedOutput(); err != nil {
		d.t.Fatalf("resctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// runs starts a process that lasts until it is stopped, at the end of the test at
// the latest, and comes to a good end then.
func (d *pageFixture) runs(args ...string) (stop func()) {
	d.t.Helper()
	var out strings.Builder
	cmd := d.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || strings.Contains(out.String(), "DATA RACE") {
			d.t.Errorf("resctl %s: %v\n%s", args[0], err, &out)
		}
	}
	d.t.Cleanup(stop)
	return stop
}

// serve starts serve, and waits until it answers.
func (d *pageFixture) serve() (stop func()) {
	d.t.Helper()
	stop = d.runs("serve", "--listen", d.stations, "--quiet-period", "0s", "--api", d.api, "--api-token", reader)
	browser.Until(d.t, "serve to answer", func() bool {
		status, _, _ := ask(http.MethodGet, "http://"+d.api+"/v1/health", "")
		return status == http.StatusOK
	})
	return stop
}

// happens lets something happen at the station.
func (d *pageFixture) happens(action, body string) {
	d.t.Helper()
	if status, text, err := ask(http.MethodPost, "http://"+d.control+"/stations/DEPOT-1/"+action, body); err != nil || status != http.StatusOK {
		d.t.Fatal(action, status, text, err)
	}
}
