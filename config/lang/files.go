package lang

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Files reads below the root directory, each file once. os.Root refuses paths
// and symbolic links that lead outside.
type Files struct {
	root   *os.Root
	limits Limits
	read   map[string][]byte
	total  int // bytes
}

// NewFiles reads below a root that the caller closes.
func NewFiles(root *os.Root, limits Limits) *Files {
	return &Files{root: root, limits: limits, read: map[string][]byte{}}
}

// ErrNotRegular is why directories, pipes and devices are not read.
var ErrNotRegular = errors.New("it is not a regular file")

// FS is the root directory, for listing.
func (f *Files) FS() fs.FS { return f.root.FS() }

// Directory lists a directory below the root, by name. The info tells whether
// two paths lead to the same one.
func (f *Files) Directory(name string) (fs.FileInfo, []fs.DirEntry, error) {
	info, err := f.root.Stat(name)
	if err != nil {
		return nil, nil, escapes(err)
	}
	if !info.IsDir() {
		return nil, nil, errors.New("it is not a directory")
	}
	entries, err := fs.ReadDir(f.root.FS(), name)
	if err != nil {
		return nil, nil, escapes(err)
	}
	return info, entries, nil
}

// Get reads a file named by a slash path relative to the root.
func (f *Files) Get(name string) ([]byte, error) {
	if strings.ContainsRune(name, 0) {
		return nil, errors.New("the name holds a NUL character")
	}
	if path.IsAbs(name) || filepath.IsAbs(name) {
		return nil, errors.New("the path is absolute; only files below the configuration's directory can be read")
	}
	clean := path.Clean(filepath.ToSlash(name))
	if b, ok := f.read[clean]; ok {
		return b, nil
	}
	info, err := f.root.Stat(clean) // before opening: a pipe would block
	if err != nil {
		return nil, escapes(err)
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	file, err := f.root.Open(clean)
	if err != nil {
		return nil, escapes(err)
	}
	defer file.Close()
	b, err := ReadLimited(file, f.limits.FileSize)
	if err != nil {
		return nil, err
	}
	if f.total += len(b); f.total > f.limits.TotalSize || len(f.read) == f.limits.Files {
		return nil, fmt.Errorf("more than %d files, or %d MiB in all, would be read", f.limits.Files, f.limits.TotalSize>>20)
	}
	f.read[clean] = b
	return b, nil
}

// escapes replaces os.Root's terse answer.
func escapes(err error) error {
	if strings.Contains(err.Error(), "escapes from parent") {
		return errors.New("it leads outside the configuration's directory")
	}
	return errors.New(Reason(err))
}

// ReadLimited reads all, or fails if that is more than limit bytes.
func ReadLimited(r io.Reader, limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, errors.New(Reason(err))
	}
	if len(b) > limit {
		return nil, fmt.Errorf("it is larger than %d MiB", limit>>20)
	}
	return b, nil
}

// BadText finds a NUL or the first invalid UTF-8, or gives -1.
func BadText(b []byte) int {
	nul := bytes.IndexByte(b, 0)
	if utf8.Valid(b) {
		return nul
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 || r == 0 {
			return i
		}
		i += n
	}
	return nul
}

// Reason is why a file operation failed, without the path that the caller names.
func Reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	}
	return err.Error()
}
