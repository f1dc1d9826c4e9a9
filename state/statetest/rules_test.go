package statetest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/resctl/resctl/reservation"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	fixedJournal = "testdata/journal.jsonl"
	fixedBooks   = "testdata/books.golden"
)

// TestRulesVersion: a journal that never changes gives the books that it always
// gave, or the rules have another version.
func TestRulesVersion(t *testing.T) {
	if _, err := os.Stat(fixedJournal); *update && errors.Is(err, fs.ErrNotExist) {
		writeJournal(t)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(foldedJournal(t)))
	golden, err := os.ReadFile(fixedBooks)
	if err != nil && !*update {
		t.Fatal(err)
	}
	var version int
	var before string
	if len(golden) > 0 {
		if _, err := fmt.Sscanf(string(golden), "rules %d give %s", &version, &before); err != nil {
			t.Fatal(err)
		}
	}
	switch {
	case sum == before && version == reservation.RulesVersion:
	case version == reservation.RulesVersion:
		t.Errorf("a rule has changed what a journal means: count reservation.RulesVersion on, and run this with -update\nthe books are %s, and were %s", sum, before)
	case *update:
		if err := os.WriteFile(fixedBooks, fmt.Appendf(nil, "rules %d give %s\n", reservation.RulesVersion, sum), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the rules are of version %d, and %s of %d: run this with -update", reservation.RulesVersion, fixedBooks, version)
	}
}

// foldedJournal is what the books of the fixed journal are, as JSON.
func foldedJournal(t *testing.T) []byte {
	t.Helper()
	file, err := os.Open(fixedJournal)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	books := map[string]*reservation.Book{}
	var folded bytes.Buffer
	out := json.NewEncoder(&folded)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var e reservation.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.StationID == "" {
			continue
		}
		if books[e.StationID] == nil {
			books[e.StationID] = reservation.NewBook(e.StationID)
		}
		cascade, err := books[e.StationID].Apply(e)
		if err == nil {
			err = out.Encode(cascade)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(books)) {
		if err := errors.Join(out.Encode(books[id].Station), out.Encode(books[id].Occurrences)); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil || folded.Len() < 1000 {
		t.Fatal(folded.Len(), err)
	}
	return folded.Bytes()
}

// writeJournal makes the fixed journal, of a random history.
func writeJournal(t *testing.T) {
	t.Helper()
	b := &bench{T: t, s: NewMemory(), now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), serials: map[string]int64{}}
	var text []byte
	for _, e := range b.live(5).Lines(0) {
		line, err := json.Marshal(e)
		b.must(err)
		text = append(append(text, line...), '\n')
	}
	b.must(os.MkdirAll("testdata", 0o755))
	b.must(os.WriteFile(fixedJournal, text, 0o644))
}
