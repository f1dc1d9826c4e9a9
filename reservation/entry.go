package reservation

import "time"

// Entry is one line of the state: an address, what is wanted of it, and where
// its latest occurrence stands. Plans and listings are made of entries, which
// are read from columns without decoding what lies behind them.
type Entry struct {
	Workspace string
	Address   string
	StationID string
	Hash      string // of the declaration; "" where it is no longer wanted
	Target    Target
	Window    Window
	Phase     Phase
	Reason    Reason
	Since     time.Time
	ID        int32 // that may be at the station
	EverHeld  bool
	Moving    bool // the half of a move that is left
	Recurs    bool // it has a schedule; Window is that of the occurrence shown
}

// Foremost reports whether, of the occurrences of a schedule, an entry shows a
// rather than b: what is open before what has ended; of that which is open the
// earliest, of that which has ended the latest.
func Foremost(a Phase, aStart time.Time, b Phase, bStart time.Time) bool {
	switch {
	case a.Open() != b.Open():
		return a.Open()
	case a.Open():
		return aStart.Before(bStart)
	}
	return aStart.After(bStart)
}

// Wanted reports whether a declaration is behind the entry.
func (e Entry) Wanted() bool { return e.Hash != "" }

// HeldNow reports whether the station is believed to hold it.
func (e Entry) HeldNow() bool { return e.Phase == Held && e.ID != 0 }

// Meta is what a state knows of itself.
type Meta struct {
	Lineage   string           // random, made with the state
	Simulated *bool            // nil until the first connection
	Serials   map[string]int64 // by workspace: counts its proposals
	Secret    []byte           // keys digests and token fingerprints
	Frozen    map[string]Halt  // by workspace, or AllWorkspaces; those that have run out as well
}
