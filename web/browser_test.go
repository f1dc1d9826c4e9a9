package web_test

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

// browser is a headless Chromium, spoken to over its DevTools protocol.
type browser struct {
	t    *testing.T
	conn *websocket.Conn

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply
	tabs    map[string]*tab
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

// chromium starts the browser, or says loudly that there is none.
func chromium(t *testing.T) *browser {
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
	b := &browser{t: t, waiting: map[int]chan reply{}, tabs: map[string]*tab{}}
	t.Cleanup(func() {
		if b.conn != nil {
			_ = b.conn.Close()
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	var port, at string
	until(t, "chromium to say where it listens", func() bool {
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

// until waits for a browser, which tells of nothing by itself.
func until(t *testing.T, what string, done func() bool) {
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

func (b *browser) read() {
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

func (b *browser) call(session, method string, params any) (json.RawMessage, error) {
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

// tab is one page of the browser. It notes what it asks for and what goes wrong.
type tab struct {
	*browser
	session string
	asked   []string // addresses of requests
	wrong   []string // what the console, the policy or a script says
}

// open opens a tab of its own at an address.
func (b *browser) open(url string) *tab {
	b.t.Helper()
	p := &tab{browser: b}
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
		must(b.t, err)
		must(b.t, json.Unmarshal(result, &made))
	}
	p.session = made.SessionID
	b.mu.Lock()
	b.tabs[p.session] = p
	b.mu.Unlock()
	for _, domain := range []string{"Runtime", "Log", "Network", "Page", "Accessibility"} {
		p.do(domain+".enable", nil)
	}
	p.do("Page.navigate", map[string]any{"url": url})
	return p
}

// heard notes an event. It is called with the browser's lock held.
func (p *tab) heard(r reply) {
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

func (p *tab) do(method string, params any) json.RawMessage {
	p.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	result, err := p.call(p.session, method, params)
	must(p.t, err)
	return result
}

// eval gives what an expression comes to, promises awaited.
func (p *tab) eval(expression string) any {
	p.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	must(p.t, json.Unmarshal(p.do("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}), &r))
	if r.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Exception.Description)
	}
	return r.Result.Value
}

// sees waits until an expression is true.
func (p *tab) sees(expression string) {
	p.t.Helper()
	until(p.t, expression, func() bool {
		var r struct{ Result struct{ Value any } }
		result, err := p.call(p.session, "Runtime.evaluate", map[string]any{"expression": "Boolean(" + expression + ")", "returnByValue": true})
		if err != nil && strings.Contains(err.Error(), "navigated or closed") {
			return false // the page goes, and another comes
		}
		must(p.t, err)
		must(p.t, json.Unmarshal(result, &r))
		return r.Result.Value == true
	})
}

func (p *tab) text(selector string) string {
	p.t.Helper()
	text, _ := p.eval(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)).(string)
	return text
}

// key presses a key by name, as a person does.
func (p *tab) key(name string) {
	p.t.Helper()
	codes := map[string]int{"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "/": 191}
	down := map[string]any{"type": "keyDown", "key": name, "code": name, "windowsVirtualKeyCode": codes[name]}
	if name == "Enter" {
		down["text"] = "\r"
	}
	if len(name) == 1 {
		down["text"] = name
	}
	p.do("Input.dispatchKeyEvent", down)
	p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "code": name, "windowsVirtualKeyCode": codes[name]})
}

func (p *tab) write(text string) {
	p.t.Helper()
	p.do("Input.insertText", map[string]any{"text": text})
}

// size makes the window that large, and says what the person prefers.
func (p *tab) size(width, height int, features ...string) {
	p.t.Helper()
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
	media := []map[string]string{}
	for _, f := range features {
		name, value, _ := strings.Cut(f, "=")
		media = append(media, map[string]string{"name": name, "value": value})
	}
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": media})
}

// picture keeps what is seen, in the directory that RESCTL_PICTURES names.
func (p *tab) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("RESCTL_PICTURES")
	if dir == "" {
		return
	}
	var r struct{ Data string }
	must(p.t, json.Unmarshal(p.do("Page.captureScreenshot", map[string]any{"format": "png"}), &r))
	b, err := base64.StdEncoding.DecodeString(r.Data)
	must(p.t, err)
	must(p.t, os.WriteFile(filepath.Join(dir, name+".png"), b, 0o600))
}

// told returns what was asked for and what went wrong so far.
func (p *tab) told() (asked, wrong []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...), append([]string(nil), p.wrong...)
}
