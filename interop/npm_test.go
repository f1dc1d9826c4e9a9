package interop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// nodePackages are the files that say what is installed, each with its digest.
var nodePackages = []string{"package.json", "package-lock.json"}

// npmMissing is why there are no packages: what needs them is skipped, loudly,
// unless CI says that nothing may be.
func npmMissing(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("npm packages: %v", err)
	}
	t.Skipf("SKIPPED, AND PROVES NOTHING: npm packages: %v (with CI=true this fails)", err)
}

// installed is the directory of node_modules, filled once per lock file: in the
// user's cache, never in the repository.
var installed = sync.OnceValues(func() (string, error) {
	h := sha256.New()
	for _, name := range nodePackages {
		b, err := os.ReadFile(filepath.Join("testdata", "node", name))
		if err != nil {
			return "", err
		}
		h.Write(b)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "resctl-interop", hex.EncodeToString(h.Sum(nil))[:16])
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "ocpp-rpc")); err == nil {
		return dir, nil
	}
	if err := install(dir); err != nil {
		return "", err
	}
	return dir, nil
})

// install fills a directory beside the wanted one and then moves it there, so
// that half an installation is never used.
func install(dir string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("npm is not installed")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(dir), "install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	for _, name := range nodePackages {
		b, err := os.ReadFile(filepath.Join("testdata", "node", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(temporary, name), b, 0o644)
		}
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = temporary
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(temporary, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(dir); there != nil { // else somebody else was faster
			return err
		}
	}
	return nil
}
