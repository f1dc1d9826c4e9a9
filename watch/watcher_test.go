package watch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/resctl/resctl/watch"
)

// visits runs a Watcher in virtual time, and notes what it hands out.
type visits struct {
	t        *testing.T
	dir      string
	started  time.Time
	mu       sync.Mutex
	seen     []string        // "12s main" or "12s error"
	verdicts []watch.Verdict // the next ones; then Done
	nudge    chan struct{}
	onVisit  func()
}

func (v *visits) visit(_ context.Context, tree watch.Tree, err error) watch.Verdict {
	v.mu.Lock()
	defer v.mu.Unlock()
	what := "error"
	if err == nil {
		b, _ := os.ReadFile(tree.Dir + "/main.hcl")
		what = string(b)
	}
	v.seen = append(v.seen, fmt.Sprintf("%v %s", time.Since(v.started).Round(time.Second), what))
	if v.onVisit != nil {
		v.onVisit()
	}
	if len(v.verdicts) == 0 {
		return watch.Done
	}
	next := v.verdicts[0]
	v.verdicts = v.verdicts[1:]
	return next
}

// live runs a watcher that looks every minute, for changes of 5 s, until script ends.
func live(t *testing.T, files map[string]string, script func(*visits), verdicts ...watch.Verdict) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	synctest.Test(t, func(t *testing.T) {
		v := &visits{t: t, dir: dir, started: time.Now(), verdicts: verdicts, nudge: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		w := watch.Watcher{Dir: filepath.Join(dir, "current"), Interval: time.Minute, Settle: 5 * time.Second, Nudge: v.nudge, Visit: v.visit,
			Restless: func(since time.Time) {
				v.mu.Lock()
				defer v.mu.Unlock()
				v.seen = append(v.seen, fmt.Sprintf("%v restless since %v", time.Since(v.started).Round(time.Second), since.Sub(v.started).Round(time.Second)))
			}}
		ended := make(chan struct{})
		go func() { w.Run(ctx); close(ended) }()
		script(v)
		stop()
		<-ended
	})
}

func (v *visits) after(d time.Duration) { time.Sleep(d); synctest.Wait() }

// want is what was handed out until now.
func (v *visits) want(seen ...string) {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Equal(v.seen, seen) {
		v.t.Errorf("handed out:\n%s\nwant:\n%s", strings.Join(v.seen, "\n"), strings.Join(seen, "\n"))
	}
}

func (v *visits) put(text string) { write(v.t, v.dir, map[string]string{"current/main.hcl": text}) }

// A tree is handed out when it has been the same for as long as it takes, once.
func TestSettles(t *testing.T) {
	live(t, map[string]string{"current/main.hcl": "one"}, func(v *visits) {
		v.after(10 * time.Minute)
		v.want("5s one")
		v.put("two")
		v.after(time.Minute + 5*time.Second)
		v.want("5s one", "10m10s two")
	})
}

// What changes piece by piece is handed out whole.
func TestPieceByPiece(t *testing.T) {
	live(t, map[string]string{"current/main.hcl": "one"}, func(v *visits) {
		v.after(64 * time.Second)
		for i := range 5 {
			v.put(fmt.Sprint("two ", i))
			v.after(3 * time.Second)
		}
		v.want("5s one")
		v.after(10 * time.Second)
		v.want("5s one", "1m22s two 4")
	})
}

// What never comes to rest is told once, and handed out when it does.
func TestRestless(t *testing.T) {
	live(t, map[string]string{"current/main.hcl": "one"}, func(v *visits) {
		for i := range 40 {
			v.put(fmt.Sprint("two ", i))
			v.after(4 * time.Second)
		}
		v.want("1m0s restless since 0s")
		v.after(10 * time.Second)
		v.want("1m0s restless since 0s", "2m42s two 39")
	})
}

// Again comes back without a change, Moved at once but after it has come to rest.
func TestVerdicts(t *testing.T) {
	live(t, map[string]string{"current/main.hcl": "one"}, func(v *visits) {
		v.after(5 * time.Minute)
		v.want("5s one", "1m5s one", "1m11s one")
	}, watch.Again, watch.Moved)
}

// A nudge is a look at once.
func TestNudge(t *testing.T) {
	live(t, map[string]string{"current/main.hcl": "one"}, func(v *visits) {
		v.after(10 * time.Second)
		v.put("two")
		v.nudge <- struct{}{}
		v.after(10 * time.Second)
		v.want("5s one", "15s two")
	})
}

// A directory that is not there, or vanishes, is an error once that has settled,
// and no longer when it is there.
func TestVanishes(t *testing.T) {
	live(t, nil, func(v *visits) {
		v.after(30 * time.Second)
		v.want("5s error")
		v.put("one")
		v.after(time.Minute)
		v.want("5s error", "1m10s one")
		v.after(38 * time.Second)
		check(t, os.RemoveAll(v.dir+"/current"))
		v.after(4 * time.Second) // a look has met it
		v.put("one")             // it comes back before anybody is told
		v.after(5 * time.Minute)
		v.want("5s error", "1m10s one")
	})
}

// TestOneTree: while releases are swapped and old ones removed, whoever reads a
// tree and finds that it is still what it was has read one release, never two.
func TestOneTree(t *testing.T) {
	dir := t.TempDir()
	release := func(n int) string {
		name := fmt.Sprint("releases/", n)
		write(t, dir, map[string]string{name + "/a.hcl": fmt.Sprint(n), name + "/sub/b.hcl": fmt.Sprint(n)})
		return name
	}
	check(t, os.MkdirAll(dir, 0o700))
	check(t, os.Symlink(release(0), dir+"/current"))
	swapped := make(chan error, 1)
	go func() {
		for n := 1; n <= 200; n++ {
			name := fmt.Sprint("releases/", n)
			err := os.MkdirAll(filepath.Join(dir, name, "sub"), 0o700)
			for _, f := range []string{"/a.hcl", "/sub/b.hcl"} {
				if err == nil {
					err = os.WriteFile(dir+"/"+name+f, []byte(fmt.Sprint(n)), 0o600)
				}
			}
			if err == nil {
				err = os.Symlink(name, dir+"/new")
			}
			if err == nil {
				err = os.Rename(dir+"/new", dir+"/current")
			}
			if err == nil {
				err = os.RemoveAll(fmt.Sprintf("%s/releases/%d", dir, n-1))
			}
			if err != nil {
				swapped <- err
				return
			}
		}
		swapped <- nil
	}()
	read := 0
	for done := false; !done || read == 0; {
		select {
		case err := <-swapped:
			check(t, err)
			done = true
		default:
		}
		tree, err := watch.Look(dir+"/current", nil)
		if err != nil {
			continue // swapped five times during one look
		}
		a, errA := os.ReadFile(tree.Dir + "/a.hcl")
		b, errB := os.ReadFile(tree.Dir + "/sub/b.hcl")
		if !tree.Still() {
			continue
		}
		if read++; errA != nil || errB != nil || string(a) != string(b) {
			t.Fatalf("a tree that is still what it was has %q and %q (%v, %v)", a, b, errA, errB)
		}
	}
}
