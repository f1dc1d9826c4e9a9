package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/web/browser"
)

// chooses takes an entry of a list.
func chooses(p *browser.Tab, id, value string) {
	p.Eval(`(() => { const s = document.getElementById("` + id + `"); s.value = "` + value + `"; s.dispatchEvent(new Event("change")) })()`)
}

// plainDate is how all versions of the browser write a date.
func plainDate(x any) string {
	s, _ := x.(string)
	for _, day := range []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		s = strings.ReplaceAll(s, day+", ", day+" ")
	}
	return strings.ReplaceAll(s, " Sept", " Sep")
}

// stationTimes: windows in the times of their station, which is named, and that is
// remembered.
func stationTimes(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	zones := map[string]string{"DEPOT-A-01": "Europe/Amsterdam", "DEPOT-A-02": "America/New_York"}
	for _, r := range d.documents["timeline"].(object)["rows"].([]object) {
		if z := zones[r["station_id"].(string)]; z != "" {
			r["time_zone"] = z
		}
	}
	p := b.Open(t, "about:blank")
	p.Do("Emulation.setTimezoneOverride", object{"timezoneId": "Asia/Tokyo"})
	p.Do("Page.navigate", object{"url": d.URL})
	p.Size(1280, 900)
	p.Sees(`document.activeElement?.id === "token"`)
	p.Write(rightToken)
	p.Key("Enter")
	p.Sees(`document.querySelector(".bar")`)
	says := func(name, zone string, from, to float64) {
		t.Helper()
		where, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		at := func(h float64) string {
			x := d.now.Add(time.Duration(h * float64(time.Hour))).In(where)
			if x.Format(time.DateOnly) == time.Now().In(where).Format(time.DateOnly) {
				return x.Format("15:04")
			}
			return x.Format("Mon 2 Jan 15:04")
		}
		p.Sees(`document.querySelectorAll(".bar").length === 7`)
		want := name + ", from " + at(from) + " until " + at(to) + ", "
		got := plainDate(p.Eval(`[...document.querySelectorAll(".bar")].map((b) => b.ariaLabel).join("\n")`))
		if !strings.Contains(got, want) {
			t.Errorf("%s: nothing says %q:\n%s", zone, want, got)
		}
	}
	says(`DEPOT-A-02 EVSE 1, van["19"]`, "Asia/Tokyo", -0.7, 7)
	if got := p.Eval(`[...document.querySelectorAll(".axis .zone")].map((x) => x.textContent).join()`); got != "Asia/Tokyo" {
		t.Errorf("times are said to be of %v", got)
	}
	chooses(p, "zone", "UTC")
	says(`DEPOT-A-02 EVSE 1, van["19"]`, "UTC", -0.7, 7)
	chooses(p, "zone", "station")
	inOwn := func() {
		t.Helper()
		p.Sees(`document.querySelectorAll(".axis .zone").length === 3`)
		says(`DEPOT-A-01 EVSE 1, van["12"]`, "Europe/Amsterdam", -1, 7)
		says(`DEPOT-A-02 EVSE 1, van["19"]`, "America/New_York", -0.7, 7)
		says(`DEPOT-A-03 any EVSE, pool["a"]`, "Asia/Tokyo", -0.5, 8)
		if got := p.Eval(`[...document.querySelectorAll(".axis .zone")].map((x) => x.textContent).join()`); got != "Europe/Amsterdam,America/New_York,Asia/Tokyo" {
			t.Errorf("times are said to be of %v", got)
		}
	}
	inOwn()
	p.Picture("zones")
	p.Eval(`document.body.dataset.before = "reload"`)
	p.Do("Page.reload", nil)
	p.Sees(`!document.body?.dataset.before && document.querySelector(".bar")`)
	inOwn()
	p.Eval(`document.querySelector("#as-table").click()`)
	p.Sees(`document.querySelector("#table-head").lastChild.textContent === "Time zone"`)
	p.Picture("zones-table")
	if got := p.Text("#table-lines tr:first-child"); !strings.HasSuffix(strings.TrimSpace(got), "Europe/Amsterdam") {
		t.Errorf("%q", got)
	}
	kept(t, p, d)
}

// clocksChange: where an hour is left out or comes twice, each hour is where it
// is, days begin when they do, and an hour that comes twice says which it is.
func clocksChange(t *testing.T, b *browser.Browser) {
	p := b.Open(t, newDepot(t).URL)
	p.Sees(`document.activeElement?.id === "token"`)
	for _, x := range []struct{ zone, from, until, room, ticks string }{
		// Hours after the beginning, and what they are marked with.
		{"Europe/Amsterdam", "2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z", "7", "0 Sun 25 Oct|1 01:00|2 02:00|3 02:00|4 03:00|5 04:00|6 05:00"},
		{"Europe/Amsterdam", "2026-03-28T22:00:00Z", "2026-03-29T03:00:00Z", "5", "0 23:00|1 Sun 29 Mar|2 01:00|3 03:00|4 04:00"},
		{"Europe/Amsterdam", "2026-10-24T10:00:00Z", "2026-10-26T23:00:00Z", "6", "0 12:00|12 Sun 25 Oct|25 12:00|37 Mon 26 Oct|49 12:00"},
		{"America/New_York", "2026-11-01T03:00:00Z", "2026-11-01T08:00:00Z", "5", "0 23:00|1 Sun 1 Nov|2 01:00|3 01:00|4 02:00"},
		{"America/Santiago", "2026-09-06T02:00:00Z", "2026-09-06T06:00:00Z", "4", "0 22:00|1 23:00|2 Sun 6 Sep|3 02:00"}, // midnight is left out: the day begins at 01:00
		{"Asia/Kathmandu", "2026-11-22T17:00:00Z", "2026-11-22T20:00:00Z", "3", "0.25 23:00|1.25 Mon 23 Nov|2.25 01:00"},
	} {
		got := p.Eval(`(async () => {
			const { Clock } = await import("./time.js");
			const from = +new Date("` + x.from + `");
			return new Clock("` + x.zone + `").ticks(from, +new Date("` + x.until + `"), ` + x.room + `).map((t) => (t.t - from) / 36e5 + " " + t.text).join("|");
		})()`)
		if got = plainDate(got); got != x.ticks {
			t.Errorf("%s from %s:\n%v, not\n%v", x.zone, x.from, got, x.ticks)
		}
	}
	for at, want := range map[string]string{
		"Europe/Amsterdam 2026-10-25T00:30:00Z": "Sun 25 Oct 02:30 (UTC+02:00)", "Europe/Amsterdam 2026-10-25T01:30:00Z": "Sun 25 Oct 02:30 (UTC+01:00)",
		"Europe/Amsterdam 2026-10-25T02:00:00Z": "Sun 25 Oct 03:00", "Europe/Amsterdam 2026-10-24T23:30:00Z": "Sun 25 Oct 01:30",
		"America/New_York 2026-11-01T05:30:00Z": "Sun 1 Nov 01:30 (UTC-04:00)", "America/New_York 2026-11-01T06:30:00Z": "Sun 1 Nov 01:30 (UTC-05:00)",
		"Australia/Lord_Howe 2026-04-04T14:45:00Z": "Sun 5 Apr 01:45 (UTC+11:00)", "Australia/Lord_Howe 2026-04-04T15:15:00Z": "Sun 5 Apr 01:45 (UTC+10:30)",
	} {
		zone, moment, _ := strings.Cut(at, " ")
		if got := plainDate(p.Eval(`import("./time.js").then(({ Clock }) => new Clock("` + zone + `").at("` + moment + `"))`)); got != want {
			t.Errorf("%s: %v, not %q", at, got, want)
		}
	}
}
