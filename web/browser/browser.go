// Package browser is a headless Chromium for tests, spoken to over its DevTools
// protocol: it opens pages, presses keys, and says what a person would see.
package browser

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Browser is a Chromium that runs as long as the test which started it.
type Browser struct {
	conn *websocket.Conn

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply
	tabs    map[string]*Tab
}

type reply struct {
	ID        int             `json:"id"`
	SessionID string          `json:"sessionId"`
	Method    string          `json:"method"`
	Params    json.RawMessage `json:"params"`
	Result    json.RawMessage `json:"result"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Start starts the browser. Where there is none it skips the test, and says so
// loudly; where CI is true the test fails.
func Start(t *testing.T) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	switch {
	case path == "" && os.Getenv("CI") == "true":
		t.Fatal("there is no chromium: the page is not tested")
	case path == "":
		t.Skip("NO CHROMIUM: the page is not tested in a browser. Debian has it as chromium.")
	}
	dir, err := os.MkdirTemp("", "chromium")
	must(t, err)
	cmd := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--remote-debugging-port=0", "--user-data-dir="+dir, "about:blank")
	must(t, cmd.Start())
	b := &Browser{waiting: map[int]chan reply{}, tabs: map[string]*Tab{}}
	t.Cleanup(func() {
		if b.conn != nil {
			_ = b.conn.Close()
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	var port, at string
	Until(t, "chromium to say where it listens", func() bool {
		said, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		if err != nil {
			return false
		}
		port, at, _ = strings.Cut(strings.TrimSpace(string(said)), "\n")
		return at != ""
	})
	b.conn, _, err = websocket.DefaultDialer.Dial("ws://127.0.0.1:"+port+at, nil)
	must(t, err)
	go b.read()
	return b
}

// Until waits for something that tells of nothing by itself, such as a browser,
// and fails the test after half a minute.
func Until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain for " + what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *Browser) read() {
	for {
		var r reply
		if b.conn.ReadJSON(&r) != nil {
			return
		}
		b.mu.Lock()
		if c := b.waiting[r.ID]; r.Method == "" && c != nil {
			delete(b.waiting, r.ID)
			c <- r
		} else if p := b.tabs[r.SessionID]; p != nil {
			p.heard(r)
		}
		b.mu.Unlock()
	}
}

func (b *Browser) call(session, method string, params any) (json.RawMessage, error) {
	c := make(chan reply, 1)
	b.mu.Lock()
	b.last++
	id := b.last
	b.waiting[id] = c
	err := b.conn.WriteJSON(map[string]any{"id": id, "sessionId": session, "method": method, "params": params})
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case r := <-c:
		if r.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, r.Error.Message)
		}
		return r.Result, nil
	case <-time.After(30 * time.Second):
		return nil, errors.New(method + ": no answer")
	}
}

// Tab is one page of the browser, in a profile of its own. It notes what it asks
// for and what goes wrong. What cannot be done fails its test.
type Tab struct {
	t       *testing.T
	browser *Browser
	session string
	asked   []string // addresses of requests
	wrong   []string // what the console, the policy or a script says
}

// Open opens a tab at an address.
func (b *Browser) Open(t *testing.T, url string) *Tab {
	t.Helper()
	p := &Tab{t: t, browser: b}
	var made struct{ BrowserContextID, TargetID, SessionID string }
	for _, step := range []struct {
		method string
		params map[string]any
	}{
		{"Target.createBrowserContext", map[string]any{}},
		{"Target.createTarget", map[string]any{"url": "about:blank"}},
		{"Target.attachToTarget", map[string]any{"flatten": true}},
	} {
		if made.BrowserContextID != "" {
			step.params["browserContextId"] = made.BrowserContextID
		}
		if made.TargetID != "" {
			step.params = map[string]any{"targetId": made.TargetID, "flatten": true}
		}
		result, err := b.call("", step.method, step.params)
		must(t, err)
		must(t, json.Unmarshal(result, &made))
	}
	p.session = made.SessionID
	b.mu.Lock()
	b.tabs[p.session] = p
	b.mu.Unlock()
	for _, domain := range []string{"Runtime", "Log", "Network", "Page", "Accessibility"} {
		p.Do(domain+".enable", nil)
	}
	p.Do("Page.navigate", map[string]any{"url": url})
	return p
}

// heard notes an event. It is called with the browser's lock held.
func (p *Tab) heard(r reply) {
	var x struct {
		Request          struct{ URL string }
		Entry            struct{ Level, Text, URL string }
		Type             string
		Args             []struct{ Value any }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	_ = json.Unmarshal(r.Params, &x)
	switch {
	case r.Method == "Network.requestWillBeSent":
		p.asked = append(p.asked, x.Request.URL)
	case r.Method == "Log.entryAdded" && x.Entry.Level == "error":
		p.wrong = append(p.wrong, x.Entry.Text+" "+x.Entry.URL)
	case r.Method == "Runtime.consoleAPICalled" && x.Type == "error":
		p.wrong = append(p.wrong, fmt.Sprint(x.Args))
	case r.Method == "Runtime.exceptionThrown":
		p.wrong = append(p.wrong, x.ExceptionDetails.Text+" "+x.ExceptionDetails.Exception.Description)
	}
}

// Do calls a method of the protocol, and gives its result.
func (p *Tab) Do(method string, params any) json.RawMessage {
	p.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	result, err := p.browser.call(p.session, method, params)
	must(p.t, err)
	return result
}

// Eval gives what an expression comes to, promises awaited.
func (p *Tab) Eval(expression string) any {
	p.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	must(p.t, json.Unmarshal(p.Do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}), &r))
	if r.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Exception.Description)
	}
	return r.Result.Value
}

// Sees waits until an expression is true.
func (p *Tab) Sees(expression string) {
	p.t.Helper()
	Until(p.t, expression, func() bool {
		var r struct{ Result struct{ Value any } }
		result, err := p.browser.call(p.session, "Runtime.evaluate", map[string]any{"expression": "Boolean(" + expression + ")", "returnByValue": true})
		if err != nil && strings.Contains(err.Error(), "navigated or closed") {
			return false // the page goes, and another comes
		}
		must(p.t, err)
		must(p.t, json.Unmarshal(result, &r))
		return r.Result.Value == true
	})
}

// Text is what is to be read in the first element that a selector finds; "": there is none.
func (p *Tab) Text(selector string) string {
	p.t.Helper()
	text, _ := p.Eval(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)).(string)
	return text
}

// Key presses a key by name, as a person does.
func (p *Tab) Key(name string) {
	p.t.Helper()
	codes := map[string]int{"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "/": 191}
	down := map[string]any{"type": "keyDown", "key": name, "code": name, "windowsVirtualKeyCode": codes[name]}
	if name == "Enter" {
		down["text"] = "\r"
	}
	if len(name) == 1 {
		down["text"] = name
	}
	p.Do("Input.dispatchKeyEvent", down)
	p.Do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "code": name, "windowsVirtualKeyCode": codes[name]})
}

// Write types a text where the keyboard is.
func (p *Tab) Write(text string) {
	p.t.Helper()
	p.Do("Input.insertText", map[string]any{"text": text})
}

// Size makes the window that large, and says what the person prefers.
func (p *Tab) Size(width, height int, features ...string) {
	p.t.Helper()
	p.Do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
	media := []map[string]string{}
	for _, f := range features {
		name, value, _ := strings.Cut(f, "=")
		media = append(media, map[string]string{"name": name, "value": value})
	}
	p.Do("Emulation.setEmulatedMedia", map[string]any{"features": media})
}

// Picture keeps what is seen, in the directory that RESCTL_PICTURES names.
func (p *Tab) Picture(name string) {
	p.t.Helper()
	dir := os.Getenv("RESCTL_PICTURES")
	if dir == "" {
		return
	}
	var r struct{ Data string }
	must(p.t, json.Unmarshal(p.Do("Page.captureScreenshot", map[string]any{"format": "png"}), &r))
	b, err := base64.StdEncoding.DecodeString(r.Data)
	must(p.t, err)
	must(p.t, os.WriteFile(filepath.Join(dir, name+".png"), b, 0o600))
}

// Told returns what was asked for and what went wrong so far.
func (p *Tab) Told() (asked, wrong []string) {
	p.browser.mu.Lock()
	defer p.browser.mu.Unlock()
	return append([]string(nil), p.asked...), append([]string(nil), p.wrong...)
}
