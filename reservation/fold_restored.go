package reservation

import "time"

// Restoration says that a backup was put in the place of a state.
type Restoration struct {
	By      string `json:"by,omitempty"`      // who did it
	File    string `json:"file,omitempty"`    // name of the backup
	Lineage string `json:"lineage,omitempty"` // that the state had before
}

// Erasure says that a token was replaced by a placeholder everywhere in a state.
type Erasure struct {
	By          string `json:"by,omitempty"` // who did it
	Fingerprint string `json:"fingerprint"`  // of the token
	Rows        int    `json:"rows"`         // that had it
}

// forget: what the station has done since the backup was made nobody knows. It
// is spoken to once it has booted for us again, or will not.
func (f *folding) forget() {
	s := f.station()
	s.Connectors, s.Transactions = nil, nil
	s.BootAccepted, s.BootAt, s.BootProbedAt = false, time.Time{}, time.Time{}
	s.StatusAt, s.ProbedAt, s.QueuedAt = time.Time{}, time.Time{}, time.Time{}
}

// doubtAfterRestore: nothing that was confirmed is any more. Whatever is Reserved
// may be so for another id, which the backup does not know, so that only an answer
// about the very id settles the doubt.
func (f *folding) doubtAfterRestore() {
	f.each(func(o *Occurrence) {
		if o.ID == 0 || !o.Phase.Open() || o.Phase != Held && o.MustCancel {
			return
		}
		n := f.edit(o)
		if n.Asked == nil {
			n.Asked = n.Held
		}
		n.Held, n.Seen, n.UpdateRefused, n.NoShowAt, n.AskedAt = nil, "", nil, time.Time{}, time.Time{}
		n.enter(Unsure, BecauseRestored, f.e.At)
		n.fresh()
	})
}
