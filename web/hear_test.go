package web_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/resctl/resctl/web/browser"
)

// names: whoever hears the page hears what each control is.
func names(t *testing.T, b *browser.Browser) {
	p := enter(t, b, newDepot(t))
	var tree struct {
		Nodes []struct {
			Ignored    bool
			Role, Name struct{ Value any }
		}
	}
	if err := json.Unmarshal(p.Do("Accessibility.getFullAXTree", nil), &tree); err != nil {
		t.Fatal(err)
	}
	roles := map[string]int{}
	for _, n := range tree.Nodes {
		role, _ := n.Role.Value.(string)
		name, _ := n.Name.Value.(string)
		if n.Ignored {
			continue
		}
		roles[role]++
		switch role {
		case "button", "link", "textbox", "searchbox", "combobox", "region", "group", "heading", "search":
			if strings.TrimSpace(name) == "" && role != "search" {
				t.Errorf("a %s has no name", role)
			}
		}
	}
	for _, role := range []string{"banner", "main", "search", "heading", "button", "combobox", "status"} {
		if roles[role] == 0 {
			t.Errorf("there is no %s: %v", role, roles)
		}
	}
}

// tellsNews: what is new of that which needs somebody is said once, and a burst
// of it in one sentence.
func tellsNews(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	drift := d.documents["drift"].(object)["drift"].([]object)
	d.documents["drift"].(object)["drift"] = []object{}
	for _, s := range d.documents["state"].(object)["stations"].([]object) {
		s["connected"] = true
	}
	d.documents["state"].(object)["reservations"] = d.documents["state"].(object)["reservations"].([]object)[:1]
	p := enter(t, b, d)
	p.Sees(`!document.querySelector("#attention-none").hidden && document.querySelector("#link").textContent === "live"`)
	d.happens(object{"kind": "connected", "station_id": "DEPOT-A-02"}, func() { d.documents["drift"].(object)["drift"] = drift })
	p.Sees(`document.querySelector("#news").textContent === 'New: van["19"] at DEPOT-A-02: overdue.'`)
	if p.Eval(`document.querySelector("#news").role`) != "status" || p.Eval(`document.querySelector("#news").getBoundingClientRect().width`) != 1.0 {
		t.Error("what is new is not said politely, or is seen")
	}
	told := p.Eval(`(async () => {
		const { News } = await import("./news.js");
		let now = 0, due = null;
		const said = [];
		const news = new News(() => now, (f, ms) => { due = { f, at: now + ms }; return 1; });
		const at = (ms, items) => {
			while (due && due.at <= ms) { const { f } = due; now = due.at; due = null; const before = document.querySelector("#news").textContent; f(); const after = document.querySelector("#news").textContent; if (after !== before) said.push(now + " " + after); }
			now = ms;
			if (items) news.tell(items);
		};
		const x = (what, n) => ({ what, address: "reservation.van" + n, station_id: "S" });
		at(0, [x("overdue", 1)]);
		at(100, [x("overdue", 1), x("overdue", 2)]);
		at(200, [x("overdue", 1), x("overdue", 2), x("offline", 3), x("overdue", 4)]);
		at(9000, [x("overdue", 1), x("overdue", 2), x("offline", 3), x("overdue", 4)]);
		at(20000, [x("overdue", 4)]);
		at(30000, []);
		at(40000, [x("overdue", 4)]);
		at(60000);
		return said.join("\n");
	})()`)
	want := strings.Join([]string{"0 1 thing needs somebody.", "5000 New: 3 things need somebody: 2 overdue, 1 offline.",
		"30000 Nothing needs somebody any more.", "40000 New: van4 at S: overdue."}, "\n")
	if told != want {
		t.Errorf("told\n%s\nnot\n%s", told, want)
	}
}

// hasTime: what has just become due is on its way, and needs nobody yet.
func hasTime(t *testing.T, b *browser.Browser) {
	p := b.Open(t, newDepot(t).URL)
	p.Sees(`document.activeElement?.id === "token"`)
	for due, want := range map[string]float64{"30, 90": 0, "90, 30": 0, "90, 90": 1} {
		if got := p.Eval(`import("./attention.js").then(({ collect }) => {
			const now = Date.now(), ago = (s) => new Date(now - 1000 * s).toISOString(), [start, since] = [` + due + `];
			const r = { address: "reservation.van", workspace: "w", station_id: "S", phase: "pending", reason: "asked", wanted: true, since: ago(since), window: { start: ago(start), expiry: ago(-900) } };
			return collect({}, { stations: [{ id: "S", connected: true }], reservations: [r] }, now).length;
		})`); got != want {
			t.Errorf("opened and so since, in seconds: %s: %v to look at, not %v", due, got, want)
		}
	}
}

// asCommand: a command on the page can be pasted whatever an address has in it.
func asCommand(t *testing.T, b *browser.Browser) {
	p := b.Open(t, newDepot(t).URL)
	p.Sees(`document.activeElement?.id === "token"`)
	got := p.Eval(`import("./attention.js").then(({ collect }) => {
		const expiry = new Date(Date.now() + 36e5).toISOString();
		const of = (address) => ({ address, workspace: "w", station_id: "S", phase: "removed", wanted: true, window: { start: expiry, expiry } });
		return collect({}, { stations: [], reservations: [of("reservation.van"), of("reservation.van[\"o'clock\"]")] }, Date.now()).map((x) => x.next.split("--replace ")[1]).join(" | ");
	})`)
	if want := `van | 'van["o'\''clock"]'`; got != want {
		t.Errorf("%v, not %s", got, want)
	}
}

// tellsTime: what time decided is told with what follows.
func tellsTime(t *testing.T, b *browser.Browser) {
	p := b.Open(t, newDepot(t).URL)
	p.Sees(`document.activeElement?.id === "token"`)
	for decision, want := range map[string]string{
		`{ phase: "no_show", reason: "no show", next: { start: "2030-01-07T22:00:00Z", expiry: "2030-01-08T06:00:00Z" } }`: "state: its driver did not come: the time to come is over; its next window: Mon 7 Jan 22:00 – Tue 8 Jan 06:00",
		`{ next: { start: "0001-01-01T00:00:00Z", expiry: "0001-01-01T00:00:00Z" } }`:                                      "its schedule is over",
		`{ drop_id: true }`:   "settled by time",
		`{ phase: "missed" }`: "state: was never held",
	} {
		got := p.Eval(`Promise.all([import("./words.js"), import("./time.js")]).then(([w, t]) => w.event({ kind: "decided", decision: ` + decision + ` }, new t.Clock("UTC")))`)
		if plainDate(got) != want {
			t.Errorf("%s: %v", decision, got)
		}
	}
}

// asTable: the same windows, a line each, with the same names and the same "why".
func asTable(t *testing.T, b *browser.Browser) {
	p := enter(t, b, newDepot(t))
	p.Sees(`document.querySelectorAll(".bar").length === 7`)
	inChart, _ := p.Eval(`JSON.stringify([...document.querySelectorAll(".bar")].map((b) => b.ariaLabel))`).(string)
	p.Eval(`document.querySelector("#as-table").focus()`)
	p.Key("Enter")
	p.Sees(`document.querySelectorAll("#table-lines button").length === 7 && document.querySelector("#rows").hidden`)
	p.Picture("table")
	inTable, _ := p.Eval(`JSON.stringify([...document.querySelectorAll("#table-lines tr")].filter((l) => l.cells.length === 6).map((l) => {
		const [station, evse, name, from, until, state] = [...l.cells].map((c) => c.textContent);
		return station.replace(" offline", "") + " " + evse + ", " + name + ", from " + from + " until " + until + ", " + state;
	}))`).(string)
	if inChart == "" || inTable != inChart {
		t.Errorf("the table says\n%s\nand the chart\n%s", inTable, inChart)
	}
	for _, want := range []string{"DEPOT-A-03 offline", "no windows"} {
		if !strings.Contains(p.Text("#table-lines"), want) {
			t.Errorf("no %q", want)
		}
	}
	p.Key("Tab")
	if got := p.Eval("document.activeElement.dataset.window"); !strings.HasPrefix(fmt.Sprint(got), `depot-a reservation.van["12"] `) {
		t.Errorf("after the switch comes %v", got)
	}
	p.Key("Enter")
	p.Sees(`document.querySelector("#why-body table")`)
	p.Key("Escape")
	p.Eval(`document.body.dataset.before = "reload"`)
	p.Do("Page.reload", nil)
	p.Sees(`!document.body?.dataset.before && document.querySelectorAll("#table-lines button").length === 7`)
	p.Eval(`document.querySelector("#as-chart").click()`)
	p.Sees(`document.querySelector("#table").hidden && document.querySelectorAll(".bar").length === 7`)
}

// tellsOrders: who has frozen a workspace or paused a station, until when, and why.
func tellsOrders(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	state := d.documents["state"].(object)
	state["workspaces"] = object{"depot-a": object{"serial": 7, "frozen": object{"by": "ann", "reason": "cables are laid", "until": d.in(48)}},
		"over": object{"serial": 1, "frozen": object{"until": d.in(-1)}}}
	state["stations"].([]object)[1]["paused"] = object{"by": "bob", "reason": "new firmware"}
	p := enter(t, b, d)
	p.Picture("orders")
	if got := p.Text("#frozen"); !strings.Contains(got, "depot-a is frozen until ") || !strings.Contains(got, " by ann: cables are laid.") || strings.Contains(got, "over") {
		t.Errorf("%q", got)
	}
	if got := p.Text("#rows"); !strings.Contains(got, "paused by bob: new firmware") {
		t.Errorf("%q", got)
	}
}

// hasWords: each phase, reason and kind of event of the sources is in words.js,
// so that what is new is not shown as it is written in the journal.
func hasWords(t *testing.T, _ *browser.Browser) {
	words, err := os.ReadFile("files/words.js")
	if err != nil {
		t.Fatal(err)
	}
	plain := map[string]bool{"canceled": true} // is a word as it is
	n := 0
	for _, file := range []string{"../reservation/book.go", "../reservation/event.go", "../reconcile/drift.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\t\w+ +(?:Phase|Reason|Kind|DriftKind)\s*= "([^"]+)"`).FindAllSubmatch(source, -1) {
			n++
			key := string(m[1])
			if !plain[key] && !regexp.MustCompile(`(?m)^  "?`+key+`"?: `).Match(words) {
				t.Errorf("%s: no words for %q", file, key)
			}
		}
	}
	if n < 70 {
		t.Errorf("%d words were looked for: the sources are written otherwise now", n)
	}
}
