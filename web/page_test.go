package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/resctl/resctl/web/browser"
)

// TestPage goes through the page as a person does, in a real browser.
func TestPage(t *testing.T) {
	b := browser.Start(t)
	for name, story := range map[string]func(*testing.T, *browser.Browser){
		"signs in and out":               signsIn,
		"is not signed out by the past":  signedOutLate,
		"shows what needs somebody":      needsSomebody,
		"is worked by keyboard":          byKeyboard,
		"is live":                        isLive,
		"comes back after a broken link": comesBack,
		"finds":                          finds,
		"fits small and large windows":   fits,
		"heeds what people prefer":       heeds,
		"names all that can be used":     names,
		"tells what is new":              tellsNews,
		"leaves time to what is due":     hasTime,
		"writes commands to be pasted":   asCommand,
		"tells what time decides":        tellsTime,
		"is a table as well":             asTable,
		"shows each station's own times": stationTimes,
		"knows when clocks are changed":  clocksChange,
		"says what somebody has ordered": tellsOrders,
		"has words for all that is said": hasWords,
		"says what to do when empty":     isEmpty,
		"stays usable with 1000 rows":    manyRows,
	} {
		t.Run(name, func(t *testing.T) {
			story(t, b)
		})
	}
}

// enter opens the page and signs in, and holds it to its promises at the end.
func enter(t *testing.T, b *browser.Browser, d *depot) *browser.Tab {
	t.Helper()
	p := b.Open(t, d.URL)
	p.Size(1280, 900)
	t.Cleanup(func() { kept(t, p, d) })
	p.Sees(`document.activeElement?.id === "token"`)
	p.Write(rightToken)
	p.Key("Enter")
	p.Sees(`document.querySelector(".bar")`)
	return p
}

// kept: no other origin, no violation of the policy, no error, no token in an address.
func kept(t *testing.T, p *browser.Tab, d *depot) {
	t.Helper()
	asked, wrong := p.Told()
	for _, url := range asked {
		if !strings.HasPrefix(url, d.URL+"/") && url != "about:blank" {
			t.Errorf("asked %s", url)
		}
		if strings.Contains(url, rightToken) {
			t.Errorf("the token is in an address: %s", url)
		}
	}
	for _, w := range wrong {
		if !strings.Contains(w, "ERR_INCOMPLETE_CHUNKED_ENCODING") && !strings.Contains(w, "ERR_CONNECTION_REFUSED") {
			t.Errorf("the console says: %s", w)
		}
	}
	if title := p.Eval("document.title"); title != "resctl" {
		t.Errorf("what a station said was run: %v", title)
	}
}

func signsIn(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	p := b.Open(t, d.URL)
	p.Size(1280, 900)
	p.Sees(`document.activeElement?.id === "token"`)
	p.Write("wrong")
	p.Key("Enter")
	p.Sees(`document.querySelector("#door-says").textContent.includes("not known")`)
	p.Picture("door")
	if !strings.Contains(p.Text("#door-says"), "RC801") {
		t.Errorf("refused with %q", p.Text("#door-says"))
	}
	if p.Eval("sessionStorage.length") != 0.0 {
		t.Error("a token that is not taken is kept")
	}
	p.Write(rightToken)
	p.Key("Enter")
	p.Sees(`document.querySelector(".bar")`)
	if p.Eval("localStorage.length + document.cookie.length") != 0.0 {
		t.Error("the token outlives the tab")
	}
	p.Eval(`document.body.dataset.before = "reload"`)
	p.Do("Page.reload", nil)
	p.Sees(`!document.body?.dataset.before && document.querySelector(".bar")`)
	d.happens(object{"kind": "connected", "station_id": "DEPOT-A-03"}, nil)
	p.Sees(`document.querySelectorAll("#lines li").length === 1`)
	p.Eval(`document.querySelector(".bar").click()`)
	p.Sees(`document.querySelector("#why-body table")`)
	p.Eval(`document.querySelector("#leave").click()`)
	p.Sees(`document.querySelector("#house").hidden && sessionStorage.length === 0`)
	if left, _ := p.Eval(`document.body.textContent`).(string); strings.Contains(left, "DEPOT-A-") {
		t.Errorf("who has left leaves something behind for the next token:\n%s", left)
	}
	p.Write(rightToken)
	p.Key("Enter")
	p.Sees(`document.querySelector(".bar") && document.querySelectorAll("#lines li").length > 0`)
	if n := p.Eval(`document.querySelectorAll("#lines li").length`); n != 1.0 {
		t.Errorf("the next token sees %v lines of one", n)
	}
}

// signedOutLate: what is refused after another token was taken concerns nobody.
func signedOutLate(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	p := b.Open(t, d.URL)
	p.Sees(`document.activeElement?.id === "token"`)
	p.Eval(`(() => {
		const real = fetch;
		window.late = new Promise((done) => (window.let = done)); // until then documents are not refused
		window.fetch = async (url, o) => {
			const old = o.headers.Authorization.endsWith("wrong") && !String(url).includes("events");
			const answer = await real(url, old ? { ...o, signal: undefined } : o);
			if (old) await window.late;
			return answer;
		};
	})()`)
	p.Write("wrong")
	p.Key("Enter")
	p.Sees(`document.querySelector("#door-says").textContent.includes("not known")`)
	p.Write(rightToken)
	p.Key("Enter")
	p.Sees(`document.querySelector("#link").textContent === "live"`)
	p.Eval(`window.let()`)
	p.Sees(`document.querySelector(".bar")`)
	if p.Eval(`document.querySelector("#house").hidden || !sessionStorage.length`) == true {
		t.Error("an answer to the token of before signed out")
	}
}

func needsSomebody(t *testing.T, b *browser.Browser) {
	p := enter(t, b, newDepot(t))
	p.Picture("light")
	if got := p.Text("#attention-title"); got != "Needs somebody: 2" {
		t.Errorf("%q", got)
	}
	list := p.Text("#attention-list")
	at := 0
	for _, want := range []string{`van["19"]`, "overdue", "tried again when it leaves", "DEPOT-A-03", "offline", "2 reservations wait for it"} {
		i := strings.Index(list[at:], want)
		if i < 0 {
			t.Fatalf("no %q, or in the wrong order:\n%s", want, list)
		}
		at += i
	}
	if p.Eval(`document.querySelectorAll(".bar").length`) != 7.0 {
		t.Errorf("%v windows", p.Eval(`document.querySelectorAll(".bar").length`))
	}
	for _, manner := range []string{"wanted", "held", "used", "amiss"} {
		if p.Eval(fmt.Sprintf(`document.querySelectorAll("#rows .part.%s").length`, manner)) == 0.0 {
			t.Errorf("nothing is drawn as %s", manner)
		}
	}
	// Two windows of "any EVSE" stand one below the other.
	if p.Eval(`(() => { const [a, b] = [...document.querySelectorAll('.bar[data-at^="2 0"]')].map((x) => x.getBoundingClientRect()); return a.bottom <= b.top })()`) != true {
		t.Error("windows that overlap are drawn over each other")
	}
	if got := p.Text(".station:first-child, #rows .station"); !strings.Contains(got, "<img src=x") {
		t.Errorf("what a station said is not shown as text: %q", got)
	}
	p.Eval(`document.querySelector("#attention-list button").click()`)
	p.Sees(`document.querySelector("#why").open`)
}

func byKeyboard(t *testing.T, b *browser.Browser) {
	p := enter(t, b, newDepot(t))
	focus := func() string { s, _ := p.Eval(`document.activeElement.ariaLabel ?? ""`).(string); return s }
	p.Eval(`document.querySelector(".bar[tabindex='0']").focus()`)
	if got := focus(); !strings.HasPrefix(got, `DEPOT-A-01 EVSE 1, van["12"], from `) || !strings.HasSuffix(got, ", held") {
		t.Fatalf("%q", got)
	}
	for _, step := range []struct{ key, at string }{{"ArrowRight", `van["12"]`}, {"ArrowDown", `van["08"]`}, {"ArrowLeft", `van["07"]`}, {"ArrowDown", `van["19"]`},
		{"ArrowDown", `pool["a"]`}, {"ArrowDown", `pool["a"]`}, {"ArrowUp", `van["19"]`}, {"ArrowUp", `van["07"]`}, {"ArrowUp", `van["12"]`}} {
		p.Key(step.key)
		if got := focus(); !strings.Contains(got, ", "+step.at+", from ") {
			t.Fatalf("after %s at %q, not %s", step.key, got, step.at)
		}
	}
	if p.Eval(`document.querySelectorAll(".bar[tabindex='0']").length`) != 1.0 {
		t.Error("more than one window is in the order of Tab")
	}
	p.Key("Enter")
	p.Sees(`document.querySelector("#why-body table")`)
	p.Picture("why")
	for _, want := range []string{"fleet.hcl:41", "#7f2a", "id 1048577", "revision 4cbe69b", "It is held until", "accepted: <img src=x", "ReserveNow 1048577", "telepathy", "Sun, Mon, Tue 22:00 – 06:00, Europe/Amsterdam"} {
		if !strings.Contains(p.Text("#why"), want) {
			t.Errorf("why does not say %q:\n%s", want, p.Text("#why"))
		}
	}
	p.Key("Escape")
	p.Sees(`!document.querySelector("#why").open`)
	if got := focus(); !strings.Contains(got, `, van["12"], `) {
		t.Errorf("the keyboard is at %q", got)
	}
	p.Key("/")
	if p.Eval("document.activeElement.id") != "query" {
		t.Error("/ does not search")
	}
}

func isLive(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	p := enter(t, b, d)
	p.Sees(`document.querySelector("#link").textContent === "live"`)
	p.Eval(`document.querySelector(".bar[tabindex='0']").focus()`)
	d.happens(object{"kind": "reported", "station_id": "DEPOT-A-01", "address": `reservation.van["12"]`, "reservation_id": 1048577, "update": hostile}, func() {
		rows := d.documents["timeline"].(object)["rows"].([]object)
		rows[0]["windows"].([]object)[0]["phase"] = "pending"
	})
	p.Sees(`document.querySelector("#lines li")?.innerText.includes("reports that reservation 1048577 is <img")`)
	p.Sees(`document.querySelector(".bar").ariaLabel.includes(", due, not held")`)
	if n := p.Eval(`(() => { document.querySelector("#query").dispatchEvent(new Event("input")); return document.querySelectorAll(".bar").length })()`); n != 7.0 {
		t.Errorf("it flickers: %v windows are there when all is drawn again", n)
	}
	if got, _ := p.Eval("document.activeElement.ariaLabel").(string); !strings.Contains(got, `, van["12"], `) {
		t.Errorf("a look moved the keyboard to %q", got)
	}
}

func comesBack(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	p := enter(t, b, d)
	p.Sees(`document.querySelector("#link").textContent === "live"`)
	d.happens(object{"kind": "connected", "station_id": "DEPOT-A-03"}, nil)
	p.Sees(`document.querySelectorAll("#lines li").length === 1`)
	d.CloseClientConnections()
	p.Sees(`document.querySelector("#link").textContent.includes("lost")`)
	d.happens(object{"kind": "booted", "station_id": "DEPOT-A-03"}, nil)
	p.Sees(`document.querySelector("#link").textContent === "live" && document.querySelectorAll("#lines li").length === 2`)
	if got := p.Text("#lines"); !strings.Contains(got, "started") || strings.Count(got, "connected") != 1 {
		t.Errorf("it went on elsewhere than where it was:\n%s", got)
	}
}

func finds(t *testing.T, b *browser.Browser) {
	p := enter(t, b, newDepot(t))
	for query, want := range map[string]struct {
		bars float64
		says string
	}{
		`van["12"]`: {2, "2 windows at 1 station."}, "depot-a-02": {1, "1 window at 1 station."}, "#0C11": {1, "1 window at 1 station."},
		"pool": {2, "2 windows at 1 station."}, "nobody": {0, "Nothing matches “nobody” in this range."},
	} {
		p.Eval(fmt.Sprintf(`(() => { const q = document.querySelector("#query"); q.value = %q; q.dispatchEvent(new Event("input")); q.focus() })()`, query))
		p.Sees(fmt.Sprintf(`document.querySelector("#found").textContent === %q && document.querySelectorAll(".bar").length === %v`, want.says, want.bars))
	}
	p.Key("Escape")
	p.Sees(`document.querySelectorAll(".bar").length === 7 && document.querySelector("#found").textContent === ""`)
}

// apart: no two times above the chart touch, and none is cut off.
const apart = `(() => {
	const ticks = [...document.querySelectorAll(".tick")].map((x) => x.getBoundingClientRect());
	const end = document.querySelector(".axis .track").getBoundingClientRect().right;
	return ticks.length > 0 && ticks.every((x, i) => x.right <= (ticks[i + 1]?.left ?? end));
})()`

func fits(t *testing.T, b *browser.Browser) {
	p := enter(t, b, newDepot(t))
	for _, width := range []int{360, 640, 768, 1024, 2400} {
		p.Size(width, 800)
		p.Sees(`document.querySelector(".bar")`)
		p.Sees(apart)
		if p.Eval(`document.documentElement.scrollWidth > innerWidth`) == true {
			t.Errorf("at %d pixels it is wider than the window: %v", width, p.Eval(`document.documentElement.scrollWidth`))
		}
		if width == 360 {
			p.Picture("phone")
		}
	}
	p.Size(640, 450) // as 1280 by 900 is at 200 %
	p.Eval(`document.querySelector(".bar").click()`)
	p.Sees(`document.querySelector("#why-body table")`)
	if p.Eval(`document.documentElement.scrollWidth > innerWidth || document.querySelector("#why").scrollWidth > document.querySelector("#why").clientWidth`) == true {
		t.Error("why is wider than the window")
	}
}

func heeds(t *testing.T, b *browser.Browser) {
	p := enter(t, b, newDepot(t))
	light := p.Eval(`getComputedStyle(document.body).backgroundColor`)
	p.Size(1280, 900, "prefers-color-scheme=dark")
	if p.Eval(`getComputedStyle(document.body).backgroundColor`) == light {
		t.Error("dark is as light")
	}
	p.Sees(`document.querySelector(".bar")`)
	p.Picture("dark")
	moves := `[...document.querySelectorAll(".bar .part")].some((x) => getComputedStyle(x).transitionDuration !== "0s")`
	p.Size(1280, 900, "prefers-reduced-motion=no-preference")
	if p.Eval(moves) != true {
		t.Error("nothing moves, so this shows nothing")
	}
	p.Size(1280, 900, "prefers-reduced-motion=reduce")
	if p.Eval(moves) == true {
		t.Error("something moves")
	}
}

func isEmpty(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	d.documents["timeline"].(object)["rows"] = []object{}
	d.documents["drift"].(object)["drift"] = []object{}
	state := d.documents["state"].(object)
	state["reservations"], state["stations"] = []object{}, []object{}
	p := b.Open(t, d.URL)
	p.Size(1280, 900)
	p.Sees(`document.activeElement?.id === "token"`)
	p.Write(rightToken)
	p.Key("Enter")
	p.Sees(`!document.querySelector("#start").hidden && !document.querySelector("#attention-none").hidden`)
	p.Picture("empty")
	if !strings.Contains(p.Text("#start"), "resctl apply") {
		t.Errorf("%q", p.Text("#start"))
	}
	kept(t, p, d)
}

// manyRows: of a large fleet only what is near the eye is in the page.
func manyRows(t *testing.T, b *browser.Browser) {
	d := newDepot(t)
	var rows, stations []object
	for s := range 1000 {
		id := fmt.Sprintf("DEPOT-%04d", s)
		stations = append(stations, object{"id": id, "connected": true})
		for e := range 2 {
			var windows []object
			for w := range 10 {
				windows = append(windows, d.bar(fmt.Sprintf("van[\"%d-%d-%d\"]", s, e, w), "scheduled", float64(2*w), float64(2*w)+1.5))
			}
			rows = append(rows, object{"station_id": id, "evse_id": e + 1, "windows": windows})
		}
	}
	d.documents["timeline"].(object)["rows"] = rows
	d.documents["state"].(object)["stations"] = stations
	p := enter(t, b, d)
	if n := p.Eval(`document.querySelectorAll(".bar").length`).(float64); n > 2000 {
		t.Errorf("%v of 20000 windows are in the page", n)
	}
	p.Eval(`(() => { const q = document.querySelector("#query"); q.value = "999-1-9"; q.dispatchEvent(new Event("input")) })()`)
	p.Sees(`document.querySelectorAll(".bar").length === 1 && document.querySelector(".bar").ariaLabel.includes("999-1-9")`)
	p.Eval(`(() => { const q = document.querySelector("#query"); q.value = ""; q.dispatchEvent(new Event("input")); scrollTo(0, document.body.scrollHeight) })()`)
	p.Sees(`[...document.querySelectorAll(".bar")].some((b) => b.ariaLabel.includes("999-1-9"))`)
	took := p.Eval(`(async () => { const t = performance.now(); const q = document.querySelector("#query"); q.dispatchEvent(new Event("input")); await new Promise(requestAnimationFrame); return performance.now() - t })()`)
	t.Logf("20,000 windows are drawn again in %.0f ms", took)
	p.Eval(`(() => { const q = document.querySelector("#query"); q.value = "DEPOT-000"; q.dispatchEvent(new Event("input")) })()`)
	p.Eval(`addEventListener("afterprint", () => (window.printed = document.querySelectorAll(".bar").length))`)
	p.Do("Page.printToPDF", nil)
	if n := p.Eval(`window.printed`); n != 200.0 {
		t.Errorf("%v of 200 windows are printed", n)
	}
}
