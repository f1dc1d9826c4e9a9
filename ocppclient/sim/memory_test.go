package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What every Memory owes.
func exercise(t *testing.T, open func() Memory) {
	t.Helper()
	m := open()
	if b, err := m.Load("S1"); b != nil || err != nil {
		t.Fatalf("empty: %q, %v", b, err)
	}
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			for round := range 2 {
				if err := m.Save(fmt.Sprint("S/", i), fmt.Appendf(nil, `{"round":%d}`, round), i%2 == 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for _, m := range []Memory{m, open()} {
		for i := range 20 {
			if b, err := m.Load(fmt.Sprint("S/", i)); string(b) != `{"round":1}` || err != nil {
				t.Errorf("S/%d: %q, %v", i, b, err)
			}
		}
	}
}

func TestDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made")
	exercise(t, func() Memory { return Directory(path) })
}

func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet")
	exercise(t, func() Memory { return mustOpenLog(t, path) })
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func mustOpenLog(t *testing.T, path string) *Log {
	t.Helper()
	l, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestLogTornAndBroken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet")
	good := `{"station":"S1","snapshot":{"a":1}}` + "\n"
	for content, opens := range map[string]bool{good: true, good + `{"station":"S1","snap`: true, "{\n" + good: false} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := OpenLog(path)
		if (err == nil) != opens {
			t.Errorf("%q: %v", content, err)
		}
		if err != nil {
			continue
		}
		if b, _ := l.Load("S1"); string(b) != `{"a":1}` {
			t.Errorf("%q: %s", content, b)
		}
		_ = l.Close()
	}
}

func TestLogIsRewrittenWhenItHasGrown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet")
	l := mustOpenLog(t, path)
	snapshot := []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
	for range 10 {
		if err := l.Save("S1", snapshot, true); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > minCompact+2<<20 {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	if b, _ := mustOpenLog(t, path).Load("S1"); len(b) != len(snapshot) {
		t.Errorf("%d bytes came back", len(b))
	}
}
