package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// FormatVersion is that of documents. Within a major version, keys are only added.
const FormatVersion = "1.0"

// Document is the body of one request: what has come to be known since the one
// before.
type Document struct {
	FormatVersion string    `json:"format_version"`
	ID            string    `json:"id"` // of the document; the same when it is sent again
	At            time.Time `json:"at"` // when it was made
	Notices       []Notice  `json:"notifications"`
	Dropped       int64     `json:"dropped,omitempty"` // earlier ones that were never sent, as they were too many
}

// Notice is one thing to look at, or its end.
type Notice struct {
	ID        string    `json:"id"` // the same whenever the same is told, also by a process after this one; another when it is resolved
	At        time.Time `json:"at"` // when it was noticed
	Kind      string    `json:"kind"`
	Workspace string    `json:"workspace,omitempty"`
	StationID string    `json:"station_id,omitempty"`
	Address   string    `json:"address,omitempty"`
	Summary   string    `json:"summary"` // in a few words
	Detail    string    `json:"detail,omitempty"`
	Since     time.Time `json:"since"`
	Resolved  bool      `json:"resolved"` // it stands no longer

	// About tells things apart that have the rest in common; it stays here.
	About string `json:"-"`
	// Settle is how long it must be gone before it is said to be over: what comes
	// back in between has stood all the time.
	Settle time.Duration `json:"-"`
}

// key is what a notice is about.
func (n *Notice) key() string {
	parts := []string{n.Kind, n.Workspace, n.StationID, n.Address}
	if n.About != "" {
		parts = append(parts, n.About)
	}
	return strings.Join(parts, "\x00")
}

// stamp gives a notice its id and time.
func (n Notice) stamp(now time.Time, resolved bool) Notice {
	n.At, n.Resolved = now.UTC(), resolved
	parts := []string{n.key(), n.Since.UTC().Format(time.RFC3339Nano)}
	if resolved {
		parts = append(parts, "resolved")
	}
	n.ID = digest(parts...)
	return n
}

// digest is 128 bits in hexadecimal.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x01")))
	return hex.EncodeToString(sum[:16])
}

// told is what a receiver was told of one thing.
type told struct {
	Notice
	gone time.Time // since when it has not stood; zero: it stands
}

// changes compares what was told with what stands now: what is new, and what is
// over, in the order of their keys. Of what stands on, texts and times may change
// without anybody hearing of it again.
func changes(before map[string]told, standing []Notice, now time.Time) (news []Notice, after map[string]told) {
	after = make(map[string]told, len(standing))
	for _, n := range standing {
		key := n.key()
		was, known := before[key]
		_, twice := after[key]
		switch {
		case twice:
		case known:
			was.gone = time.Time{}
			after[key] = was
		default:
			after[key] = told{Notice: n.stamp(now, false)}
			news = append(news, after[key].Notice)
		}
	}
	for key, was := range before {
		if _, stands := after[key]; stands {
			continue
		}
		if was.gone.IsZero() {
			was.gone = now
		}
		if now.Sub(was.gone) < was.Settle {
			after[key] = was
			continue
		}
		news = append(news, was.stamp(now, true))
	}
	slices.SortStableFunc(news, func(a, b Notice) int { return strings.Compare(a.key(), b.key()) })
	return news, after
}
