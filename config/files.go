package config

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

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
)

// files reads below the root directory, each file once. os.Root refuses paths
// and symbolic links that lead outside.
type files struct {
	root   *os.Root
	limits limitsSet
	read   map[string][]byte
}

func newFiles(root *os.Root, limits limitsSet) *files {
	return &files{root: root, limits: limits, read: map[string][]byte{}}
}

var errNotRegular = errors.New("it is not a regular file")

// get reads a file named by a slash path relative to the root.
func (f *files) get(name string) ([]byte, error) {
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
		return nil, errNotRegular
	}
	file, err := f.root.Open(clean)
	if err != nil {
		return nil, escapes(err)
	}
	defer file.Close()
	b, err := readLimited(file, f.limits.fileSize)
	if err == nil {
		f.read[clean] = b
	}
	return b, err
}

// escapes replaces os.Root's terse answer.
func escapes(err error) error {
	if strings.Contains(err.Error(), "escapes from parent") {
		return errors.New("it leads outside the configuration's directory")
	}
	return errors.New(reason(err))
}

func readLimited(r io.Reader, limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, errors.New(reason(err))
	}
	if len(b) > limit {
		return nil, fmt.Errorf("it is larger than %d MiB", limit>>20)
	}
	return b, nil
}

// readDirectory parses the files of the root directory in name order. It
// reports whether going on makes sense: after a syntax error the rest would
// only complain about what the broken file declares.
func (l *loader) readDirectory() bool {
	entries, err := fs.ReadDir(l.files.root.FS(), ".")
	if err != nil {
		l.err(problem{code: codeFile, summary: "Directory cannot be read", detail: fmt.Sprintf("The directory %q: %s.", l.opts.Dir, reason(err))})
		return false
	}
	count := 0
	for _, e := range entries { // ReadDir sorts by name
		if !configFile(e.Name()) || e.IsDir() {
			continue
		}
		count++
		if body := l.parseFile(e.Name()); body != nil {
			l.bodies = append(l.bodies, body)
		}
	}
	if count == 0 {
		l.err(problem{code: codeFile, summary: "No configuration files",
			detail: fmt.Sprintf("The directory %q has no *.hcl or *.hcl.json file. Write one, or name another directory with --chdir.", l.opts.Dir)})
	}
	return !l.diags.HasErrors()
}

func configFile(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".server.hcl") {
		return false
	}
	return strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")
}

func (l *loader) parseFile(name string) hcl.Body {
	b, err := l.files.get(name)
	if err != nil {
		l.err(problem{code: codeFile, summary: "File cannot be read", detail: fmt.Sprintf("The file %q: %s.", name, err)})
		return nil
	}
	return l.parse(name, b, false)
}

// parse guards and parses one file, native syntax or JSON by its name. It gives
// nil after an error.
func (l *loader) parse(name string, b []byte, secret bool) hcl.Body {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	src := l.cfg.Sources.put(name, b, secret)
	isJSON := strings.HasSuffix(name, ".json")
	if !l.guard(name, b, isJSON) {
		return nil
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if isJSON {
		file, diags = hcljson.Parse(b, name)
	} else {
		file, diags = hclsyntax.ParseConfig(b, name, hcl.InitialPos)
	}
	if file != nil && file.Body != nil {
		src.index(file.Body)
	}
	if l.adopt(diags, codeSyntax, "") {
		return nil
	}
	l.work.watch(file.Body, b)
	return file.Body
}

// guard refuses what would kill or stall the parser.
func (l *loader) guard(name string, b []byte, isJSON bool) bool {
	at := func(offset int) *hcl.Range {
		line, start, _ := l.cfg.Sources.files[name].line(offset)
		pos := hcl.Pos{Line: line, Column: 1 + utf8.RuneCount(b[start:offset]), Byte: offset}
		return &hcl.Range{Filename: name, Start: pos, End: pos}
	}
	if len(b) > l.limits.fileSize {
		l.err(problem{code: codeLimit, summary: "File too large", detail: fmt.Sprintf("The file %q has %d bytes; at most %d are read.", name, len(b), l.limits.fileSize)})
		return false
	}
	if i := badText(b); i >= 0 {
		l.err(problem{code: codeFile, summary: "Not a text file", subject: at(i),
			detail: "The file holds a NUL character or bytes that are not UTF-8. Save it as UTF-8 text."})
		return false
	}
	var v *violation
	if isJSON {
		v = checkJSON(b, l.limits)
	} else {
		v = checkSource(b, false, l.limits)
	}
	if v == nil {
		return true
	}
	l.err(problem{code: v.code, summary: v.summary, detail: v.detail, subject: at(v.offset)})
	return false
}

// badText finds a NUL or the first invalid UTF-8, or gives -1.
func badText(b []byte) int {
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
