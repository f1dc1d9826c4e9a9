package watch

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Fingerprint stands for every name and content of a tree.
type Fingerprint [sha256.Size]byte

// Tree is what one look at a directory saw.
type Tree struct {
	Dir         string // absolute and without symbolic links: it stays one tree when the link is swapped
	Fingerprint Fingerprint
	Revision    string // as the tree's name or git says; "": neither does

	ignore func(string) bool
}

// maxLooks is how often a look begins anew because what it was looking at was
// taken away.
const maxLooks = 5

// Look resolves the symbolic links of a directory once, and looks at all regular
// files below it, but for names that begin with a dot and absolute paths that
// ignore names (nil: none). A directory with a link ..data, as Kubernetes makes
// them for ConfigMaps and Secrets, is where that link leads. What is taken away
// meanwhile is looked at again; an error is one that several looks have met.
func Look(dir string, ignore func(path string) bool) (t Tree, err error) {
	if ignore == nil {
		ignore = func(string) bool { return false }
	}
	for range maxLooks {
		if t, err = look(dir, ignore); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return Tree{}, fmt.Errorf("watch: look at %s: %w", dir, err)
	}
	return t, nil
}

// Still reports whether the tree is what it was: whoever has read it meanwhile
// has read one state of it.
func (t Tree) Still() bool {
	now, err := fingerprint(t.Dir, t.ignore)
	return err == nil && now == t.Fingerprint
}

func look(dir string, ignore func(string) bool) (Tree, error) {
	real, err := resolve(dir)
	if err != nil {
		return Tree{}, err
	}
	sum, err := fingerprint(real, ignore)
	if now, again := resolve(dir); err == nil && (again != nil || now != real) {
		return Tree{}, fs.ErrNotExist // swapped, and the old one may be half gone
	}
	return Tree{Dir: real, Fingerprint: sum, Revision: revision(dir, real), ignore: ignore}, err
}

// swapped is the link that the kubelet swaps.
const swapped = "..data"

func resolve(dir string) (string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	if to, err := os.Readlink(filepath.Join(real, swapped)); err == nil && strings.HasPrefix(to, "..") && filepath.Base(to) == to {
		if real, err = filepath.EvalSymlinks(filepath.Join(real, swapped)); err != nil {
			return "", err
		}
	}
	return filepath.Abs(real)
}

// What one look costs at most. Of what is beyond the bytes only size and time of
// modification are seen; more names than that are not a configuration.
const (
	maxFile  = 64 << 20
	maxBytes = 256 << 20
	maxNames = 100_000
	maxDepth = 64
)

// walk goes over one tree.
type walk struct {
	root   *os.Root
	real   string
	ignore func(string) bool
	sum    hash.Hash
	chain  []fs.FileInfo // directories above: a link to one of them is not followed
	names  int
	bytes  int64
}

func fingerprint(real string, ignore func(string) bool) (f Fingerprint, err error) {
	root, err := os.OpenRoot(real)
	if err != nil {
		return f, err
	}
	defer root.Close()
	w := &walk{root: root, real: real, ignore: ignore, sum: sha256.New()}
	if err := w.directory("."); err != nil {
		return f, err
	}
	return Fingerprint(w.sum.Sum(nil)), nil
}

func (w *walk) directory(name string) error {
	info, err := w.root.Stat(name)
	if err != nil {
		return err
	}
	for _, above := range w.chain {
		if os.SameFile(above, info) {
			return nil
		}
	}
	if len(w.chain) == maxDepth {
		return fmt.Errorf("directories are more than %d deep; watch the directory of the configuration alone", maxDepth)
	}
	w.chain = append(w.chain, info)
	defer func() { w.chain = w.chain[:len(w.chain)-1] }()
	entries, err := fs.ReadDir(w.root.FS(), name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if at := path.Join(name, e.Name()); !strings.HasPrefix(e.Name(), ".") && !w.ignore(filepath.Join(w.real, filepath.FromSlash(at))) {
			if err := w.entry(at, e.Type()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) entry(name string, kind fs.FileMode) error {
	if w.names++; w.names > maxNames {
		return fmt.Errorf("there are more than %d files; watch the directory of the configuration alone", maxNames)
	}
	if kind.IsDir() {
		return w.directory(name)
	}
	if kind&fs.ModeSymlink != 0 {
		to, err := w.root.Readlink(name)
		if err != nil {
			return err
		}
		w.note("link", name, to)
	}
	info, err := w.root.Stat(name)
	switch {
	case err != nil && kind&fs.ModeSymlink != 0:
		return nil // it leads nowhere, or outside, where a configuration does not read either
	case err != nil:
		return err
	case info.IsDir():
		return w.directory(name)
	case !info.Mode().IsRegular():
		w.note("other", name, "")
		return nil
	}
	return w.file(name, info)
}

// file adds a name and what it holds.
func (w *walk) file(name string, info fs.FileInfo) error {
	w.bytes += info.Size()
	if info.Size() > maxFile || w.bytes > maxBytes {
		w.note("large", name, fmt.Sprint(info.Size(), info.ModTime().UnixNano()))
		return nil
	}
	f, err := w.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	content := sha256.New()
	if _, err := io.Copy(content, bufio.NewReader(io.LimitReader(f, maxFile))); err != nil {
		return err
	}
	w.note("file", name, string(content.Sum(nil)))
	return nil
}

// note adds words so that no two sequences of them are the same bytes.
func (w *walk) note(words ...string) {
	for _, s := range words {
		_ = binary.Write(w.sum, binary.BigEndian, uint64(len(s)))
		_, _ = io.WriteString(w.sum, s)
	}
}
