package diag

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Sources keeps the bytes of the files that were read, and where their blocks
// stand, so that diagnostics can show them after the syntax trees are gone.
type Sources struct {
	files map[string]*source
}

// source is one file. Its line index is built once, on first use: finding the
// line of a diagnostic must not mean reading the file again.
type source struct {
	bytes  []byte
	secret bool // variable files: no snippets, they may hold tokens and passwords
	lines  []int
	blocks []span
}

// span is a top-level block: `reservation "van"`.
type span struct {
	start, end int
	header     string
}

// NewSources makes an empty collection.
func NewSources() *Sources { return &Sources{files: map[string]*source{}} }

// Names lists the files, sorted.
func (s *Sources) Names() []string { return slices.Sorted(maps.Keys(s.files)) }

// Bytes gives the content of a file that was read, or nil. The caller must not change it.
func (s *Sources) Bytes(name string) []byte {
	if f := s.files[name]; f != nil {
		return f.bytes
	}
	return nil
}

// Put keeps a file. Of a secret one no lines are shown.
func (s *Sources) Put(name string, b []byte, secret bool) {
	s.files[name] = &source{bytes: b, secret: secret}
}

// At is the place of an offset in a file that was put.
func (s *Sources) At(name string, offset int) *hcl.Range {
	f := s.files[name]
	line, start, _ := f.line(offset)
	pos := hcl.Pos{Line: line, Column: 1 + utf8.RuneCount(f.bytes[start:offset]), Byte: offset}
	return &hcl.Range{Filename: name, Start: pos, End: pos}
}

// line gives the number (from 1) and the bounds of the line that holds an offset.
func (f *source) line(offset int) (number, start, end int) {
	if f.lines == nil {
		f.lines = append(f.lines, 0)
		for i, c := range f.bytes {
			if c == '\n' {
				f.lines = append(f.lines, i+1)
			}
		}
	}
	n, found := slices.BinarySearch(f.lines, offset)
	if !found {
		n--
	}
	start = f.lines[n]
	end = len(f.bytes)
	if i := bytes.IndexByte(f.bytes[start:], '\n'); i >= 0 {
		end = start + i
	}
	return n + 1, start, end
}

// blockAt names the top-level block around an offset, or "".
func (f *source) blockAt(offset int) string {
	i, found := slices.BinarySearchFunc(f.blocks, offset, func(s span, o int) int { return s.start - o })
	if !found {
		i--
	}
	if i >= 0 && offset <= f.blocks[i].end {
		return f.blocks[i].header
	}
	return ""
}

// Index remembers where the blocks of a parsed file stand.
func (s *Sources) Index(name string, body hcl.Body) {
	b, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	f := s.files[name]
	f.blocks = make([]span, 0, len(b.Blocks))
	for _, blk := range b.Blocks {
		f.blocks = append(f.blocks, span{blk.TypeRange.Start.Byte, blk.CloseBraceRange.End.Byte, header(blk.Type, blk.Labels)})
	}
}

func header(typ string, labels []string) string {
	var b strings.Builder
	b.WriteString(typ)
	for _, l := range labels {
		b.WriteString(" " + QuoteKey(l))
	}
	return b.String()
}
