package reservation

import "errors"

// ErrStale says that a workspace has changed since a proposal was derived.
var ErrStale = errors.New("workspace: proposal: it has changed meanwhile")

// Changeset is a proposal as a store takes it: whole or not at all.
type Changeset struct {
	Workspace string
	Serial    int64   // the workspace's, from which it was derived
	Events    []Event // Declared, one per address and station, then one Proposed
	// Check is asked about each station's book as it is when the proposal is
	// stored, with the occurrences of the events' addresses in it, before the
	// events are applied. An error refuses the whole. It must be pure: a
	// book that moves is asked about again.
	Check func(b *Book, events []Event) error
}
